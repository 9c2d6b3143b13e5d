"""Visits to the website: searches, homes looked at and saved, inquiries; and opened e-mails."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadlab.data.brokerage.behaviour import OPENED, VISIT, Acts
from leadlab.data.brokerage.draws import child, exponential, normal, poisson, uniform
from leadlab.data.brokerage.happening import Happening, told
from leadlab.data.brokerage.intent import mood
from leadlab.data.brokerage.listings import AREAS
from leadlab.data.brokerage.taste import liking
from leadlab.data.brokerage.world import World

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
MINUTE = 1 / 1440
VIEWS = np.array([0.8, 1.5, 2.4, 2.6, 1.8, 0.6, 0.0, 0.0])
"""Homes looked at in a visit, by mood."""
SAVES = np.array([0.02, 0.05, 0.11, 0.16, 0.10, 0.03, 0.0, 0.0])
ASKS = np.array([0.004, 0.009, 0.02, 0.03, 0.01, 0.002, 0.0, 0.0])
DISCARDS = np.array([0.01, 0.02, 0.05, 0.05, 0.03, 0.01, 0.0, 0.0])
"""Chance that a home looked at is saved, asked about and put aside, at the usual liking."""
WIDTH = np.array([0.25, 0.22, 0.14, 0.07, 0.05, 0.15, 0.2, 0.2])
"""How far from its place in the price range a lead looks."""
ELSEWHERE = np.array([0.5, 0.45, 0.3, 0.15, 0.1, 0.3, 0.5, 0.5])
"""Chance that a home looked at is in another area than the lead's."""


CHOICES = 4
"""Homes that come up for each that is looked at."""
CARE = np.array([0.4, 0.7, 1.1, 1.8, 2.5, 1.0, 0.5, 0.5])
"""How far liking, rather than chance, decides between homes that come up."""
USUAL = -1.6
"""Liking of the homes that leads look at, about the middle."""


def homes(key: NDArray[np.uint64], lead: I64, state: I64, world: World) -> I64:
    """Draw listings near to what leads want and, of a few, the best liked but for chance.

    The more serious a lead, the nearer and the choosier: of the homes that come up it takes the
    one with the highest ``CARE[mood] * liking + g``, g a Gumbel number (a logit choice).
    """
    care = CARE[mood(state)]
    best, found = np.full(len(lead), -np.inf), np.zeros(len(lead), np.int64)
    for number in range(CHOICES):
        own = child(key, number, "comes up")
        home = _nearby(own, lead, state, world)
        worth = care * liking(world.leads.taste, lead, world.listings.traits, home)
        worth -= np.log(exponential(own, "chance"))
        better = worth > best
        best, found = np.where(better, worth, best), np.where(better, home, found)
    return found


def _nearby(key: NDArray[np.uint64], lead: I64, state: I64, world: World) -> I64:
    """Draw listings near to the areas and prices that leads look at."""
    moods, leads = mood(state), world.leads
    away = uniform(key, "elsewhere") < ELSEWHERE[moods]
    other = (uniform(key, "where") * len(AREAS)).astype(np.int64)
    place = leads.price[lead] + WIDTH[moods] * normal(key, "price")
    place = 1 - np.abs(1 - np.abs(place))  # beyond an end of the range leads turn back into it
    return world.listings.near(np.where(away, other, leads.area[lead]), place)


def visits(acts: Acts, world: World) -> list[Happening]:
    """Tell what happens in visits to the website and in opened e-mails."""
    seen = acts.of(VISIT)
    parts = [told("Visited Website", seen.day, seen.lead, seen.key, seen.state)]
    for kind, chance, delay in (
        ("Property Search", 0.30, 0.6),
        ("Saved Property Search", 0.025, 1.2),
    ):
        some = uniform(seen.key, kind) < chance
        day, key = seen.day[some], child(seen.key[some], 0, kind)
        later = day + delay * MINUTE
        parts.append(told(kind, later, seen.lead[some], key, seen.state[some], day))
    opened = acts.of(OPENED)
    parts.append(told("Email Opened", opened.day, opened.lead, opened.key, opened.state))
    clicks = uniform(opened.key, "click") < 0.3
    day, key = opened.day[clicks], child(opened.key[clicks], 0, "click")
    lead, state = opened.lead[clicks], opened.state[clicks]
    parts.append(told("Email Clicked", day + 0.4 * MINUTE, lead, key, state, day))
    from_mail = Acts(np.full(len(day), VISIT), day, lead, state, key)
    counts = poisson(seen.key, "views", VIEWS[mood(seen.state)])
    looked = _looked_at(seen, counts, world)
    clicked = _looked_at(from_mail, np.ones(len(day), np.int64), world)
    return [*parts, looked, clicked, *_liked(looked, world), *_liked(clicked, world)]


def _looked_at(visit: Acts, counts: I64, world: World) -> Happening:
    """So many homes in each visit, one after the other."""
    rows = np.repeat(np.arange(len(counts)), counts)
    number = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    key = child(visit.key[rows], number, "view")
    begun = visit.day[rows]
    day = begun + (0.7 + 2.2 * number + 2.0 * exponential(key, "wait")) * MINUTE
    lead, state = visit.lead[rows], visit.state[rows]
    return told("Viewed Property", day, lead, key, state, begun, homes(key, lead, state, world))


def _liked(looked: Happening, world: World) -> list[Happening]:
    """Homes saved, asked about and put aside, shortly after they were looked at."""
    parts = []
    like = liking(world.leads.taste, looked.lead, world.listings.traits, looked.listing)
    pleased = 2 / (1 + np.exp(-1.5 * (like - USUAL)))
    for kind, chance, delay, factor in (
        ("Saved Property", SAVES, 1.0, pleased),
        ("Property Inquiry", ASKS, 2.0, pleased),
        ("Discarded Property", DISCARDS, 0.5, 2 - pleased),
    ):
        some = looked.take(uniform(looked.key, kind) < chance[mood(looked.state)] * factor)
        key, day = child(some.key, 0, kind), some.day + delay * MINUTE
        parts.append(told(kind, day, some.lead, key, some.state, some.decided, some.listing))
    return parts

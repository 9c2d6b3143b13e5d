"""SIMULATED lead events: invented by chance from a seed, about nobody.

They stand in where no real log is at hand, so that everything can be tried. What a model reaches on
them says nothing of what it would reach on people.

Each simulated lead has a hidden intent. It drives how often the lead visits, views, saves, writes
and sees homes, how warm the messages are, and how likely a purchase is; interest fades in most and
rises in those that buy. Agents answer late and not always. The log ends on a fixed day: leads that
came shortly before have no outcome yet.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlab.errors import BadInput
from leadlab.schema.fields import DEFAULT_TENANT
from leadlab.schema.intake import log_from_frame
from leadlab.schema.kinds import CONVERTED, LOST, kind_of
from leadlab.schema.log import EventLog
from leadlab.schema.times import moment_us

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
SOURCE = "simulated"
N_LISTINGS = 2_000
HOUR = 1 / 24


@dataclass(frozen=True, eq=False)
class _Leads:
    """The simulated leads; times in days since the log's start."""

    arrival: F64
    intent: F64
    buys: NDArray[np.bool_]
    span: F64  # days of interest after arrival; a buyer's end in the offer
    agent: I64
    agent_pace: F64  # above 1: slower than most
    taste: F64  # where the lead's price range lies among the listings, 0 to 1


@dataclass(eq=False)
class _Story:
    """The events told so far, one table for each kind."""

    leads: _Leads
    parts: list[pd.DataFrame] = field(default_factory=list)

    def tell(
        self,
        kind: str,
        lead: I64,
        day: F64,
        fields: dict[str, Any] | None = None,
        *,
        by_agent: bool = False,
    ) -> None:
        columns = {"lead": lead, "day": day, "kind": kind, "channel": kind_of(kind).channel}
        columns["agent"] = self.leads.agent[lead] if by_agent else -1
        self.parts.append(pd.DataFrame({**columns, **(fields or {})}))


def _draw_leads(n: int, days: float, rng: np.random.Generator) -> _Leads:
    intent = rng.normal(size=n)
    n_agents = max(2, n // 60)
    agent = rng.integers(0, n_agents, n)
    pace = rng.lognormal(0.0, 0.5, n_agents)[agent]
    log_odds = -3.5 + 1.2 * intent - 0.5 * np.log(pace)
    buys = rng.random(n) < 1 / (1 + np.exp(-log_odds))
    looking = rng.gamma(4.0, 15.0, n)  # about ten weeks from first visit to offer
    fading = rng.exponential(22.0, n) * np.exp(0.3 * intent)
    return _Leads(
        arrival=rng.uniform(0, days, n),
        intent=intent,
        buys=buys,
        span=np.where(buys, 14 + looking, 1 + fading),
        agent=agent,
        agent_pace=pace,
        taste=rng.beta(2.0, 2.5, n),
    )


def _moments(leads: _Leads, weekly: F64, rng: np.random.Generator) -> tuple[I64, F64, F64]:
    """Draw lead, day and progress (0 to 1) of activities; buyers' thicken towards the offer."""
    counts = rng.poisson(np.minimum(weekly * leads.span / 7, 300))
    lead = np.repeat(np.arange(len(counts)), counts)
    buys = leads.buys[lead]
    progress = np.where(buys, rng.beta(1.6, 1.0, len(lead)), rng.beta(1.0, 2.2, len(lead)))
    day = leads.arrival[lead] + 0.01 + progress * leads.span[lead]
    evening = np.floor(day) + np.mod(rng.normal(18.5, 3.5, len(lead)), 24) * HOUR
    return lead, np.where(evening > leads.arrival[lead], evening, day), progress


def _browsing(story: _Story, price_usd: F64, rng: np.random.Generator) -> None:
    leads = story.leads
    lead, day, progress = _moments(leads, 1.1 * np.exp(0.5 * leads.intent), rng)
    story.tell("Visited Website", lead, day)
    searched = rng.random(len(lead)) < 0.3
    story.tell("Property Search", lead[searched], day[searched] + 0.001)
    views = rng.poisson(1.8 + 0.8 * leads.buys[lead])
    viewer, how_far = np.repeat(lead, views), np.repeat(progress, views)
    at = np.repeat(day, views) + rng.exponential(0.01, len(viewer))
    width = np.where(leads.buys[viewer], 0.12 * (1.1 - how_far), 0.12)
    place = np.clip(leads.taste[viewer] + rng.normal(0, 1, len(at)) * width, 0, 0.9999)
    listing = (place * N_LISTINGS).astype(np.int64)
    seen = {"listing": listing, "value": price_usd[listing]}
    story.tell("Viewed Property", viewer, at, seen)
    liking = 0.08 * np.exp(0.3 * leads.intent[viewer]) * (1 + leads.buys[viewer] * how_far)
    for kind, share, delay in (
        ("Saved Property", liking, 0.002),
        ("Property Inquiry", 0.02, 0.003),
    ):
        chosen = rng.random(len(at)) < share
        fields = {name: column[chosen] for name, column in seen.items()}
        story.tell(kind, viewer[chosen], at[chosen] + delay, fields)
        if kind == "Property Inquiry":
            _answers(story, viewer[chosen], at[chosen] + delay, rng)


def _talking(story: _Story, rng: np.random.Generator) -> None:
    leads = story.leads
    lead, day, progress = _moments(leads, 0.35 * np.exp(0.6 * leads.intent), rng)
    warmth = 0.05 + 0.15 * leads.intent[lead] + 0.5 * leads.buys[lead] * progress
    said = {
        "sentiment": np.clip(warmth + rng.normal(0, 0.35, len(lead)), -1, 1),
        "urgency": 1 / (1 + np.exp(-(3 * warmth - 1.5 + rng.normal(0, 1, len(lead))))),
        "length": np.ceil(rng.lognormal(4.2, 0.8, len(lead))),
    }
    way = rng.choice(3, len(lead), p=[0.6, 0.25, 0.15])
    for number, kind in enumerate(("Incoming Message", "Incoming Email", "Incoming Call")):
        chosen = way == number
        fields = {name: column[chosen] for name, column in said.items()} if number < 2 else {}
        story.tell(kind, lead[chosen], day[chosen], fields)
    _answers(story, lead, day, rng)


def _answers(story: _Story, lead: I64, day: F64, rng: np.random.Generator) -> None:
    """Answer some requests: a third never are, and the rest after hours, some after days."""
    pace = story.leads.agent_pace[lead]
    delay = rng.lognormal(np.log(3 * HOUR), 1.6, len(lead)) * pace
    answered = rng.random(len(lead)) < 0.75 / np.sqrt(np.maximum(pace, 0.6))
    way = rng.choice(3, len(lead), p=[0.5, 0.3, 0.2])
    for number, kind in enumerate(("Outgoing Message", "Outgoing Email", "Outgoing Call")):
        chosen = answered & (way == number)
        story.tell(kind, lead[chosen], day[chosen] + delay[chosen], by_agent=True)


def _showings(story: _Story, rng: np.random.Generator) -> None:
    leads = story.leads
    expected = np.where(leads.buys, 3.0, 0.12 * np.exp(0.7 * leads.intent))
    lead = np.repeat(np.arange(len(expected)), rng.poisson(expected))
    day = leads.arrival[lead] + leads.span[lead] * rng.beta(2.5, 1.2, len(lead))
    story.tell("Showing Requested", lead, day)
    story.tell("Showing Scheduled", lead, day + 4 * HOUR, by_agent=True)
    off = rng.random(len(lead)) < 0.15
    story.tell("Showing Cancelled", lead[off], day[off] + 1.0)
    story.tell("Showing Completed", lead[~off], day[~off] + rng.uniform(1, 5, (~off).sum()))


def _outcomes(story: _Story, price_usd: F64, rng: np.random.Generator) -> None:
    leads = story.leads
    price = price_usd[(leads.taste * (N_LISTINGS - 1)).astype(np.int64)] * rng.normal(
        0.98, 0.02, len(leads.taste)
    )
    end = leads.arrival + leads.span
    tries = leads.buys | (rng.random(len(end)) < np.minimum(0.015 * np.exp(leads.intent), 0.3))
    falls_through = ~leads.buys & (rng.random(len(end)) < 0.2)
    closing = end + 3 + rng.uniform(30, 42, len(end))
    gone = ~leads.buys & (rng.random(len(end)) < 0.5)
    lost = np.where(tries, closing, end) + rng.exponential(20, len(end))
    for kind, chosen, day in (
        ("Offer Submitted", tries, end),
        ("Offer Accepted", leads.buys | (tries & falls_through), end + 2),
        ("Offer Rejected", tries & ~leads.buys & ~falls_through, end + 2),
        ("Contract Cancelled", tries & falls_through, closing - 7),
        (CONVERTED, leads.buys, closing),
        (LOST, gone, lost),
    ):
        rows = np.flatnonzero(chosen)
        story.tell(kind, rows, day[rows], {"value": np.nan if kind == LOST else price[rows]})


def generated_log(
    n_leads: int = 2_000,
    days: int = 365,
    seed: int = 0,
    *,
    tenant: str = DEFAULT_TENANT,
    start: dt.datetime | str = "2025-01-01",
) -> EventLog:
    """Generate SIMULATED events of real-estate leads; nobody in them exists.

    About 3 leads in 100 buy within the log ("Closed"; "Lost" where one gave up and said so); the
    others have no outcome by its end. ``value`` is the price in US dollars (views, saves,
    inquiries, offers, closings). Further fields: ``channel``, ``listing``; for written messages
    ``sentiment`` (-1 to 1), ``urgency`` (0 to 1) and ``length`` (characters).

    Parameters
    ----------
    n_leads : int
        At least 1; their arrivals are spread over the whole log.
    days : int
        How long the log is.
    seed : int
        The same seed gives the same log.
    tenant : str
    start : datetime or ISO 8601
        The log's first moment, UTC.

    Returns
    -------
    EventLog
        ``source`` is "simulated" on every event.

    Examples
    --------
    >>> log = generated_log(50, 90, seed=1)
    >>> set(log.source.names), log.at_us[-1] < moment_us("2025-04-01")
    ({'simulated'}, np.True_)
    """
    if n_leads < 1 or days < 1:
        raise BadInput("nothing to simulate", got=f"{n_leads} leads, {days} days")
    rng = np.random.default_rng(seed)
    price_usd = np.sort(np.round(rng.lognormal(np.log(420_000), 0.4, N_LISTINGS), -3))
    leads = _draw_leads(n_leads, days, rng)
    story = _Story(leads)
    everyone = np.arange(n_leads)
    story.tell("Registration", everyone, leads.arrival)
    story.tell("Agent Assigned", everyone, leads.arrival + 0.001, by_agent=True)
    _answers(story, everyone, leads.arrival, rng)
    _browsing(story, price_usd, rng)
    _talking(story, rng)
    _showings(story, rng)
    _outcomes(story, price_usd, rng)
    return _as_log(story, days, tenant, moment_us(start))


def _as_log(story: _Story, days: int, tenant: str, start_us: int) -> EventLog:
    events = pd.concat(story.parts, ignore_index=True)
    events = events[events["day"] < days].reset_index(drop=True)
    listing = "listing-" + events["listing"].astype("Int64").astype("string").str.zfill(4)
    agent = "agent-" + events["agent"].astype("string").str.zfill(3)
    at_us = start_us + (events["day"] * 86_400_000_000).astype(np.int64)
    return log_from_frame(
        events.assign(
            lead="lead-" + events["lead"].astype("string").str.zfill(6),
            listing=listing,
            agent=agent.where(events["agent"] >= 0),
            at=at_us,
            id=f"{SOURCE}-" + pd.Series(np.arange(len(events)), dtype="string").str.zfill(8),
            tenant=tenant,
            source=SOURCE,
        ),
        lead="lead",
        kind="kind",
        at="at",
        id="id",
        value="value",
        tenant="tenant",
        agent="agent",
        source="source",
        data=("channel", "listing", "sentiment", "urgency", "length"),
        at_format="us",
        now="2199-12-31",
        on_bad="raise",
    )

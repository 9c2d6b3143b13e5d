"""What is said between leads and agents: questions, late answers or none, follow-ups, replies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from leadlab.data.brokerage.agents import answer_day
from leadlab.data.brokerage.behaviour import CALL, EMAIL, INQUIRY, MESSAGE, Acts
from leadlab.data.brokerage.clock import in_hours
from leadlab.data.brokerage.draws import Keys, child, choose, lognormal, uniform
from leadlab.data.brokerage.happening import CODE, Happening, joined, told
from leadlab.data.brokerage.intent import mood
from leadlab.data.brokerage.segments import SELLER
from leadlab.data.brokerage.world import World

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
HOUR = 1 / 24
ANSWERED = 0.78
"""Chance of an answer to a question of a lead that was followed up; `NEGLECTED` else."""
NEGLECTED = 0.35
REPLIES = np.array([0.05, 0.12, 0.3, 0.4, 0.5, 0.4, 0.0, 0.0])
"""Chance that the lead replies to an answer, by mood."""
FOLLOW_UPS = ((2.0, 0.65), (6.0, 0.5), (15.0, 0.35), (32.0, 0.25))
"""Days after the first answer, and the chance that the agent still tries."""
OUTGOING = np.array([CODE[k] for k in ("Outgoing Message", "Outgoing Email", "Outgoing Call")])
INCOMING = np.array([CODE[k] for k in ("Incoming Message", "Incoming Email")])


def questions(acts: Acts, world: World) -> list[Happening]:
    """Messages, e-mails, calls and inquiries that leads begin."""
    parts = []
    for sort, kind in (
        (MESSAGE, "Incoming Message"),
        (EMAIL, "Incoming Email"),
        (CALL, "Incoming Call"),
    ):
        some = acts.of(sort)
        parts.append(told(kind, some.day, some.lead, some.key, some.state))
    asked = acts.of(INQUIRY)
    sells = world.leads.segment[asked.lead] == SELLER
    kind_code = np.where(sells, CODE["Seller Inquiry"], CODE["General Inquiry"])
    return [*parts, told(kind_code, asked.day, asked.lead, asked.key, asked.state)]


def answers(asked: Sequence[Happening], world: World) -> list[Happening]:
    """Tell the answers to questions, and what leads reply to those."""
    every = joined(asked)
    leads = world.leads
    tended = np.isfinite(leads.first_answer_h[every.lead])
    kept = uniform(every.key, "answered") < np.where(tended, ANSWERED, NEGLECTED)
    some = every.take(kept)
    pace = world.agents.pace[leads.agent[some.lead]]
    day = answer_day(some.key, "answer", some.day, pace)
    key = child(some.key, 0, "answer")
    way = OUTGOING[choose(key, "way", np.array([0.5, 0.3, 0.2]))]
    out = told(way, day, some.lead, key, some.state, some.decided)
    return [out, *replies(out)]


def replies(answered: Happening) -> list[Happening]:
    """What leads write back, within hours mostly."""
    some = answered.take(uniform(answered.key, "reply") < REPLIES[mood(answered.state)])
    key = child(some.key, 0, "reply")
    later = some.day + lognormal(key, "reply", 2.5 * HOUR, 1.2)
    day = in_hours(later, 7, 23, uniform(key, "reply, morning"))
    kind = INCOMING[choose(key, "way", np.array([0.65, 0.35]))]
    return [told(kind, day, some.lead, key, some.state, some.decided)]


def welcome(lead: I64, day: F64, key: Keys, state: I64, world: World) -> list[Happening]:
    """Registration, assignment, the first answer, and follow-ups as long as the agent tries."""
    parts = [
        told("Registration", day, lead, child(key, 0, "registration"), state),
        told("Agent Assigned", day + 0.001, lead, child(key, 0, "assigned"), state, day),
    ]
    tended = np.isfinite(world.leads.first_answer_h[lead])
    lead, begun, key, state = lead[tended], day[tended], key[tended], state[tended]
    first = begun + world.leads.first_answer_h[lead] * HOUR
    way = OUTGOING[choose(key, "first way", np.array([0.35, 0.35, 0.30]))]
    answered = told(way, first, lead, child(key, 0, "first answer"), state, begun)
    parts += [answered, *replies(answered)]
    for number, (days, chance) in enumerate(FOLLOW_UPS):
        tried = child(key, number, "follow-up")
        goes_on = uniform(tried, "tries") < chance
        lead, begun, first, key = lead[goes_on], begun[goes_on], first[goes_on], key[goes_on]
        state, tried = state[goes_on], tried[goes_on]
        on = in_hours(
            first + days * (0.7 + 0.6 * uniform(tried, "day")), 8, 20, uniform(tried, "h")
        )
        recommends = uniform(tried, "recommends") < 0.35
        sent = np.where(recommends, CODE["Listing Recommended"], CODE["Outgoing Email"])
        parts.append(told(sent, on, lead, tried, state, begun))
    return parts

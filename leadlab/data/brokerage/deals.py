"""Offers, contracts, closings and losses: what passing from state to state leaves in the log."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadlab.data.brokerage.behaviour import Stays
from leadlab.data.brokerage.draws import child, exponential, uniform
from leadlab.data.brokerage.happening import Happening, told
from leadlab.data.brokerage.intent import CLOSED, CONTRACT, GONE, OFFERING, READY
from leadlab.data.brokerage.visits import homes
from leadlab.data.brokerage.world import World

UNSUBSCRIBES = 0.12
"""Chance that a lead that goes says so by unsubscribing, there and then."""
SAID_LOST = 0.5
LOST_DAYS = 20.0
"""Chance that the agent marks a lead that is gone as lost, and after how many days on average."""


def in_contract(state: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell whether states are phases of a contract."""
    return (state >= CONTRACT) & (state < CLOSED)


def deals(stays: Stays, world: World) -> list[Happening]:
    """Tell what entering the states leaves in the log."""
    was, now = stays.came_from, stays.state
    key = child(stays.key, 0, "deal")
    home = homes(world.leads.key[stays.lead], stays.lead, np.full(len(now), OFFERING), world)
    day = world.clock.day(stays.entered)
    parts = []
    for kind, rows in (
        ("Offer Submitted", now == OFFERING),
        ("Offer Accepted", (was == OFFERING) & (now == CONTRACT)),
        ("Offer Rejected", (was == OFFERING) & (now == READY)),
        ("Contract Cancelled", in_contract(was) & ((now == READY) | (now == GONE))),
        ("Closed", now == CLOSED),
    ):
        parts.append(
            told(kind, day[rows], stays.lead[rows], key[rows], now[rows], None, home[rows])
        )
    gone = np.flatnonzero((now == GONE) & (was != GONE))
    says = gone[uniform(key[gone], "unsubscribes") < UNSUBSCRIBES]
    own = child(key[says], 0, "unsubscribed")
    parts.append(told("Unsubscribed", day[says], stays.lead[says], own, now[says]))
    lost = gone[uniform(key[gone], "lost") < SAID_LOST]
    own = child(key[lost], 0, "lost")
    later = day[lost] + 0.5 + LOST_DAYS * exponential(own, "lost")
    parts.append(told("Lost", later, stays.lead[lost], own, now[lost], day[lost]))
    return parts

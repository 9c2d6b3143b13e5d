"""What leads do of their own accord in each state, and how often.

Beginnings of acts come as a Poisson process in waking time whose rate depends on the state of
hidden intent and on the lead's zeal; what sort of act it is depends on the state as well, and on
the hour. States differ strongly in both, and none is told by a single act: leads that merely browse
ask for a showing now and then, and those under contract still look at homes.

The rates are of our choosing: such that a lead has 15 to 40 events, and that a few weeks of
behaviour tell its state about as well as they would a person who watched.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadlab.data.brokerage.clock import Clock
from leadlab.data.brokerage.draws import Keys, child, choose, poisson, uniform
from leadlab.data.brokerage.intent import mood
from leadlab.data.brokerage.leads import Leads

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
VISIT, OPENED, MESSAGE, EMAIL, CALL, INQUIRY, SHOWING, OPEN_HOUSE = range(8)
RATES = np.array(
    [  # visit, e-mail opened, message, e-mail, call, inquiry, showing, open house: a day
        [0.012, 0.015, 0.001, 0.0005, 0.0002, 0.0005, 0.000, 0.0005],  # dormant
        [0.130, 0.030, 0.006, 0.003, 0.002, 0.006, 0.0005, 0.002],  # browsing
        [0.360, 0.070, 0.022, 0.014, 0.005, 0.025, 0.002, 0.015],  # active
        [0.280, 0.060, 0.300, 0.100, 0.180, 0.010, 0.480, 0.040],  # ready
        [0.300, 0.050, 0.450, 0.220, 0.350, 0.000, 0.030, 0.005],  # offering
        [0.060, 0.040, 0.150, 0.100, 0.090, 0.000, 0.004, 0.000],  # under contract
        [0.0] * 8,  # closed
        [0.0] * 8,  # gone
    ]
)
"""Beginnings of acts a day of waking time, by mood and sort of act."""


@dataclass(frozen=True, eq=False)
class Stays:
    """Stays of leads in states, flat arrays of shape (n,).

    Attributes
    ----------
    lead, came_from, state, goes_to : int array
    entered, left : float array
        Waking time; `left` is infinite for closed and gone, and `goes_to` then of no meaning.
    key : uint64 array
    """

    lead: I64
    came_from: I64
    state: I64
    goes_to: I64
    entered: F64
    left: F64
    key: Keys


@dataclass(frozen=True, eq=False)
class Acts:
    """Beginnings of acts, flat arrays of shape (n,); `sort` as numbered above, `day` as ever."""

    sort: I64
    day: F64
    lead: I64
    state: I64
    key: Keys

    def of(self, *sorts: int) -> Acts:
        """Only those of some sorts."""
        rows = np.isin(self.sort, sorts)
        return Acts(self.sort[rows], self.day[rows], self.lead[rows], self.state[rows],
                    self.key[rows])  # fmt: skip


def acts(stays: Stays, leads: Leads, clock: Clock) -> Acts:
    """Draw what leads begin to do during their stays.

    Calls and visits to open houses outside of their hours are messages and visits to the website.
    """
    rate = RATES.sum(axis=1)[mood(stays.state)] * leads.zeal[stays.lead]
    length = np.where(np.isfinite(stays.left), stays.left - stays.entered, 0.0)
    counts = poisson(stays.key, "acts", rate * length)
    rows = np.repeat(np.arange(len(counts)), counts)
    number = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    key = child(stays.key[rows], number, "act")
    day = clock.day(stays.entered[rows] + uniform(key, "moment") * length[rows])
    state = stays.state[rows]
    return Acts(_in_season(_sorts(key, state), day), day, stays.lead[rows], state, key)


def _sorts(key: Keys, state: I64) -> I64:
    """Sort of act by mood, one mood at a time."""
    moods = mood(state)
    sort = np.zeros(len(state), np.int64)
    for one in np.unique(moods):
        rows = moods == one
        sort[rows] = choose(key[rows], "sort", RATES[one])
    return sort


def _in_season(sort: I64, day: F64) -> I64:
    hour = (day - np.floor(day)) * 24
    weekend = np.floor(day).astype(np.int64) % 7 >= 5
    open_doors = weekend & (hour >= 11) & (hour < 17)
    late = (hour < 8) | (hour >= 21)
    sort = np.where((sort == CALL) & late, MESSAGE, sort)
    return np.where((sort == OPEN_HOUSE) & ~open_doors, VISIT, sort)

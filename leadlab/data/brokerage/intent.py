"""Hidden intent: the states that a lead passes through, and how quickly.

A continuous-time Markov chain in waking time. Its rates (a day) are multiplied, where marked, by
the lead's own lift (segment, and how early it was answered) and by the market's pace. Being under
contract takes 36 phases of a day on average, so that closings come 30 to 42 days after acceptance
and not, as a single exponential stay would have it, mostly at once; from each phase the contract
may break off, in 5.5% altogether.

The stays in the early states are of our choosing: weeks, such that the search of those who buy
takes about ten weeks at the median.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
PHASES = 36
CANCELLED_SHARE = 0.055
DORMANT, BROWSING, ACTIVE, READY, OFFERING, CONTRACT = range(6)
CLOSED, GONE = CONTRACT + PHASES, CONTRACT + PHASES + 1
SIZE = GONE + 1
ARRIVING = -1
"""What comes before the first state."""
MOODS = ("dormant", "browsing", "active", "ready", "offering", "under contract", "closed", "gone")
"""Names of the states, the phases of a contract taken together."""


def mood(state: I64) -> I64:
    """Position in `MOODS` of states.

    Examples
    --------
    >>> [MOODS[m] for m in mood(np.array([ACTIVE, CONTRACT, CONTRACT + 9, GONE]))]
    ['active', 'under contract', 'under contract', 'gone']
    """
    state = np.asarray(state)
    return np.where(state < CONTRACT, state, np.where(state < CLOSED, 5, state - CLOSED + 6))


@dataclass(frozen=True)
class Transition:
    """A way from one state to another, and its rate a day before any factor."""

    origin: int
    target: int
    rate: float
    by_lead: bool = False
    by_market: bool = False


def _contract() -> list[Transition]:
    broken = 1 - (1 - CANCELLED_SHARE) ** (1 / PHASES)
    ways = []
    for state in range(CONTRACT, CLOSED):
        on = (1 - broken) * PHASES / 36.0
        ways.append(Transition(state, state + 1, on))
        ways.append(Transition(state, READY, 0.7 * broken * PHASES / 36.0))
        ways.append(Transition(state, GONE, 0.3 * broken * PHASES / 36.0))
    return ways


TRANSITIONS = (
    Transition(DORMANT, BROWSING, 1 / 60),
    Transition(DORMANT, GONE, 1 / 80),
    Transition(BROWSING, ACTIVE, 1 / 760, by_lead=True, by_market=True),
    Transition(BROWSING, DORMANT, 1 / 50),
    Transition(BROWSING, GONE, 1 / 32),
    Transition(ACTIVE, READY, 1 / 72, by_lead=True, by_market=True),
    Transition(ACTIVE, BROWSING, 1 / 130),
    Transition(ACTIVE, GONE, 1 / 140),
    Transition(READY, OFFERING, 1 / 36, by_market=True),
    Transition(READY, ACTIVE, 1 / 160),
    Transition(READY, GONE, 1 / 130),
    Transition(OFFERING, CONTRACT, 0.30),
    Transition(OFFERING, READY, 0.05),
    *_contract(),
)


@dataclass(frozen=True, eq=False)
class Generator:
    """The chain in arrays: the ways out of each state, side by side.

    Examples
    --------
    >>> chain = Generator()
    >>> chain.rates(np.array([ACTIVE]), np.array([1.0]), np.array([1.0])).round(3).tolist()
    [[0.014, 0.008, 0.007]]
    """

    transitions: tuple[Transition, ...] = TRANSITIONS

    @cached_property
    def _table(self) -> tuple[I64, F64, NDArray[np.bool_], NDArray[np.bool_]]:
        width = max(sum(t.origin == s for t in self.transitions) for s in range(SIZE))
        target, rate = np.full((SIZE, width), GONE), np.zeros((SIZE, width))
        by_lead, by_market = np.zeros((2, SIZE, width), bool)
        used = np.zeros(SIZE, np.int64)
        for way in self.transitions:
            at = way.origin, used[way.origin]
            target[at], rate[at] = way.target, way.rate
            by_lead[at], by_market[at] = way.by_lead, way.by_market
            used[way.origin] += 1
        return target, rate, by_lead, by_market

    @property
    def targets(self) -> I64:
        """State behind each way out, shape (SIZE, ways)."""
        return self._table[0]

    def rates(self, state: I64, lift: F64, pace: F64) -> F64:
        """Rates a day of the ways out of states.

        Parameters
        ----------
        state : int array, shape (n,)
        lift, pace : float array, shape (n,)
            The lead's own factor and the market's.

        Returns
        -------
        float array, shape (n, ways)
            0 where a state has fewer ways out.
        """
        _, rate, by_lead, by_market = self._table
        lead = np.where(by_lead[state], lift[:, None], 1.0)
        return np.asarray(rate[state] * lead * np.where(by_market[state], pace[:, None], 1.0))

"""The simulation itself: leads pass from stay to stay, and each stay leaves its events."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadlab.data.brokerage.behaviour import Stays, acts
from leadlab.data.brokerage.conversation import answers, questions, welcome
from leadlab.data.brokerage.deals import deals
from leadlab.data.brokerage.draws import child
from leadlab.data.brokerage.happening import CODE, Happening, joined
from leadlab.data.brokerage.intent import ARRIVING
from leadlab.data.brokerage.showings import showings
from leadlab.data.brokerage.visits import visits
from leadlab.data.brokerage.walk import stay
from leadlab.data.brokerage.world import World

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
_ASKING = np.array(
    [CODE[k] for k in ("Property Inquiry", "General Inquiry", "Seller Inquiry")]
    + [CODE[k] for k in ("Incoming Message", "Incoming Email", "Incoming Call")]
)


@dataclass(frozen=True, eq=False)
class Standing:
    """Where each lead stands; flat arrays of shape (n leads,).

    Attributes
    ----------
    state : int array
        -1 before the arrival.
    goes_to : int array
        The next state.
    left : float array
        Waking time at which the lead leaves its state; infinite for closed and gone.
    number : int array
        Stays so far.
    """

    state: I64
    goes_to: I64
    left: F64
    number: I64

    def and_then(self, others: Standing) -> Standing:
        """These leads and, behind them, others."""
        return Standing(
            np.concatenate([self.state, others.state]),
            np.concatenate([self.goes_to, others.goes_to]),
            np.concatenate([self.left, others.left]),
            np.concatenate([self.number, others.number]),
        )


def arriving(world: World, first: int = 0) -> Standing:
    """Leads from number `first` on, before their arrival.

    Examples
    --------
    >>> from leadlab.data.brokerage.settings import Settings
    >>> arriving(World.of(Settings(3, 3, 0))).state.tolist()
    [-1, -1, -1]
    """
    leads = world.leads
    n = len(leads) - first
    return Standing(
        state=np.full(n, ARRIVING),
        goes_to=leads.first_state[first:].astype(np.int64),
        left=world.clock.waking(leads.arrival[first:]),
        number=np.zeros(n, np.int64),
    )


def advance(standing: Standing, world: World, until: float) -> tuple[Standing, Stays]:
    """Let every lead pass on until all stays reach beyond `until` (waking time).

    Returns
    -------
    Standing
        A new one.
    Stays
        Those that were begun on the way, in rounds: first stays first.
    """
    state, goes_to = standing.state.copy(), standing.goes_to.copy()
    left, number = standing.left.copy(), standing.number.copy()
    due = np.flatnonzero(left < until)
    begun: list[tuple[I64, I64, I64, I64, F64, F64, NDArray[np.uint64]]] = []
    while len(due):
        came_from, entered = state[due], left[due]
        now = goes_to[due]
        key = child(world.leads.key[due], number[due], "stay")
        ends, then = stay(world.chain, world.market, now, entered, world.leads.lift[due], key)
        begun.append((due, came_from, now, then, entered, ends, key))
        state[due], goes_to[due], left[due] = now, then, ends
        number[due] += 1
        due = due[ends < until]
    columns = [np.concatenate(c) for c in zip(*begun, strict=True)] if begun else _NOTHING
    return Standing(state, goes_to, left, number), Stays(*columns)


_NOTHING: list[NDArray[np.generic]] = [
    *(np.empty(0, np.int64) for _ in range(4)),
    *(np.empty(0) for _ in range(2)),
    np.empty(0, np.uint64),
]


def happenings(stays: Stays, world: World) -> Happening:
    """Tell all that follows from stays, in no particular order, also what lies far ahead."""
    first = stays.came_from == ARRIVING
    lead = stays.lead[first]
    greeted = welcome(lead, world.leads.arrival[lead], stays.key[first], stays.state[first], world)
    begun = acts(stays, world.leads, world.clock)
    seen, said = visits(begun, world), questions(begun, world)
    asked = [part.take(np.isin(part.kind, _ASKING)) for part in (*seen, *said)]
    return joined(
        [
            *greeted,
            *seen,
            *said,
            *answers(asked, world),
            *showings(begun, world),
            *deals(stays, world),
        ]
    )

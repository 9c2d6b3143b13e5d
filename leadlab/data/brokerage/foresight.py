r"""What the chain itself says of the future: the planted truth, exactly.

For a lead in state s at waking time t, and a target reached by some transitions, the probability
that it is reached by t + h solves Kolmogorov's backward equation

.. math:: -\dot v = G(t) v, \qquad v(t + h) = 0,

where G is the chain's generator with those transitions led to a state of their own, of value 1.
Within a calendar month G is constant, so v is carried back month by month with the exponential of
G, by uniformisation: with q no less than any rate of leaving,
:math:`e^{Gd} = \sum_k \mathrm{Poisson}(k; qd)\,(I + G/q)^k`.

References
----------
Jensen, "Markoff chains as an aid in the study of Markoff processes", Skandinavisk Aktuarietidskrift
36 (1953); Grassmann, "Transient solutions in Markovian queueing systems", Computers & Operations
Research 4 (1977).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadlab.data.brokerage.intent import SIZE, Transition
from leadlab.data.brokerage.market import Market

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
HIT = SIZE
_REST = 1e-12
_ROWS = 20_000


@dataclass(frozen=True, eq=False)
class Question:
    """Which transitions hit the target, with which chance, and what hits it by itself.

    Attributes
    ----------
    transitions : tuple of Transition
        The chain.
    hits : callable
        Chance (0 to 1) that a transition means the target.
    rates : float array, shape (SIZE,)
        Rate a day at which the target is hit within a state, for a lead of zeal 1.
    """

    transitions: tuple[Transition, ...]
    hits: Callable[[Transition], float]
    rates: F64


def chance(
    question: Question,
    market: Market,
    state: I64,
    start: F64,
    end: F64,
    lift: F64,
    zeal: F64,
) -> F64:
    """Probability that the target is hit after `start` and not after `end`.

    Parameters
    ----------
    question : Question
    market : Market
    state : int array, shape (n,)
        At `start`.
    start, end : float array, shape (n,)
        Waking time.
    lift, zeal : float array, shape (n,)
        The leads' factors.

    Returns
    -------
    float array, shape (n,)
        Exact but for 1e-12 of the series.

    Examples
    --------
    >>> from leadlab.data.brokerage.clock import Clock
    >>> from leadlab.data.brokerage.intent import OFFERING, READY
    >>> yes = Question((Transition(OFFERING, READY, 0.5),), lambda way: 1.0, np.zeros(SIZE))
    >>> one = np.ones(1)
    >>> p = chance(yes, Market(Clock(1_735_689_600_000_000), 0), np.array([OFFERING]),
    ...            3 * one, 5 * one, one, one)
    >>> bool(np.isclose(p[0], 1 - np.exp(-1)))
    True
    """
    found = np.zeros(len(state))
    known, sort = np.unique(state, return_inverse=True)
    for number, one in enumerate(known):
        ways, states = _reachable(question, int(one))
        own = np.flatnonzero(sort == number)
        for rows in np.array_split(own, max(1, -(-len(own) // _ROWS))):
            found[rows] = _carried_back(
                _Part(question, ways, states), market, start[rows], end[rows], lift[rows],
                zeal[rows],
            )[states.index(int(one))]  # fmt: skip
    return found


def _reachable(question: Question, state: int) -> tuple[list[Transition], list[int]]:
    """States that can be reached before the target, and the ways between them."""
    states, ways = [state], []
    for at in states:
        for way in question.transitions:
            if way.origin == at:
                ways.append(way)
                if question.hits(way) < 1 and way.target not in states:
                    states.append(way.target)
    return ways, states


class _Part:
    """The states that matter, and how the generator acts on values of them."""

    def __init__(self, question: Question, ways: list[Transition], states: list[int]) -> None:
        at = {state: row for row, state in enumerate(states)}
        self.size, self.rates = len(states), question.rates[states]
        self.fixed = np.zeros((self.size, self.size))
        self.sure = np.zeros(self.size)
        self.varying: list[tuple[int, int, float, float, Transition]] = []
        for way in ways:
            hit, origin = question.hits(way), at[way.origin]
            target = at.get(way.target, origin)
            if way.by_lead or way.by_market:
                self.varying.append((origin, target, way.rate * hit, way.rate * (1 - hit), way))
                continue
            self.sure[origin] += way.rate * hit
            self.fixed[origin, origin] -= way.rate
            if hit < 1:
                self.fixed[origin, target] += way.rate * (1 - hit)

    def fastest(self, lift: float, zeal: float, pace: float) -> float:
        """No rate of leaving is above this."""
        leaving = -np.diag(self.fixed) + self.rates * zeal
        for origin, _, hit, on, way in self.varying:
            leaving[origin] += (hit + on) * _factor(way, lift, pace)
        return float(leaving.max(initial=0.0)) + 1e-9

    def act(self, values: F64, lift: F64, zeal: F64, pace: float) -> F64:
        """G times values, the target's being 1; shape (size, n)."""
        out = self.fixed @ values + self.sure[:, None]
        out += self.rates[:, None] * zeal * (1 - values)
        for origin, target, hit, on, way in self.varying:
            factor = _factor(way, lift, pace)
            out[origin] += factor * (
                hit * (1 - values[origin]) + on * (values[target] - values[origin])
            )
        return np.asarray(out)


def _factor(way: Transition, lift: float | F64, pace: float) -> float | F64:
    return (lift if way.by_lead else 1.0) * (pace if way.by_market else 1.0)


def _carried_back(part: _Part, market: Market, start: F64, end: F64, lift: F64, zeal: F64) -> F64:
    """Values at `start`, shape (size, n)."""
    values = np.zeros((part.size, len(start)))
    if not len(start):
        return values
    first, last = int(market.month(start).min()), int(market.month(end).max())
    for month in range(last, first - 1, -1):
        low = np.maximum(start, market.bounds[month])
        length = np.minimum(end, market.bounds[month + 1]) - low
        rows = np.flatnonzero(length > 0)
        if len(rows):
            values[:, rows] = _step(
                part, values[:, rows], length[rows], lift[rows], zeal[rows], market.pace[month]
            )
    return values


def _step(part: _Part, values: F64, length: F64, lift: F64, zeal: F64, pace: float) -> F64:
    """Carry values back over `length` at one pace of the market, by uniformisation."""
    q = part.fastest(float(lift.max()), float(zeal.max()), pace)
    jumps = q * length
    weight = np.exp(-jumps)
    total, summed, k = weight.copy(), values * weight, 0
    while total.min() < 1 - _REST and k < 10_000:
        k += 1
        values = values + part.act(values, lift, zeal, pace) / q
        weight = weight * jumps / k
        total += weight
        summed += values * weight
    return np.asarray(summed)

"""How long leads stay in a state and where they go next, many leads at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadlab.data.brokerage.draws import Keys, choose, exponential
from leadlab.data.brokerage.intent import CLOSED, Generator
from leadlab.data.brokerage.market import MONTHS, Market

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


def stay(
    chain: Generator, market: Market, state: I64, entered: F64, lift: F64, keys: Keys
) -> tuple[F64, I64]:
    """Draw when leads leave the state that they entered, and for which.

    The stay ends when the rate of leaving, summed up over waking time and from month to month,
    reaches an exponential number of mean 1.

    Parameters
    ----------
    chain : Generator
    market : Market
    state : int array, shape (n,)
    entered : float array, shape (n,)
        Waking time.
    lift : float array, shape (n,)
    keys : uint64 array, shape (n,)
        One for each stay.

    Returns
    -------
    left : float array, shape (n,)
        Waking time; infinite for closed and gone.
    next_state : int array, shape (n,)
        Of no meaning where `left` is infinite.
    """
    left = np.full(len(state), np.inf)
    month = market.month(entered)
    rows = np.flatnonzero(state < CLOSED)
    due, now = exponential(keys[rows], "stay"), entered[rows]
    while len(rows):
        at = month[rows]
        rate = chain.rates(state[rows], lift[rows], market.pace[at]).sum(axis=1)
        end = now + due / rate
        bound = market.bounds[at + 1]
        over = end > bound
        left[rows[~over]] = end[~over]
        due = (due - rate * (bound - now))[over]
        rows, now = rows[over], bound[over]
        month[rows] += 1
        lasts = month[rows] < MONTHS
        rows, now, due = rows[lasts], now[lasts], due[lasts]
    shares = chain.rates(state, lift, market.pace[np.minimum(month, MONTHS - 1)])
    shares[:, 0] += shares.sum(axis=1) == 0
    way = choose(keys, "way out", shares)
    return left, chain.targets[state, way]

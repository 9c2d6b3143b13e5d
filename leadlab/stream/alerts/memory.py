"""What conditions remember of each lead, in flat arrays by place, one pass over rows in order."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlab.jit import kernel

Bools = NDArray[np.bool_]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
PARTS = 8
"""Equal parts of the span that a change looks at."""
NEVER = np.iinfo(np.int64).min
END = np.iinfo(np.int64).max
IGNORE, RESTART, START, STOP = 0, 1, 2, 3
"""What an event means to a wait: nothing; it begins anew; it begins unless it has; it ends."""


def grown(array: NDArray[Any], size: int, fill: float) -> NDArray[Any]:
    """The array with room for `size` rows, at least doubled when it has to grow.

    Examples
    --------
    >>> grown(np.zeros(1), 2, 7.0).tolist()
    [0.0, 7.0]
    """
    if size <= len(array):
        return array
    room = np.full((max(size, 2 * len(array)), *array.shape[1:]), fill, array.dtype)
    room[: len(array)] = array
    return room


@kernel()
def crossings(
    last: F64,
    places: I64,
    values: F64,
    before: F64,
    level: float,
    up: bool,
    first: bool,
    hit: Bools,
) -> None:
    """Mark rows whose value went through `level`; `last` (by place) is kept up to date.

    Parameters
    ----------
    last : float64 array
        Value by place; NaN for none.
    places, values, before : arrays, shape (n,)
        `before` stands in where `last` has none.
    level : float
    up, first : bool
    hit : bool array, shape (n,)
        Written to.
    """
    for i in range(len(places)):
        value = values[i]
        if value != value:
            continue
        known = last[places[i]]
        if known != known:
            known = before[i]
        beyond = value >= level
        if known != known:
            hit[i] = first and beyond == up
        else:
            hit[i] = beyond == up and (known >= level) != up
        last[places[i]] = value


@kernel()
def rises(
    least: F64,
    stamps: I64,
    places: I64,
    times: I64,
    values: F64,
    part_us: int,
    by: float,
    hit: Bools,
) -> None:
    """Mark rows whose value is above the least of the span by more than `by`.

    Parameters
    ----------
    least, stamps : arrays, shape (places, PARTS)
        Least value of a part of time, and the number of that part.
    places, times, values : arrays, shape (n,)
    part_us : int
    by : float
    hit : bool array, shape (n,)
        Written to.
    """
    for i in range(len(places)):
        value = values[i]
        if value != value:
            continue
        place, part = places[i], times[i] // part_us
        low = value
        for k in range(PARTS):
            if stamps[place, k] > part - PARTS and least[place, k] < low:
                low = least[place, k]
        hit[i] = value - low > by
        k = part % PARTS
        if stamps[place, k] != part or value < least[place, k]:
            stamps[place, k], least[place, k] = part, value


@kernel()
def gaps(
    since: I64, places: I64, times: I64, meaning: NDArray[np.int8], span_us: int, due: I64
) -> None:
    """Write the deadline of each row that comes at or after the one of its lead's wait.

    Parameters
    ----------
    since : int64 array
        Beginning of the wait by place; NEVER for none.
    places, times : int64 arrays, shape (n,)
    meaning : int8 array, shape (n,)
        IGNORE, RESTART, START or STOP.
    span_us : int
    due : int64 array, shape (n,)
        Written to; NEVER where nothing was missed.
    """
    for i in range(len(places)):
        due[i] = NEVER
        if meaning[i] == IGNORE:
            continue
        place = places[i]
        if since[place] != NEVER and times[i] - since[place] >= span_us:
            due[i] = since[place] + span_us
            since[place] = NEVER
        if meaning[i] == STOP:
            since[place] = NEVER
        elif meaning[i] == RESTART or since[place] == NEVER:
            since[place] = times[i]


@kernel()
def passed(since: I64, until_us: int) -> tuple[I64, int]:
    """Places that wait since `until_us` or before, and since when the first of the others waits.

    Parameters
    ----------
    since : int64 array
        NEVER where nothing waits.
    until_us : int

    Returns
    -------
    places : int64 array
    oldest_us : int
        END where no other waits.
    """
    places = np.empty(len(since), np.int64)
    n, oldest_us = 0, END
    for place in range(len(since)):
        if since[place] == NEVER:
            continue
        if since[place] <= until_us:
            places[n] = place
            n += 1
        elif since[place] < oldest_us:
            oldest_us = since[place]
    return places[:n].copy(), oldest_us

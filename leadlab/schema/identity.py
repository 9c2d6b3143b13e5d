"""Ids of events that came without one: a hash of all that the event says."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlab.schema.log import I64, U64, Coded, Column, Names

_C1, _C2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_STEP = 0x9E3779B97F4A7C15
_30, _27, _31 = np.uint64(30), np.uint64(27), np.uint64(31)


def _mix(h: U64) -> U64:
    """Apply the finaliser of SplitMix64 (Steele, Lea and Flood 2014)."""
    h = (h ^ (h >> _30)) * _C1
    h = (h ^ (h >> _27)) * _C2
    return h ^ (h >> _31)


def _column_hash(column: Column | I64) -> U64:
    """64 bits an entry; 0 where missing, so that an empty column changes no id."""
    if isinstance(column, Coded):
        return np.append(pd.util.hash_array(column.names, categorize=False), np.uint64(0))[
            column.codes
        ]
    if column.dtype == np.int64:
        return _mix(column.view(np.uint64) + np.uint64(1))
    positive = np.asarray(column, np.float64) + 0.0  # -0.0 and 0.0 are one number
    return np.where(np.isnan(positive), np.uint64(0), _mix(positive.view(np.uint64) + np.uint64(1)))


def content_ids(
    fields: Mapping[str, Column | I64], among: NDArray[np.bool_] | None = None
) -> Names:
    """Ids that depend on the fields' names and entries alone.

    Parameters
    ----------
    fields : mapping of str to column of length n
        Order does not matter; missing entries do not count.
    among : bool array, shape (n,), optional
        Rows that need an id; the others get None.

    Returns
    -------
    object array of str, shape (n,)
        16 hex digits; the second, third ... row that says exactly the same gets "-1", "-2" ...
        behind it. So reading an overlapping export again gives the same ids.

    Examples
    --------
    >>> ids = content_ids({"lead": Coded.of(["a", "b", "a"])})
    >>> ids[0] == ids[1], ids[2] == ids[0] + "-1"
    (False, True)
    """
    n = len(next(iter(fields.values())))
    total = np.zeros(n, np.uint64)
    for name, column in fields.items():
        own = _column_hash(column)
        salt = pd.util.hash_array(np.array([name], dtype=object), categorize=False)[0]
        total += np.where(own == 0, np.uint64(0), _mix(own ^ _mix(np.full(1, salt))))
    total = _mix(total + np.uint64(_STEP))
    rows = np.arange(n) if among is None else np.flatnonzero(among)
    text = total[rows].astype(">u8").tobytes().hex()
    ids = np.empty(n, dtype=object)
    ids[rows] = [text[i : i + 16] for i in range(0, len(text), 16)]
    ordinal = pd.Series(total[rows]).groupby(total[rows]).cumcount().to_numpy()
    again = np.flatnonzero(ordinal)
    ids[rows[again]] = [
        f"{name}-{k}" for name, k in zip(ids[rows[again]], ordinal[again].tolist(), strict=True)
    ]
    return ids

"""The newest rows of an endless sequence, numbered so that readers can ask for what is new."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlab.errors import BadInput

Rows = NDArray[Any]
"""A structured array, one record a row."""


class Ring:
    """Keeps the last `capacity` rows; one thread may append while others read.

    Rows are numbered from 1 in order of arrival. A reader remembers the number of the last row it
    saw and asks for those since; what was overwritten meanwhile is gone, and the gap in the numbers
    says so.

    Parameters
    ----------
    capacity : int
    dtype : numpy.dtype
        Record type with a field ``seq`` (int64), which the ring fills in.

    Examples
    --------
    >>> ring = Ring(2, np.dtype([("seq", np.int64), ("x", np.float64)]))
    >>> ring.append(np.array([(0, 5.0), (0, 6.0), (0, 7.0)], ring.dtype))["seq"].tolist()
    [1, 2, 3]
    >>> ring.newest, ring.since(0).tolist(), ring.since(2).tolist()
    (3, [(2, 6.0), (3, 7.0)], [(3, 7.0)])
    """

    def __init__(self, capacity: int, dtype: np.dtype[Any]) -> None:
        if capacity < 1:
            raise BadInput("a ring needs room", got=capacity, expected="at least 1")
        self.capacity = capacity
        self.dtype = dtype
        self._rows = np.zeros(capacity, dtype)
        self._newest = 0
        self._lock = threading.Lock()

    @property
    def newest(self) -> int:
        """Number of the last row, 0 before the first."""
        return self._newest

    def append(self, rows: Rows) -> Rows:
        """Number `rows` and keep them; gives the numbered copy."""
        with self._lock:
            numbered = rows.astype(self.dtype, copy=True)
            numbered["seq"] = self._newest + 1 + np.arange(len(rows))
            kept = numbered[-self.capacity :]
            self._rows[(kept["seq"] - 1) % self.capacity] = kept
            self._newest += len(rows)
            return numbered

    def since(self, seq: int, most: int | None = None) -> Rows:
        """Rows numbered above `seq`, oldest first; with `most`, only the newest so many."""
        with self._lock:
            oldest = max(self._newest - self.capacity, 0)
            first = max(seq, oldest, self._newest - most if most is not None else 0)
            places = np.arange(first, max(self._newest, first)) % self.capacity
            return self._rows[places]

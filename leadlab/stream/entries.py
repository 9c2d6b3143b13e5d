"""A stretch of the journal: events with their offsets and stamps, in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from leadlab.schema.wire import WireEvent

I64 = NDArray[np.int64]
U64 = NDArray[np.uint64]


@dataclass(frozen=True, slots=True, eq=False)
class Entries:
    """Consecutive entries.

    Attributes
    ----------
    events : list of WireEvent
    offsets : int64 array, shape (n,)
        Ascending; gaps only where retention let go of the start.
    stamps_us : int64 array, shape (n,)
        When the journal took each, never descending.
    keys : uint64 array, shape (n,), optional
        Hashes of tenant and id, as `EventLog.id_hash` has them, where they are at hand.
    """

    events: list[WireEvent]
    offsets: I64
    stamps_us: I64
    keys: U64 | None = None

    def __len__(self) -> int:
        return len(self.events)

    @property
    def last(self) -> int:
        """Offset of the last entry."""
        return int(self.offsets[-1])

    def runs(self) -> Iterator[Entries]:
        """Stretches of one stamp each.

        Examples
        --------
        >>> event = WireEvent("e1", "acme", "ann", "Inquiry", 5)
        >>> some = Entries([event] * 3, np.array([1, 2, 3]), np.array([7, 7, 9]))
        >>> [len(run) for run in some.runs()]
        [2, 1]
        """
        if len(self):
            borders = [0, *(np.flatnonzero(np.diff(self.stamps_us)) + 1).tolist(), len(self)]
            yield from (self.take(a, b) for a, b in pairwise(borders))

    def take(self, start: int, end: int) -> Entries:
        """A slice."""
        rows = slice(start, end)
        keys = None if self.keys is None else self.keys[rows]
        return Entries(self.events[rows], self.offsets[rows], self.stamps_us[rows], keys)


def joined(parts: Sequence[Entries]) -> Entries:
    """Stretches one behind the other.

    Examples
    --------
    >>> len(joined([]))
    0
    """
    if len(parts) == 1:
        return parts[0]
    empty = np.zeros(0, np.int64)
    keys = [part.keys for part in parts if part.keys is not None]
    return Entries(
        [event for part in parts for event in part.events],
        np.concatenate([empty, *(part.offsets for part in parts)]),
        np.concatenate([empty, *(part.stamps_us for part in parts)]),
        np.concatenate(keys) if keys and len(keys) == len(parts) else None,
    )

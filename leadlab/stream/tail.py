"""The newest entries of a journal in memory, for readers that follow closely."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from leadlab.schema.wire import WireEvent
from leadlab.stream.entries import Entries


class Tail:
    """The last so many entries, flat: single events cost no more to keep or find than batches.

    Parameters
    ----------
    room : int
        Entries to keep at least, once there were as many; half as many again at most.

    Examples
    --------
    >>> tail = Tail(room=10)
    >>> for offset in range(1, 21):
    ...     event = WireEvent(str(offset), "acme", "ann", "Inquiry", offset)
    ...     tail.append([event], offset, stamp_us=5, keys=np.array([offset], np.uint64))
    >>> tail.holds(2), tail.holds(15), tail.read(after=17, most=2).offsets.tolist()
    (False, True, [18, 19])
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._first = 0
        self._events: list[WireEvent] = []
        self._stamps_us = array("q")
        self._keys = array("Q")

    def append(
        self, events: Sequence[WireEvent], first: int, stamp_us: int, keys: NDArray[np.uint64]
    ) -> None:
        """Put entries behind the others; `first` is the offset of the first of them."""
        if not self._events:
            self._first = first
        self._events.extend(events)
        self._stamps_us.extend([stamp_us] * len(events))
        self._keys.frombytes(keys.astype(np.uint64).tobytes())
        surplus = len(self._events) - self._room
        if surplus > self._room // 2:
            del self._events[:surplus], self._stamps_us[:surplus], self._keys[:surplus]
            self._first += surplus

    def holds(self, after: int) -> bool:
        """Tell whether nothing behind an offset is missing here."""
        return bool(self._events) and after + 1 >= self._first

    def read(self, after: int, most: int) -> Entries:
        """Entries behind an offset that `holds`, `most` of them at most."""
        start = after + 1 - self._first
        rows = slice(start, start + most)
        events = self._events[rows]
        offsets = np.arange(after + 1, after + 1 + len(events))
        stamps_us = np.array(self._stamps_us[rows], np.int64)
        return Entries(events, offsets, stamps_us, np.array(self._keys[rows], np.uint64))

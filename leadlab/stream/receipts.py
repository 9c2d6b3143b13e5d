"""When events came and when they were on disk, for the latency of what becomes of them."""

from __future__ import annotations

import threading
import time
from collections import deque

from leadlab.stream.entries import Entries


class Receipts:
    """Noted by those who append, taken by the engine.

    Examples
    --------
    >>> import numpy as np
    >>> from leadlab.schema.wire import WireEvent
    >>> receipts = Receipts()
    >>> receipts.note(2, 10.0, 10.5)
    >>> two = [WireEvent("e1", "acme", "ann", "Inquiry", 5)] * 2
    >>> receipts.of(Entries(two, np.array([1, 2]), np.array([6, 6])))
    (10.0, 10.5)
    """

    def __init__(self) -> None:
        self._noted: deque[tuple[int, float, float]] = deque()
        self._lock = threading.Lock()

    def note(self, last: int, arrived_s: float, journalled_s: float) -> None:
        """Entries up to `last` came so, and were on disk so; clock seconds."""
        with self._lock:
            self._noted.append((last, arrived_s, journalled_s))

    def of(self, entries: Entries) -> tuple[float, float]:
        """When the oldest of some entries came, and when the last was on disk.

        What was noted only after its entries were taken is charged to nobody.
        """
        now_s = time.time()
        arrived_s, journalled_s = now_s, now_s
        with self._lock:
            while self._noted and self._noted[0][0] <= entries.last:
                last, came_s, wrote_s = self._noted.popleft()
                if last < entries.offsets[0]:
                    continue
                journalled_s, arrived_s = wrote_s, min(arrived_s, came_s)
            if self._noted and arrived_s == now_s:
                _, arrived_s, journalled_s = self._noted[0]
        return arrived_s, journalled_s

"""Which partition an event belongs to: a hash that is the same in every process and version."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Literal

from leadlab.schema.wire import WireEvent

By = Literal["lead", "tenant"]


def partitions_of(events: Sequence[WireEvent], partitions: int, by: By = "lead") -> bytes:
    """Partition of each event, one byte an event.

    Parameters
    ----------
    events : sequence of WireEvent
    partitions : int
        1 to 256.
    by : "lead" or "tenant"
        What is kept together. Features that span leads need "tenant".

    Examples
    --------
    >>> events = [WireEvent(str(i), "default", "ann", "Inquiry", 0) for i in range(3)]
    >>> list(partitions_of(events, 8))
    [3, 3, 3]
    """
    crc = zlib.crc32
    if by == "tenant":
        return bytes([crc(event.tenant.encode()) % partitions for event in events])
    return bytes([crc(f"{e.tenant}\x1f{e.lead}".encode()) % partitions for e in events])

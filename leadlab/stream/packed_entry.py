"""One entry of a Redis stream, which packs consecutive events of one partition.

Examples
--------
>>> from leadlab.schema.wire import WireEvent, pack
>>> events = [WireEvent(name, "default", "ann", "Inquiry", 5) for name in ("e1", "e2")]
>>> entry = (b"8-0", {b"b": pack(events), b"t": b"9", b"n": b"2"})
>>> first_of(entry), last_of(entry), entries_of(entry).offsets.tolist()
(7, 8, [7, 8])
"""

from __future__ import annotations

import numpy as np

from leadlab.schema.wire import unpack
from leadlab.stream.entries import Entries

PackedEntry = tuple[bytes, dict[bytes, bytes]]
"""Id and fields, as the client gives them."""


def last_of(entry: PackedEntry) -> int:
    """Offset of its last event."""
    return int(entry[0].partition(b"-")[0])


def first_of(entry: PackedEntry) -> int:
    """Offset of its first event."""
    return last_of(entry) - int(entry[1][b"n"]) + 1


def entries_of(entry: PackedEntry) -> Entries:
    """Its events, unpacked."""
    events = unpack(entry[1][b"b"])
    first = first_of(entry)
    return Entries(
        events,
        np.arange(first, first + len(events)),
        np.full(len(events), int(entry[1][b"t"]), np.int64),
    )

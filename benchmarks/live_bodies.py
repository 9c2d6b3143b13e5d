"""SIMULATED events as the bodies of requests, in a file: made before the clock starts."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import msgspec

from leadlab.data import simulate
from leadlab.schema.rows import event_fields

BODY = 1000


def write(path: Path, events: int, leads: int, seed: int = 0) -> int:
    """Write at least `events` events in bodies of JSON Lines; the log comes again, later, anew.

    Each round holds the same leads, shifted in time behind the round before, with ids of its own.
    """
    log = simulate(leads, 180, seed=seed).log
    span_us = int(log.at_us[-1] - log.at_us[0]) + 1_000_000
    rows = [
        {k: v for k, v in fields.items() if v is not None and k not in ("tenant", "at", "id")}
        for fields in event_fields(log)
    ]
    encoder = msgspec.json.Encoder()
    written = 0
    with path.open("wb") as file:
        while written < events:
            shift = written // len(rows)
            at = (log.at_us + shift * span_us).astype("datetime64[us]").astype(str)
            for start in range(0, len(rows), BODY):
                lines = [
                    encoder.encode({"id": f"{shift}-{i}", "at": f"{at[i]}Z", **rows[i]})
                    for i in range(start, min(start + BODY, len(rows)))
                ]
                body = b"\n".join(lines)
                stamp_us = int(log.at_us[min(start + BODY, len(rows)) - 1]) + shift * span_us
                file.write(struct.pack("<qqq", len(body), len(lines), stamp_us) + body)
                written += len(lines)
                if written >= events:
                    return written
    return written


def read(path: Path) -> Iterator[tuple[bytes, int, int]]:
    """Give each body, its events, and the stream time at its end."""
    with path.open("rb") as file:
        while head := file.read(24):
            size, events, stamp_us = struct.unpack("<qqq", head)
            yield file.read(size), events, stamp_us

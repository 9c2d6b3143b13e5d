"""The least that a worker may run on a partition: a journal."""

from __future__ import annotations

from pathlib import Path

from leadlab.schema.wire import WireEvent
from leadlab.stream.entries import Entries
from leadlab.stream.journal import Journal


class JournalKeeper:
    """Keeps what comes, each event once."""

    def __init__(self, _partition: int, folder: Path) -> None:
        self.journal = Journal(folder / "journal.db")

    def keep(self, entries: Entries) -> None:
        self.journal.append(entries.events, int(entries.stamps_us[-1]))

    def close(self) -> None:
        self.journal.close()


def kept_in(home: Path) -> list[list[WireEvent]]:
    """What the journals of a home hold, a list a partition."""
    found = []
    for path in sorted((home / "partitions").glob("*/journal.db")):
        with Journal(path, read_only=True) as journal:
            found.append(journal.read(0, 10**9).events)
    return found


def by_lead(partitions: list[list[WireEvent]]) -> dict[str, list[str]]:
    """Ids of each lead's events in order; a lead that is in two partitions is an error."""
    found: dict[str, list[str]] = {}
    for events in partitions:
        here: dict[str, list[str]] = {}
        for event in events:
            here.setdefault(event.lead, []).append(event.id)
        assert not found.keys() & here.keys()
        found |= here
    return found


def event(i: int, lead: str = "ann") -> WireEvent:
    return WireEvent(f"e{i}", "default", lead, "Inquiry", 1_772_384_400_000_000 + i)

"""The durable journal: every event once, in order of arrival, on disk before it is acknowledged.

SQLite in WAL mode with ``synchronous=FULL``: an append is one transaction that was flushed to disk
when it returns. A row holds a batch: checksums, id keys, and last the packed events, so that the
keys are read at a start without them. Offsets count from 1 without gaps; stamps never descend, even
where the clock does.
"""

from __future__ import annotations

import fcntl
import sqlite3
import threading
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from leadlab.errors import BadInput, BrokenFile, LeadlabError, NewerFormat, StoreFailed
from leadlab.schema.wire import WireEvent, pack, unpack
from leadlab.stream.entries import Entries, joined
from leadlab.stream.known_ids import KnownIds, id_keys
from leadlab.stream.tail import Tail

VERSION = 1
_TABLES = """
CREATE TABLE IF NOT EXISTS batches (
    first INTEGER PRIMARY KEY, n INTEGER NOT NULL, stamp_us INTEGER NOT NULL,
    crc INTEGER NOT NULL, keys_crc INTEGER NOT NULL, keys BLOB NOT NULL, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS by_stamp ON batches (stamp_us);
CREATE TABLE IF NOT EXISTS positions (
    reader TEXT PRIMARY KEY, offset INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS switches (
    behind INTEGER NOT NULL, lane TEXT NOT NULL, version TEXT NOT NULL,
    PRIMARY KEY (behind, lane)) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True, eq=False)
class Appended:
    """What became of events given to the journal.

    Attributes
    ----------
    offsets : int64 array, shape (n,)
        Of each event; 0 for one whose id was known already.
    stamp_us : int
        Stamp of those that were new.
    """

    offsets: NDArray[np.int64]
    stamp_us: int

    @property
    def new(self) -> int:
        """Events that were new."""
        return int((self.offsets > 0).sum())


class Journal:
    """An append-only file of events; one process writes, any thread of it may append and read.

    Parameters
    ----------
    path : Path
        SQLite file; made with its folder when missing.
    read_only : bool
        Read beside the process that writes.
    tail : int
        Events of late kept in memory, for readers that follow; see `Tail`.

    Raises
    ------
    StoreFailed
        If another process writes to it, or the disk cannot be used.
    BrokenFile
        If the file is something else.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> with Journal(Path(folder.name) / "journal.db") as journal:
    ...     event = WireEvent("e1", "default", "ann", "Inquiry", 5)
    ...     first = journal.append([event], stamp_us=7).offsets.tolist()
    ...     again = journal.append([event], stamp_us=8).offsets.tolist()
    ...     kept = journal.read(after=0, most=10)
    >>> first, again, [e.lead for e in kept.events], kept.stamps_us.tolist()
    ([1], [0], ['ann'], [7])
    >>> folder.cleanup()
    """

    def __init__(self, path: Path, *, read_only: bool = False, tail: int = 100_000) -> None:
        self.path = path
        self.read_only = read_only
        self._lock = threading.Lock()
        self._reading = threading.Lock()
        self._tail = Tail(tail)
        self._known = KnownIds()
        if not read_only:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._hold()
        try:
            with self._failing():
                self._open()
        except LeadlabError:
            if not read_only:
                self._held.close()
            raise

    def _hold(self) -> None:
        """Keep other processes from writing, for as long as this one lives."""
        self._held = self.path.with_name(self.path.name + ".lock").open("w")
        try:
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._held.close()
            raise StoreFailed(
                "another process writes to this journal",
                where=str(self.path),
                hint="Stop it, or name another home.",
            ) from error

    def _open(self) -> None:
        if self.read_only and not self.path.is_file():
            raise BadInput("no such journal", where=str(self.path))
        self._db = self._connect()
        self._reader = self._connect()
        if not self.read_only:
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version > VERSION:
                raise NewerFormat(str(self.path), written=version, reads=VERSION)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.execute("PRAGMA wal_autocheckpoint=4000")
            self._db.executescript(_TABLES)
            self._db.execute(f"PRAGMA user_version={VERSION}")
        first = self._db.execute("SELECT min(first) FROM batches").fetchone()[0]
        last = self._last_row()
        self.first = 1 if first is None else int(first)
        self.last, self.last_stamp_us = last
        if not self.read_only:
            self._known = self._ids_on_disk()

    def _ids_on_disk(self) -> KnownIds:
        held = self._db.execute("SELECT coalesce(sum(n), 0) FROM batches").fetchone()[0]
        known = KnownIds.for_keys(int(held))
        for first, keys, crc in self._db.execute(
            "SELECT first, keys, keys_crc FROM batches ORDER BY first"
        ):
            if zlib.crc32(keys) != crc:
                raise self._altered(first)
            known.enter(np.frombuffer(keys, "<u8"))
        return known

    def _altered(self, first: int) -> BrokenFile:
        return BrokenFile(
            "a batch of the journal was altered",
            where=f"{self.path}, offset {first}",
            hint="Restore the file from a backup.",
        )

    def _connect(self) -> sqlite3.Connection:
        mode = "ro" if self.read_only else "rwc"
        return sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode={mode}",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
        )

    def _last_row(self) -> tuple[int, int]:
        row = self._db.execute(
            "SELECT first + n - 1, stamp_us FROM batches ORDER BY first DESC LIMIT 1"
        ).fetchone()
        if row is None:
            kept = self._db.execute("SELECT max(offset) FROM positions").fetchone()[0]
            return int(kept or 0), 0
        return int(row[0]), int(row[1])

    @contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            where = str(self.path)
            if isinstance(error, sqlite3.OperationalError):
                hint = "Free some space." if "full" in str(error) else None
                raise StoreFailed(
                    "the journal failed", where=where, got=str(error), hint=hint
                ) from error
            raise BrokenFile("the journal cannot be read", where=where, got=str(error)) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        with self._lock, self._reading:
            self._db.close()
            self._reader.close()
            if not self.read_only:
                self._held.close()

    # -- writing -----------------------------------------------------------------------------------

    def append(self, events: Sequence[WireEvent], stamp_us: int) -> Appended:
        """Put new events behind the others; they are on disk when this returns.

        Parameters
        ----------
        events : sequence of WireEvent
        stamp_us : int
            The clock, microseconds UTC; an earlier one than the last is read as the last.

        Raises
        ------
        StoreFailed
            If the disk is full or fails; then nothing was appended.
        BadInput
            If an event holds what cannot be packed; then nothing was appended.
        """
        listed = list(events)
        keys = id_keys(listed)
        with self._lock:
            stamp_us = max(stamp_us, self.last_stamp_us)
            fresh = self._known.fresh(keys)
            offsets = np.where(fresh, self.last + np.cumsum(fresh), 0)
            if not fresh.all():
                listed = [listed[i] for i in np.flatnonzero(fresh)]
            if listed:
                self._write(listed, keys[fresh], stamp_us)
        return Appended(offsets, stamp_us)

    def _write(self, events: list[WireEvent], keys: NDArray[np.uint64], stamp_us: int) -> None:
        body, first = pack(events), self.last + 1
        named = keys.astype("<u8").tobytes()
        crc, named_crc = zlib.crc32(body), zlib.crc32(named)
        row = (first, len(events), stamp_us, crc, named_crc, named, body)
        with self._failing():
            self._db.execute("INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        self._known.enter(keys)
        with self._reading:
            self._tail.append(events, first, stamp_us, keys)
            self.last, self.last_stamp_us = first + len(events) - 1, stamp_us

    def commit(self, reader: str, offset: int) -> None:
        """Remember how far a reader has come."""
        with self._lock, self._failing():
            self._db.execute("INSERT OR REPLACE INTO positions VALUES (?, ?)", (reader, offset))

    def note_switch(self, behind: int, lane: str, version: str) -> None:
        """Remember that a lane's entries behind an offset are scored by another model."""
        with self._lock, self._failing():
            self._db.execute(
                "INSERT OR REPLACE INTO switches VALUES (?, ?, ?)", (behind, lane, version)
            )

    def switches(self, lane: str) -> list[tuple[int, str]]:
        """Each (offset, version): entries behind the offset are scored by the version."""
        with self._lock, self._failing():
            return self._db.execute(
                "SELECT behind, version FROM switches WHERE lane = ? ORDER BY behind", (lane,)
            ).fetchall()

    def trim(self, before: int) -> int:
        """Let go of whole batches that end before an offset; gives the first offset kept.

        Ids of what was let go of are forgotten: the same event sent again is new. The last batch
        stays.
        """
        with self._lock, self._failing():
            kept = self._db.execute(
                "SELECT max(first) FROM batches WHERE first <= ?", (min(before, self.last),)
            ).fetchone()[0]
            if kept is None or kept <= self.first:
                return self.first
            self._db.execute("DELETE FROM batches WHERE first < ?", (kept,))
            self._known, self.first = self._ids_on_disk(), int(kept)
            return self.first

    # -- reading -----------------------------------------------------------------------------------

    def read(self, after: int, most: int) -> Entries:
        """Entries behind an offset, `most` of them at most, oldest first.

        Raises
        ------
        BrokenFile
            If a batch is not what was written.
        """
        with self._reading:
            if self._tail.holds(after):
                return self._tail.read(after, most)
            with self._failing():
                return self._from_disk(after, most)

    def _from_disk(self, after: int, most: int) -> Entries:
        start = self._reader.execute(
            "SELECT max(first) FROM batches WHERE first <= ?", (after + 1,)
        ).fetchone()[0]
        parts: list[Entries] = []
        wanted = most
        found = self._reader.execute(
            "SELECT first, n, stamp_us, body, keys, crc FROM batches"
            " WHERE first >= ? ORDER BY first",
            (start or 0,),
        )
        for first, n, stamp_us, body, keys, crc in found:
            if zlib.crc32(body) != crc:
                raise self._altered(first)
            part = Entries(
                unpack(body),
                np.arange(first, first + n),
                np.full(n, stamp_us, np.int64),
                np.frombuffer(keys, "<u8").astype(np.uint64),
            )
            skip = max(after + 1 - first, 0)
            part = part.take(skip, skip + wanted)
            parts.append(part)
            wanted -= len(part)
            if wanted <= 0:
                break
        found.close()
        return joined(parts)

    def events_at(self, offsets: Sequence[int]) -> list[WireEvent]:
        """Events at some offsets, in that order; those that were let go of are left out."""
        found: dict[int, WireEvent] = {}
        for offset in sorted(set(offsets)):
            if offset not in found and self.first <= offset <= self.last:
                entries = self.read(offset - 1, 1)
                found.update(zip(entries.offsets.tolist(), entries.events, strict=True))
        return [found[offset] for offset in offsets if offset in found]

    def position(self, reader: str) -> int:
        """How far a reader had come at its last `commit`; 0 for one never seen."""
        with self._lock, self._failing():
            row = self._db.execute(
                "SELECT offset FROM positions WHERE reader = ?", (reader,)
            ).fetchone()
            return 0 if row is None else int(row[0])

    def offset_at(self, stamp_us: int) -> int:
        """Offset of the first entry stamped then or later; one behind the last where none is."""
        with self._lock, self._failing():
            row = self._db.execute(
                "SELECT min(first) FROM batches WHERE stamp_us >= ?", (stamp_us,)
            ).fetchone()
            return self._last_row()[0] + 1 if row[0] is None else int(row[0])

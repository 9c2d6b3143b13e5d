"""Results on disk, by the journal's offsets: a repeated run writes the same rows.

A batch of results is one row with a checksum. After a crash everything behind the checkpoint's
offset is dropped and made again from the journal.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlab.errors import BrokenFile, StoreFailed
from leadlab.stream.outcome import OUTCOME, Outcome

_FIELDS = (
    "offset", "place", "as_of_us", "probability", "low", "high", "tier", "churn", "model",
    "fallback",
)  # fmt: skip
KEPT = np.dtype([(name, OUTCOME[name]) for name in _FIELDS])
"""What is kept of an outcome's row; reasons can be made again from the journal."""

_Row = tuple[int, int, str, bytes, int]
BUSY_S = 0.05
"""Wait for another process that holds the file, before the batch waits in memory instead."""
MOST_WAITING = 2_000
"""Batches that wait in memory."""


class ResultStore:
    """Append-only results; one process writes.

    Parameters
    ----------
    path : Path
    read_only : bool
        Read beside the process that writes.

    Examples
    --------
    >>> import tempfile
    >>> from leadlab.stream.entries import Entries
    >>> from leadlab.stream.lane import Lane
    >>> from leadlab.stream.plan import Plan
    >>> from leadlab.schema.wire import WireEvent
    >>> event = WireEvent("e1", "acme", "ann", "Inquiry", 5)
    >>> outcome = Lane(Plan()).take(Entries([event], np.array([7]), np.array([6])))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = ResultStore(Path(folder) / "results.db")
    ...     store.keep(outcome)
    ...     rows, models = store.read(1, 9)
    ...     store.close()
    >>> rows["offset"].tolist(), models
    ([7], ['rules'])
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._waiting: list[_Row] = []
        self._lost = False
        with self._failing():
            uri = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}"
            self._db = sqlite3.connect(
                uri, uri=True, isolation_level=None, check_same_thread=False, timeout=BUSY_S
            )
            if read_only:
                return
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")  # the journal can make them again
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS results (first INTEGER, last INTEGER,"
                " models TEXT NOT NULL, body BLOB NOT NULL, crc INTEGER NOT NULL,"
                " PRIMARY KEY (first, last)) WITHOUT ROWID"
            )

    @contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise StoreFailed("results failed", where=str(self.path), got=str(error)) from error
        except sqlite3.DatabaseError as error:
            raise BrokenFile(
                "results cannot be read",
                where=str(self.path),
                got=str(error),
                hint="Remove the file and the checkpoints: the journal makes both again.",
            ) from error

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()

    def keep(self, outcome: Outcome) -> None:
        """Write a batch, and those before it that could not be written.

        Raises
        ------
        StoreFailed
            If the disk is full; the batch waits in memory, and nothing is lost by going on.
        """
        if not len(outcome):
            return
        kept = np.zeros(len(outcome), KEPT)
        for name in _FIELDS:
            kept[name] = outcome.rows[name]
        body = kept.tobytes()
        row = (
            int(kept["offset"][0]), int(kept["offset"][-1]), json.dumps(outcome.models), body,
            zlib.crc32(body),
        )  # fmt: skip
        self._write([row])

    def _write(self, rows: list[_Row]) -> None:
        with self._lock, self._failing():
            self._waiting += rows
            if len(self._waiting) > MOST_WAITING:
                self._waiting, self._lost = self._waiting[-MOST_WAITING:], True
            while self._waiting:
                self._db.execute(
                    "INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?, ?)", self._waiting[0]
                )
                del self._waiting[0]

    def sync(self) -> None:
        """Write what waits, and flush: a checkpoint lets go of what could make it again.

        Raises
        ------
        StoreFailed
            If the disk is full or fails.
        """
        self._write([])
        if self._lost:
            raise StoreFailed(
                "results were given up while they could not be written",
                where=str(self.path),
                hint="Start again: they are made anew from the last checkpoint.",
            )
        log = self.path.with_name(self.path.name + "-wal")
        try:
            if log.exists():
                with log.open("rb") as file:
                    os.fsync(file.fileno())
        except OSError as error:
            raise StoreFailed("results failed", where=str(log), got=str(error)) from error

    def drop_behind(self, offset: int) -> None:
        """Forget results of entries behind an offset; they will be made again."""
        with self._lock, self._failing():
            self._db.execute("DELETE FROM results WHERE last > ?", (offset,))

    def trim(self, before: int) -> None:
        """Let go of batches that end before an offset."""
        with self._lock, self._failing():
            self._db.execute("DELETE FROM results WHERE first < ? AND last < ?", (before, before))

    def read(self, first: int, last: int) -> tuple[NDArray[Any], list[str]]:
        """Results of entries from `first` to `last`, in order, and the versions they name.

        Raises
        ------
        BrokenFile
            If a batch is not what was written.
        """
        with self._lock, self._failing():
            found = self._db.execute(
                "SELECT models, body, crc FROM results WHERE last >= ? AND first <= ?"
                " ORDER BY first",
                (first, last),
            ).fetchall()
        models: list[str] = []
        parts = [np.zeros(0, KEPT)]
        for names, body, crc in found:
            if zlib.crc32(body) != crc:
                raise BrokenFile("a batch of results was altered", where=str(self.path))
            own = json.loads(names)
            models += [name for name in own if name not in models]
            part = np.frombuffer(body, KEPT).copy()
            part["model"] = np.array([models.index(name) for name in own])[part["model"]]
            parts.append(part)
        rows = np.concatenate(parts)
        rows = rows[(rows["offset"] >= first) & (rows["offset"] <= last)]
        return rows[np.argsort(rows["offset"], kind="stable")], models

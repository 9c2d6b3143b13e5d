"""The SQLite file that holds alerts, their history and what is still to be delivered."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from leadlab.errors import BrokenFile, NewerFormat, StoreFailed

VERSION = 1
_TABLES = """
CREATE TABLE IF NOT EXISTS alerts (
    id TEXT PRIMARY KEY, tenant TEXT NOT NULL, rule TEXT NOT NULL, key TEXT NOT NULL,
    lead TEXT, agent TEXT, severity TEXT NOT NULL, at_us INTEGER NOT NULL,
    state TEXT NOT NULL, snoozed_until_us INTEGER NOT NULL, escalate_us INTEGER,
    body BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS newest ON alerts (tenant, at_us DESC, id DESC);
CREATE INDEX IF NOT EXISTS same ON alerts (tenant, rule, key, snoozed_until_us);
CREATE INDEX IF NOT EXISTS overdue ON alerts (escalate_us) WHERE escalate_us IS NOT NULL;
CREATE TABLE IF NOT EXISTS history (
    n INTEGER PRIMARY KEY, alert TEXT NOT NULL, at_us INTEGER NOT NULL, what TEXT NOT NULL,
    who TEXT, note TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS of_alert ON history (alert, n);
CREATE TABLE IF NOT EXISTS outbox (
    alert TEXT NOT NULL, route TEXT NOT NULL, step TEXT NOT NULL, state TEXT NOT NULL,
    next_try_us INTEGER NOT NULL, attempts INTEGER NOT NULL,
    PRIMARY KEY (alert, route, step)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS waiting ON outbox (route, next_try_us) WHERE state = 'waiting';
"""


class AlertFile:
    """One connection to the file; any thread may use it, one at a time. Processes may share it.

    Parameters
    ----------
    path : Path
        Made with its folder when missing.

    Raises
    ------
    StoreFailed
        If the disk cannot be used.
    BrokenFile
        If the file is something else.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreFailed("cannot make a folder", where=str(path.parent), got=error) from error
        with self._failing():
            self._db = sqlite3.connect(
                path, isolation_level=None, check_same_thread=False, timeout=10
            )
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version > VERSION:
                self._db.close()
                raise NewerFormat(str(path), written=version, reads=VERSION)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.executescript(_TABLES)
            self._db.execute(f"PRAGMA user_version={VERSION}")

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection, for queries."""
        with self._lock, self._failing():
            yield self._db

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """The connection within a transaction: all of it is on disk at the end, or none."""
        with self._lock, self._failing():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            finally:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")

    @contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            hint = "Free some space." if "full" in str(error) else None
            raise StoreFailed(
                "the store of alerts failed", where=str(self.path), got=str(error), hint=hint
            ) from error
        except sqlite3.DatabaseError as error:
            raise BrokenFile(
                "the store of alerts cannot be read", where=str(self.path), got=str(error)
            ) from error

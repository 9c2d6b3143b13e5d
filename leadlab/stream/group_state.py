"""How far each group of an embedded bus has come, on disk beside the journal."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from leadlab.errors import BrokenFile, StoreFailed
from leadlab.schema.wire import pack, unpack
from leadlab.stream.bus import DeadLetter

_TABLES = """
CREATE TABLE IF NOT EXISTS groups (
    name TEXT PRIMARY KEY, done INTEGER NOT NULL, given INTEGER NOT NULL, tries INTEGER NOT NULL,
    alone INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS dead (
    name TEXT, offset INTEGER, tries INTEGER NOT NULL, event BLOB NOT NULL,
    PRIMARY KEY (name, offset)) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one group stands.

    Attributes
    ----------
    done : int
        Offset committed.
    given : int
        Offset delivered; what lies between was delivered `tries` times.
    tries : int
    alone : int
        How often the event behind `done` was delivered alone.
    """

    done: int
    given: int
    tries: int
    alone: int


class GroupState:
    """Standings of groups and their dead letters, in one SQLite file; any thread may call.

    Examples
    --------
    >>> state = GroupState(Path(":memory:"))
    >>> state.join("engine", 0)
    >>> state.note("engine", given=5, tries=1)
    >>> state.commit("engine", 3)
    >>> state.standing("engine")
    Standing(done=3, given=5, tries=1, alone=0)
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        with self._db_failing():
            self._db = sqlite3.connect(str(path), isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.executescript(_TABLES)

    @contextmanager
    def _db_failing(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise StoreFailed(
                "the state of groups failed", where=str(self.path), got=error
            ) from error
        except sqlite3.DatabaseError as error:
            raise BrokenFile("no state of groups", where=str(self.path), got=error) from error

    def _run(self, statement: str, *values: object) -> list[tuple[int, ...]]:
        with self._lock, self._db_failing():
            return self._db.execute(statement, values).fetchall()

    def join(self, group: str, done: int) -> None:
        """Make a group where there is none; all up to `done` is none of its business."""
        self._run("INSERT OR IGNORE INTO groups VALUES (?, ?, ?, 0, 0)", group, done, done)

    def standing(self, group: str) -> Standing:
        """Where a group stands."""
        row = self._run("SELECT done, given, tries, alone FROM groups WHERE name = ?", group)
        return Standing(*row[0])

    def note(self, group: str, *, given: int, tries: int) -> None:
        """Remember what is about to be delivered, and for which time."""
        self._run("UPDATE groups SET given = ?, tries = ? WHERE name = ?", given, tries, group)

    def again(self, group: str) -> int:
        """Count one more delivery of the event behind `done`, alone."""
        row = self._run("UPDATE groups SET alone = alone + 1 WHERE name = ? RETURNING alone", group)
        return row[0][0]

    def commit(self, group: str, done: int) -> None:
        """Advance a group; never back."""
        self._run(
            "UPDATE groups SET done = ?, alone = 0 WHERE name = ? AND done < ?", done, group, done
        )

    def bury(self, group: str, letter: DeadLetter) -> None:
        """Keep a dead letter."""
        event = pack([letter.event])
        self._run(
            "INSERT OR IGNORE INTO dead VALUES (?, ?, ?, ?)",
            group, letter.offset, letter.tries, event,
        )  # fmt: skip

    def dead(self, group: str) -> list[DeadLetter]:
        """Dead letters of a group, oldest first."""
        with self._lock, self._db_failing():
            rows = self._db.execute(
                "SELECT offset, tries, event FROM dead WHERE name = ? ORDER BY offset", (group,)
            ).fetchall()
        return [DeadLetter(0, offset, tries, unpack(event)[0]) for offset, tries, event in rows]

    def slowest(self) -> tuple[str, int] | None:
        """The group that is furthest behind, and what it has done; None where there is no group."""
        with self._lock, self._db_failing():
            row = self._db.execute("SELECT name, done FROM groups ORDER BY done LIMIT 1").fetchone()
        return None if row is None else (str(row[0]), int(row[1]))

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()

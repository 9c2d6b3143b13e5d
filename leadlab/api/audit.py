"""Who read which lead, and which model said what: append-only, and every change shows.

Each row holds a hash of itself and of the row before (with a key: HMAC-SHA256, else SHA-256), so a
row that is changed, removed or put in breaks the chain from there on. Rows cut off at the end show
only against a head that was noted elsewhere, see `Trail.head`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import sqlite3
import threading
from concurrent.futures import Future
from contextlib import closing
from dataclasses import astuple, dataclass
from pathlib import Path
from queue import Empty, Full, Queue

from leadlab.api.database import opened, told, transaction
from leadlab.errors import BadInput, StoreFailed

BATCH = 1_000
WAITING = 10_000
"""Records that may wait to be written."""
_START = bytes(32)
_FIELDS = "seq, at_us, tenant, subject, action, lead, model, correlation_id"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS audit (
    seq INTEGER PRIMARY KEY, at_us INTEGER NOT NULL, tenant TEXT NOT NULL, subject TEXT NOT NULL,
    action TEXT NOT NULL, lead TEXT, model TEXT, correlation_id TEXT NOT NULL, hash BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS audit_by_lead ON audit (tenant, lead, seq);
CREATE INDEX IF NOT EXISTS audit_by_subject ON audit (tenant, subject, seq);
CREATE INDEX IF NOT EXISTS audit_by_tenant ON audit (tenant, seq);
CREATE TRIGGER IF NOT EXISTS audit_no_update BEFORE UPDATE ON audit
BEGIN SELECT raise(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER IF NOT EXISTS audit_no_delete BEFORE DELETE ON audit
BEGIN SELECT raise(ABORT, 'the audit is append-only'); END;
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that somebody did: ids only, nothing else about a person.

    Attributes
    ----------
    at_us : int
        Microseconds since 1970 UTC.
    tenant, subject : str
    action : str
        Such as "lead.read" or "score.predict".
    lead, model : str or None
        Id of the lead; version of the model.
    correlation_id : str
        Of the request, as in the logs.
    """

    at_us: int
    tenant: str
    subject: str
    action: str
    lead: str | None
    model: str | None
    correlation_id: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What a check of the chain found.

    Attributes
    ----------
    rows : int
        Rows that are whole, from the first.
    problem : str or None
        What is wrong behind them.
    """

    rows: int
    problem: str | None


class Trail:
    """The audit in a SQLite file; several processes may write to it.

    A thread writes what is waiting in one transaction: the busier, the larger the batch.

    Parameters
    ----------
    path : Path
    key : str, optional
        Key of the chain; the same for everybody who writes or checks it.

    Raises
    ------
    StoreFailed
        If the file cannot be used; so of `read`, `head` and `verify`.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     trail = Trail(Path(folder) / "audit.db")
    ...     written = trail.record(Entry(1, "acme", "ann", "lead.read", "l1", None, "c1"))
    ...     written.result(timeout=10)
    ...     found = trail.read("acme", lead="l1"), trail.read("other"), trail.verify().problem
    ...     trail.close()
    >>> [entry.subject for _, entry in found[0]], found[1:]
    (['ann'], ([], None))
    """

    def __init__(self, path: Path, key: str | None = None) -> None:
        self.path = path
        self._key = key.encode() if key is not None else None
        self._lock = threading.Lock()
        self._door = threading.Lock()
        self._open = True
        self._database = opened(path, _SCHEMA)
        self._waiting: Queue[tuple[tuple[Entry, ...], Future[None]] | None] = Queue(WAITING)
        self._writer = threading.Thread(target=self._write_all, name="audit", daemon=True)
        self._writer.start()

    def record(self, *entries: Entry) -> Future[None]:
        """Have `entries` written, in this order; the result is there once they are on disk.

        A request that must not be answered unrecorded waits for it: ``asyncio.wrap_future``.

        Raises
        ------
        BadInput
            If a text cannot be written as UTF-8 or a number is too large.
        StoreFailed
            If the disk falls behind or the audit is closed; it is the future's error if the entries
            cannot be written.
        """
        for entry in entries:
            _writable(entry)
        written: Future[None] = Future()
        written.set_running_or_notify_cancel()  # who stops waiting must not stop the writing
        with self._door:
            if not self._open:
                raise StoreFailed("the audit is closed", where=self.path.name)
            try:
                self._waiting.put_nowait((entries, written))
            except Full as full:
                raise StoreFailed(
                    "the audit cannot be written fast enough", where=self.path.name
                ) from full
        return written

    def read(
        self,
        tenant: str,
        *,
        lead: str | None = None,
        subject: str | None = None,
        before: int | None = None,
        most: int = 100,
    ) -> list[tuple[int, Entry]]:
        """Rows of one tenant with their numbers, newest first.

        Parameters
        ----------
        tenant : str
        lead, subject : str, optional
            Only about this lead, or by this subject.
        before : int, optional
            Only rows of a smaller number: the next page.
        most : int, default=100
        """
        asked = {"tenant = ?": tenant, "lead = ?": lead, "subject = ?": subject, "seq < ?": before}
        given = {part: value for part, value in asked.items() if value is not None}
        query = (
            f"SELECT {_FIELDS} FROM audit WHERE {' AND '.join(given)} "  # noqa: S608  (own parts)
            "ORDER BY seq DESC LIMIT ?"
        )
        with told(self.path), closing(sqlite3.connect(self.path)) as database:
            rows = database.execute(query, (*given.values(), most)).fetchall()
        return [(row[0], Entry(*row[1:])) for row in rows]

    def head(self) -> tuple[int, str]:
        """Number and hash of the last row; (0, zeros) where there is none."""
        with told(self.path), self._lock:
            seq, digest = _last(self._database)
        return seq, digest.hex()

    def verify(self, noted: tuple[int, str] | None = None) -> Verified:
        """Hold every row to the chain, and the chain to a head that was `noted` before."""
        before, count = _START, 0
        with told(self.path), closing(sqlite3.connect(self.path)) as database:
            for *row, digest in database.execute(
                f"SELECT {_FIELDS}, hash FROM audit ORDER BY seq"  # noqa: S608
            ):
                expected = self._digest(before, row)
                if row[0] != count + 1 or not hmac.compare_digest(expected, digest):
                    return Verified(count, f"row {count + 1} was changed, removed or put in")
                before, count = digest, count + 1
                if noted is not None and count == noted[0] and digest.hex() != noted[1]:
                    return Verified(count - 1, f"row {count} is not the one that was noted")
        if noted is not None and count < noted[0]:
            return Verified(count, f"rows {count + 1} to {noted[0]} were cut off")
        return Verified(count, None)

    def close(self) -> None:
        """Write what waits, and let go of the file."""
        with self._door:
            if self._open:
                self._open = False
                self._waiting.put(None)
        self._writer.join()
        with self._lock:
            self._database.close()

    def _write_all(self) -> None:
        going = True
        while going:
            batch = [self._waiting.get()]
            while len(batch) < BATCH:
                try:
                    batch.append(self._waiting.get_nowait())
                except Empty:
                    break
            going = None not in batch
            asked = [one for one in batch if one is not None]
            try:
                with told(self.path), self._lock:
                    self._write([entry for entries, _ in asked for entry in entries])
            except StoreFailed as error:
                for _, written in asked:
                    written.set_exception(error)
            else:
                for _, written in asked:
                    written.set_result(None)

    def _write(self, entries: list[Entry]) -> None:
        with transaction(self._database):
            seq, digest = _last(self._database)  # another process may have written
            rows = []
            for number, entry in enumerate(entries, seq + 1):
                row = [number, *astuple(entry)]
                digest = self._digest(digest, row)
                rows.append((*row, digest))
            self._database.executemany("INSERT INTO audit VALUES (?,?,?,?,?,?,?,?,?)", rows)

    def _digest(self, before: bytes, row: list[object]) -> bytes:
        content = before + json.dumps(row, separators=(",", ":")).encode()
        if self._key is None:
            return hashlib.sha256(content).digest()
        return hmac.digest(self._key, content, "sha256")


def _last(database: sqlite3.Connection) -> tuple[int, bytes]:
    row = database.execute("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
    return (row[0], row[1]) if row is not None else (0, _START)


def _writable(entry: Entry) -> None:
    """Refuse what would fail later, in a batch together with what others did."""
    try:
        for value in astuple(entry):
            if isinstance(value, str):
                value.encode()
        entry.at_us.to_bytes(8, signed=True)
    except (UnicodeEncodeError, OverflowError) as error:
        raise BadInput("this cannot be written to the audit", got=error) from error

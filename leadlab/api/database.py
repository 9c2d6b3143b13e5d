"""Small SQLite files of the API: readable by their owner alone, failures told as ours."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from leadlab.errors import StoreFailed


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into `StoreFailed`."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise StoreFailed("cannot use a database", where=path.name, got=error) from error


def opened(path: Path, schema: str) -> sqlite3.Connection:
    """A connection in WAL mode, where each statement is its own transaction unless one is begun.

    The caller keeps two threads from using it at once. A commit is on disk when it returns.

    Raises
    ------
    StoreFailed
        If the file cannot be opened or is no database.
    """
    with told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        # SQLite gives the files beside it (-wal, -shm) the permissions of the file itself.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, stat.S_IRUSR | stat.S_IWUSR))
        connection = sqlite3.connect(
            path, timeout=10, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.executescript(schema)
        except sqlite3.Error:
            connection.close()
            raise
        return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing, and alone among writers from the start."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")

"""Copies of databases that are written to: whole, sound, and as of one moment."""

from __future__ import annotations

import importlib.util
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pytest

FILE = Path(__file__).parents[1] / "deploy" / "backup.py"
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("leadlab_backup", FILE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def made(path: Path, rows: int = 0) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    one = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    one.execute("PRAGMA journal_mode=WAL")
    one.execute("CREATE TABLE events (n INTEGER PRIMARY KEY, body TEXT)")
    one.execute("CREATE TABLE total (n INTEGER)")
    one.execute("INSERT INTO total VALUES (0)")
    for _ in range(rows):
        add(one)
    return one


def add(one: sqlite3.Connection) -> None:
    """A row and its count, in one transaction."""
    one.execute("BEGIN")
    one.execute("INSERT INTO events (body) VALUES (?)", ("x" * 400,))
    one.execute("UPDATE total SET n = n + 1")
    one.execute("COMMIT")


def counted(path: Path) -> tuple[int, int]:
    with closing(sqlite3.connect(path)) as one:
        rows = one.execute("SELECT COUNT(*) FROM events").fetchone()[0]
        return rows, one.execute("SELECT n FROM total").fetchone()[0]


def test_a_copy_is_of_one_moment_while_somebody_writes(script: ModuleType, tmp_path: Path) -> None:
    writer = made(tmp_path / "home" / "journal.db", rows=50)
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            add(writer)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        copies = [
            script.backup(tmp_path / "home", tmp_path / "to", AT.replace(second=second))
            for second in range(5)
        ]
    finally:
        stop.set()
        thread.join()
        writer.close()
    found = [counted(copy / "journal.db") for copy in copies]
    assert all(rows == total >= 50 for rows, total in found)
    assert found == sorted(found)
    assert found[-1][0] > found[0][0]


def test_what_is_only_in_the_write_ahead_log_is_copied(script: ModuleType, tmp_path: Path) -> None:
    with closing(made(tmp_path / "home" / "partitions" / "3" / "journal.db", rows=7)) as one:
        one.execute("PRAGMA wal_autocheckpoint=0")
        add(one)
        copy = script.backup(tmp_path / "home", tmp_path / "to", AT)
        assert counted(copy / "partitions" / "3" / "journal.db") == (8, 8)
    assert copy.name == "20260301T120000Z"


def test_models_are_copied_and_earlier_copies_are_not(script: ModuleType, tmp_path: Path) -> None:
    home = tmp_path / "home"
    made(home / "api.db", rows=1).close()
    (home / "models").mkdir()
    (home / "models" / "hub.leadlab").write_bytes(b"model")
    first = script.backup(home, home / "backups", AT)
    second = script.backup(home, home / "backups", AT.replace(minute=1))
    for copy in (first, second):
        names = sorted(str(p.relative_to(copy)) for p in copy.rglob("*") if p.is_file())
        assert names == ["api.db", "models/hub.leadlab"]
    with pytest.raises(FileExistsError):
        script.backup(home, home / "backups", AT)


def test_a_broken_database_makes_no_copy(script: ModuleType, tmp_path: Path) -> None:
    home = tmp_path / "home"
    made(home / "api.db", rows=200).close()
    content = bytearray((home / "api.db").read_bytes())
    content[4096:8192] = bytes(range(256)) * 16
    (home / "api.db").write_bytes(content)
    with pytest.raises(sqlite3.DatabaseError):
        script.backup(home, tmp_path / "to", AT)
    assert [p.suffix for p in (tmp_path / "to").iterdir()] == [".part"]
    with pytest.raises(FileNotFoundError):
        script.backup(tmp_path / "nowhere", tmp_path / "to", AT)


def test_it_runs_as_the_units_run_it(tmp_path: Path) -> None:
    made(tmp_path / "home" / "api.db", rows=3).close()
    command = [sys.executable, "-S", str(FILE)]
    done = subprocess.run(
        [*command, str(tmp_path / "home"), str(tmp_path / "to")],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert counted(Path(done.stdout.strip()) / "api.db") == (3, 3)
    wrong = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (wrong.returncode, wrong.stderr) == (1, "usage: backup.py HOME TO\n")

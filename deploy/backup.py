"""Copy every database of a leadlab home, each as of one moment, while it is written to.

    python deploy/backup.py HOME TO

makes a folder TO/<time> that holds each ``*.db`` below HOME, and the models and their registry.
SQLite's own backup reads one snapshot, so writers go on; a copy that fails its check, or half a
copy, never gets the final name. To go back: stop leadlab, put the folder in the place of HOME,
start it; what came after the copy is replayed from Redis as far as its streams still hold it.
"""

from __future__ import annotations

import shutil
import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

FOLDERS = ("models", "registry")
"""Files that are written whole, so that a plain copy is a copy as of one moment."""


def backup(home: Path, to: Path, at: datetime) -> Path:
    """Copy `home` to a folder of `to` named after `at`, and give that folder.

    Raises
    ------
    FileNotFoundError
        If there is no such home.
    FileExistsError
        If there is a copy of that second already.
    sqlite3.DatabaseError
        If a database cannot be read, or its copy is not sound.
    """
    if not home.is_dir():
        raise FileNotFoundError(f"no such folder: {home}")
    whole = to / at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    if whole.exists():
        raise FileExistsError(f"there is such a copy already: {whole}")
    part = whole.with_suffix(".part")
    if part.exists():
        shutil.rmtree(part)
    part.mkdir(parents=True, mode=0o700)
    kept = to.resolve()
    for file in sorted(home.rglob("*.db")):
        if file.resolve().is_relative_to(kept):
            continue
        copy = part / file.relative_to(home)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy_database(file, copy)
    for name in FOLDERS:
        if (home / name).is_dir():
            other = shutil.ignore_patterns("*.db", "*.db-*")
            shutil.copytree(home / name, part / name, ignore=other, dirs_exist_ok=True)
    part.rename(whole)
    return whole


def copy_database(file: Path, copy: Path) -> None:
    """Copy one SQLite database as of one moment, and check the copy."""
    with (
        closing(
            sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=30)
        ) as own,
        closing(sqlite3.connect(copy)) as other,
    ):
        own.backup(other)
        (found,) = other.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise sqlite3.DatabaseError(f"the copy of {file} is not sound: {found}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: backup.py HOME TO")
    sys.stdout.write(f"{backup(Path(sys.argv[1]), Path(sys.argv[2]), datetime.now(UTC))}\n")

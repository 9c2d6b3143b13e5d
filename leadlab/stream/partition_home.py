"""Where a worker keeps what it made of a partition, and that nobody else on the machine does."""

from __future__ import annotations

import fcntl
import os
import tempfile
import uuid
from pathlib import Path
from typing import IO


def home_id(home: Path) -> str:
    """The name of a home, the same for all who use it; made by the first.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     home_id(Path(folder)) == home_id(Path(folder))
    True
    """
    path = home / "home-id"
    if not path.exists():
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=home, prefix=".home-id.") as file:
            file.write(uuid.uuid4().hex)
            file.flush()
            os.fsync(file.fileno())
            try:
                path.hardlink_to(file.name)
            except FileExistsError:
                return home_id(home)
    return path.read_text(encoding="ascii").strip()


class PartitionHome:
    """The folder of one partition, held by this process until it is closed or dies.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     mine = PartitionHome.take(Path(folder), 3)
    ...     theirs = PartitionHome.take(Path(folder), 3)
    ...     mine.close()
    >>> mine.folder.name, theirs is None
    ('3', True)
    """

    def __init__(self, folder: Path, held: IO[str]) -> None:
        self.folder = folder
        self._held = held

    @classmethod
    def take(cls, home: Path, partition: int) -> PartitionHome | None:
        """Hold a partition's folder; None if another holds it."""
        folder = home / "partitions" / str(partition)
        folder.mkdir(parents=True, exist_ok=True)
        held = (folder / "owner.lock").open("w")
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held.close()
            return None
        return cls(folder, held)

    def close(self) -> None:
        """Leave it to others."""
        self._held.close()

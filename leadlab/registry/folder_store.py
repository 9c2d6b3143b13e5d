"""A store in a folder: a file appears under its name in one step, and for one writer only."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from leadlab.errors import BrokenFile, StoreFailed
from leadlab.registry.store import Found, Taken

UNFINISHED = ".unfinished-"
"""Names of files that are still being written, or whose writer died."""
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class FolderStore:
    """Files below a folder, which is made when the first is written.

    A file is written under a passing name, flushed to the disk, and linked to its own name, which
    the operating system refuses where that is taken. Links that lead out of the folder, and
    anything that is no plain file, are not read.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = str(folder)

    def create(self, path: str, data: bytes) -> None:
        """Write a whole new file, or nothing; see `Store`."""
        to = self.folder / path
        passing = to.with_name(UNFINISHED + secrets.token_hex(8))
        with self._told(path):
            self._inside(to.parent)
            to.parent.mkdir(parents=True, exist_ok=True)
            try:
                _write(passing, data)
                os.link(passing, to)
            except FileExistsError as error:
                raise Taken(path) from error
            finally:
                # A passing name that stays is told of and cleaned like any that a crash left.
                with suppress(OSError):
                    passing.unlink()
            _flush_folder(to.parent)

    def read(self, path: str, most: int) -> bytes | None:
        """Content of a file, or None; see `Store`."""
        at = self.folder / path
        with self._told(path):
            self._inside(at.parent)
            try:
                handle = os.open(at, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            except (FileNotFoundError, NotADirectoryError):
                return None
            except OSError as error:
                if error.errno in (errno.ELOOP, errno.EMLINK):
                    raise BrokenFile("a link where a file should be", where=str(at)) from error
                raise
            with os.fdopen(handle, "rb") as file:
                about = os.fstat(handle)
                if not stat.S_ISREG(about.st_mode):
                    raise BrokenFile("no plain file", where=str(at))
                if about.st_size > most:
                    raise BrokenFile(
                        "larger than it may be",
                        where=str(at),
                        got=f"{about.st_size} bytes",
                        expected=f"at most {most}",
                    )
                return file.read(most + 1)

    def find(self, folder: str) -> list[Found]:
        """All files below a folder, by path; see `Store`."""
        found = []
        with self._told(folder):
            self._inside(self.folder / folder)
            for place, folders, names in os.walk(self.folder / folder, onerror=_unless_missing):
                links = [f for f in folders if (Path(place) / f).is_symlink()]
                for name in [*names, *links]:
                    at = Path(place) / name
                    # Another writer's passing file may be gone by now.
                    with suppress(FileNotFoundError):
                        about = at.lstat()
                        relative = at.relative_to(self.folder).as_posix()
                        found.append(Found(relative, about.st_size, about.st_mtime))
        return sorted(found)

    def delete(self, path: str) -> None:
        """Remove a file, and its folder where that is then empty; see `Store`."""
        at = self.folder / path
        with self._told(path):
            self._inside(at.parent)
            at.unlink(missing_ok=True)
            with suppress(OSError):
                at.parent.rmdir()

    def _inside(self, folder: Path) -> None:
        """Refuse a folder that a link leads out of this one."""
        if not folder.resolve().is_relative_to(self.folder.resolve()):
            raise BrokenFile("a link that leads out of the registry", where=str(folder))

    @contextmanager
    def _told(self, path: str) -> Iterator[None]:
        try:
            yield
        except StoreFailed:
            raise
        except OSError as error:
            full = error.errno in _FULL
            raise StoreFailed(
                "the disk is full" if full else "a folder could not be used",
                where=str(self.folder / path),
                got=f"{type(error).__name__}: {error.strerror}",
                hint="Make room and do it again; nothing was changed." if full else None,
            ) from error


def _write(path: Path, data: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(handle, rest) :]
        os.fsync(handle)
    finally:
        os.close(handle)


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unless_missing(error: OSError) -> None:
    if not isinstance(error, (FileNotFoundError, NotADirectoryError)):
        raise error

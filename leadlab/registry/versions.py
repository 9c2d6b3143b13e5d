"""The versions of one model in a store: written in an order that makes them whole or absent.

Files go first, into a folder of their own that nobody else writes to; the manifest last, under the
next free number. Without a manifest there is no version, so a writer that dies leaves files that
nothing refers to, and no half version.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress

from leadlab.errors import BrokenFile, StoreFailed, UnknownName
from leadlab.models.files.members import LARGEST_BYTES as LARGEST_FILE_BYTES
from leadlab.models.files.members import MOST_MEMBERS, plain_name, sha256
from leadlab.registry import sealed
from leadlab.registry.store import Store, Taken
from leadlab.registry.version import FileSum, Version

_MANIFEST = re.compile(r"(\d{6})\.json")
_TRIES = 1000


class Versions:
    """Versions of one model.

    Parameters
    ----------
    store : Store
    model : str
        Its name, checked.
    """

    def __init__(self, store: Store, model: str) -> None:
        self.store, self.model = store, model
        self.folder = f"models/{model}"

    def numbers(self) -> list[int]:
        """Numbers of all versions, ascending."""
        found = self.store.find(f"{self.folder}/versions")
        names = [one.path.rsplit("/", 1)[1] for one in found]
        return sorted(int(m[1]) for m in map(_MANIFEST.fullmatch, names) if m)

    def read(self, number: int) -> Version:
        """What the registry knows of a version.

        Raises
        ------
        UnknownName
            If there is none of that number.
        BrokenFile, NewerFormat
            If its manifest cannot be used.
        """
        path = self._manifest(number)
        where = f"{self.store.address}/{path}"
        data = self.store.read(path, sealed.LARGEST_BYTES)
        if data is None:
            known = [str(n) for n in self.numbers()]
            raise UnknownName(f"version of {self.model}", str(number), known)
        found = Version.from_manifest(data, where=where)
        if (found.model, found.number) != (self.model, number):
            raise BrokenFile(
                "the manifest of another version",
                where=where,
                got=found.name,
                expected=f"{self.model}@{number}",
            )
        if sum(f.size_bytes for f in found.files.values()) > LARGEST_FILE_BYTES:
            raise BrokenFile("a version that claims to be larger than any model", where=where)
        return found

    def file(self, version: Version, name: str) -> bytes:
        """One file of a version, held to its checksum.

        Raises
        ------
        BrokenFile
            If it is missing, or not what was written.
        """
        path = self.path(version, name)
        where = f"{self.store.address}/{path}"
        data = self.store.read(path, version.files[name].size_bytes)
        if data is None:
            raise BrokenFile("a file of a version is gone", where=where, expected=version.name)
        if not version.files[name].holds(data):
            raise BrokenFile(
                "a file of a version is not what was written",
                where=where,
                got=f"{len(data)} bytes, sha256 {sha256(data)[:12]}",
                expected=f"{version.files[name].size_bytes} bytes, sha256 "
                f"{version.files[name].sha256[:12]}",
                hint="Take it from a backup, or use another version.",
            )
        return data

    def path(self, version: Version, name: str) -> str:
        """Where a file of a version is, in the store."""
        return f"{self.folder}/files/{version.folder}/{plain_name(name)}"

    def add(
        self,
        files: Mapping[str, bytes],
        describe: Callable[[int, str, Mapping[str, FileSum]], Version],
    ) -> Version:
        """Write files and their manifest, whole or not at all.

        Parameters
        ----------
        files : mapping of str to bytes
        describe : callable
            From number, folder and checksums to the version.

        Raises
        ------
        StoreFailed
            If one could not be written; what was written before it is removed again, and what
            cannot be removed is a leftover that no version refers to.
        BrokenFile
            If there are too many files, or they are too large.
        """
        if len(files) > MOST_MEMBERS or sum(map(len, files.values())) > LARGEST_FILE_BYTES:
            raise BrokenFile("larger than any model", where=self.model)
        folder = secrets.token_hex(8)
        sums = {plain_name(n): FileSum(sha256(data), len(data)) for n, data in files.items()}
        version = describe(self._next(), folder, sums)
        paths = [self.path(version, name) for name in files]
        try:
            for path, data in zip(paths, files.values(), strict=True):
                self.store.create(path, data)
        except StoreFailed:
            self._remove(paths)
            raise
        return self._enlist(version, paths, lambda number: describe(number, folder, sums))

    def _enlist(self, version: Version, paths: list[str], at: Callable[[int], Version]) -> Version:
        """Write the manifest under the first free number."""
        for _ in range(_TRIES):
            path = self._manifest(version.number)
            try:
                self.store.create(path, version.manifest())
                return version
            except Taken:
                version = at(version.number + 1)
            except StoreFailed:
                # Where the answer was lost the manifest may be there: then its files must stay.
                with suppress(StoreFailed):
                    if self.store.read(path, sealed.LARGEST_BYTES) is None:
                        self._remove(paths)
                raise
        raise StoreFailed("no free number", where=f"{self.store.address}/{self.folder}/versions")

    def _remove(self, paths: list[str]) -> None:
        with suppress(StoreFailed):
            for path in paths:
                self.store.delete(path)

    def _next(self) -> int:
        return max(self.numbers(), default=0) + 1

    def _manifest(self, number: int) -> str:
        return f"{self.folder}/versions/{number:06d}.json"

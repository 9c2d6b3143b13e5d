"""The file that makes a place a registry, and a test of the place before anything is written."""

from __future__ import annotations

from leadlab.errors import ConfigError
from leadlab.registry.sealed import LARGEST_BYTES, seal, unseal
from leadlab.registry.store import Store, Taken

MARKER, FAMILY = "registry.json", "leadlab-registry"


class Marker:
    """``registry.json`` of a store; each question is asked once.

    Parameters
    ----------
    store : Store
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._readable, self._writable = False, False

    def check(self) -> None:
        """Refuse a registry of a later leadlab; a place without a marker is an empty registry.

        Raises
        ------
        BrokenFile, NewerFormat
            If the marker cannot be used.
        """
        if self._readable:
            return
        data = self.store.read(MARKER, LARGEST_BYTES)
        if data is not None:
            unseal(data, FAMILY, where=f"{self.store.address}/{MARKER}")
            self._readable = True

    def check_writable(self) -> None:
        """Write the marker where there is none, and see that nobody can write it again.

        Raises
        ------
        ConfigError
            If a store gives one name to two writers: then two promotions at once would both win.
        """
        self.check()
        if self._writable:
            return
        refused = [self._taken(seal(FAMILY, {"asked": n})) for n in (1, 2)]
        if not refused[1]:
            raise ConfigError(
                "a store that lets two writers take one name cannot hold a registry",
                where=self.store.address,
                hint="It ignores 'If-None-Match: *'. Use another, or a newer version of it.",
            )
        self._writable = True

    def _taken(self, content: bytes) -> bool:
        try:
            self.store.create(MARKER, content)
        except Taken:
            return True
        return False

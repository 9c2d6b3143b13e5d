"""What was read lately, kept in two levels: in this process, and in Redis for all processes.

Who reads says which version of a lead it knows: a number that grows whenever what is read of the
lead may have changed, such as the moment of its newest result. What was kept of an older version is
never served, so nothing needs to be told that a lead changed.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple, Protocol

from leadlab.errors import BadInput

_OVERHEAD_BYTES = 400


class Entry(NamedTuple):
    """What is kept of one read.

    Attributes
    ----------
    version : int
        Of the lead, when it was read.
    content : bytes
    """

    version: int
    content: bytes


class Key(NamedTuple):
    """Whose, about whom, and what was read."""

    tenant: str
    lead: str
    what: str


class Level(Protocol):
    """A place where entries are kept; it may lose any of them at any time."""

    def get(self, key: Key) -> Entry | None:
        """Whatever is kept under a key, of any version."""

    def put(self, key: Key, entry: Entry) -> None:
        """Keep an entry in place of what was there."""

    def stats(self) -> dict[str, float | str]:
        """Figures of its own, by name."""


class LocalLevel:
    """The entries used last, in this process; any thread may use it.

    Parameters
    ----------
    room_bytes : int
        Of contents and keys, with an allowance for each entry.
    ttl_s : float
        Seconds until an entry is let go of.
    clock : callable
        Seconds, never descending.
    """

    def __init__(
        self, room_bytes: int, ttl_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.room_bytes, self.ttl_s, self.clock = room_bytes, ttl_s, clock
        self.nbytes = 0
        self._entries: OrderedDict[Key, tuple[Entry, float]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key) -> Entry | None:
        """Entry under a key, unless it is too old."""
        with self._lock:
            entry, until_s = self._entries.get(key, (None, 0.0))
            if entry is not None and self.clock() >= until_s:
                self._drop(key)
                return None
            if entry is not None:
                self._entries.move_to_end(key)
            return entry

    def put(self, key: Key, entry: Entry) -> None:
        """Keep an entry unless a newer one is there; lets go of those not used for longest."""
        with self._lock:
            held = self._entries.get(key)
            if held is not None and held[0].version > entry.version:
                return
            if held is not None:
                self._drop(key)
            self._entries[key] = entry, self.clock() + self.ttl_s
            self.nbytes += _nbytes(key, entry)
            while self.nbytes > self.room_bytes:
                self._drop(next(iter(self._entries)))

    def _drop(self, key: Key) -> None:
        entry, _ = self._entries.pop(key)
        self.nbytes -= _nbytes(key, entry)

    def stats(self) -> dict[str, float | str]:
        """Entries and bytes."""
        with self._lock:
            return {"entries": len(self._entries), "bytes": self.nbytes}


def _nbytes(key: Key, entry: Entry) -> int:
    return len(entry.content) + sum(map(len, key)) + _OVERHEAD_BYTES


class ReadCache:
    """Reads through the levels, nearest first; any thread may read.

    Parameters
    ----------
    **levels : Level
        By name, nearest first, such as ``local=LocalLevel(...)``, ``redis=RedisLevel(...)``.

    Examples
    --------
    >>> cache = ReadCache(local=LocalLevel(1 << 20, ttl_s=60))
    >>> [cache.read("north", "ann", "score", version, lambda: made)
    ...  for version, made in ((1, b"0.2"), (1, b"never asked"), (2, b"0.3"))]
    [b'0.2', b'0.2', b'0.3']
    >>> stats = cache.stats()
    >>> stats["asked"], stats["made"], stats["local_hits"], stats["local_stale"]
    (3, 2, 1, 1)
    """

    def __init__(self, **levels: Level) -> None:
        if not levels:
            raise BadInput("a cache needs a level")
        self._levels = levels
        self._counts = {"asked": 0, "made": 0}
        for name in levels:
            self._counts |= {f"{name}_asked": 0, f"{name}_hits": 0, f"{name}_stale": 0}
        self._lock = threading.Lock()

    def read(
        self, tenant: str, lead: str, what: str, version: int, make: Callable[[], bytes]
    ) -> bytes:
        """Content of a read, kept or made anew.

        Parameters
        ----------
        tenant, lead, what : str
            Whose, about whom, and what is read; "" as `lead` for what is about none.
        version : int
            Of the lead, known before `make` is called; nothing of an older one is served.
        make : callable
            Reads it, as of `version` or later.
        """
        key = Key(tenant, lead, what)
        counted = ["asked"]
        passed: list[Level] = []
        entry: Entry | None = None
        for name, level in self._levels.items():
            entry = level.get(key)
            counted.append(f"{name}_asked")
            if entry is not None and entry.version >= version:
                counted.append(f"{name}_hits")
                break
            counted += [f"{name}_stale"] if entry is not None else []
            passed.append(level)
        else:
            entry = Entry(version, make())
            counted.append("made")
        for level in passed:
            level.put(key, entry)
        with self._lock:
            for count in counted:
                self._counts[count] += 1
        return entry.content

    def stats(self) -> dict[str, float | str]:
        """Reads asked and made anew; asked, hits, stale, hit rate and own figures of each level."""
        with self._lock:
            stats: dict[str, float | str] = dict(self._counts)
            for name in self._levels:
                asked, hits = self._counts[f"{name}_asked"], self._counts[f"{name}_hits"]
                stats[f"{name}_hit_rate"] = hits / asked if asked else float("nan")
        for name, level in self._levels.items():
            stats |= {f"{name}_{figure}": value for figure, value in level.stats().items()}
        return stats

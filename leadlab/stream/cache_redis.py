"""The cache's level in Redis: seen by all processes, and never waited for when it is away."""

from __future__ import annotations

import struct
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import quote

from leadlab.errors import ConfigError
from leadlab.stream.breaker import Breaker, LeftAlone
from leadlab.stream.cache import Entry, Key

Given = TypeVar("Given")
_LARGE_BYTES = 1024
_HEAD = struct.Struct(">Bq")
_PLAIN, _LZ4 = 0, 1


class RedisLevel:
    """Entries in Redis behind a breaker: where it fails nothing is found, and `stats` says so.

    Contents above 1 KiB are compressed as an LZ4 frame. An entry carries its version; one that
    cannot be read counts as none.

    Parameters
    ----------
    url : str
        Such as ``redis://127.0.0.1:6379/0``.
    ttl_s : float
        Seconds until Redis lets go of an entry.
    timeout_s : float
        Longest wait for an answer.
    failures : int
        In a row, until Redis is left alone.
    reset_s : float
        Until it is tried again.
    clock : callable
        Seconds, never descending; of the breaker.

    Raises
    ------
    ConfigError
        If redis or lz4 is not installed, or the address cannot be used.
    """

    def __init__(
        self,
        url: str,
        *,
        ttl_s: float = 300.0,
        timeout_s: float = 0.25,
        failures: int = 5,
        reset_s: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._redis, self._frame, errors = _connected(url, timeout_s)
        self._ttl_ms = max(1, int(ttl_s * 1e3))
        self.breaker = Breaker("redis cache", failures, reset_s, on=errors, clock=clock)
        self._away: tuple[type[Exception], ...] = (LeftAlone, *errors)
        self._counts = {"unreadable": 0, "compressed": 0}
        self._lock = threading.Lock()

    def get(self, key: Key) -> Entry | None:
        """Entry under a key; None also where Redis is away."""
        found = self._asked(lambda: self._redis.get(_name(key)))
        return None if found is None else self._entry(found)

    def put(self, key: Key, entry: Entry) -> None:
        """Keep an entry, unless Redis is away."""
        large = len(entry.content) > _LARGE_BYTES
        head = _HEAD.pack(_LZ4 if large else _PLAIN, entry.version)
        if large:
            content = self._frame.compress(entry.content, content_checksum=True)
            self._count("compressed")
        else:
            content = entry.content
        self._asked(lambda: self._redis.set(_name(key), head + content, px=self._ttl_ms))

    def _asked(self, call: Callable[[], Given]) -> Given | None:
        try:
            return self.breaker.call(call)
        except self._away:
            return None  # counted by the breaker, shown by `stats`

    def _entry(self, found: bytes) -> Entry | None:
        try:
            codec, version = _HEAD.unpack_from(found)
            content = found[_HEAD.size :]
            if codec == _LZ4:
                content = self._frame.decompress(content)
        except (struct.error, RuntimeError):
            self._count("unreadable")
            return None
        return Entry(version, content)

    def _count(self, what: str) -> None:
        with self._lock:
            self._counts[what] += 1

    def stats(self) -> dict[str, float | str]:
        """State of the breaker, what became of its calls, and entries unreadable or compressed."""
        with self._lock:
            own: dict[str, float | str] = dict(self._counts)
        return {"state": self.breaker.state, "opened": self.breaker.opened,
                **self.breaker.counts, **own}  # fmt: skip

    def close(self) -> None:
        """Let go of the connections."""
        self._redis.close()


def _name(key: Key) -> str:
    """A key of its own for each tenant, lead and read, whatever characters they hold."""
    return ":".join(["leadlab", "read", *(quote(part, safe="") for part in key)])


def _connected(url: str, timeout_s: float) -> tuple[Any, Any, tuple[type[Exception], ...]]:
    """Client, LZ4's frames, and the errors of a Redis that is away."""
    try:
        import lz4.frame  # type: ignore[import-untyped]  # noqa: PLC0415  (an extra)
        from redis import Redis, RedisError  # noqa: PLC0415  (an extra)
        from redis.backoff import NoBackoff  # noqa: PLC0415
        from redis.retry import Retry  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError(
            "a cache in Redis needs redis and lz4",
            got=error,
            hint='Install them with leadlab\'s extra: pip install "leadlab[live]".',
        ) from error
    try:
        client = Redis.from_url(
            url,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            retry=Retry(NoBackoff(), 0),
        )
    except ValueError as error:
        raise ConfigError("unusable address of Redis", got=error) from error
    return client, lz4.frame, (RedisError, OSError)

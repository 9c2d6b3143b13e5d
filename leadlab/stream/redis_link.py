"""The way to a Redis server: opened so that nothing hides, and its failures said in our words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from leadlab.errors import ConfigError, Overloaded, StoreFailed

TIMEOUT_S = 5.0
"""Longest wait for an answer."""


def connect(url: str, *, timeout_s: float = TIMEOUT_S) -> Any:
    """Make a client that neither retries nor reconnects in the midst of a command.

    Raises
    ------
    ConfigError
        If `url` is no address of a Redis server, or the client library is not installed.
    """
    try:
        import redis  # noqa: PLC0415  (an extra)
        from redis.backoff import NoBackoff  # noqa: PLC0415
        from redis.retry import Retry  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError(
            "the client for Redis is not installed", hint="Install leadlab[live]."
        ) from error
    try:
        return redis.Redis.from_url(
            url,
            protocol=2,
            retry=Retry(NoBackoff(), 0),
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
        )
    except ValueError as error:
        raise ConfigError(
            "no address of a Redis server",
            got=plain(url),
            expected="redis://host:port/0, rediss://... or unix://...",
        ) from error


def plain(url: str) -> str:
    """An address without what is secret in it.

    Examples
    --------
    >>> plain("redis://ann:secret@localhost:6379/0")
    'redis://localhost:6379/0'
    """
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()


@contextmanager
def failing(where: str) -> Iterator[None]:
    """Turn the client's errors into `StoreFailed`, and a full memory into `Overloaded`."""
    import redis  # noqa: PLC0415  (an extra)

    try:
        yield
    except redis.exceptions.OutOfMemoryError as error:
        raise Overloaded(
            "the memory of Redis is full", where=where, hint="Trim, or raise maxmemory."
        ) from error
    except redis.exceptions.AuthenticationError as error:
        raise ConfigError("Redis refused the password", where=where) from error
    except (redis.exceptions.RedisError, OSError) as error:
        raise StoreFailed("Redis failed", where=where, got=str(error)[:200]) from error


def check_lasting(client: Any, where: str) -> None:
    """See to it that what the server acknowledges is on its disk and stays in its memory.

    Raises
    ------
    ConfigError
        If it may lose what it acknowledged, or does not tell.
    """
    import redis  # noqa: PLC0415  (an extra)

    wanted = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}
    with failing(where):
        try:
            found = client.config_get(*wanted)
        except redis.exceptions.ResponseError as error:
            raise ConfigError(
                "Redis does not tell whether it keeps what it acknowledges",
                where=where,
                got=str(error)[:200],
                hint="If it does, say that it may be trusted (lasting=False, --trust-redis).",
            ) from error
    wrong = {name: found.get(name) for name, value in wanted.items() if found.get(name) != value}
    if wrong:
        raise ConfigError(
            "Redis may lose what it acknowledged",
            where=where,
            got=", ".join(f"{name} {value}" for name, value in wrong.items()),
            expected=", ".join(f"{name} {wanted[name]}" for name in wrong),
            hint="Set it in redis.conf, or say that it may be trusted (--trust-redis).",
        )

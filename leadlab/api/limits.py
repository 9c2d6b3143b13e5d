"""How often one may ask: a moving window for each key, in this process or in Redis."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import limits
from limits.errors import ConfigurationError, StorageError
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import MovingWindowRateLimiter
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leadlab.errors import ConfigError, TooMuch

PAUSE_S = 5.0
"""After a failure of the shared storage, until it is tried again."""
WAIT_S = 0.25
"""For an answer of the shared storage."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of a window.

    Attributes
    ----------
    limit, remaining : int
        Requests.
    reset_s : int
        Seconds until the oldest request that counts is forgotten.
    shared : bool
        False where only this process counts, because the shared storage is away.
    """

    limit: int
    remaining: int
    reset_s: int
    shared: bool = True

    def headers(self) -> dict[str, str]:
        """The same as header fields.

        Examples
        --------
        >>> Allowance(10, 0, 7).headers()["RateLimit-Reset"]
        '7'
        """
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset_s),
        }


class Limits:
    """Counts requests.

    When Redis is away, each process counts for itself and says so: `degraded`, the log, and
    `Allowance.shared`.

    Parameters
    ----------
    rates : mapping of str to str
        By role, such as "600/minute".
    address : str, default="memory://"
        Where to count: ``memory://`` or ``redis://host:port/db``.
    clock : callable, default=time.monotonic
        Seconds; only for when to try a lost storage again.

    Raises
    ------
    ConfigError
        If a rate or the address cannot be read.

    Examples
    --------
    >>> counted = Limits({"viewer": "2/hour"})
    >>> asyncio.run(counted.take("viewer", "acme:jwt:ann")).remaining
    1
    """

    def __init__(
        self,
        rates: Mapping[str, str],
        address: str = "memory://",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        try:
            self._rates = {role: limits.parse(rate) for role, rate in rates.items()}
        except ValueError as error:
            raise ConfigError(
                "a rate cannot be read", got=error, expected="such as 600/minute"
            ) from error
        self._own = MovingWindowRateLimiter(MemoryStorage())
        self._shared = None if address == "memory://" else _redis(address)
        self._clock = clock
        self._again_s = float("-inf")

    @property
    def degraded(self) -> bool:
        """Whether the shared storage is away."""
        return self._clock() < self._again_s

    async def take(self, role: str, who: str) -> Allowance:
        """Count one request of `who`.

        Raises
        ------
        TooMuch
            If the window is full; `TooMuch.retry_after_s` says when it is not.
        """
        rate = self._rates[role]
        if self._shared is None:
            return _take(self._own, rate, who, shared=True)
        if not self.degraded:
            try:
                return await asyncio.to_thread(_take, self._shared, rate, who, shared=True)
            except StorageError as error:
                self._again_s = self._clock() + PAUSE_S
                kind = type(error.storage_error).__name__
                _log.warning("requests are counted here, Redis is away", extra={"problem": kind})
        return _take(self._own, rate, who, shared=False)


def _redis(address: str) -> MovingWindowRateLimiter:
    wrong = ConfigError(
        "LEADLAB_LIMITS names no place to count",
        got=address.split(":", 1)[0],  # the rest may hold a password
        expected="memory:// or redis://host:port/db",
    )
    if not address.startswith(("redis://", "rediss://")):
        raise wrong
    try:
        storage = storage_from_string(
            address, wrap_exceptions=True, socket_timeout=WAIT_S, socket_connect_timeout=WAIT_S
        )
    except (ConfigurationError, ValueError) as error:
        raise wrong from error
    return MovingWindowRateLimiter(storage)


def _take(
    counter: MovingWindowRateLimiter, rate: limits.RateLimitItem, who: str, *, shared: bool
) -> Allowance:
    fits = counter.hit(rate, who)
    window = counter.get_window_stats(rate, who)
    reset_s = max(math.ceil(window.reset_time - time.time()), 1)
    if not fits:
        raise TooMuch(f"more than {rate} from one key", retry_after_s=reset_s)
    return Allowance(rate.amount, max(window.remaining, 0), reset_s, shared)


class LimitHeaders:
    """ASGI middleware that tells each answer what is left, from ``scope["state"]["allowance"]``."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and add to its answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def add(message: Message) -> None:
            allowance = scope.get("state", {}).get("allowance")
            if message["type"] == "http.response.start" and allowance is not None:
                MutableHeaders(scope=message).update(allowance.headers())
            await send(message)

        await self.app(scope, receive, add)

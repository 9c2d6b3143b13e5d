"""One id for a request, in its answer, in the logs and in the audit."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leadlab.api.masking import masked

HEADER = "x-correlation-id"
_SANE = re.compile(rb"[A-Za-z0-9._-]{8,64}")
_current: ContextVar[str] = ContextVar("correlation_id", default="-")


def correlation_id() -> str:
    """Id of the request at hand; "-" outside of one."""
    return _current.get()


@contextmanager
def under(own: str) -> Iterator[None]:
    """Have `correlation_id` give `own` within.

    Examples
    --------
    >>> with under("order-4711"):
    ...     correlation_id()
    'order-4711'
    """
    before = _current.set(own)
    try:
        yield
    finally:
        _current.reset(before)


def sane_id(given: bytes | None) -> str:
    """The caller's id where it is fit to be repeated in headers and logs, else a new one.

    Examples
    --------
    >>> sane_id(b"order-4711-step-2")
    'order-4711-step-2'
    >>> bad = bytes([13, 10]).join([b"12345678", b"Set-Cookie: a=b"])
    >>> len(sane_id(bad)), len(sane_id(b"+41 44 668 18 00"))
    (32, 32)
    """
    if given is not None and _SANE.fullmatch(given):
        text = given.decode("ascii")
        if masked(text) == text:
            return text
    return uuid.uuid4().hex


class Correlation:
    """ASGI middleware, the outermost: accepts or makes the id, and repeats it in the answer.

    It also leaves it in ``scope["state"]["correlation_id"]``, for what runs further out.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on under its id."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        given = [value for name, value in scope["headers"] if name == HEADER.encode()]
        own = sane_id(given[0] if len(given) == 1 else None)

        async def add(message: Message) -> None:
            if message["type"] in (
                "http.response.start",
                "websocket.accept",
                "websocket.http.response.start",
            ):
                message.setdefault("headers", [])
                MutableHeaders(scope=message)[HEADER] = own
            await send(message)

        scope.setdefault("state", {})["correlation_id"] = own
        with under(own):
            await self.app(scope, receive, add)

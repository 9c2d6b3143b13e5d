"""Bodies of requests: not too large, and not forever under way."""

from __future__ import annotations

import asyncio

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leadlab.api.problems import problem


class _Cut(HTTPException):
    """Stops whoever reads a body that is cut; of a kind that frameworks let pass."""


class BodyLimit:
    """ASGI middleware: 413 to a body that is, or grows, too large, and 408 to a slow one.

    What the application makes of a cut body is not sent.

    Parameters
    ----------
    app : ASGI application
    most_bytes : int
    within_s : float, default=30
        Time for the whole body.
    """

    def __init__(self, app: ASGIApp, most_bytes: int, within_s: float = 30.0) -> None:
        self.app = app
        self.most_bytes = most_bytes
        self.within_s = within_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on while its body is fit."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        wrong = _declared(scope, self.most_bytes)
        if wrong:
            await self._refuse(wrong, scope, receive, send)
            return
        body = _Body(receive, send, self.most_bytes, self.within_s)
        try:
            await self.app(scope, body.receive, body.send)
        except _Cut:
            if body.started:
                raise
        if body.cut and not body.started:
            await self._refuse(body.cut, scope, receive, send)

    async def _refuse(self, status: int, scope: Scope, receive: Receive, send: Send) -> None:
        told = {
            400: "the length of the body is no number",
            408: f"the body took longer than {self.within_s:g} seconds",
            413: f"the body is larger than {self.most_bytes} bytes",
        }
        hint = "Send it in parts." if status == 413 else None
        answer = problem(status, told[status], hint=hint, headers={"Connection": "close"})
        await answer(scope, receive, send)


class _Body:
    """One request's way in and out."""

    def __init__(self, receive: Receive, send: Send, most_bytes: int, within_s: float) -> None:
        self._receive, self._send = receive, send
        self._left = most_bytes
        self._until_s = asyncio.get_running_loop().time() + within_s
        self._whole = False
        self.cut = 0
        self.started = False

    async def receive(self) -> Message:
        if self.cut:
            raise _Cut(self.cut)
        if self._whole:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._until_s):
                message = await self._receive()
        except TimeoutError as late:
            self.cut = 408
            raise _Cut(408) from late
        self._left -= len(message.get("body", b""))
        self._whole = not message.get("more_body", False)
        if self._left < 0:
            self.cut = 413
            raise _Cut(413)
        return message

    async def send(self, message: Message) -> None:
        if self.cut and not self.started:
            return
        self.started = True
        await self._send(message)


def _declared(scope: Scope, most_bytes: int) -> int:
    """Status to refuse a declared length with; 0 where it is fine or not declared."""
    declared = [value for name, value in scope["headers"] if name == b"content-length"]
    if not declared:
        return 0
    if len(set(declared)) > 1 or not declared[0].isdigit():
        return 400
    return 413 if len(declared[0]) > 15 or int(declared[0]) > most_bytes else 0

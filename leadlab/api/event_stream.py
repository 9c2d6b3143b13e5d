"""The stream over plain HTTP, as server-sent events."""

from __future__ import annotations

from functools import partial

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from leadlab.api.broadcast import Broadcast
from leadlab.api.connection import converse
from leadlab.api.frames import Payload
from leadlab.api.subscription import Farewell, Subscription

RETRY_MS = 2_000
"""A browser comes back after so long."""
_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no", "connection": "close"}


class EventStream(Response):
    """Sends one subscription's frames for as long as the client listens.

    Parameters
    ----------
    broadcast : Broadcast
        Where the subscription was made, and ends.
    member : Subscription
    """

    media_type = "text/event-stream"

    def __init__(self, broadcast: Broadcast, member: Subscription) -> None:
        super().__init__(headers=_HEADERS)
        del self.headers["content-length"]
        self._broadcast = broadcast
        self._member = member

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""

        async def read() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass

        async def part(farewell: Farewell) -> None:
            await _body(send, self._member.notice(farewell.name, why=farewell.why))
            await send({"type": "http.response.body", "body": b"", "more_body": False})

        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        try:
            await send(start)
            await _body(send, b"retry: %d\n\n" % RETRY_MS)
            sender = partial(_body, send)
            await converse(self._member, sender, read, part, self._broadcast.grace_s)
        finally:
            self._broadcast.leave(self._member)


async def _body(send: Send, frame: Payload) -> None:
    await send({"type": "http.response.body", "body": frame, "more_body": True})

"""HTTP from those who take their time, but not for ever: a request's head is bounded."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_S = 10.0
"""Time for the first line and the headers of a request, from the connection's start on."""
HEAD_BYTES = 131_072
"""What they may hold together."""
_TOO_SLOW, _TOO_LARGE = b"408 Request Timeout", b"431 Request Header Fields Too Large"


class PatientHttp(HttpToolsProtocol):
    """Ends connections that send no whole head of a request in time, or one without end.

    Between two requests the server's own limit holds. Bodies are looked after by
    `leadlab.api.body.BodyLimit`.
    """

    head_s = HEAD_S

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._late: asyncio.TimerHandle | None = None
        self._head_bytes = 0
        self._in_body = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        super().data_received(data)
        if self._late is None:
            if self._answered() and self.timeout_keep_alive_task is None:
                self._await_head()  # it came after the answer: a body that nobody read, or nothing
        elif not self._in_body:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self._cut(_TOO_LARGE)

    def on_message_begin(self) -> None:
        """Wait for the rest of a head."""
        super().on_message_begin()
        if self._late is None:
            self._await_head()

    def on_headers_complete(self) -> None:
        """Wait no longer."""
        self._head_is_here()
        self._in_body = True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Wait for the next one, where the answer to this one was sent before its end."""
        super().on_message_complete()
        self._in_body = False
        if self._late is not None:
            self._head_is_here()
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._head_is_here()
        super().connection_lost(exc)

    def _answered(self) -> bool:
        return self.cycle is not None and self.cycle.response_complete

    def _await_head(self) -> None:
        self._head_bytes = 0
        self._late = self.loop.call_later(self.head_s, self._cut, _TOO_SLOW)

    def _head_is_here(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _cut(self, why: bytes) -> None:
        self._head_is_here()
        if self.transport.is_closing():
            return
        if self._head_bytes and not self._answered():
            head = b"HTTP/1.1 " + why + b"\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
            self.transport.write(head)
        self.transport.close()

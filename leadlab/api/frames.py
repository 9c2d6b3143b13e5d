"""How messages and notices look on the wire: JSON for WebSockets, text for event streams.

A WebSocket frame is a JSON array of messages, or one object that names a notice in ``frame``. An
event stream has an event a message, named after its topic, and an event a notice; ``data`` is the
same JSON. Every message and notice carries the cursor to go on from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from leadlab.api.backlog import Entry

Payload = str | bytes
NOWHERE = -1
"""Number of a reader that has not seen the whole state yet: it has to start again."""
_ENCODER = msgspec.json.Encoder()


class Form(Protocol):
    """Messages and notices in the form that one kind of client reads."""

    def messages(self, entries: Sequence[Entry], epoch: str) -> Payload:
        """All of `entries` in one frame."""

    def notice(self, name: str, cursor: str, said: dict[str, Any]) -> Payload:
        """A frame about the stream itself."""


def cursor_of(epoch: str, number: int) -> str:
    """Where a reader stands that has seen everything up to `number`."""
    return "none" if number == NOWHERE else f"{epoch}-{number}"


def number_of(cursor: str, epoch: str) -> int:
    """The number in a cursor; `NOWHERE` if it was not given out in this epoch.

    Examples
    --------
    >>> number_of("e-7", "e"), number_of("d-7", "e"), number_of(cursor_of("e", NOWHERE), "e")
    (7, -1, -1)
    """
    start, _, digits = cursor.rpartition("-")
    known = start == epoch and digits.isascii() and digits.isdigit() and len(digits) < 19
    return int(digits) if known else NOWHERE


def content_of(entry: Entry, epoch: str) -> bytes:
    """A message with its cursor as JSON; encoded the first time somebody asks.

    Examples
    --------
    >>> from leadlab.stream.message import Message
    >>> content_of(Entry(7, Message(topic="alerts", tenant="t", at_us=1, key="a")), "e")
    b'{"cursor":"e-7","topic":"alerts","tenant":"t","at_us":1,"key":"a"}'
    """
    if entry.content is None:
        start = b'{"cursor":"%s",' % cursor_of(epoch, entry.number).encode()
        entry.content = start + _ENCODER.encode(entry.message)[1:]
    return entry.content


class SocketForm:
    """Text frames of a WebSocket."""

    def messages(self, entries: Sequence[Entry], epoch: str) -> str:
        """A JSON array."""
        return f"[{b','.join([content_of(entry, epoch) for entry in entries]).decode()}]"

    def notice(self, name: str, cursor: str, said: dict[str, Any]) -> str:
        """A JSON object."""
        return _ENCODER.encode({"frame": name, "cursor": cursor, **said}).decode()


class EventStreamForm:
    """Events of ``text/event-stream``."""

    def messages(self, entries: Sequence[Entry], epoch: str) -> bytes:
        """An event a message."""
        return b"".join(
            _event(entry.message.topic, cursor_of(epoch, entry.number), content_of(entry, epoch))
            for entry in entries
        )

    def notice(self, name: str, cursor: str, said: dict[str, Any]) -> bytes:
        """One event."""
        return _event(name, cursor, _ENCODER.encode({"frame": name, "cursor": cursor, **said}))


def _event(name: str, cursor: str, data: bytes) -> bytes:
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (cursor.encode(), name.encode(), data)


SOCKET: Form = SocketForm()
EVENT_STREAM: Form = EventStreamForm()

"""Events between processes: an event whose fields were checked, packed small."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import msgspec

from leadlab.errors import BadInput
from leadlab.schema.event import Event

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


class WireEvent(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An event as it travels and is journalled; see `leadlab.schema.Event` for the fields.

    Examples
    --------
    >>> event = WireEvent("e1", "default", "ann", "Inquiry", 1_772_384_400_000_000)
    >>> unpack(pack([event])) == [event]
    True
    """

    id: str
    tenant: str
    lead: str
    kind: str
    at_us: int
    value: float | None = None
    agent: str | None = None
    source: str | None = None
    data: dict[str, Any] = {}


_LIST = msgspec.json.Decoder(list[WireEvent])
_ENCODER = msgspec.json.Encoder()


def pack(events: Sequence[WireEvent]) -> bytes:
    """Events as one JSON array of arrays.

    Raises
    ------
    BadInput
        If a further field holds what JSON cannot.
    """
    try:
        return _ENCODER.encode(events)
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise BadInput("an event that cannot be packed", got=str(error)[:200]) from error


def unpack(content: bytes) -> list[WireEvent]:
    """The inverse of `pack`.

    Raises
    ------
    BadInput
        If `content` was not made by `pack`.
    """
    try:
        return _LIST.decode(content)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise BadInput("not packed events", got=str(error)[:200]) from error


def wire_of(event: Event) -> WireEvent:
    """An event in the form that travels."""
    at_us = (event.at - _EPOCH) // _MICROSECOND
    return WireEvent(
        event.id, event.tenant, event.lead, event.kind, at_us, event.value, event.agent,
        event.source, event.data,
    )  # fmt: skip

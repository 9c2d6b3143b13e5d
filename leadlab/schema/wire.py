"""Events between processes: decoded fast, checked as strictly as `Event`, packed small.

A `WireEvent` is an event whose fields were checked. What comes in is decoded by msgspec; whatever
is not plainly right goes through `Event` or `from_cloudevent`, so that one place decides what an
event is and what is said of one that cannot be used.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from leadlab.errors import BadInput
from leadlab.schema.cloudevents import from_cloudevent
from leadlab.schema.event import Event, event_from
from leadlab.schema.fields import DEFAULT_TENANT, LARGEST, MAX_TEXT, RESERVED

_FIRST_US = 0
_LAST_US = int(dt.datetime(2200, 1, 1, tzinfo=dt.UTC).timestamp()) * 1_000_000
_DEEPEST = 12


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
    data: dict[str, Any] = {}  # noqa: RUF012  (msgspec copies the default)


class _Given(msgspec.Struct, gc=False):
    """What a plain event looks like from outside; anything else takes the careful way."""

    lead: str
    kind: str
    at: dt.datetime
    id: str | None = None
    tenant: str | None = None
    value: float | None = None
    agent: str | None = None
    source: str | None = None
    data: dict[str, str | float | bool | None] | None = None
    specversion: Any = None


_LIST = msgspec.json.Decoder(list[WireEvent])
_GIVEN = msgspec.json.Decoder(_Given)
_ENCODER = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one of several events cannot be used.

    Attributes
    ----------
    row : int
        Position among the events given, from 0.
    field, reason : str
    got : str
        The offending value, at most 200 characters.
    """

    row: int
    field: str
    reason: str
    got: str


def pack(events: Sequence[WireEvent]) -> bytes:
    """Events as one JSON array of arrays."""
    return _ENCODER.encode(events)


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
    micros = (event.at - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)
    return WireEvent(
        event.id, event.tenant, event.lead, event.kind, micros, event.value, event.agent,
        event.source, event.data,
    )  # fmt: skip

"""What a request's body holds: events that can be used, and for each other row the reason.

Rows are plain events (the fields of `leadlab.schema.Event`) or CloudEvents, in one JSON object, a
JSON array, or JSON Lines. msgspec decodes what is plainly right; every other row takes the careful
way through `event_from` or `from_cloudevent`, so one place decides what an event is and what is
said of a row that is none.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import unquote

import msgspec

from leadlab.errors import BadInput
from leadlab.schema.cloudevents import NO_SOURCE, from_cloudevent
from leadlab.schema.depth import too_deep
from leadlab.schema.event import event_from
from leadlab.schema.fields import LARGEST, LARGEST_FURTHER, MAX_TEXT, RESERVED, tidy
from leadlab.schema.wire import WireEvent, pack, unpack, wire_of

AHEAD_US = 300 * 1_000_000
"""How far an event's time may lie ahead of the clock; the clocks of sources differ."""
MOST_ROWS = 10_000
"""Rows that one body may hold."""
DEEPEST = 24
"""Arrays and objects within one another that a row may hold."""
_LAST = dt.datetime(2200, 1, 1, tzinfo=dt.UTC).timestamp()
_CHECKED = 100_000
_RESERVED = frozenset(RESERVED)
Value = str | float | bool | None


class _Plain(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    lead: str
    kind: str
    at: dt.datetime
    id: str | None = None
    tenant: str | None = None
    value: float | None = None
    agent: str | None = None
    source: str | None = None
    data: dict[str, Value] = {}


class _Cloud(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    specversion: str
    id: str
    source: str
    type: str
    subject: str
    time: dt.datetime
    tenant: str | None = None
    agent: str | None = None
    datacontenttype: str = "application/json"
    schemaversion: int = 1
    data: dict[str, Value] = {}


_PLAIN_ROW, _CLOUD_ROW = msgspec.json.Decoder(_Plain), msgspec.json.Decoder(_Cloud)
_PLAIN_LIST = msgspec.json.Decoder(list[_Plain])
_CLOUD_LIST = msgspec.json.Decoder(list[_Cloud])
_RAW_LIST = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a row cannot be used.

    Attributes
    ----------
    row : int
        Position in the body, from 0.
    field, reason : str
    got : str
        The offending value, at most 200 characters.
    """

    row: int
    field: str
    reason: str
    got: str


@dataclass(frozen=True, slots=True, eq=False)
class Received:
    """What a body holds.

    Attributes
    ----------
    events : list of WireEvent
        In the body's order.
    rows : list of int
        Position of each event in the body.
    refused : list of Refusal
    """

    events: list[WireEvent]
    rows: list[int]
    refused: list[Refusal]


def receive(
    body: bytes, *, tenant: str, now_us: int, lines: bool = False, most: int = MOST_ROWS
) -> Received:
    r"""Read a body.

    Parameters
    ----------
    body : bytes
        JSON, or JSON Lines with `lines`.
    tenant : str
        Whose events they are; a row that names another tenant is refused.
    now_us : int
        The clock. Rows that lie more than `AHEAD_US` ahead of it are refused.
    lines : bool
        One row a line; blank lines are left out.
    most : int
        Rows at most.

    Raises
    ------
    BadInput
        If the body is no JSON at all, or holds too many rows. A line that is no JSON is one refused
        row.

    Examples
    --------
    >>> got = receive(b'{"id": "e1", "lead": "ann", "kind": "Inquiry", '
    ...               b'"at": "2026-03-01T10:00Z"}\n{"lead": 7}\n', tenant="acme",
    ...               now_us=1_800_000_000_000_000, lines=True)
    >>> [e.lead for e in got.events], [(r.row, r.field) for r in got.refused]
    (['ann'], [(1, 'id')])
    """
    reader = _Reader(tenant, now_us)
    if lines and body.count(b"\n") > 2 * most:
        raise _too_many(most)
    found = _all_at_once(body, lines)
    for row, given in enumerate(_one_by_one(body, lines) if found is None else found):
        if row >= most:
            raise _too_many(most)
        reader.take(row, given)
    return reader.received


def _too_many(most: int) -> BadInput:
    return BadInput("too many events at once", expected=f"at most {most:,}")


def _all_at_once(body: bytes, lines: bool) -> list[Any] | None:
    """Decode a body whose rows are all of one plain form; None where they are not."""
    cloud = b'"specversion"' in body[:4096]
    try:
        if lines:
            return (_CLOUD_ROW if cloud else _PLAIN_ROW).decode_lines(body)
        if body.lstrip()[:1] == b"[":
            return (_CLOUD_LIST if cloud else _PLAIN_LIST).decode(body)
        return [(_CLOUD_ROW if cloud else _PLAIN_ROW).decode(body)]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None  # some row is of another form: one by one says which, and why


def _one_by_one(body: bytes, lines: bool) -> Iterator[Any]:
    """Rows in whatever form they can be decoded to: a struct, or raw bytes."""
    if lines:
        yield from (_row(line) for line in body.split(b"\n") if line.strip())
    elif body.lstrip()[:1] == b"[":
        try:
            found = _RAW_LIST.decode(body)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise BadInput("the body is no JSON", got=str(error)[:200]) from error
        yield from (_row(bytes(raw)) for raw in found)
    else:
        if not body.strip():
            raise BadInput("the body is empty", expected="an event, an array of them, or lines")
        try:
            msgspec.json.decode(body, type=msgspec.Raw)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise BadInput("the body is no JSON", got=str(error)[:200]) from error
        yield _row(body)


def _row(raw: bytes) -> Any:
    for decoder in (_PLAIN_ROW, _CLOUD_ROW):
        try:
            return decoder.decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue  # the careful way says what is wrong with it
    return raw


class _Reader:
    """Collects rows; names that were sound once are not looked at again."""

    def __init__(self, tenant: str, now_us: int) -> None:
        self.tenant = tenant
        self.latest = min((now_us + AHEAD_US) / 1e6, _LAST)
        self.received = Received([], [], [])

    def take(self, row: int, given: Any) -> None:
        event = None
        if isinstance(given, _Plain):
            event = self._plain(given)
        elif isinstance(given, _Cloud):
            event = self._cloud(given)
        try:
            if event is None:
                event = self._careful(_fields(given))
        except BadInput as error:
            field = _writable(error.where or "event")
            self.received.refused.append(
                Refusal(row, field, _writable(error.what), _writable(str(error.got)[:200]))
            )
            return
        self.received.events.append(event)
        self.received.rows.append(row)

    def _plain(self, g: _Plain) -> WireEvent | None:
        """The event, or None where the careful way must decide."""
        if g.id is None or not self._mine(g.tenant):
            return None
        return self._sound(g.id, g.lead, g.kind, g.at, g.value, g.agent, g.source, g.data)

    def _cloud(self, g: _Cloud) -> WireEvent | None:
        if (g.specversion, g.schemaversion, g.datacontenttype) != ("1.0", 1, "application/json"):
            return None
        if not self._mine(g.tenant) or not g.source:
            return None
        source = None if g.source == NO_SOURCE else g.source
        if source is not None and "%" in source:
            source = unquote(source)
        data = dict(g.data)
        value = data.pop("value", None)
        if value is not None and type(value) is not float:
            return None
        return self._sound(g.id, g.subject, g.type, g.time, value, g.agent, source, data)

    def _mine(self, tenant: str | None) -> bool:
        return tenant is None or tenant == self.tenant

    def _sound(
        self, id: str, lead: str, kind: str, at: dt.datetime, value: Any, agent: str | None,
        source: str | None, data: dict[str, Value],
    ) -> WireEvent | None:  # fmt: skip
        if not (_is_sound(lead) and _is_sound(kind) and _is_plain(id)):
            return None
        if not (_is_sound_or_none(agent) and _is_sound_or_none(source)) or at.tzinfo is None:
            return None
        at_s = at.timestamp()
        if not 0.0 <= at_s < self.latest or not (value is None or -LARGEST <= value <= LARGEST):
            return None
        for name, entry in data.items():
            if entry is None or name in _RESERVED or not name.strip():
                return None
            if isinstance(entry, str):
                if len(entry) > MAX_TEXT:
                    return None
            elif not -LARGEST_FURTHER <= entry <= LARGEST_FURTHER:
                return None
        return WireEvent(id, self.tenant, lead, kind, round(at_s * 1e6), value, agent, source, data)

    def _careful(self, fields: Any) -> WireEvent:
        """Check a row in full.

        Raises
        ------
        BadInput
            If it is no event, lies ahead of the clock, or is another tenant's.
        """
        if not isinstance(fields, dict):
            raise BadInput("no object", got=type(fields).__name__, expected="a JSON object")
        if fields.get("tenant") not in (None, self.tenant):
            raise BadInput("another tenant's event", where="tenant", got=fields["tenant"])
        _check_types(fields)
        fields = {**fields, "tenant": self.tenant}
        if "specversion" in fields:
            event = from_cloudevent(fields)
        else:
            known = {name: v for name, v in fields.items() if v is not None}
            if known.get("id") is None and set(known) >= {"lead", "kind", "at"}:
                known["id"] = _content_id(known)
            event = event_from(known)
        if event.at.timestamp() >= self.latest:
            raise BadInput("ahead of the clock", where="at", got=event.at.isoformat())
        wire = wire_of(event)
        data = {name: v for name, v in wire.data.items() if v is not None}
        return _as_kept(msgspec.structs.replace(wire, data=data))


def _as_kept(event: WireEvent) -> WireEvent:
    """The event as the journal gives it back.

    Raises
    ------
    BadInput
        If its further fields hold what cannot be written, such as half a character.
    """
    try:
        return unpack(pack([event]))[0]
    except BadInput as error:
        raise BadInput("cannot be kept", where="data", got=error.got) from error


def _writable(text: str) -> str:
    """The text without halves of characters, which no answer could hold."""
    return text.encode("utf-8", "replace").decode()


def _check_types(fields: dict[str, Any]) -> None:
    """Refuse what could only be guessed at: a number's unit of time, what a yes is worth."""
    moment = "time" if "specversion" in fields else "at"
    if isinstance(fields.get(moment), int | float):
        got, expected = fields[moment], "such as 2026-03-01T10:00:00Z"
        raise BadInput("a number is no time", where=moment, got=got, expected=expected)
    held = fields.get("data") if "specversion" in fields else fields
    if isinstance(held, dict) and isinstance(held.get("value"), bool):
        raise BadInput("no number", where="value", got=held["value"])


def _fields(given: Any) -> Any:
    """Plain values of a row, for the careful way."""
    if isinstance(given, bytes):
        if too_deep(given, DEEPEST):
            raise BadInput("nested too deeply", got=f"{len(given):,} bytes", expected=DEEPEST)
        try:
            return json.loads(given, parse_constant=partial(_no_number))
        except (ValueError, RecursionError) as error:
            raise BadInput("not JSON", got=given[:80].decode("utf-8", "replace")) from error
    return {name: getattr(given, name) for name in given.__struct_fields__}


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no JSON")


def _content_id(fields: dict[str, Any]) -> str:
    """An id for an event that came without: the same words get the same id."""
    said = json.dumps(fields, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.blake2b(said.encode("utf-8", "replace"), digest_size=8).hexdigest()


_sound_names: set[str] = set()


def _is_sound(name: str) -> bool:
    """Tell whether a name needs no tidying; names come again and again."""
    if name in _sound_names:
        return True
    if not _is_plain(name):
        return False
    if len(_sound_names) >= _CHECKED:
        _sound_names.clear()
    _sound_names.add(name)
    return True


def _is_sound_or_none(name: str | None) -> bool:
    return name is None or _is_sound(name)


def _is_plain(name: str) -> bool:
    return 0 < len(name) <= MAX_TEXT and name.isprintable() and tidy(name) == name

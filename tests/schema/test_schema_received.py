"""What a request's body holds: the fast way and the careful way must say the same of every row."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlab.errors import BadInput
from leadlab.schema.cloudevents import from_cloudevent, to_cloudevent
from leadlab.schema.event import event_from
from leadlab.schema.fields import RESERVED
from leadlab.schema.received import Received, receive
from leadlab.schema.wire import WireEvent, pack, unpack, wire_of
from leadlab.schema.wire_columns import columns_of

NOW_US = 1_800_000_000_000_000
PLAIN = {"id": "e1", "lead": "ann", "kind": "Inquiry", "at": "2026-03-01T10:00:00Z"}


def _iso(at_s: int) -> str:
    return dt.datetime.fromtimestamp(at_s, dt.UTC).isoformat()


NAMES = st.one_of(
    st.sampled_from(["ann", "Ann Lee", "a" * 10_000]),
    st.text(st.characters(codec="utf-8"), max_size=12),
)
ODD: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.sampled_from([10**30, 10**400, -(10**309)]),
    st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=5), st.just("a" * 10_001),
    st.just("\ud800"), st.lists(st.integers(), max_size=2), st.just([["\udfff"]]),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)  # fmt: skip
TIMES = st.one_of(
    st.datetimes().map(lambda t: t.isoformat() + "Z"),
    st.integers(0, NOW_US // 1_000_000 + 600),
    st.integers(0, NOW_US // 1_000_000 + 600).map(_iso),
    st.sampled_from(
        ["2026-03-01T10:00Z", "2026-03-01", "2026-03-01T10:00:00+14:00", "1969-12-31T23:59:59Z",
         "2200-01-01T00:00:00Z", "9999-12-31T23:59:59-10:00", "0001-01-01T00:00:00+10:00", "soon"]
    ),
)  # fmt: skip
DATA = st.dictionaries(
    st.one_of(st.sampled_from(["listing", "urgency", *RESERVED[:2], " "]), st.text(max_size=4)),
    st.one_of(st.text(max_size=8), st.floats(-1e6, 1e6), st.booleans(), ODD),
    max_size=3,
)


@st.composite
def rows(draw: st.DrawFn) -> dict[str, Any]:
    """A plain row, most often sound, with up to two fields made odd."""
    row: dict[str, Any] = {
        "id": draw(st.text("abc0", min_size=1, max_size=4)),
        "lead": draw(NAMES),
        "kind": draw(st.sampled_from(["Inquiry", "Viewed  Property", "Lost", ""])),
        "at": draw(TIMES),
    }
    for name, values in {
        "value": st.one_of(st.floats(-2e15, 2e15), st.integers(-5, 5), st.just("7")),
        "agent": NAMES,
        "source": NAMES,
        "data": DATA,
        "tenant": st.sampled_from(["acme", "acme", "acme", "other", ""]),
    }.items():
        if draw(st.booleans()):
            row[name] = draw(values)
    for name in draw(st.lists(st.sampled_from([*row, "colour"]), max_size=2, unique=True)):
        if draw(st.integers(0, 3)) == 0:
            row[name] = draw(ODD)
    row["id"] = "" if row["id"] is None else row["id"]  # without one, a row gets one of its own
    return row


@st.composite
def cloud_rows(draw: st.DrawFn) -> dict[str, Any]:
    """A CloudEvent, most often sound."""
    row = draw(rows())
    data = row.pop("data", None)
    cloud: dict[str, Any] = {
        "specversion": draw(st.sampled_from(["1.0", "1.0", "1.0", "0.3", 1.0])),
        "source": draw(st.sampled_from(["/web", "open%20house", "urn:leadlab:source:unknown", ""])),
        **{new: row[old] for old, new in {"id": "id", "kind": "type", "lead": "subject"}.items()},
        "time": row["at"],
        **{name: row[name] for name in ("agent", "tenant") if name in row},
    }
    if isinstance(data, dict):
        cloud["data"] = {**data, **({"value": row["value"]} if "value" in row else {})}
    further = [{}, {}, {}, {"traceid": "t"}, {"Trace": 1}, {"data_base64": "eA"}]
    cloud.update(draw(st.sampled_from([*further, {"schemaversion": 1}, {"schemaversion": 99}])))
    return cloud


def encoded(row: Any) -> bytes:
    return json.dumps(row).encode()


def expected(row: dict[str, Any]) -> WireEvent | None:
    """What the records' own door says: the event, or None for a refusal."""
    if row.get("tenant") not in (None, "acme"):
        return None
    cloud = "specversion" in row
    held = row.get("data") if cloud else row
    if isinstance(row.get("time" if cloud else "at"), int | float):
        return None  # of what unit?
    if isinstance(held, dict) and isinstance(held.get("value"), bool):
        return None
    mine = {**row, "tenant": "acme"}
    try:
        event = from_cloudevent(mine) if "specversion" in mine else event_from(
            {name: value for name, value in mine.items() if value is not None}
        )  # fmt: skip
        wire = wire_of(event)
        if wire.at_us >= NOW_US + 300_000_000:
            return None
        kept = {name: value for name, value in wire.data.items() if value is not None}
        return unpack(pack([msgspec.structs.replace(wire, data=kept)]))[0]
    except (BadInput, ValueError, OverflowError):
        return None


def got(body: bytes, *, lines: bool = False) -> Received:
    return receive(body, tenant="acme", now_us=NOW_US, lines=lines)


def check(given_: list[dict[str, Any]], body: bytes, lines: bool) -> None:
    found = got(body, lines=lines)
    assert sorted([*found.rows, *(r.row for r in found.refused)]) == list(range(len(given_)))
    mine = dict(zip(found.rows, found.events, strict=True))
    for i, row in enumerate(given_):
        assert mine.get(i) == expected(row), row
    json.dumps([[r.field, r.reason, r.got] for r in found.refused], ensure_ascii=False).encode()
    assert unpack(pack(found.events)) == found.events
    columns_of(found.events, {"urgency": "number", "listing": "text"})


@settings(deadline=None, max_examples=120)
@given(st.lists(st.one_of(rows(), cloud_rows()), max_size=4))
def test_any_mix_of_rows_is_told_as_the_records_door_tells_it(mixed: list[dict[str, Any]]) -> None:
    check(mixed, b"\n".join(encoded(row) for row in mixed), lines=True)
    body = b"[" + b",".join(encoded(row) for row in mixed) + b"]"
    try:
        check(mixed, body, lines=False)
    except BadInput:
        assert b"\\ud" in body  # half a character: the array as a whole is no JSON


@settings(deadline=None, max_examples=150)
@given(rows())
def test_a_row_alone_is_told_as_among_others(row: dict[str, Any]) -> None:
    alone = got(encoded(row), lines=True)
    among = got(b"\n".join([encoded(PLAIN), encoded(row), b'{"lead": 7}']), lines=True)
    assert among.events[1:] == alone.events
    assert [(r.field, r.reason, r.got) for r in among.refused[:-1]] == [
        (r.field, r.reason, r.got) for r in alone.refused
    ]


@settings(deadline=None, max_examples=60)
@given(rows())
def test_a_sound_event_comes_through_as_a_cloudevent_too(row: dict[str, Any]) -> None:
    row["tenant"] = "acme"
    wire = expected(row)
    if wire is not None:
        event = event_from({name: v for name, v in row.items() if v is not None})
        cloud = to_cloudevent(event) | {"tenant": "acme"}
        try:
            again = from_cloudevent(cloud)
        except BadInput:
            return  # names that CloudEvents forbids
        found = got(encoded(cloud), lines=True)
        assert found.events == [expected(cloud)]
        assert found.events[0].at_us == wire_of(again).at_us


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=60), st.booleans())
def test_any_bytes_are_read_or_refused(body: bytes, lines: bool) -> None:
    try:
        found = got(body, lines=lines)
    except BadInput:
        return
    assert not found.events


@settings(deadline=None, max_examples=150)
@given(rows(), st.data())
def test_a_damaged_body_is_read_or_refused(row: dict[str, Any], data: st.DataObject) -> None:
    body = bytearray(encoded([row, PLAIN]))
    at = data.draw(st.integers(0, len(body) - 1))
    body[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    for lines in (False, True):
        try:
            found = got(bytes(body), lines=lines)
        except BadInput:
            continue
        assert unpack(pack(found.events)) == found.events
        assert all(event.tenant == "acme" for event in found.events)


@settings(deadline=None, max_examples=60)
@given(rows(), st.randoms())
def test_an_id_made_from_content_stays_the_same(row: dict[str, Any], random: Any) -> None:
    row = {name: value for name, value in row.items() if name != "id"}
    names = list(row)
    random.shuffle(names)
    first = got(encoded(row), lines=True).events
    shuffled = json.dumps({name: row[name] for name in names}, indent=None, separators=(" , ", ":"))
    among = got(encoded(PLAIN) + b"\n" + shuffled.encode() + b"\n7", lines=True).events[1:]
    assert [e.id for e in first] == [e.id for e in among]
    if first:
        other = got(encoded({**row, "lead": "somebody else"}), lines=True).events
        assert row["lead"] == "somebody else" or not other or other[0].id != first[0].id


@pytest.mark.parametrize(
    "tenant", ["other", "ACME", "acme ", "", 7, ["acme"], {"acme": 1}, True, "\ud800"]
)
@pytest.mark.parametrize("cloud", [False, True])
def test_another_tenants_row_is_refused(tenant: object, cloud: bool) -> None:
    row: dict[str, Any] = {**PLAIN, "tenant": tenant}
    if cloud:
        row = {"specversion": "1.0", "id": "1", "source": "/web", "type": "Inquiry",
               "subject": "ann", "time": PLAIN["at"], "tenant": tenant}  # fmt: skip
    found = got(encoded(row), lines=True)
    assert not found.events
    assert [r.field for r in found.refused] == ["tenant"]
    json.dumps(found.refused[0].got, ensure_ascii=False).encode()


@pytest.mark.parametrize("depth", [25, 2_000, 200_000])
def test_deep_nesting_is_refused_and_not_followed(depth: int) -> None:
    deep = b'{"id":"1","lead":"a","kind":"k","at":"2026-03-01T10:00:00Z","data":{"x":%s}}' % (
        b"[" * depth + b"]" * depth
    )
    for body, lines in ((deep, True), (deep, False), (b"[" + deep + b"]", False)):
        try:
            assert not got(body, lines=lines).events
        except BadInput as error:
            assert "no JSON" in error.what


def test_the_clock_bounds_how_far_ahead_an_event_may_lie() -> None:
    edge_us = NOW_US + 300_000_000
    row: dict[str, Any] = PLAIN | {"at": _iso(edge_us // 1_000_000)}
    assert not got(encoded(row)).events
    row["at"] = _iso(edge_us // 1_000_000 - 1)
    assert got(encoded(row)).events[0].at_us == edge_us - 1_000_000
    row["data"] = {"nested": [1]}  # the careful way has the same edge
    assert got(encoded(row)).events
    assert not got(encoded(row | {"at": _iso(edge_us // 1_000_000)})).events

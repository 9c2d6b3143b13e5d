"""Events over HTTP: every form, every refusal, and nothing acknowledged that is not on disk."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlab.schema.wire import WireEvent
from leadlab.stream.journal import Journal
from leadlab.stream.plan import Plan
from leadlab.stream.station import Station
from tests.api.child import child
from tests.api.running import ACME, Running

TENANT = "events"
AT = "2026-03-01T10:00:00Z"
AT_US = 1_772_359_200_000_000


@pytest.fixture(scope="module")
def client(whole: Running) -> Iterator[httpx.Client]:
    with whole.client(tenant=TENANT) as one:
        yield one


def event(id: str, **more: Any) -> dict[str, Any]:
    return {"id": id, "lead": "ann", "kind": "Inquiry", "at": AT, **more}


def cloud(id: str, **more: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0", "id": id, "source": "/web", "type": "Inquiry", "subject": "ann",
        "time": AT, "data": {"value": 5.0, "listing": "h1"}, **more,
    }  # fmt: skip


def send(
    client: httpx.Client, content: Any, media: str = "application/json", **headers: str
) -> Any:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return client.post("/v1/events", content=body, headers={"Content-Type": media, **headers})


def journalled(whole: Running, offset: int) -> Any:
    return whole.station.service.journal.events_at([offset])[0]


def one_offset(answer: httpx.Response) -> int:
    assert answer.status_code == 202, answer.text
    told = answer.json()
    assert (told["accepted"], told["refused"], len(told["events"])) == (1, 0, 1)
    return int(told["events"][0]["offset"])


def test_one_event_is_journalled_as_it_was_sent(whole: Running, client: httpx.Client) -> None:
    sent = event("one", value=7, agent="bo", source="form", data={"listing": "h1", "urgency": 0.5})
    answer = send(client, sent)
    kept = journalled(whole, one_offset(answer))
    assert msgspec.to_builtins(kept) == [
        "one", TENANT, "ann", "Inquiry", AT_US, 7.0, "bo", "form", {"listing": "h1", "urgency": 0.5}
    ]  # fmt: skip
    assert answer.json()["events"] == [
        {"row": 0, "id": "one", "offset": answer.json()["events"][0]["offset"],
         "status": "accepted"}
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("media", "content", "headers"),
    [
        ("application/cloudevents+json", cloud("c1"), {}),
        ("application/cloudevents-batch+json", [cloud("c2")], {}),
        ("application/x-ndjson", json.dumps(cloud("c3")).encode() + b"\n", {}),
        ("application/json; charset=utf-8", {"value": 5.0, "listing": "h1"}, {
            "ce-specversion": "1.0", "ce-id": "c4", "ce-source": "/web", "ce-type": "Inquiry",
            "ce-subject": "ann", "ce-time": AT,
        }),
    ],
)  # fmt: skip
def test_cloudevents_in_every_mode_are_the_same_event(
    whole: Running, client: httpx.Client, media: str, content: Any, headers: dict[str, str]
) -> None:
    kept = journalled(whole, one_offset(send(client, content, media, **headers)))
    assert msgspec.to_builtins(kept)[1:] == [
        TENANT, "ann", "Inquiry", AT_US, 5.0, None, "/web", {"listing": "h1"}
    ]  # fmt: skip


def test_names_in_headers_of_cloudevents_are_percent_encoded(
    whole: Running, client: httpx.Client
) -> None:
    headers = {
        "ce-specversion": "1.0", "ce-id": "c%20%C3%BC", "ce-source": "/web", "ce-type": "Inquiry",
        "ce-subject": "J%C3%BCrg%20%E2%82%AC", "ce-time": AT,
    }  # fmt: skip
    kept = journalled(whole, one_offset(send(client, b"", **headers)))
    assert (kept.id, kept.lead) == ("c ü", "Jürg €")


def test_lines_and_arrays_take_the_good_rows_and_tell_the_bad_ones(client: httpx.Client) -> None:
    rows = [
        event("b1"), {"lead": 7}, event("b2", at="yesterday"), event("b3", tenant="acme"),
        event("b4", at="2199-01-01T00:00:00Z"), cloud("b5"), event("b1"), "text", None,
        event("b6", value="a lot"), event("b7", surprise=1),
    ]  # fmt: skip
    for name, content, media in (
        ("array", json.dumps(rows).encode(), "application/json"),
        ("lines", b"\n".join(json.dumps(row).encode() for row in rows), "application/x-ndjson"),
    ):
        told = send(client, content, media).json()
        assert [one["row"] for one in told["events"]] == [0, 5, 6], name
        assert [one["row"] for one in told["errors"]] == [1, 2, 3, 4, 7, 8, 9, 10], name
        assert told["refused"] == 8
        assert all(one["reason"] and one["field"] for one in told["errors"])
    broken = b'{"id":"l1"' + b"\n" + json.dumps(event("l2")).encode() + b"\n\n\xff\n"
    told = send(client, broken, "application/jsonl").json()
    assert ([one["id"] for one in told["events"]], told["refused"]) == (["l2"], 2)


def test_a_repeated_id_changes_nothing(whole: Running, client: httpx.Client) -> None:
    first = send(client, [event("d1"), event("d1", lead="bo")])
    assert (first.json()["accepted"], first.json()["repeated"]) == (1, 1)
    before = whole.station.service.journal.last
    again = send(client, event("d1", kind="Closed")).json()
    assert (again["accepted"], again["events"][0]["status"]) == (0, "repeated")
    assert again["events"][0]["offset"] is None
    assert whole.station.service.journal.last == before
    with whole.client(tenant="another") as other:
        assert send(other, event("d1")).json()["accepted"] == 1, "ids are a tenant's own"


def test_an_event_without_id_is_known_again_by_what_it_says(client: httpx.Client) -> None:
    sent = {"lead": "ann", "kind": "Inquiry", "at": "2026-03-01T11:00:00Z", "value": 3}
    one, two = send(client, sent).json(), send(client, sent).json()
    assert (one["accepted"], two["repeated"]) == (1, 1)
    assert one["events"][0]["id"] == two["events"][0]["id"]
    assert send(client, sent | {"value": 4}).json()["accepted"] == 1


@pytest.mark.parametrize(
    ("content", "media", "status"),
    [
        (b"", "application/json", 422),
        (b"   ", "application/json", 422),
        (b"[]", "application/json", 422),
        (b"\n\n", "application/x-ndjson", 422),
        (b"{", "application/json", 422),
        (b"nope", "application/json", 422),
        (b'"text"', "application/json", 422),
        (b"\xff\xfe\x00", "application/json", 422),
        (b"[" * 200_000, "application/json", 422),
        (b"[" * 200_000 + b"]" * 200_000, "application/json", 422),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "application/x-ndjson", 422),
        (b'{"id":"n","lead":"a","kind":"k","at":"' + AT.encode() + b'","data":{"x":'
         + b"[" * 5_000 + b"]" * 5_000 + b"}}", "application/json", 422),
        (b"<event/>", "application/xml", 415),
        (b"id=1", "application/x-www-form-urlencoded", 415),
        (b"x" * ((1 << 20) + 1), "application/json", 413),
    ],
    ids=[
        "nothing", "blanks", "no row", "no line", "cut", "no JSON", "a text", "no UTF-8", "open",
        "deep", "deep line", "deep field", "XML", "form", "large",
    ],
)  # fmt: skip
def test_what_is_no_event_is_refused_as_a_problem(
    client: httpx.Client, content: bytes, media: str, status: int
) -> None:
    answer = send(client, content, media)
    assert (answer.status_code, answer.headers["content-type"]) == (
        status, "application/problem+json"
    )  # fmt: skip
    assert answer.json()["correlation_id"] == answer.headers["x-correlation-id"]
    assert len(answer.content) < 5_000


def test_compressed_bodies_are_refused(client: httpx.Client) -> None:
    assert send(client, event("z"), **{"Content-Encoding": "gzip"}).status_code == 415


def test_a_large_body_is_refused_though_its_length_is_not_declared(client: httpx.Client) -> None:
    chunks = (b" " * 65_536 for _ in range(32))
    answer = client.post("/v1/events", content=chunks)
    assert answer.status_code == 413


def test_ten_thousand_rows_are_the_most(client: httpx.Client) -> None:
    rows = [{"id": str(k), "lead": "m", "kind": "k", "at": AT} for k in range(10_001)]
    told = send(client, rows)
    assert told.status_code == 422
    assert "10,000" in told.json()["detail"]
    told = send(client, rows[:-1])
    assert told.json()["accepted"] == 10_000
    offsets = [one["offset"] for one in told.json()["events"]]
    assert offsets == sorted(set(offsets))


def test_many_refusals_are_counted_and_the_first_told(client: httpx.Client) -> None:
    told = send(client, [event("r0"), *({"lead": k} for k in range(500))]).json()
    assert (told["accepted"], told["refused"], len(told["errors"])) == (1, 500, 100)


@settings(max_examples=40, deadline=None)
@given(content=st.one_of(
    st.binary(max_size=200),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
            st.sampled_from(["id", "lead", "kind", "at", "value", "data", "specversion", "time"]),
            inner, max_size=5),
        max_leaves=12,
    ).map(lambda given: json.dumps(given).encode()),
))  # fmt: skip
def test_anything_at_all_is_answered(client: httpx.Client, content: bytes) -> None:
    for media in ("application/json", "application/x-ndjson"):
        assert send(client, content, media).status_code in (202, 422)


def test_only_who_may_write_writes(whole: Running) -> None:
    for role in ("agent", "viewer"):
        with whole.client(role) as one:
            assert send(one, event("w")).status_code == 403
    with whole.client("manager", tenant=TENANT) as one:
        assert send(one, event("w")).status_code == 202
    with whole.client("manager", tenant=TENANT, scopes=["leads:read"]) as one:
        assert send(one, event("w")).status_code == 403
    answer = httpx.post(f"{whole.url}/v1/events", json=event("w"), trust_env=False)
    assert answer.status_code == 401


def test_what_was_acknowledged_is_on_disk_after_a_kill(tmp_path: Path) -> None:
    acknowledged: set[str] = set()
    with child(tmp_path, LEADLAB_RATES="admin=1000000/second") as server:

        def feed(number: int) -> None:
            with server.client() as client:
                for k in range(100_000):
                    sent = [event(f"{number}-{k}-{j}", lead=f"l{j}") for j in range(3)]
                    try:
                        answer = send(client, sent)
                    except httpx.TransportError:
                        return
                    assert answer.status_code == 202
                    acknowledged.update(one["id"] for one in answer.json()["events"])

        threads = [threading.Thread(target=feed, args=(number,)) for number in range(3)]
        for thread in threads:
            thread.start()
        while len(acknowledged) < 600 and any(t.is_alive() for t in threads):
            threads[0].join(0.01)
        server.kill()
        for thread in threads:
            thread.join()
    assert len(acknowledged) >= 600
    journal = Journal(tmp_path / "live" / "journal.db")
    kept = [one.id for one in journal.read(0, journal.last).events]
    journal.close()
    assert len(kept) == len(set(kept))
    assert acknowledged <= set(kept)
    station = Station(tmp_path / "live", Plan())
    station.start()
    try:
        again = [WireEvent(one, ACME, "ann", "Inquiry", AT_US) for one in sorted(acknowledged)]
        assert not station.submit(again).fresh.any()
        station.service.settled()
        assert station.service.engine.offset == len(kept)
    finally:
        station.stop()

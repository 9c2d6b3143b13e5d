"""The stream over a real server on the loopback, as programs outside see it."""

from __future__ import annotations

import gc
import json
import socket
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from leadlab.api.listening import listening_socket
from leadlab.errors import ConfigError, StoreFailed
from leadlab.stream.message import TOPICS, Message
from tests.api.listeners import PATIENCE_S, Served, closed, frame, score, served, standing, taken

FILLER = {"filler": "x" * 2_000}


@pytest.fixture(scope="module")
def place() -> Iterator[Served]:
    with served(standing()) as one:
        yield one


def test_both_ways_out_say_the_same(place):
    sent = [
        Message(
            topic=topic, tenant="t", at_us=7, key=f"ключ\n{topic}", lead="ann", tier="hot",
            body={"text": "a\r\nb\u2028c", "none": None, "figures": [0.1, 2]},
        )
        for topic in TOPICS
    ]  # fmt: skip
    with place.socket() as connection, place.events() as events:
        first, begun = frame(connection), next(events)
        assert first == begun["data"] | {"cursor": first["cursor"]}
        assert begun["event"] == first["frame"] == "ready"
        place.broadcast.publish(sent)
        by_socket = taken(connection, len(sent))
        by_events = [next(events) for _ in sent]
    assert [one["data"] for one in by_events] == by_socket
    assert [one["event"] for one in by_events] == [*TOPICS]
    assert [one["id"] for one in by_events] == [one["cursor"] for one in by_socket]
    assert [(one["key"], one["body"]) for one in by_socket] == [(s.key, s.body) for s in sent]


def test_tenants_and_filters_hold_on_both_ways(place):
    with (
        place.socket("?topic=scores&topic=alerts&tier=hot&lead=ann&lead=bo") as narrow,
        place.socket(who="u") as other,
        place.events(who="t agent agent-1") as own,
    ):
        for one in (narrow, other):
            frame(one)
        next(own)
        place.broadcast.publish(
            [
                score("eve", "u", tier="hot"),
                score("ann", tier="cold", agent="agent-2"),
                score("cy", tier="hot", agent="agent-1"),
                score("bo", tier="hot"),
            ]
        )
        assert [one["lead"] for one in taken(narrow, 1)] == ["bo"]
        assert [one["lead"] for one in taken(other, 1)] == ["eve"]
        assert next(own)["data"]["lead"] == "cy"


def test_a_client_goes_on_where_it_was_on_either_way(place):
    with place.socket() as connection:
        frame(connection)
        place.broadcast.publish([score(f"lead-{i}") for i in range(10)])
        third = taken(connection, 3)[2]["cursor"]
    place.broadcast.publish([score("lead-3"), score("lead-99")])
    expected = [f"lead-{i}" for i in (4, 5, 6, 7, 8, 9, 3, 99)]
    with place.socket(f"?cursor={third}") as connection:
        assert [one["lead"] for one in taken(connection, 8)] == expected
    with place.events("?cursor=e-0", last=third) as events:
        assert next(events)["event"] == "ready"
        assert [next(events)["data"]["lead"] for _ in expected] == expected


def test_a_restart_resets_and_gives_the_state():
    with served(standing(epoch="first")) as before, before.socket() as connection:
        frame(connection)
        before.broadcast.publish([score("ann")])
        (one,) = taken(connection, 1)
    with served(standing(epoch="second", snapshot=lambda *_: [score("ann", tier="hot")])) as after:
        after.broadcast.publish([score("bo")])
        with after.socket(f"?cursor={one['cursor']}") as connection:
            assert frame(connection)["frame"] == "reset"
            assert [state["tier"] for state in frame(connection)] == ["hot"]
            assert frame(connection) == {"frame": "ready", "cursor": "second-1"}
        with after.events(last=one["cursor"]) as events:
            names = [next(events)["event"] for _ in range(3)]
            assert names == ["reset", "scores", "ready"]


def test_a_stop_is_said_to_everybody():
    broadcast = standing()
    with served(broadcast) as place, place.socket() as connection, place.events() as events:
        frame(connection), next(events)
        loop = broadcast._loop
        assert loop is not None
        loop.call_soon_threadsafe(broadcast.close)
        assert frame(connection)["frame"] == "bye"
        assert closed(connection) == (1012, "the service stops")
        assert [one["event"] for one in events] == ["bye"]


def test_silence_is_broken_by_heartbeats_that_carry_the_cursor():
    with (
        served(standing(heartbeat_s=0.2)) as place,
        place.socket("?lead=ann") as connection,
        place.events("?lead=ann") as events,
    ):
        frame(connection), next(events)
        place.broadcast.publish([score("bo"), score("cy")])
        beat = {"frame": "heartbeat", "cursor": "e-2"}
        assert beat in [frame(connection) for _ in range(3)]
        assert beat in [next(events)["data"] for _ in range(3)]


@contextmanager
def unread(place: Served, request: bytes) -> Iterator[socket.socket]:
    """A client with little room that says what it wants and does not read."""
    with socket.socket() as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        raw.settimeout(PATIENCE_S)
        raw.connect(("127.0.0.1", place.port))
        before = place.broadcast.clients
        raw.sendall(b"GET /v1/stream HTTP/1.1\r\nHost: here\r\nAuthorization: t\r\n" + request)
        place.until(lambda: place.broadcast.clients > before)
        yield raw


UPGRADE = (
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
PLAIN = b"Accept: text/event-stream\r\n\r\n"


def all_of(raw: socket.socket) -> bytes:
    """What the server sends until it closes, or closes its side of the WebSocket."""
    parts = []
    while part := raw.recv(65_536):
        parts.append(part)
        if b"\x88" in part[-130:] and b"slow" in b"".join(parts[-3:]):
            break
    return b"".join(parts)


@pytest.mark.parametrize("request_", [UPGRADE, PLAIN], ids=["socket", "events"])
@pytest.mark.parametrize("bounds", [{"queue": 50}, {"patience_s": 1.0}], ids=["queue", "patience"])
def test_a_client_that_does_not_read_is_cut_and_told_while_others_go_on(request_, bounds):
    with served(standing(**bounds)) as place, unread(place, request_) as raw:
        got: list[str] = []
        with place.socket() as fast:
            frame(fast)
            slow, i = [m for m in place.broadcast._members() if m.busy], 0
            while not any(m.farewell for m in place.broadcast._members()):
                batch = [score(f"lead-{i + j}", body=FILLER) for j in range(20)]
                place.broadcast.publish(batch)
                got += [one["lead"] for one in taken(fast, 20)]
                i += 20
            assert len(slow) <= 1
            place.broadcast.publish([score("after")])
            got += [one["lead"] for one in taken(fast, 1)]
        assert got == [*(f"lead-{j}" for j in range(i)), "after"]
        said = all_of(raw)
        notice = json.loads(said[said.rindex(b'{"frame":"slow"') :].split(b"}")[0] + b"}")
        read = [json.loads(b'"%s"' % one.split(b'"')[0]) for one in said.split(b'{"cursor":"')[1:]]
        assert read[-1] == notice["cursor"], "the cursor says what was sent, no more and no less"
        assert request_ is PLAIN or b"\x0f\xa8" in said.rpartition(b"\x88")[2], "4008"
        place.until(lambda: place.broadcast.clients == 0)
        with place.socket(f"?cursor={notice['cursor']}") as again:
            rest = taken(again, i + 1 - len(read))
            assert [one["lead"] for one in rest] == got[len(read) :]


def test_a_client_that_never_reads_costs_no_memory():
    bounds = {"queue": 10**6, "patience_s": 10**6, "heartbeat_s": 0.1}
    with (
        served(standing(**bounds)) as place,
        unread(place, UPGRADE),
        unread(place, PLAIN),
        place.socket() as fast,
    ):
        frame(fast)
        sizes = []
        tracemalloc.start()
        for _ in range(4):
            for _ in range(10):
                place.broadcast.publish([score(f"lead-{i}", body=FILLER) for i in range(100)])
                taken(fast, 100)
            gc.collect()
            sizes.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
        assert sizes[3] - sizes[1] < 1_000_000, "4 MB were published meanwhile to each"
        assert place.broadcast.clients == 3


@pytest.mark.parametrize("request_", [UPGRADE, PLAIN], ids=["socket", "events"])
def test_a_client_that_never_reads_again_is_dropped_in_the_end(request_):
    bounds = {"patience_s": 0.2, "grace_s": 0.1}
    with served(standing(**bounds), unread_ms=500) as place, unread(place, request_):
        sent = 0
        while place.broadcast.clients:
            place.broadcast.publish([score(f"lead-{sent + i}", body=FILLER) for i in range(20)])
            sent += 20
            time.sleep(0.01)
        place.until(lambda: not place.server.server_state.connections)


def test_clients_change_what_they_hear_and_are_answered(place):
    with place.socket("?topic=alerts") as connection:
        frame(connection)
        connection.send('{"ping":"há"}')
        assert frame(connection)["ping"] == "há"
        connection.send('{"subscribe":{"topics":["scores"],"leads":["new"]}}')
        assert {frame(connection)["frame"], frame(connection)["frame"]} == {"ready", "subscribed"}
        place.broadcast.publish([score("old"), score("new")])
        assert [one["lead"] for one in taken(connection, 1)] == ["new"]
        connection.send(b'{"ping":null}')
        assert frame(connection)["frame"] == "pong"


def test_a_state_that_cannot_be_had_is_said():
    def state(tenant: str, filters: Any) -> list[Message]:
        raise StoreFailed("the state cannot be read")

    with served(standing(snapshot=state)) as place:
        with place.socket("?cursor=0") as connection:
            assert closed(connection) == (1011, "the state cannot be read")
        with place.socket() as connection:
            frame(connection)
            connection.send('{"subscribe":{"cursor":"0"}}')
            assert closed(connection) == (1011, "the state cannot be read")
        url = f"http://127.0.0.1:{place.port}/v1/stream?cursor=0"
        with httpx.Client(trust_env=False, timeout=PATIENCE_S) as client:
            assert client.get(url, headers={"Authorization": "t"}).status_code == 503
        assert place.broadcast.clients == 0


def test_clients_that_leave_are_forgotten(place):
    for _ in range(3):
        with place.socket() as connection, place.events() as events:
            frame(connection), next(events)
    place.until(lambda: place.broadcast.clients == 0)


def test_an_event_stream_is_not_buffered_or_kept(place):
    url = f"http://127.0.0.1:{place.port}/v1/stream"
    with (
        httpx.Client(trust_env=False, timeout=PATIENCE_S) as client,
        client.stream("GET", url, headers={"Authorization": "t"}) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-accel-buffering"] == "no"
        assert next(answer.iter_lines()) == "retry: 2000"


def test_an_address_that_is_taken_is_named(place):
    with pytest.raises(ConfigError, match="cannot listen"):
        listening_socket("127.0.0.1", place.port)


def test_the_schema_says_what_may_be_asked(place):
    app = place.server.config.app
    assert isinstance(app, FastAPI)
    operation = app.openapi()["paths"]["/v1/stream"]["get"]
    names = {parameter["name"] for parameter in operation["parameters"]}
    assert names == {"topic", "tier", "agent", "lead", "cursor", "Last-Event-ID"}
    assert {"200", "400", "401", "403"} <= set(operation["responses"])


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [(["bearer.x", "leadlab.v1"], "leadlab.v1"), (["bearer.x"], None), (None, None)],
)
def test_a_browser_that_offers_subprotocols_is_answered_with_one(place, offered, chosen):
    with place.socket(subprotocols=offered) as connection:
        assert connection.subprotocol == chosen
        assert frame(connection)["frame"] == "ready"

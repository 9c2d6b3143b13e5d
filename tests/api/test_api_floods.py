"""Floods and drips: many half-open connections, slow ones, too many requests; and clean logs."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from leadlab.api.body import BodyLimit
from leadlab.api.patient_http import HEAD_BYTES, PatientHttp
from tests.api.child import Child, child
from tests.api.half_open import allowed, half_open
from tests.api.running import PATIENCE_S, Running, bearer, token

FLOOD = 2_000
MAIL, PHONE = "ann.secret@example.com", "+41 44 668 18 00"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Child]:
    rates = "viewer=5/minute,admin=1000000/second,anonymous=1000000/second"
    with child(tmp_path_factory.mktemp("floods"), LEADLAB_RATES=rates) as one:
        yield one


def test_requests_are_answered_while_thousands_of_connections_are_stuck(server: Child) -> None:
    count = allowed(FLOOD)
    assert count == FLOOD
    with half_open(server.port, count), server.client() as client:
        for k in range(20):
            event = {"id": f"flood-{k}", "lead": "a", "kind": "k", "at": "2026-03-01T10:00:00Z"}
            assert client.post("/v1/events", json=event).status_code == 202
            assert client.get("/v1/leads").status_code == 200
        assert client.get("/health/ready").status_code == 200


def test_too_many_requests_are_told_when_to_come_back(server: Child) -> None:
    with server.client("viewer") as viewer:
        answers = [viewer.get("/v1/leads") for _ in range(7)]
    assert [one.status_code for one in answers] == [200] * 5 + [429] * 2
    assert [one.headers["ratelimit-remaining"] for one in answers[:5]] == list("43210")
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60
    assert answers[-1].json()["title"] == "Too Many Requests"
    with server.client() as admin:
        assert admin.get("/v1/leads").status_code == 200, "each key has a window of its own"


def test_logs_are_json_with_ids_and_without_persons(server: Child) -> None:
    with server.client() as client:
        event = {"id": MAIL, "lead": MAIL, "kind": "Inquiry", "at": "2026-03-01T10:00:00Z",
                 "agent": PHONE, "source": MAIL, "data": {"text": f"call {PHONE}"}}  # fmt: skip
        assert client.post("/v1/events", json=[event, {"lead": MAIL}]).status_code == 202
        assert client.get(f"/v1/leads/{MAIL}").status_code in (200, 404)
        assert client.get(f"/v1/leads/{PHONE}/matches?agent={MAIL}").status_code == 404
        assert client.get("/v1/stream", params={"topic": MAIL}).status_code == 422
        strange = {"X-Correlation-ID": PHONE, "If-None-Match": MAIL}
        answer = client.get("/v1/leads", headers=strange)
        assert answer.headers["x-correlation-id"] != PHONE
    raw(server.port, f"GET /v1/leads/{MAIL} NOTHTTP\r\n\r\n".encode())
    wait_for(lambda: b"Invalid HTTP" in server.log.read_bytes())
    written = server.log.read_text()
    for text in (MAIL, "ann.secret", PHONE, "668 18 00", token().split(".")[0]):
        assert text not in written
    lines = [json.loads(line) for line in written.splitlines() if line.startswith("{")]
    assert all({"at", "level", "logger", "message", "correlation_id"} <= line.keys()
               for line in lines)  # fmt: skip
    assert lines


def wait_for(holds: Any) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end_s, "waited in vain"
        time.sleep(0.02)


def raw(port: int, *parts: bytes, pause_s: float = 0.0) -> bytes:
    """Send parts with pauses, then read until the server ends the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as one:
        try:
            for part in parts:
                one.sendall(part)
                time.sleep(pause_s)
        except ConnectionError:
            pass  # it was ended while it dripped; what was said before is still there
        found = b""
        try:
            while got := one.recv(65_536):
                found += got
        except ConnectionError:
            return found
        return found


def port_of(whole: Running) -> int:
    return httpx.URL(whole.url).port or 0


@pytest.fixture
def hasty(whole: Running, monkeypatch: pytest.MonkeyPatch) -> Running:
    """The service with little patience, so that the test need not wait."""
    monkeypatch.setattr(PatientHttp, "head_s", 0.3)
    layer: Any = whole.app.middleware_stack
    while not isinstance(layer, BodyLimit):
        layer = layer.app
    monkeypatch.setattr(layer, "within_s", 0.3)
    return whole


def test_a_head_that_drips_is_ended(hasty: Running) -> None:
    drips = [b"GET /v1/leads HTTP/1.1\r\n", *[b"X-A: b\r\n"] * 40]
    assert raw(port_of(hasty), *drips, pause_s=0.02).startswith(b"HTTP/1.1 408")
    assert raw(port_of(hasty)) == b"", "whoever says nothing is not answered"
    assert raw(port_of(hasty), b"\r\n" * 9).startswith(b"HTTP/1.1 408")


def test_a_second_head_has_no_more_time(hasty: Running) -> None:
    first = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
    for drips in ([b"X-A: b\r\n"] * 30, [], [b"\r\n"] * 30):
        begun = [] if drips[:1] == [b"\r\n"] else [b"GET /v1/leads HTTP/1.1\r\nHost: x\r\n"]
        found = raw(port_of(hasty), first, *begun, *drips, pause_s=0.03)
        assert found.startswith(b"HTTP/1.1 200 OK")
        assert found.count(b"HTTP/1.1 200") == 1


def test_a_head_without_end_is_ended(whole: Running) -> None:
    line = b"X-Filler: " + b"x" * 8_000 + b"\r\n"
    parts = [b"GET /v1/leads HTTP/1.1\r\n", *[line] * (4 * HEAD_BYTES // len(line))]
    assert raw(port_of(whole), *parts)[:12] in (b"HTTP/1.1 431", b"HTTP/1.1 400", b"")
    with whole.client() as client:
        assert client.get("/v1/leads").status_code == 200


def test_a_body_that_drips_is_ended(hasty: Running) -> None:
    headers = "".join(f"{name}: {value}\r\n" for name, value in bearer().items())
    head = f"POST /v1/events HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: 100\r\n\r\n"
    found = raw(port_of(hasty), head.encode(), *[b"{"] * 40, pause_s=0.02)
    assert found.startswith(b"HTTP/1.1 408")
    assert json.loads(found.rpartition(b"\r\n\r\n")[2])["status"] == 408


def test_a_body_that_nobody_asked_for_does_not_hold_a_connection(hasty: Running) -> None:
    head = b"GET /health/live HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"
    found = raw(port_of(hasty), head, *[b"x"] * 40, pause_s=0.02)
    assert found.startswith(b"HTTP/1.1 200 OK")


def test_headers_are_not_split_by_what_was_sent(whole: Running) -> None:
    evil = b"GET /v1/leads/a%0d%0aSet-Cookie:%20x=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    found = raw(port_of(whole), evil + b"X-Correlation-ID: 12345678\tSet-Cookie: a\r\n\r\n")
    head = found.partition(b"\r\n\r\n")[0].lower()
    assert b"set-cookie" not in head


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Length: 5\r\nContent-Length: 6\r\n", b"Content-Length: -1\r\n",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"Content-Length: 99999999999\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
    ],
)  # fmt: skip
def test_lengths_that_contradict_are_refused(whole: Running, headers: bytes) -> None:
    own = f"Authorization: Bearer {token()}\r\nConnection: close\r\n".encode()
    head = b"POST /v1/events HTTP/1.1\r\nHost: x\r\n" + own + headers + b"\r\n"
    found = raw(port_of(whole), head + b"0\r\n\r\nGET /v1/leads HTTP/1.1\r\nHost: x\r\n\r\n")
    assert found[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 413", b"HTTP/1.1 422", b"")
    assert found.count(b"HTTP/1.1") <= 1, "what follows is no second request"

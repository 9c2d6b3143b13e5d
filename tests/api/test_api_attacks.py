"""Attempts to come in, to see another's, and to smuggle something through: on every route."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Iterable, Iterator
from typing import Any, get_args

import httpx
import jwt
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from leadlab.api.asked import MOST_BYTES
from leadlab.schema.wire import WireEvent
from leadlab.stream.message import Topic
from tests.api.running import ACME, OTHER, PATIENCE_S, SECRET, Running, bearer, token

PUBLIC = {"/health/live", "/health/ready", "/health/realtime", "/docs", "/openapi.json"}
BODIES: dict[str, Any] = {
    "/v1/events": {"lead": "ann", "kind": "Inquiry", "at": "2026-03-01T10:00:00Z"},
    "/v1/score": {"lead": "ann"},
    "/v1/alerts/{alert}/snooze": {"minutes": 5},
}
SMUGGLED = (
    "' OR '1'='1", '"; DROP TABLE audit; --', "1; ATTACH DATABASE 'x' AS y", "a\r\nSet-Cookie: x=1",
    "a\nX-Injected: 1", "../../../etc/passwd", "\x00", "${jndi:ldap://x}", "{{7*7}}", "%",
    "<script>alert(1)</script>", "\u202e\ud7ff\U0010ffff", "-1", "9" * 400, "A" * 4_900, "*", "NaN",
)  # fmt: skip


def walked(routes: Iterable[Any]) -> Iterator[tuple[str, str]]:
    """Method and path of every route, those that OpenAPI does not tell included."""
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from walked(inner.routes)
        else:
            for method in getattr(route, "methods", None) or {"SOCKET"}:
                yield method, route.path.replace(":path}", "}")


@pytest.fixture(scope="module")
def routes(whole: Running) -> list[tuple[str, str]]:
    found = sorted(set(walked(whole.app.routes)))
    told = {(m.upper(), p) for p, ms in whole.app.openapi()["paths"].items() for m in ms}
    assert told <= set(found), "a route is missing from the walk"
    assert ("SOCKET", "/v1/stream") in found
    return found


def segment(value: dict[str, Any]) -> str:
    return segment_of(json.dumps(value).encode())


def segment_of(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def claims(**changed: Any) -> dict[str, Any]:
    given = jwt.decode(token(), SECRET, algorithms=["HS256"], audience="leadlab")
    return {k: v for k, v in {**given, **changed}.items() if v is not None}


def bad_tokens() -> dict[str, str]:
    now_s = int(time.time())
    body = token().split(".")[1]
    other = f"{segment({'alg': 'HS384', 'typ': 'JWT'})}.{body}"
    signed_384 = segment_of(hmac.digest(SECRET.encode(), other.encode(), "sha384"))
    mine = [token().split(".")[k] for k in (0, 2)]
    return {
        "one letter": "x", "no token": "admin", "cut": token().rpartition(".")[0],
        "forged": jwt.encode(claims(), SECRET[::-1], algorithm="HS256"),
        "another algorithm": f"{other}.{signed_384}",
        "alg none": f"{segment({'alg': 'none', 'typ': 'JWT'})}.{body}.",
        "alg None, signed": f"{segment({'alg': 'None'})}.{body}.{mine[1]}",
        "no alg": f"{segment({'typ': 'JWT'})}.{body}.{mine[1]}",
        "other claims": f"{mine[0]}.{segment(claims(tenant=OTHER))}.{mine[1]}",
        "own key": jwt.encode(claims(), SECRET, headers={"jwk": {"kty": "oct", "k": "AAAA"}}),
        "key elsewhere": jwt.encode(claims(), SECRET, headers={"jku": "http://127.0.0.1:1/k"}),
        "unknown key": jwt.encode(claims(), SECRET, headers={"kid": "../../dev/null"}),
        "expired": token(iat=now_s - 900, nbf=now_s - 900, exp=now_s - 300),
        "not yet": token(nbf=now_s + 300), "for ever": token(exp=None),
        "another audience": token(aud="others"), "no audience": token(aud=None),
        "another issuer": token(iss="others"), "no tenant": token(tenant=None),
        "many tenants": token(tenant=[ACME, OTHER]), "no such role": token(role="root"),
        "an agent of nobody": token(role="agent"),
        "an unknown key": f"ll_{'0' * 12}_{'0' * 64}",
    }  # fmt: skip


def filled(path: str, **values: str) -> str:
    for name in ("lead", "alert"):
        path = path.replace("{" + name + "}", values.get(name, "ann"))
    assert "{" not in path, f"say what to put into {path}"
    return path


def refused_socket(whole: Running, headers: dict[str, str]) -> int:
    """Status that a socket is closed with at once: browsers can read no other."""
    url = whole.url.replace("http", "ws") + "/v1/stream"
    with (
        connect(url, additional_headers=headers, proxy=None, open_timeout=PATIENCE_S) as socket,
        pytest.raises(ConnectionClosed) as refused,
    ):
        socket.recv(PATIENCE_S)
    assert refused.value.rcvd is not None
    return refused.value.rcvd.code - 4000


def test_no_bad_token_opens_any_route(whole: Running, routes: list[tuple[str, str]]) -> None:
    with httpx.Client(base_url=whole.url, trust_env=False, timeout=PATIENCE_S) as client:
        for method, path in routes:
            if path in PUBLIC:
                continue
            for name, text in bad_tokens().items():
                headers = {"Authorization": f"Bearer {text}"}
                if method == "SOCKET":
                    assert refused_socket(whole, headers) == 401, name
                    continue
                for given in (headers, {"X-API-Key": text}):
                    answer = client.request(
                        method, filled(path), headers=given, json=BODIES.get(path)
                    )
                    assert answer.status_code == 401, (method, path, name)
                    if method != "HEAD":
                        assert answer.json()["status"] == 401


def test_a_token_without_scopes_opens_nothing(
    whole: Running, routes: list[tuple[str, str]]
) -> None:
    for role in ("admin", "viewer"):
        with whole.client(role, scopes=[]) as client:
            for method, path in routes:
                if path in PUBLIC:
                    continue
                if method == "SOCKET":
                    assert refused_socket(whole, bearer(role, scopes=[])) == 403
                    continue
                answer = client.request(method, filled(path), json=BODIES.get(path))
                assert answer.status_code == 403, (method, path)


UNREADABLE = {
    "cut": b"{", "open": b"[" * 100_000, "deep": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"lead":' * 50_000 + b"1" + b"}" * 50_000, "no UTF-8": b"\xff\xfe\x00",
    "half a character": b'{"lead":"\\ud800"}', "digits": b"9" * 100_000,
    "infinite": b'{"lead":"ann","minutes":1e999,"features":{"season":1e999}}',
    "no number": b'{"lead":"ann","minutes":NaN,"features":{"season":NaN}}',
}  # fmt: skip


def test_unreadable_bodies_are_refused_and_not_looked_at_for_nobody(
    whole: Running, routes: list[tuple[str, str]]
) -> None:
    posts = [path for method, path in routes if method == "POST"]
    assert set(BODIES) <= set(posts)
    headers = {"Content-Type": "application/json"}
    with whole.client() as client, httpx.Client(base_url=whole.url, trust_env=False) as nobody:
        for path in posts:
            for name, content in UNREADABLE.items():
                given = {"content": content, "headers": headers}
                # What is refused unread may be cut off while it is being sent: so send little.
                little = {**given, "content": content[:1_000]}
                assert nobody.post(filled(path), **little).status_code == 401, (path, name)
                if path in BODIES:
                    answer = client.post(filled(path), **given)
                    large = path != "/v1/events" and len(content) > MOST_BYTES
                    assert answer.status_code == (413 if large else 422), (path, name)
                    assert len(answer.content) < 5_000


@pytest.fixture(scope="module")
def foreign(whole: Running) -> dict[str, str]:
    """A lead of the other tenant, and an alert about it."""
    at_us = whole.station.clock() - 5_000_000
    lead = whole.other_lead
    event = WireEvent("foreign-offer", OTHER, lead, "Offer Submitted", at_us, 1.0, "agent-001")
    whole.station.service.submit([event])
    whole.station.service.settled()
    with whole.client(tenant=OTHER) as client:
        alert = client.get("/v1/alerts", params={"lead": lead}).json()["alerts"][0]["id"]
    return {"lead": lead, "alert": alert}


@pytest.mark.parametrize("role", ["admin", "agent"])
def test_another_tenants_names_give_nothing_on_any_route(
    whole: Running, routes: list[tuple[str, str]], foreign: dict[str, str], role: str
) -> None:
    seen = 0
    with whole.client(role) as client:
        for method, path in routes:
            if path in PUBLIC or method in ("SOCKET", "HEAD"):
                continue
            body = BODIES.get(path)
            if path == "/v1/score":
                body = {"lead": foreign["lead"]}
            if "{" in path or path == "/v1/score":
                answer = client.request(method, filled(path, **foreign), json=body)
                assert answer.status_code == 404, (method, path)
                seen += 1
            elif method == "GET" and path != "/v1/stream":
                given = {"lead": foreign["lead"], "tenant": OTHER, "agent": "agent-001"}
                answer = client.get(path, params=given)
                told = answer.text.replace("agent-001", "")
                assert f'"tenant":"{OTHER}"' not in told
                assert foreign["alert"] not in told
                assert f'"lead":"{foreign["lead"]}"' not in told or path == "/v1/audit"
    assert seen >= 8


@pytest.mark.parametrize("topic", [*get_args(Topic), None])
def test_no_topic_tells_of_another_tenant(
    whole: Running, foreign: dict[str, str], topic: str | None
) -> None:
    """What the other tenant does is not heard; what comes after it of one's own is."""
    query = "" if topic is None else f"?topic={topic}&topic=activity"
    url = whole.url.replace("http", "ws") + "/v1/stream"
    mine, own_tenant = f"mine-{topic}", "topics"
    with (
        connect(
            url + query, additional_headers=bearer("viewer", tenant=own_tenant), proxy=None
        ) as own,
        connect(
            url + f"?lead={foreign['lead']}",
            additional_headers=bearer(tenant=own_tenant),
            proxy=None,
        ) as narrow,
        connect(url, additional_headers=bearer(tenant=OTHER), proxy=None) as theirs,
    ):
        for socket in (own, narrow, theirs):
            assert json.loads(socket.recv(PATIENCE_S))["frame"] == "ready"
        at_us = whole.station.clock()
        for k, (tenant, lead) in enumerate([(OTHER, foreign["lead"]), (own_tenant, mine)]):
            kind = "Offer Submitted"
            event = WireEvent(f"heard-{topic}-{k}", tenant, lead, kind, at_us, 1.0, "agent-001")
            whole.station.submit([event])
            whole.station.service.settled()
        heard: list[dict[str, Any]] = []
        while not any(m.get("key") == f"heard-{topic}-1" for m in heard):
            frame = json.loads(own.recv(PATIENCE_S))
            heard += frame if isinstance(frame, list) else []
        assert {m["tenant"] for m in heard} == {own_tenant}
        frame = json.loads(theirs.recv(PATIENCE_S))
        assert {m["tenant"] for m in frame} == {OTHER}
        with pytest.raises(TimeoutError):
            while True:
                assert not isinstance(json.loads(narrow.recv(0.05)), list)


def test_nothing_is_smuggled_in_by_any_parameter(whole: Running) -> None:
    journal, trail = whole.station.service.journal, whole.app.state.desk.trail
    with whole.client(sub="smuggler") as client:
        total = client.get("/v1/leads").json()["total"]
        before = journal.last
        for path, methods in whole.app.openapi()["paths"].items():
            for method, told in methods.items():
                if path in PUBLIC or path == "/v1/events":
                    continue
                for parameter in told.get("parameters", []):
                    for text in SMUGGLED:
                        self_contained = _smuggle(client, method, path, parameter, text)
                        assert self_contained.status_code < 500, (path, parameter["name"], text)
                        assert "set-cookie" not in self_contained.headers
                        assert "x-injected" not in self_contained.headers
        assert client.get("/v1/leads").json()["total"] == total
        assert journal.last == before
    assert trail.verify().problem is None


def _smuggle(
    client: httpx.Client, method: str, path: str, parameter: dict[str, Any], text: str
) -> httpx.Response:
    name, where = parameter["name"], parameter["in"]
    headers = {"Accept": "application/json"}
    if where == "header":
        text = "".join(c for c in text if c.isprintable() and c.isascii())
        headers[name] = text
    quoted = "".join(f"%{byte:02X}" for byte in text.encode())
    values = {name: quoted} if where == "path" else {}
    query = {name: text} if where == "query" else {}
    with client.stream(
        method.upper(), filled(path, **values), params=query, headers=headers, json=BODIES.get(path)
    ) as answer:
        if "text/event-stream" not in answer.headers.get("content-type", ""):
            answer.read()
        return answer


def test_events_smuggle_nothing_either(whole: Running) -> None:
    tenant = "smuggled"
    with whole.client(tenant=tenant) as client:
        sent = [
            {"id": text, "lead": text, "kind": text, "at": "2026-03-01T10:00:00Z", "agent": text,
             "source": text, "data": {text: text, "text": text}}
            for text in SMUGGLED
        ]  # fmt: skip
        answer = client.post("/v1/events", json=sent)
        assert answer.status_code == 202
        whole.station.service.settled()
        listed = client.get("/v1/leads").json()["leads"]
        assert len(listed) == answer.json()["accepted"] == len({one["lead"] for one in listed})
        for one in listed:
            quoted = "".join(f"%{byte:02X}" for byte in one["lead"].encode())
            told = client.get(f"/v1/leads/{quoted}")
            assert (told.status_code, told.json()["lead"]) == (200, one["lead"])
            assert client.get("/v1/leads", params={"agent": one["agent"]}).status_code in (200, 422)

"""The gate before an application: who comes in, by which way, how often, and what they are told."""

from __future__ import annotations

import asyncio
import json
import re
import time
from typing import Any

import jwt
import pytest
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket

from leadlab.api.deps import PROTOCOL, require_stream
from leadlab.api.identity import Principal
from leadlab.api.roles import ROLES, SCOPES, may_see
from leadlab.errors import NotAllowed, NotProven, StoreFailed
from tests.api.asgi import get, messages, request
from tests.api.conftest import SECRET, Service, claims


def token(**changed: Any) -> str:
    now_s = int(time.time())
    given = claims(iat=now_s, nbf=now_s, **{"exp": now_s + 600, **changed})
    return jwt.encode(given, SECRET, algorithm="HS256")


def key(service: Service, **changed: Any) -> str:
    given = {"tenant": "acme", "name": "crm", "role": "manager", "now_us": 1, **changed}
    return service.gate.keys.create(**given)[0]


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


def test_tokens_and_keys_open_the_same_door(service: Service) -> None:
    by_token = get(service.app, "/who", **bearer(token()))
    assert by_token.json() == {"tenant": "acme", "subject": "ann"}
    text = key(service)
    subject = f"key:{text.split('_')[1]}"
    for headers in ({"X-API-Key": text}, bearer(text), {"authorization": f"bearer {text}"}):
        assert request(service.app, "GET", "/who", headers=headers).json()["subject"] == subject


@pytest.mark.parametrize(
    "headers",
    [
        [], [("authorization", "Bearer ")], [("authorization", "Bearer")], [("x-api-key", "")],
        [("authorization", "Basic YW5uOmFubg==")], [("authorization", "Bearer a.b.c")],
        [("x-api-key", "ll_000000000000_" + "0" * 64)], [("authorization", "ll_x")],
        [("cookie", "ticket=x; token=y")],
    ],
)  # fmt: skip
def test_without_a_proof_nobody_comes_in(service: Service, headers: list[tuple[str, str]]) -> None:
    told = request(service.app, "GET", "/who", headers=headers)
    assert told.status_code == 401
    assert told.headers["www-authenticate"].startswith("Bearer")
    assert told.headers["content-type"] == "application/problem+json"
    assert told.json()["correlation_id"] == told.headers["x-correlation-id"]


def test_two_proofs_are_none(service: Service) -> None:
    good = token()
    for headers in (
        [("authorization", f"Bearer {good}"), ("authorization", f"Bearer {good}")],
        [("authorization", f"Bearer {good}"), ("x-api-key", key(service))],
    ):
        assert request(service.app, "GET", "/who", headers=headers).status_code == 401


def test_a_ticket_or_a_protocol_opens_streams_only(service: Service) -> None:
    who = service.gate.prove(token())
    ticket = service.gate.tickets.give(who, time.time())
    assert get(service.app, f"/who?ticket={ticket}").status_code == 401
    assert get(service.app, f"/watch?ticket={ticket}").json() == "ann"
    assert get(service.app, f"/watch?ticket={ticket}").status_code == 401
    assert get(service.app, "/watch", **bearer(token())).status_code == 200
    assert get(service.app, f"/watch?token={token()}").status_code == 401


def test_a_scope_that_was_not_granted_is_a_403(service: Service) -> None:
    told = request(service.app, "POST", "/events", headers=bearer(token()))
    assert told.status_code == 403
    assert "events:write" in told.json()["detail"]
    narrow = key(service, scopes=["events:write"])
    assert request(service.app, "POST", "/events", headers=bearer(narrow)).status_code == 200
    assert get(service.app, "/who", **bearer(narrow)).status_code == 403


def test_a_revoked_key_is_out_at_once(service: Service) -> None:
    text = key(service)
    assert get(service.app, "/who", **bearer(text)).status_code == 200
    service.gate.keys.revoke(text.split("_")[1], now_us=2)
    assert get(service.app, "/who", **bearer(text)).status_code == 401


def test_each_key_has_its_own_limit_and_is_told_what_is_left(service: Service) -> None:
    ann, bob = token(), token(sub="bob")
    left = [get(service.app, "/who", **bearer(ann)) for _ in range(3)]
    assert [r.headers["ratelimit-remaining"] for r in left] == ["2", "1", "0"]
    told = get(service.app, "/who", **bearer(ann))
    assert told.status_code == 429
    assert 0 < int(told.headers["retry-after"]) <= 3600
    again = token(jti="another")  # a new token of the same holder is no new allowance
    assert get(service.app, "/who", **bearer(again)).status_code == 429
    assert get(service.app, "/who", **bearer(bob)).status_code == 200
    assert get(service.app, "/who", **bearer(token(tenant="other"))).status_code == 200


def test_guessing_is_limited_by_address_and_does_not_lock_out_others(service: Service) -> None:
    statuses = [get(service.app, "/who", **bearer("a.b.c")).status_code for _ in range(6)]
    assert statuses == [401] * 4 + [429] * 2
    assert get(service.app, "/who", **bearer(token())).status_code == 200


def test_errors_say_what_the_caller_may_know(service: Service) -> None:
    text = bearer(key(service))
    unknown = get(service.app, "/leads/anm", **text)
    assert (unknown.status_code, unknown.json()["hint"]) == (404, "Did you mean 'ann'?")
    assert unknown.json()["type"] == "urn:leadlab:error:UnknownName"
    full = get(service.app, "/full")
    assert full.status_code == 503
    assert "secret.db" not in full.text
    broken = get(service.app, "/broken")
    assert (broken.status_code, "ann" in broken.text) == (500, False)
    assert get(service.app, "/nowhere").json()["status"] == 404
    assert request(service.app, "DELETE", "/who").status_code == 405
    wrong = request(
        service.app, "POST", "/checked", headers=text, json={"email": "ann@example.com"}
    )
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["field"] == "body.email"
    assert "ann@" not in wrong.text
    for answer in (unknown, full, broken, wrong):
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["correlation_id"] == answer.headers["x-correlation-id"]


@pytest.mark.parametrize("path", ["/leads/%00", "/leads/%ff%fe", "/leads/a%0d%0aX:%20b"])
def test_names_out_of_paths_do_not_break_the_answer(service: Service, path: str) -> None:
    told = get(service.app, path, **bearer(key(service)))
    assert told.status_code == 404
    assert "x" not in told.headers


def test_bodies_are_limited_on_the_way_to_a_route(service: Service) -> None:
    text = bearer(key(service))
    for path in ("/events", "/checked"):
        told = request(service.app, "POST", path, headers=text, content=b"x" * 1001)
        assert told.status_code == 413
        assert told.headers["x-correlation-id"]
        chunks = [{"type": "http.request", "body": b"1" * 600, "more_body": True}] * 3
        headers = [(k.lower().encode(), v.encode()) for k, v in text.items()]
        sent = messages(service.app, "http", path, incoming=chunks, headers=headers)
        assert sent[0]["status"] == 413


def connect(service: Service, **given: Any) -> list[Any]:
    return messages(
        service.app, "websocket", "/socket", incoming=[{"type": "websocket.connect"}],
        **{"subprotocols": [], "scheme": "ws", **given},
    )  # fmt: skip


def test_sockets_open_by_header_protocol_or_ticket(service: Service) -> None:
    def opened(sent: list[Any]) -> str:
        assert sent[0]["type"] == "websocket.accept"
        assert any(name == b"x-correlation-id" for name, _ in sent[0]["headers"])
        assert "bearer" not in str(sent[0])
        return str(json.loads(sent[1]["text"])["subject"])

    assert opened(connect(service, headers=[(b"authorization", b"Bearer " + token().encode())]))
    by_protocol = connect(service, subprotocols=[PROTOCOL, f"bearer.{token()}"])
    assert opened(by_protocol) == "ann"
    assert by_protocol[0]["subprotocol"] == PROTOCOL
    who = service.gate.prove(key(service))
    ticket = service.gate.tickets.give(who, time.time())
    assert opened(connect(service, query=f"ticket={ticket}".encode())) == who.subject


@pytest.mark.parametrize("extension", [True, False])
def test_sockets_without_proof_are_refused_before_they_open(
    service: Service, extension: bool
) -> None:
    service.gate.tickets.give(service.gate.prove(token()), time.time())
    extensions = {"extensions": {"websocket.http.response": {}}} if extension else {}
    narrow = token(scopes=["leads:read"])
    for given, expected in (
        ({}, 401),
        ({"query": b"ticket=x"}, 401),
        ({"query": b"ticket=x&ticket=y"}, 401),
        ({"subprotocols": ["bearer.a.b.c"]}, 401),
        ({"subprotocols": [f"bearer.{narrow}"]}, 403),
    ):
        sent = connect(service, **given, **extensions)
        assert "websocket.accept" not in [m["type"] for m in sent]
        if extension:
            assert sent[0]["status"] == expected
            start, *body = [m["type"].rpartition(".")[2] for m in sent]
            assert (start, set(body)) == ("start", {"body"}), "one answer, not two"
            assert [m.get("more_body", False) for m in sent][-1] is False
        else:
            assert [(m["type"], m["code"]) for m in sent] == [("websocket.close", 1008)]


def test_openapi_tells_both_ways_in(service: Service) -> None:
    told = get(service.app, "/openapi.json").json()
    kinds = {one["type"] for one in told["components"]["securitySchemes"].values()}
    assert kinds == {"http", "apiKey"}
    assert len(told["paths"]["/who"]["get"]["security"]) == 2


def test_many_at_once_are_counted_exactly(service: Service) -> None:
    async def storm() -> int:
        limits = service.gate.limits
        asked = (limits.take("viewer", "acme:storm") for _ in range(50))
        found = await asyncio.gather(*asked, return_exceptions=True)
        return sum(not isinstance(one, Exception) for one in found)

    assert asyncio.run(storm()) == 3


def test_roles_only_widen_from_viewer_to_admin() -> None:
    assert ROLES["admin"] == SCOPES
    assert ROLES["viewer"] < ROLES["manager"] < ROLES["admin"]
    assert ROLES["agent"] < ROLES["manager"]
    assert not any("write" in scope for scope in ROLES["viewer"])
    assert all(re.fullmatch(r"[a-z]+(:(read|write))?", scope) for scope in SCOPES)


@pytest.mark.parametrize("role", sorted(ROLES))
def test_no_role_sees_another_tenant(role: Any) -> None:
    agent = "bea" if role == "agent" else None
    who = Principal("acme", "x", role, ROLES[role], agent, "k")
    assert not any(may_see(who, tenant, "bea") for tenant in ("other", "", "Acme", "acme "))
    assert may_see(who, "acme", "bea")
    assert may_see(who, "acme", "carl") is (role != "agent")
    assert may_see(who, "acme", None) is (role != "agent")


def test_an_error_after_a_socket_opened_closes_it_with_a_code(service: Service) -> None:
    @service.app.websocket("/fails")
    async def fails(socket: WebSocket) -> None:
        await socket.accept()
        raise StoreFailed("disk is full")

    opening = [{"type": "websocket.connect"}]
    sent = messages(
        service.app, "websocket", "/fails", incoming=opening, subprotocols=[], scheme="ws",
        extensions={"websocket.http.response": {}},
    )  # fmt: skip
    assert [m["type"] for m in sent] == ["websocket.accept", "websocket.close"]
    assert sent[1]["code"] == 1011


def test_what_guards_a_stream_may_be_called_with_the_connection(service: Service) -> None:
    """Plain ASGI applications have no dependencies."""

    def connection(text: str) -> HTTPConnection:
        headers = [(b"authorization", f"Bearer {text}".encode())]
        scope = {"type": "websocket", "app": service.app, "headers": headers, "query_string": b""}
        return HTTPConnection(scope)

    guard = require_stream("stream:read")
    assert asyncio.run(guard(connection(token()))).subject == "ann"
    with pytest.raises(NotProven):
        asyncio.run(guard(connection("a.b.c")))
    with pytest.raises(NotAllowed, match="stream:read"):
        asyncio.run(guard(connection(token(scopes=["leads:read"]))))

"""Bodies: too large, too slow, too deep; and ids of requests that cannot carry anything else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import settings as effort
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from leadlab.api.body import BodyLimit
from leadlab.api.correlation import Correlation, correlation_id, sane_id
from leadlab.api.masking import masked
from leadlab.schema.depth import too_deep
from tests.api.asgi import messages, request

CHUNK = {"type": "http.request", "body": b"x" * 60, "more_body": True}
LAST = {"type": "http.request", "body": b"x" * 40, "more_body": False}


async def _length(scope: Scope, receive: Receive, send: Send) -> None:
    body = await Request(scope, receive).body()
    await PlainTextResponse(str(len(body)))(scope, receive, send)


async def _stubborn(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers whatever happens to the body."""
    try:
        await Request(scope, receive).body()
    except Exception as error:  # noqa: BLE001
        await PlainTextResponse(f"fine: {error}")(scope, receive, send)


def status(sent: list[Any]) -> int:
    return int(next(m["status"] for m in sent if m["type"] == "http.response.start"))


@pytest.mark.parametrize("app", [_length, _stubborn])
def test_a_body_that_grows_too_large_is_cut(app: Any) -> None:
    limited = BodyLimit(app, most_bytes=100)
    sent = messages(limited, "http", "/", incoming=[CHUNK, CHUNK, CHUNK, LAST])
    assert status(sent) == 413
    assert [m["type"] for m in sent].count("http.response.start") == 1
    told = json.loads(sent[-1]["body"])
    assert told["status"] == 413
    assert "100 bytes" in told["detail"]


def test_a_body_of_just_the_limit_passes() -> None:
    limited = BodyLimit(_length, most_bytes=100)
    sent = messages(limited, "http", "/", incoming=[CHUNK, LAST])
    assert (status(sent), sent[-1]["body"]) == (200, b"100")


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        (b"101", 413), (b"100", 200), (b"9" * 5000, 413), (b"-1", 400), (b"1e1", 400), (b"", 400),
        (b"+5", 400), (b"0x10", 400), (b" 7", 400), ("٣".encode(), 400),
    ],
)  # fmt: skip
def test_a_declared_length_is_judged_before_anything_is_read(
    declared: bytes, expected: int
) -> None:
    limited = BodyLimit(_length, most_bytes=100)
    given = [CHUNK, LAST] if expected == 200 else []
    sent = messages(limited, "http", "/", incoming=given, headers=[(b"content-length", declared)])
    assert status(sent) == expected


def test_two_lengths_are_refused() -> None:
    two = [(b"content-length", b"5"), (b"content-length", b"6")]
    assert status(messages(BodyLimit(_length, 100), "http", "/", headers=two)) == 400


@pytest.mark.parametrize("app", [_length, _stubborn])
def test_a_body_that_takes_too_long_is_cut(app: Any) -> None:
    limited = BodyLimit(app, most_bytes=1000, within_s=0.1)
    assert status(messages(limited, "http", "/", incoming=[CHUNK])) == 408
    drops = [{**CHUNK, "body": b"x"}, 0.04] * 200
    assert status(messages(limited, "http", "/", incoming=drops)) == 408


def test_a_long_answer_to_a_whole_body_is_not_cut() -> None:
    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await Request(scope, receive).body()
        assert (await receive())["type"] == "http.disconnect"
        await PlainTextResponse("done")(scope, receive, send)

    limited = BodyLimit(slow, most_bytes=100, within_s=0.05)
    incoming = [LAST, 0.2, {"type": "http.disconnect"}]
    assert status(messages(limited, "http", "/", incoming=incoming)) == 200


def depth_of(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth_of, value), default=0)
    return 0


TRICKY = st.text('[]{}"\\,: \nué', max_size=8)
VALUES = st.recursive(
    st.none() | st.integers() | TRICKY,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TRICKY, inner, max_size=3),
    max_leaves=20,
)


@effort(max_examples=150, deadline=None)
@given(values=st.lists(VALUES, min_size=1, max_size=3), indent=st.sampled_from([None, 1]))
def test_the_depth_is_that_of_what_is_parsed(values: list[Any], indent: int | None) -> None:
    body = "\n".join(json.dumps(one, indent=indent) for one in values).encode()
    deepest = max(map(depth_of, values))
    assert not too_deep(body, deepest)
    assert deepest == 0 or too_deep(body, deepest - 1)


@effort(max_examples=150, deadline=None)
@given(
    before=st.text('[]{}"\\,x ', max_size=30), depth=st.integers(1, 30), after=st.binary(max_size=9)
)
@example(before='"', depth=5, after=b"")
@example(before="]]]]]]]]]]", depth=5, after=b"")
@example(before='"\\', depth=5, after=b"")
def test_nothing_before_a_line_hides_its_depth(before: str, depth: int, after: bytes) -> None:
    assert too_deep(before.encode() + b"\n" + b"[" * depth + after, depth - 1)


@pytest.mark.parametrize("part", [b"[", b"{", b"[]", b'"\\', b'"', b'\\"', b'"[', b'["a",', b"]["])
def test_large_hostile_bodies_take_linear_time(part: bytes) -> None:
    """What looked again at what it has seen would need hours for this."""
    assert too_deep(part * 500_000, 10) in (True, False)


@given(st.binary(max_size=80))
def test_an_id_that_is_repeated_is_harmless(given_id: bytes) -> None:
    own = sane_id(given_id)
    assert own.isascii()
    assert 8 <= len(own) <= 64
    assert all(c.isalnum() or c in "._-" for c in own)
    assert masked(own) == own


@pytest.mark.parametrize(
    "bad",
    ["short", "x" * 65, "a b c d e f", "abcdefgh\r\nSet-Cookie: a=b", "0446681800", "éééééééé"],
)
def test_other_ids_are_replaced(bad: str) -> None:
    assert sane_id(bad.encode()) != bad


def test_the_id_is_in_the_answer_once_and_ends_with_the_request() -> None:
    async def echo(scope: Scope, receive: Receive, send: Send) -> None:
        own = {"x-correlation-id": "from-inside"}
        await PlainTextResponse(correlation_id(), headers=own)(scope, receive, send)

    app = Correlation(echo)
    found = request(app, "GET", "/", headers={"X-Correlation-Id": "order-4711"})
    assert found.text == "order-4711"
    assert found.headers.get_list("x-correlation-id") == ["order-4711"]
    made = {request(app, "GET", "/").text for _ in range(5)}
    assert len(made) == 5
    injected = [(b"x-correlation-id", b"abcdefgh\r\nX-Evil: 1")]
    doubled = [(b"x-correlation-id", b"aaaaaaaa"), (b"x-correlation-id", b"bbbbbbbb")]
    for headers in (injected, doubled):
        sent = messages(app, "http", "/", headers=headers)
        raw = b"".join(name + value for name, value in sent[0]["headers"])
        assert b"\r" not in raw
        assert b"aaaaaaaa" not in raw
    assert correlation_id() == "-"

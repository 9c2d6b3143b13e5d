"""What the stream answers to nonsense, to floods, and to those who may not listen."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed

from tests.api.listeners import PATIENCE_S, Served, closed, frame, score, served, standing, taken


@pytest.fixture(scope="module")
def place() -> Iterator[Served]:
    with served(standing()) as one:
        yield one


NONSENSE = [
    "", "{", "[]", "null", "7", '"ping"', "{}", '{"subscribe":7}', '{"subscribe":{"topic":[]}}',
    '{"subscribe":{"topics":["gossip"]}}', '{"subscribe":{"tenant":"u"}}', '{"ping":{}}',
    '{"subscribe":{"leads":[""]}}', '{"subscribe":null}', "[" * 5_000, '{"subscribe":{"own":null}}',
]  # fmt: skip


@pytest.mark.parametrize("said", NONSENSE)
def test_nonsense_is_answered_and_changes_nothing(place, said):
    with place.socket("?lead=ann") as connection:
        frame(connection)
        connection.send(said)
        answer = frame(connection)
        assert answer["frame"] == "error"
        assert answer["why"]
        place.broadcast.publish([score("bo"), score("ann")])
        assert [one["lead"] for one in taken(connection, 1)] == ["ann"]


@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.text(max_size=50) | st.binary(max_size=50), max_size=5))
def test_whatever_is_said_the_stream_stands(place, said):
    with place.socket() as connection:
        frame(connection)
        for one in said:
            connection.send(one)
            assert frame(connection)["frame"] in {"error", "pong", "subscribed", "ready"}
        connection.send('{"ping":1}')
        assert frame(connection)["ping"] == 1


def test_who_says_too_much_is_cut(place):
    with place.socket() as connection:
        connection.send("x" * 70_000)
        assert closed(connection)[0] == 1009


def test_who_floods_and_reads_no_answers_is_cut():
    with served(standing()) as place, place.socket(max_queue=1) as connection:
        flood = '{"ping":"' + "x" * 90 + '"}'
        ended = threading.Event()

        def talk() -> None:
            while not ended.is_set():
                try:
                    connection.send(flood)
                except ConnectionClosed:
                    return

        talker = threading.Thread(target=talk)
        talker.start()
        place.until(
            lambda: (
                any(m.farewell for m in place.broadcast._members()) or not place.broadcast.clients
            )
        )
        ended.set()
        assert closed(connection)[0] == 4429
        talker.join(PATIENCE_S)


@pytest.mark.parametrize(
    ("query", "who", "code"),
    [
        ("", "", 4401),
        ("", "barred", 4403),
        ("?topic=gossip", "t", 4400),
        ("?topics=scores", "t", 4400),
    ],
)
def test_who_may_not_listen_is_told_why(place, query, who, code):
    with place.socket(query, who) as connection:
        found, why = closed(connection)
        assert (found, bool(why)) == (code, True)
    url = f"http://127.0.0.1:{place.port}/v1/stream{query}"
    with httpx.Client(trust_env=False, timeout=PATIENCE_S) as client:
        answer = client.get(url, headers={"Authorization": who} if who else {})
    assert answer.status_code == code - 4000
    assert answer.json()["detail"]


@settings(
    deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["topic", "tier", "agent", "lead", "cursor", "x"])
            | st.text(max_size=5),
            st.sampled_from(["scores", "hot", ""]) | st.text(max_size=20),
        ),
        max_size=4,
    )
)
def test_no_query_makes_the_service_fail(place, query):
    url = f"http://127.0.0.1:{place.port}/v1/stream"
    with (
        httpx.Client(trust_env=False, timeout=PATIENCE_S) as client,
        client.stream("GET", url, params=query, headers={"Authorization": "t"}) as answer,
    ):
        assert answer.status_code in {200, 400}

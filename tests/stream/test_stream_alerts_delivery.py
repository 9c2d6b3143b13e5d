"""Delivery: nothing lost, repetitions known by their key, whatever the receiver does."""

from __future__ import annotations

import random
import threading
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlab.errors import StoreFailed
from leadlab.stream.alerts import (
    Alert,
    AlertStore,
    Answer,
    Delivery,
    DeliveryThreads,
    Outbox,
    Schedule,
    alert_message,
    is_genuine,
    sign,
)
from leadlab.stream.alerts.webhook import Webhook
from leadlab.stream.breaker import Breaker
from tests.stream.alert_given import LOCAL, SECRET, Clock, S, alert, authority, hook, steps
from tests.stream.alert_servers import until, web_server


@pytest.fixture
def store(tmp_path: Path):
    with AlertStore(tmp_path / "alerts.db") as made:
        yield made


def drain(delivery: Delivery, clock: Clock, route: str = "hook") -> int:
    """Run until nothing waits, the clock going on; how many runs that took."""
    for n in range(1, 40):
        delivery.run(route, clock)
        if not delivery.outbox.routes():
            return n
        clock.us += 1_000 * S
    return -1


def test_a_flaky_receiver_gets_it_at_last_under_one_key(store: AlertStore) -> None:
    store.add([alert()])
    clock = Clock()
    with web_server() as server:
        server.answers += [500, "cut", "garbage", 429, 503]
        delivery = Delivery(Outbox(store.file), {"hook": hook(server.port)}, rng=random.Random(1))
        assert drain(delivery, clock) == 6
    assert steps(store) == ["raised", *["failed"] * 5, "delivered"]
    assert {headers["Idempotency-Key"] for _, headers, _ in server.requests} == {"a1:hook:raised"}
    for path, headers, body in server.requests:
        assert path == "/hook?x=1" and msgspec.json.decode(body)["message"] == "ann became hot"
        given = (headers["Leadlab-Timestamp"], headers["Leadlab-Signature"])
        assert is_genuine(SECRET, body, *given, now_s=1_001.0)
        assert not is_genuine(b"another secret", body, *given, now_s=1_001.0)
        assert not is_genuine(SECRET, body + b" ", *given, now_s=1_001.0)
        assert not is_genuine(SECRET, body, *given, now_s=1_301.0)
        assert not is_genuine(SECRET, body, "1001", given[1], now_s=1_001.0)


@pytest.mark.parametrize("wrong", ["", "v1=", "é", "v1=" + "0" * 64])
def test_odd_signatures_are_refused_quietly(wrong: str) -> None:
    assert not is_genuine(SECRET, b"", "1", wrong, now_s=1)
    assert not is_genuine(SECRET, b"", wrong, sign(SECRET, b"", 1), now_s=1)


@pytest.mark.parametrize("status", [302, 400, 401, 404, 410])
def test_refusals_are_not_repeated_and_redirects_not_followed(store, status: int) -> None:
    store.add([alert()])
    with web_server() as server:
        server.answers.append(status)
        delivery = Delivery(Outbox(store.file), {"hook": hook(server.port)}, rng=random.Random(1))
        assert delivery.run("hook", Clock()).given_up == 1
    assert len(server.requests) == 1 and steps(store) == ["raised", "given up"]


@pytest.mark.parametrize("how", ["hang", "drip"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_receiver_that_never_ends_is_left(how: str, scheme: str) -> None:
    ours, trusted = authority()
    with web_server(ours if scheme == "https" else None) as server:
        server.answers.append(how)
        webhook = Webhook(
            f"{scheme}://localhost:{server.port}/", SECRET, clock_s=lambda: 1.0, timeout_s=0.6,
            private_hosts=LOCAL, trusted=trusted,
        )  # fmt: skip
        answer = webhook(alert(), "k")
    assert not answer.ok and answer.again


def test_a_batch_that_takes_too_long_is_left_to_its_lease(store: AlertStore) -> None:
    store.add([alert(f"a{i}") for i in range(5)])
    clock, sent = Clock(), []

    def slow(one: Alert, key: str) -> Answer:
        clock.us += 40 * S
        return Answer(ok=not sent.append(key))

    outbox = Outbox(store.file)
    delivery = Delivery(outbox, {"hook": slow}, rng=random.Random(1))
    assert delivery.run("hook", clock).delivered == 2
    assert outbox.claim("hook", clock(), S, 9) == []
    assert len(outbox.claim("hook", clock() + 60 * S, S, 9)) == 3


def test_a_receiver_may_ask_for_patience(store: AlertStore) -> None:
    store.add([alert()])
    clock = Clock()
    with web_server() as server:
        server.answers.append(429)
        delivery = Delivery(Outbox(store.file), {"hook": hook(server.port)}, rng=random.Random(1))
        assert delivery.run("hook", clock).failed == 1
        clock.us += 32 * S
        assert delivery.run("hook", clock).delivered == 0
        clock.us += 2 * S
        assert delivery.run("hook", clock).delivered == 1


def test_after_so_many_attempts_it_is_given_up(store: AlertStore) -> None:
    store.add([alert()])
    sent = []

    def fails(one: Alert, key: str) -> Answer:
        sent.append(key)
        return Answer(ok=False, note="status 500")

    delivery = Delivery(
        Outbox(store.file), {"hook": fails}, rng=random.Random(1), schedule=Schedule(attempts=3)
    )
    drain(delivery, Clock())
    assert len(sent) == 3 and steps(store) == ["raised", "failed", "failed", "given up"]


@given(st.integers(1, 200), st.floats(0, 1))
def test_waits_grow_to_a_bound_and_are_never_nothing(attempts: int, chance: float) -> None:
    schedule = Schedule()
    wait = schedule.wait_s(attempts, chance)
    assert schedule.first_s / 2 <= wait <= schedule.longest_s
    assert schedule.wait_s(attempts, 1.0) <= schedule.wait_s(attempts + 1, 1.0)


def test_a_worker_that_dies_between_sending_and_noting_sends_again(store: AlertStore) -> None:
    """What it took comes back when its lease is over; the key is the same."""
    store.add([alert()])
    clock, outbox = Clock(), Outbox(store.file)
    keys = [due.key for due in outbox.claim("hook", clock(), 60 * S, 9)]
    assert outbox.claim("hook", clock() + 59 * S, 60 * S, 9) == []
    clock.us += 61 * S
    delivery = Delivery(
        outbox, {"hook": lambda one, key: Answer(ok=not keys.append(key))}, rng=random.Random(1)
    )
    assert delivery.run("hook", clock).delivered == 1
    assert keys == ["a1:hook:raised"] * 2


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 25), st.integers(1, 4), st.integers(0, 99))
def test_workers_side_by_side_send_each_once(tmp_path_factory, n: int, workers: int, seed) -> None:
    path = tmp_path_factory.mktemp("side") / "a.db"
    sent: list[str] = []
    with AlertStore(path) as first:
        first.add([alert(f"a{i}") for i in range(n)])

        def work(number: int) -> None:
            with AlertStore(path) as own:
                delivery = Delivery(
                    Outbox(own.file), {"hook": lambda one, key: Answer(ok=not sent.append(key))},
                    rng=random.Random(seed + number), most=3,
                )  # fmt: skip
                clock = Clock()
                while delivery.run("hook", clock).delivered:
                    pass

        threads = [threading.Thread(target=work, args=(i,)) for i in range(workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(sent) == sorted(f"a{i}:hook:raised" for i in range(n))


def test_an_open_breaker_costs_no_attempts(store: AlertStore) -> None:
    store.add([alert(f"a{i}") for i in range(5)])
    clock, sent = Clock(), []
    gate = Breaker("hook", failures=2, reset_s=4, half_open=3, clock=lambda: clock.us / S)
    delivery = Delivery(
        Outbox(store.file), {"hook": lambda one, key: sent.append(key) or Answer(ok=False)},
        rng=random.Random(1), gates={"hook": gate}, schedule=Schedule(attempts=2),
    )  # fmt: skip
    ran = delivery.run("hook", clock)
    assert (ran.failed, ran.postponed, len(sent)) == (2, 3, 2)
    clock.us += 6 * S
    again = delivery.run("hook", clock)
    assert again.given_up + again.failed == 1 and again.postponed >= 2


def test_what_waits_for_a_route_that_is_gone_is_given_up(store: AlertStore) -> None:
    store.add([alert(routes=("old", "hook"))])
    delivery = Delivery(
        Outbox(store.file), {"hook": lambda one, key: Answer(ok=True)}, rng=random.Random(1)
    )
    assert delivery.run_all(Clock())["hook"].delivered == 1
    assert sorted(steps(store)) == ["delivered", "given up", "raised"]


def test_what_was_resolved_is_not_sent_even_when_it_was_on_its_way(store: AlertStore) -> None:
    store.add([alert("a1"), alert("a2")])
    outbox = Outbox(store.file)
    store.resolve("acme", "a2", who="bo", at_us=9)
    (due,) = outbox.claim("hook", 1_000 * S, S, 9)
    store.resolve("acme", "a1", who="bo", at_us=9)
    outbox.retry(due, 9, 10, "status 500")
    assert outbox.claim("hook", 9_000 * S, S, 9) == []
    assert steps(store) == ["raised", "resolved"]


def test_a_slow_route_holds_up_no_other(store: AlertStore) -> None:
    store.add([alert(routes=("slow", "app"))])
    told, slow = [], threading.Event()
    senders = {
        "slow": lambda one, key: Answer(ok=slow.wait(20)),
        "app": lambda one, key: Answer(ok=not told.append(alert_message(one))),
    }
    threads = DeliveryThreads(
        Delivery(Outbox(store.file), senders, rng=random.Random(1)), Clock(), failed=told.append
    )
    threads.start()
    assert until(lambda: told)
    store.add([alert("a2", routes=("app",))])
    threads.call()
    assert until(lambda: len(told) == 2)
    slow.set()
    threads.stop()
    assert sorted(steps(store)) == ["delivered", "delivered", "raised"]


def test_a_store_that_fails_is_told_and_the_thread_goes_on(store: AlertStore) -> None:
    told = []
    outbox = Outbox(store.file)
    delivery = Delivery(outbox, {"hook": lambda o, k: Answer(ok=True)}, rng=random.Random(1))
    with store.file.reading() as db:
        db.execute("ALTER TABLE outbox RENAME TO away")
    threads = DeliveryThreads(delivery, Clock(), poll_s=0.02, failed=told.append)
    threads.start()
    assert until(lambda: told)
    with store.file.reading() as db:
        db.execute("ALTER TABLE away RENAME TO outbox")
    store.add([alert()])
    assert until(lambda: "delivered" in steps(store))
    threads.stop()
    assert isinstance(told[0], StoreFailed)


# -- where a webhook may go ------------------------------------------------------------------------

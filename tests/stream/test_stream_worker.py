"""Workers that share a bus on a real Redis server."""

from __future__ import annotations

import contextlib
import itertools
import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from leadlab.errors import ConfigError, Overtaken, StoreFailed
from leadlab.stream.message import Message
from leadlab.stream.partition_home import PartitionHome
from leadlab.stream.redis_bus import RedisBus
from leadlab.stream.redis_messages import RedisMessages
from leadlab.stream.worker import Worker
from tests.redis_server import RedisServer
from tests.stream.kept import JournalKeeper, by_lead, event, kept_in

_NAMES = itertools.count()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    one = RedisServer(tmp_path_factory.mktemp("redis"))
    yield one
    one.stop()


@pytest.fixture
def bus_of(server: RedisServer) -> Iterator[Callable[[], RedisBus]]:
    made: list[RedisBus] = []
    name = f"work-{next(_NAMES)}"

    def make() -> RedisBus:
        made.append(
            RedisBus(server.url, namespace=name, partitions=4, by="lead", lease_s=0.3, window_s=60)
        )
        return made[-1]

    yield make
    for bus in made:
        bus.close()


def worker_of(bus: RedisBus, home: Path, name: str, **options: object) -> Worker:
    options = {"start": JournalKeeper, **options}
    return Worker(bus, home, name=name, rng=random.Random(name), **options)


def step_until(true: Callable[[], bool], *workers: Worker) -> None:
    deadline_s = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline_s
        for worker in workers:
            with contextlib.suppress(Overtaken):
                worker.step(wait_s=0.01)


def expected(n: int, leads: int) -> dict[str, list[str]]:
    return {f"lead-{k}": [f"e{i}" for i in range(k, n, leads)] for k in range(leads)}


def test_one_worker_keeps_everything(bus_of, tmp_path: Path) -> None:
    bus = bus_of()
    worker = worker_of(bus_of(), tmp_path, "a")
    bus.publish([event(i, f"lead-{i % 9}") for i in range(500)])
    step_until(lambda: bus.lag("engine") == 0, worker)
    worker.close()
    assert by_lead(kept_in(tmp_path)) == expected(500, 9)
    assert worker.status.taken >= 500


def test_workers_share_and_hand_over(bus_of, tmp_path: Path) -> None:
    bus = bus_of()
    first, second = worker_of(bus_of(), tmp_path, "a"), worker_of(bus_of(), tmp_path, "b")
    first.step(0.0)
    assert first.status.held == (0, 1, 2, 3)
    bus.publish([event(i, f"lead-{i % 9}") for i in range(300)])
    step_until(lambda: len(second.status.held) == 2, first, second)
    bus.publish([event(i, f"lead-{i % 9}") for i in range(300, 600)])
    step_until(lambda: bus.lag("engine") == 0, first, second)
    assert not set(first.status.held) & set(second.status.held)
    assert first.status.taken
    assert second.status.taken
    first.close()
    bus.publish([event(i, f"lead-{i % 9}") for i in range(600, 900)])
    step_until(lambda: bus.lag("engine") == 0, second)
    assert second.status.held == (0, 1, 2, 3)
    second.close()
    assert by_lead(kept_in(tmp_path)) == expected(900, 9)


def test_an_event_kept_but_not_acknowledged_is_kept_once(bus_of, tmp_path: Path) -> None:
    """As if the process died between its own disk and Redis."""
    bus = bus_of()
    dying = worker_of(bus_of(), tmp_path, "a")
    bus.publish([event(i, f"lead-{i % 9}") for i in range(50)])

    def die(_deliveries: object) -> None:
        raise StoreFailed("died here")

    dying._consumer.commit = die
    with pytest.raises(StoreFailed, match="died here"):
        step_until(lambda: False, dying)
    for one in (*dying._keepers.values(), *dying._homes.values()):
        one.close()
    heir = worker_of(bus_of(), tmp_path, "b")
    step_until(lambda: bus.lag("engine") == 0, heir)
    heir.close()
    assert by_lead(kept_in(tmp_path)) == expected(50, 9)


def test_a_disk_that_fails_for_a_while_loses_nothing(bus_of, tmp_path: Path) -> None:
    failing = threading.Event()
    failing.set()

    class Tired(JournalKeeper):
        def keep(self, entries) -> None:
            if failing.is_set():
                raise StoreFailed("disk full")
            super().keep(entries)

    bus = bus_of()
    worker = worker_of(bus_of(), tmp_path, "a", start=Tired)
    bus.publish([event(i, f"lead-{i % 9}") for i in range(50)])
    stop = threading.Event()
    thread = threading.Thread(target=worker.run, args=(stop,))
    thread.start()
    deadline_s = time.monotonic() + 20
    while worker.status.failures < 2:
        assert time.monotonic() < deadline_s
        time.sleep(0.01)
    assert worker.status.state == "waiting"
    assert "disk full" in worker.status.error
    assert bus.lag("engine") == 50
    failing.clear()
    while bus.lag("engine"):
        assert time.monotonic() < deadline_s
        time.sleep(0.01)
    stop.set()
    thread.join()
    assert by_lead(kept_in(tmp_path)) == expected(50, 9)


def test_a_partition_at_home_elsewhere_is_left_alone(bus_of, tmp_path: Path) -> None:
    here = worker_of(bus_of(), tmp_path / "here", "a", partitions=[0, 1])
    there = worker_of(bus_of(), tmp_path / "there", "b")
    here.step(0.0)
    there.step(0.0)
    assert here.status.held == (0, 1)
    assert there.status.held == (2, 3)
    assert there.status.elsewhere == (0, 1)
    here.close()
    time.sleep(0.1)
    there.step(0.0)
    assert there.status.held == (2, 3)
    there.close()


def test_a_folder_that_another_process_holds_is_left_alone(bus_of, tmp_path: Path) -> None:
    theirs = PartitionHome.take(tmp_path, 2)
    assert theirs is not None
    worker = worker_of(bus_of(), tmp_path, "a")
    worker.step(0.0)
    assert worker.status.held == (0, 1, 3)
    theirs.close()
    step_until(lambda: worker.status.held == (0, 1, 2, 3), worker)
    worker.close()


def test_a_bus_settled_otherwise_is_an_error(bus_of, server: RedisServer) -> None:
    bus = bus_of()
    name = bus.prefix.partition("{")[2].partition("}")[0]
    assert RedisBus(server.url, namespace=name).partitions == 4
    with pytest.raises(ConfigError, match="other partitions"):
        RedisBus(server.url, namespace=name, partitions=8)
    with pytest.raises(ConfigError, match="other by"):
        RedisBus(server.url, namespace=name, by="tenant")


def test_a_server_that_forgets_is_refused(tmp_path: Path) -> None:
    server = RedisServer(tmp_path / "forgetful", lasting=False)
    try:
        with pytest.raises(ConfigError, match="may lose what it acknowledged"):
            RedisBus(server.url)
        assert RedisBus(server.url, lasting=False).partitions == 8
    finally:
        server.stop()


def test_what_is_no_server_is_said_without_its_password() -> None:
    with pytest.raises(ConfigError, match="no address") as wrong:
        RedisBus("http://ann:secret@localhost/0")
    assert "secret" not in str(wrong.value)
    with pytest.raises(StoreFailed) as away:
        RedisBus("redis://ann:secret@127.0.0.1:1/0")
    assert "secret" not in str(away.value)


def test_a_full_memory_refuses_and_keeps_what_it_had(server: RedisServer, bus_of) -> None:
    bus = bus_of()
    bus.publish([event(0)])
    bus.client.config_set("maxmemory", "1mb")
    try:
        with pytest.raises(Exception, match="memory of Redis is full"):
            bus.publish([event(1)])
    finally:
        bus.client.config_set("maxmemory", "0")
    assert bus.publish([event(0), event(1)]).fresh.tolist() == [False, True]


def test_messages_reach_every_reader_from_its_cursor(server: RedisServer) -> None:
    messages = RedisMessages(server.url, namespace=f"messages-{next(_NAMES)}")
    sent = [
        Message(topic="scores", tenant="default", at_us=i, key=f"lead-{i}", body={"p": i / 10})
        for i in range(10)
    ]
    messages.send(sent[:3])
    cursor = messages.newest()
    messages.send(sent[3:])
    messages.send([])
    assert messages.read("0", 0.0)[1] == sent
    after, found = messages.read(cursor, 0.0)
    assert found == sent[3:]
    assert messages.read(after, 0.01) == (after, [])
    messages.close()


def test_only_those_who_are_watched_are_told_of(server: RedisServer) -> None:
    name = f"messages-{next(_NAMES)}"
    api, worker = (RedisMessages(server.url, namespace=name) for _ in range(2))
    api.watch(["acme", "other"])
    assert worker.watched() == {"acme", "other"}
    api.watch(["third"])
    assert worker.watched() == {"acme", "other"}
    api.close()
    worker.close()


def test_messages_wait_for_no_server_that_is_away(tmp_path: Path) -> None:
    server = RedisServer(tmp_path / "redis")
    messages = RedisMessages(server.url)
    messages.watch(["acme"])
    assert messages.watched() == {"acme"}
    server.kill()
    one = Message(topic="scores", tenant="acme", at_us=1, key="ann")
    with pytest.raises(StoreFailed):
        messages.send([one])
    assert messages.watched() == frozenset()
    messages.close()


def test_an_id_is_known_across_the_edge_of_a_window(server: RedisServer) -> None:
    bus = RedisBus(server.url, namespace=f"edge-{next(_NAMES)}", window_s=1)
    _, micros = bus.client.time()
    time.sleep((1_800_000 - micros) % 1_000_000 / 1e6)
    bus.publish([event(1)])
    time.sleep(0.35)
    assert bus.publish([event(2), event(1)]).fresh.tolist() == [True, False]
    ttls = [bus.client.ttl(key) for key in bus.client.keys(bus.prefix + "seen:*")]
    assert ttls
    assert all(0 <= ttl <= 2 for ttl in ttls)
    bus.close()

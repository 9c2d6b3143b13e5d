"""Publishing while the bus is away."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from leadlab.errors import Overloaded, StoreFailed
from leadlab.schema.wire import WireEvent
from leadlab.stream.bus import Bus, Published
from leadlab.stream.journal_bus import JournalBus
from leadlab.stream.spool import SpoolingPublisher
from tests.stream.kept import event


def now_us() -> int:
    return time.time_ns() // 1000


class Door:
    """A real bus behind a door that may be shut before or after what is published gets in."""

    def __init__(self, bus: JournalBus) -> None:
        self.bus = bus
        self.shut = False
        self.answers = True

    def publish(self, events: Sequence[WireEvent]) -> Published:
        if self.shut:
            raise StoreFailed("the door is shut")
        published = self.bus.publish(events)
        if not self.answers:
            raise StoreFailed("no answer")
        return published

    def close(self) -> None:
        self.bus.close()


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(JournalBus(tmp_path / "bus", clock_us=now_us))


@pytest.fixture
def publisher_of(tmp_path: Path):
    made: list[SpoolingPublisher] = []

    def make(open_bus: Callable[[], Bus], **options: object) -> SpoolingPublisher:
        path = tmp_path / "spool.db"
        one = SpoolingPublisher(
            open_bus, path, clock_us=now_us, rng=random.Random(0), **options
        )  # fmt: skip
        made.append(one)
        return one

    yield make
    for one in made:
        if not one._stop.is_set():
            one.close()


def until(true: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline_s
        time.sleep(0.005)


def ids(bus: JournalBus) -> list[str]:
    return [e.id for e in bus.read(0, 0, 10**6).events]


def test_what_comes_while_the_bus_is_away_follows_in_order(door, publisher_of) -> None:
    publisher = publisher_of(lambda: door)
    assert not publisher.publish([event(0)]).spooled
    door.shut = True
    for i in range(1, 50):
        assert publisher.publish([event(i)]).spooled
    status = publisher.status()
    assert (status.state, status.waiting, status.spooled) == ("spooling", 49, 49)
    assert status.failures > 0
    assert "shut" in status.error
    door.shut = False
    until(lambda: publisher.status().state == "up")
    publisher.publish([event(50)])
    assert ids(door.bus) == [f"e{i}" for i in range(51)]
    assert publisher.status().caught_up == 49
    assert publisher.status().waiting == 0


def test_what_got_in_without_an_answer_counts_once(door, publisher_of) -> None:
    publisher = publisher_of(lambda: door)
    door.answers = False
    assert publisher.publish([event(0), event(1)]).spooled
    door.answers = True
    until(lambda: publisher.status().state == "up")
    assert ids(door.bus) == ["e0", "e1"]


def test_a_bus_that_is_away_at_the_start(door, publisher_of) -> None:
    away = threading.Event()

    def open_bus() -> Door:
        if not away.is_set():
            raise StoreFailed("nobody listens")
        return door

    publisher = publisher_of(open_bus)
    assert publisher.publish([event(0)]).spooled
    away.set()
    until(lambda: publisher.status().state == "up")
    assert ids(door.bus) == ["e0"]


def test_a_full_spool_refuses_and_loses_nothing(door, publisher_of) -> None:
    publisher = publisher_of(lambda: door, most=10)
    door.shut = True
    for i in range(0, 9, 3):
        publisher.publish([event(k) for k in range(i, i + 3)])
    with pytest.raises(Overloaded, match="no more may wait"):
        publisher.publish([event(9), event(10)])
    status = publisher.status()
    assert (status.state, status.waiting, status.refused) == ("full", 9, 2)
    door.shut = False
    until(lambda: publisher.status().state == "up")
    assert ids(door.bus) == [f"e{i}" for i in range(9)]
    assert publisher.publish([event(9)]).new == 1


def test_the_next_process_hands_on_what_waits(door, publisher_of) -> None:
    first = publisher_of(lambda: door)
    door.shut = True
    first.publish([event(i) for i in range(5)])
    closing, first._bus = first._bus, None
    first.close()
    assert closing is door
    second = publisher_of(lambda: door)
    assert second.publish([event(5)]).spooled
    door.shut = False
    until(lambda: second.status().state == "up")
    assert ids(door.bus) == [f"e{i}" for i in range(6)]


def test_consumers_too_far_behind_are_told_and_waited_for(tmp_path, publisher_of) -> None:
    door = Door(JournalBus(tmp_path / "small", clock_us=now_us, bound=3))
    publisher = publisher_of(lambda: door)
    consumer = door.bus.consumer("g", "a")
    publisher.publish([event(i) for i in range(3)])
    with pytest.raises(Overloaded, match="group g"):
        publisher.publish([event(3)])
    door.shut = True
    assert publisher.publish([event(3)]).spooled
    door.shut = False
    until(lambda: "group g" in publisher.status().error)
    assert publisher.status().state == "spooling"
    consumer.commit(consumer.poll(10, 0.0))
    until(lambda: publisher.status().state == "up")
    assert ids(door.bus) == [f"e{i}" for i in range(4)]


def test_many_threads_while_the_door_opens_and_shuts(door, publisher_of) -> None:
    publisher = publisher_of(lambda: door)
    rng = random.Random(1)
    ended = threading.Event()

    def slam() -> None:
        while not ended.is_set():
            door.shut, door.answers = rng.random() < 0.5, rng.random() < 0.7
            time.sleep(0.002)
        door.shut, door.answers = False, True

    def produce(k: int) -> None:
        for i in range(40):
            publisher.publish([event(100 * k + i, f"lead-{k}")])

    threads = [threading.Thread(target=produce, args=(k,)) for k in range(5)]
    slammer = threading.Thread(target=slam)
    for thread in (*threads, slammer):
        thread.start()
    for thread in threads:
        thread.join()
    ended.set()
    slammer.join()
    until(lambda: publisher.status().state == "up")
    found: dict[str, list[str]] = {}
    for one in door.bus.read(0, 0, 10**6).events:
        found.setdefault(one.lead, []).append(one.id)
    assert found == {f"lead-{k}": [f"e{100 * k + i}" for i in range(40)] for k in range(5)}

"""What holds for every bus: the journal in this process, and Redis Streams."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadlab.errors import BadInput, Overloaded, Overtaken
from leadlab.schema.wire import WireEvent
from leadlab.stream.bus import MOST_TRIES, Bus, Consumer, Delivery
from leadlab.stream.journal_bus import JournalBus
from leadlab.stream.redis_bus import RedisBus
from tests.redis_server import RedisServer

Open = Callable[..., Bus]
LEASE_S = 0.5
_NAMES = itertools.count()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    one = RedisServer(tmp_path_factory.mktemp("redis"))
    yield one
    one.stop()


@pytest.fixture(params=["journal", "redis"])
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Open]]:
    """Gives, each time, a way to open one new bus: again and again, as after a restart."""
    opened: list[Bus] = []

    def make() -> Open:
        name = f"bus-{next(_NAMES)}"

        def start(**options: object) -> Bus:
            if request.param == "journal":
                for bus in opened:
                    if isinstance(bus, JournalBus) and bus.journal.path.parent.name == name:
                        bus.close()
                        opened.remove(bus)
                bus = JournalBus(tmp_path / name, clock_us=now_us, **options)
            else:
                url = request.getfixturevalue("server").url
                bus = RedisBus(url, namespace=name, partitions=3, by="lead", **options)
            opened.append(bus)
            return bus

        return start

    yield make
    for bus in opened:
        bus.close()


def now_us() -> int:
    return time.time_ns() // 1000


def event(i: int, lead: str = "ann", **fields: object) -> WireEvent:
    return WireEvent(f"e{i}", "default", lead, "Inquiry", 1_772_384_400_000_000 + i, **fields)


def drain(consumer: Consumer, *, most: int = 100, commit: bool = True) -> list[Delivery]:
    """All that comes until nothing more does."""
    found: list[Delivery] = []
    while got := consumer.poll(most, 0.0):
        found += got
        if commit:
            consumer.commit(got)
    return found


def until(consumer: Consumer, most: int = 100) -> list[Delivery]:
    """The first deliveries, however long they take."""
    deadline_s = time.monotonic() + 20
    while time.monotonic() < deadline_s:
        if got := consumer.poll(most, 0.05):
            return got
    pytest.fail("nothing was delivered")


def ids(deliveries: list[Delivery]) -> list[str]:
    return [e.id for d in deliveries for e in d.entries.events]


def by_lead(deliveries: list[Delivery]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for delivery in deliveries:
        for one in delivery.entries.events:
            found.setdefault(one.lead, []).append(one.id)
    return found


def test_events_come_out_once_each_lead_in_order_under_duplicates(fresh) -> None:
    bus = fresh()()
    rng = np.random.default_rng(0)
    events = [event(i, f"lead-{i % 7}") for i in range(600)]
    new, sent = 0, []
    while len(sent) < 600:
        again = [sent[i] for i in rng.integers(0, len(sent), 20)] if sent else []
        batch = events[len(sent) : len(sent) + int(rng.integers(1, 90))]
        sent += batch
        published = bus.publish([*again, *batch, *batch[:5]])
        new_ones = len(again), len(again) + len(batch)
        assert np.flatnonzero(published.fresh).tolist() == list(range(*new_ones))
        new += published.new
    found = by_lead(drain(bus.consumer("engine", "a")))
    assert new == 600
    assert found == {f"lead-{k}": [e.id for e in events if e.lead == f"lead-{k}"] for k in range(7)}
    assert bus.lag("engine") == 0


def test_the_same_id_of_another_tenant_is_another_event(fresh) -> None:
    bus = fresh()()
    one = event(1)
    other = WireEvent(one.id, "other", one.lead, one.kind, one.at_us)
    assert bus.publish([one, other, one]).fresh.tolist() == [True, True, False]
    assert bus.publish([other]).new == 0


def test_events_come_out_as_they_went_in(fresh) -> None:
    bus = fresh()()
    given_events = [
        event(1, "Zoë\n\x1fO'Hara", value=-0.1, agent="a]b", source='",[', data={"x\n": "1\n2"}),
        event(2, "ünï" * 40, data={"t": True, "n": None, "f": 1e300, "s": "\u2028\x7f\""}),
    ]  # fmt: skip
    bus.publish(given_events)
    found = [e for d in drain(bus.consumer("g", "a")) for e in d.entries.events]
    assert sorted(found, key=lambda e: e.id) == given_events


def test_nothing_published_is_nothing(fresh) -> None:
    bus = fresh()()
    assert bus.publish([]).new == 0
    assert drain(bus.consumer("g", "a")) == []


def test_offsets_count_from_one_without_gaps(fresh) -> None:
    bus = fresh()()
    for start in range(0, 100, 20):
        bus.publish([event(i, f"lead-{i}") for i in range(start, start + 20)])
    offsets: dict[int, list[int]] = {}
    for delivery in drain(bus.consumer("g", "a"), most=7):
        assert 1 <= len(delivery) <= 7
        offsets.setdefault(delivery.partition, []).extend(delivery.entries.offsets.tolist())
    for partition in range(bus.partitions):
        assert offsets[partition] == list(range(1, bus.last(partition) + 1))
    assert sum(map(len, offsets.values())) == 100


def test_every_group_reads_everything(fresh) -> None:
    bus = fresh()()
    bus.publish([event(i) for i in range(5)])
    assert ids(drain(bus.consumer("one", "a"))) == ids(drain(bus.consumer("two", "a")))
    assert bus.lag("one") == bus.lag("two") == 0


def test_two_members_never_hold_the_same_partition(fresh) -> None:
    bus = fresh()()
    bus.publish([event(i, f"lead-{i}") for i in range(30)])
    first, second = bus.consumer("g", "a"), bus.consumer("g", "b")
    found = ids(drain(first))
    assert sorted(found) == sorted(f"e{i}" for i in range(30))
    assert drain(second) == []
    assert second.held == frozenset()
    first.close()
    bus.publish([event(99)])
    assert ids(until(second)) == ["e99"]


def test_what_a_dead_member_left_comes_again_to_the_next(fresh) -> None:
    bus = fresh()(lease_s=LEASE_S)
    bus.publish([event(i) for i in range(10)])
    dying = bus.consumer("g", "a")
    got = until(dying, most=4)
    dying.commit(got)
    until(dying, most=4)
    heir = bus.consumer("g", "b")
    left = [*until(heir), *drain(heir, commit=False)]
    assert ids(left) == [f"e{i}" for i in range(4, 10)]
    assert left[0].tries == 2
    with pytest.raises(Overtaken, match="lease"):
        dying.commit(got)


def test_a_restart_goes_on_behind_the_last_commit(fresh) -> None:
    start = fresh()
    bus = start(lease_s=LEASE_S)
    bus.publish([event(i) for i in range(10)])
    consumer = bus.consumer("g", "a")
    consumer.commit(until(consumer, most=3))
    until(consumer, most=3)
    again = start(lease_s=LEASE_S)
    assert again.publish([event(i) for i in range(11)]).new == 1
    heir = again.consumer("g", "b")
    assert ids([*until(heir), *drain(heir)]) == [f"e{i}" for i in range(3, 11)]


def test_poison_alone_becomes_a_dead_letter(fresh) -> None:
    """A member that dies on one event takes neither its neighbours nor the order with it."""
    bus = fresh()()
    bus.publish([event(i) for i in range(6)])
    handled: list[str] = []
    for life in range(6 * MOST_TRIES):
        consumer = bus.consumer("g", f"life-{life}")
        deliveries = until(consumer)
        while deliveries and "e3" not in ids(deliveries):
            handled += ids(deliveries)
            consumer.commit(deliveries)
            deliveries = consumer.poll(100, 0.0)
        consumer.close()
        if not deliveries:
            break
    assert handled == ["e0", "e1", "e2", "e4", "e5"]
    (letter,) = bus.dead("g")
    assert (letter.event.id, letter.offset, letter.tries) == ("e3", 4, MOST_TRIES)
    assert bus.lag("g") == 0


def test_a_suspect_that_behaves_is_no_dead_letter(fresh) -> None:
    bus = fresh()()
    bus.publish([event(i) for i in range(3)])
    for life in range(MOST_TRIES + 1):
        consumer = bus.consumer("g", f"life-{life}")
        deliveries = until(consumer)
        assert consumer.poll(100, 0.0) == []
        consumer.close()
    assert [len(d) for d in deliveries] == [1]
    heir = bus.consumer("g", "last")
    first = until(heir)
    assert ids(first) == ["e0"]
    heir.commit(first)
    assert ids(drain(heir)) == ["e1", "e2"]
    assert bus.dead("g") == []


def test_publishing_is_refused_while_the_slowest_group_is_far_behind(fresh) -> None:
    bus = fresh()(bound=10)
    fast, slow = bus.consumer("fast", "a"), bus.consumer("slow", "a")
    bus.publish([event(i) for i in range(10)])
    drain(fast)
    with pytest.raises(Overloaded, match="group slow"):
        bus.publish([event(10)])
    assert bus.lag("slow") == 10
    drain(slow)
    assert bus.publish([event(10)]).new == 1


def test_publishing_is_refused_when_nobody_ever_reads(fresh) -> None:
    bus = fresh()(bound=3)
    bus.publish([event(i) for i in range(3)])
    with pytest.raises(Overloaded, match="nobody yet"):
        bus.publish([event(3)])


def test_trimming_spares_what_some_group_has_not_committed(fresh) -> None:
    bus = fresh()()
    ahead, behind = bus.consumer("ahead", "a"), bus.consumer("behind", "a")
    for i in range(20):
        bus.publish([event(i)])
    drain(ahead)
    behind.commit(until(behind, most=5))
    future_us = now_us() + 10**9
    assert bus.trim(future_us) == 5
    assert bus.trim(future_us) == 0
    assert ids(drain(behind)) == [f"e{i}" for i in range(5, 20)]
    late = bus.consumer("late", "a")
    assert bus.lag("late") == 15
    assert ids(drain(late)) == [f"e{i}" for i in range(5, 20)]
    assert bus.publish([event(20)]).new == 1
    assert ids(drain(behind)) == ["e20"]


def test_trimming_keeps_what_is_young(fresh) -> None:
    bus = fresh()()
    bus.publish([event(1)])
    drain(bus.consumer("g", "a"))
    assert bus.trim(0) == 0
    partition = next(p for p in range(bus.partitions) if bus.last(p))
    assert len(bus.read(partition, 0, 10)) == 1


def test_replay_from_an_offset_and_from_a_moment(fresh) -> None:
    bus = fresh()()
    for i in range(0, 60, 3):
        bus.publish([event(k) for k in range(i, i + 3)])
        time.sleep(0.001)
    drain(bus.consumer("g", "a"))
    partition = next(p for p in range(bus.partitions) if bus.last(p))
    everything = bus.read(partition, 0, 1000)
    stamps = everything.stamps_us
    assert [e.id for e in everything.events] == [f"e{i}" for i in range(60)]
    assert (np.diff(stamps) >= 0).all()
    for after, most in ((0, 5), (7, 10), (58, 9), (60, 3)):
        part = bus.read(partition, after, most)
        assert part.offsets.tolist() == list(range(after + 1, min(after + most, 60) + 1))
    for stamp_us in {*stamps.tolist(), int(stamps[0]) - 1, int(stamps[-1]) + 1}:
        assert bus.offset_at(partition, stamp_us) == int((stamps < stamp_us).sum()) + 1


def test_many_producers_at_once(fresh) -> None:
    bus = fresh()()
    new = [0] * 6

    def produce(k: int) -> None:
        for start in range(0, 120, 10):
            mine = [event(1000 * k + i, f"lead-{k}") for i in range(start, start + 10)]
            shared = [event(10**6 + i, "shared") for i in range(start, start + 10)]
            new[k] += bus.publish([*mine, *shared]).new

    threads = [threading.Thread(target=produce, args=(k,)) for k in range(6)]
    for thread in threads:
        thread.start()
    consumer, found = bus.consumer("g", "a"), []
    while any(thread.is_alive() for thread in threads):
        found += drain(consumer, most=17)
    found += drain(consumer)
    leads = by_lead(found)
    assert sum(new) == 6 * 120 + 120
    assert leads.pop("shared") == [f"e{10**6 + i}" for i in range(120)]
    assert leads == {f"lead-{k}": [f"e{1000 * k + i}" for i in range(120)] for k in range(6)}


def test_partitions_that_are_not_there(fresh) -> None:
    bus = fresh()()
    with pytest.raises(BadInput, match="no such partition"):
        bus.consumer("g", "a", [99])


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("publish"), st.lists(st.integers(0, 40), max_size=12)),
        st.tuples(st.just("poll"), st.integers(1, 9)),
        st.tuples(st.just("commit"), st.integers(0, 3)),
        st.tuples(st.just("die"), st.just(0)),
        st.tuples(st.just("trim"), st.just(0)),
    ),
    max_size=25,
)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS)
def test_any_history_agrees_with_a_list_and_a_counter(fresh, steps) -> None:
    """The model: a list of distinct events a lead, and how many of it are committed."""
    bus = fresh()()
    consumer, life = bus.consumer("g", "life-0"), 0
    published: dict[str, list[str]] = {}
    committed: list[str] = []
    forgotten: set[str] = set()  # let go of: sent again, they may be new again
    open_deliveries: list[Delivery] = []
    for step, argument in steps:
        if step == "publish":
            batch = [event(i, f"lead-{i % 5}") for i in argument]
            flags = bus.publish(batch).fresh
            for one, new in zip(batch, flags, strict=True):
                ours = published.setdefault(one.lead, [])
                assert new == (one.id not in ours) or (new and one.id in forgotten)
                ours += [one.id] if new else []
                forgotten -= {one.id} if new else set()
        elif step == "poll":
            open_deliveries += consumer.poll(argument, 0.0)
        elif step == "commit":
            done, open_deliveries = open_deliveries[:argument], open_deliveries[argument:]
            consumer.commit(done)
            committed += ids(done)
        elif step == "die":
            life += 1
            consumer.close()
            consumer, open_deliveries = bus.consumer("g", f"life-{life}"), []
        else:
            bus.trim(now_us() + 10**9)
            forgotten |= set(committed)
        assert bus.lag("g") == sum(map(len, published.values())) - len(committed)
    consumer.close()
    rest: list[Delivery] = []
    last = bus.consumer("g", "last")
    while got := last.poll(9, 0.0):
        last.commit(got)
        rest += got
    seen: dict[str, list[str]] = {}
    for name in [*committed, *ids(rest)]:
        seen.setdefault(f"lead-{int(name[1:]) % 5}", []).append(name)
    gone = {letter.event.id for letter in bus.dead("g")}
    assert seen == {
        lead: kept for lead, names in published.items()
        if (kept := [name for name in names if name not in gone])
    }  # fmt: skip

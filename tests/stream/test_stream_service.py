"""The service: durable, once, and in one piece whoever fails around it."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from leadlab.errors import BadInput, LeadlabError, Overloaded, StoreFailed
from leadlab.stream import checkpoint
from leadlab.stream.journal import Journal
from leadlab.stream.lane import Lane
from leadlab.stream.outcome import Outcome
from leadlab.stream.plan import Plan
from leadlab.stream.result_store import ResultStore
from leadlab.stream.service import Service
from leadlab.stream.sink import Sink
from tests.stream.scenes import DAY_US, scorer
from tests.stream.serving import (
    CAME,
    EVENTS,
    QUIET,
    feed,
    kept,
    plan_of,
    renamed,
    room,
    same,
    service_of,
    switched,
    wait,
)


def test_each_event_once_from_submit_to_result(tmp_path: Path) -> None:
    told: list[Outcome] = []
    service = service_of(tmp_path, [Sink("list", told.append)])
    service.start()
    first = service.submit(EVENTS[:30], stamp_us=1)
    with Journal(tmp_path / "journal.db", read_only=True) as beside:
        assert beside.read(0, 100).events == EVENTS[:30]  # on disk when submit returns
    again = service.submit([*EVENTS[20:40], *EVENTS[38:40]], stamp_us=2)
    assert first.offsets.tolist() == list(range(1, 31))
    assert again.offsets.tolist() == [0] * 10 + list(range(31, 41)) + [0, 0]
    service.settled()
    assert np.concatenate([o.rows["offset"] for o in told]).tolist() == list(range(1, 41))
    assert service.results.read(0, 99)[0]["offset"].tolist() == list(range(1, 41))
    for outcome in told:
        order = ("arrived", "journalled", "features", "scored", "explained", "published")
        stamps = [outcome.receipt[stage] for stage in order]
        assert stamps == sorted(stamps)
    service.stop()
    assert service.status.state == "stopped"


def test_one_sink_that_raises_does_not_stop_the_others(tmp_path: Path) -> None:
    before: list[int] = []
    after: list[int] = []

    def bad(outcome: Outcome) -> None:
        raise OSError("nobody is there")

    def bad_state() -> bytes:
        raise LeadlabError("no state to be had")

    sinks = [
        Sink("before", lambda outcome: before.extend(outcome.rows["offset"])),
        Sink("bad", bad, state=bad_state),
        Sink("after", lambda outcome: after.extend(outcome.rows["offset"])),
    ]
    service = service_of(tmp_path, sinks, pacing=replace(QUIET, checkpoint_s=0.05))
    service.start()
    feed(service, 0, 100)
    service.settled()
    wait(lambda: "no state" in service.status.troubles.get("bad", ""))
    assert service.status.state == "live"
    service.stop()
    assert before == after == list(range(1, service.engine.offset + 1))
    assert not checkpoint.listed(tmp_path / "checkpoints")  # a sink's past would be lost by it
    assert service.status.trouble_count >= 100 // 16


def test_too_much_is_refused_and_may_be_sent_again(tmp_path: Path) -> None:
    gate, entered = threading.Event(), threading.Event()

    def slow(outcome: Outcome) -> None:
        entered.set()
        gate.wait(60)

    service = service_of(tmp_path, [Sink("slow", slow)], pacing=replace(QUIET, lag=20))
    service.start()
    service.submit(EVENTS[:16], stamp_us=1)
    assert entered.wait(60)
    service.submit(EVENTS[16:40], stamp_us=2)
    with pytest.raises(Overloaded):
        service.submit(EVENTS[40:50], stamp_us=3)
    assert service.journal.last == 40
    gate.set()
    service.settled()
    assert service.submit(EVENTS[40:50], stamp_us=3).new == 10
    service.stop()


def test_a_tick_reads_silent_leads_again(tmp_path: Path) -> None:
    """The probability of now moves though nothing happened; results stay."""
    now_us = [CAME[-1][1]]
    reread: list[NDArray[np.int64]] = []

    def note(lane: Lane, places: NDArray[np.int64], before: NDArray[Any]) -> None:
        reread.append(places)
        assert (before["now_us"] < lane.book.rows["now_us"][places]).all()

    service = service_of(
        tmp_path, [Sink("silent", lambda outcome: None, reread=note)],
        pacing=replace(QUIET, tick_s=0.01, active_us=90 * DAY_US), clock=lambda: now_us[0],
    )  # fmt: skip
    service.start()
    feed(service, 0, len(CAME))
    service.settled()
    with service.reading() as engine:
        lane = engine.lanes[""]
        open_leads = np.flatnonzero(lane.book.rows["ended"][: len(lane.names)] < 0)
        before = lane.book.rows[: len(lane.names)].copy()
    rows = service.results.read(0, 10**9)[0].tobytes()
    reread.clear()
    now_us[0] += 25 * DAY_US
    wait(lambda: bool((lane.book.rows["now_us"][open_leads] >= now_us[0]).all()))
    with service.reading():
        after = lane.book.rows[: len(lane.names)].copy()
        for place in open_leads:
            table = lane.read(*_one(lane.names[place]), now_us[0])
            assert after["now"][place] == scorer().score(table).probability[0]
    assert (after["now"][open_leads] != before["now"][open_leads]).any()
    np.testing.assert_array_equal(after["probability"], before["probability"])
    assert set(np.concatenate(reread)) <= set(open_leads.tolist())
    service.stop()
    assert service.results.path.exists()
    assert kept_raw(tmp_path) == rows


def _one(name: tuple[str, str]) -> tuple[str, list[str]]:
    return name[0], [name[1]]


def kept_raw(home: Path) -> bytes:
    store = ResultStore(home / "results.db")
    rows, _ = store.read(0, 10**9)
    store.close()
    return rows.tobytes()


def test_results_that_found_no_room_are_written_later(
    tmp_path: Path, undisturbed: tuple[NDArray[Any], list[str]]
) -> None:
    service = service_of(tmp_path, pacing=replace(QUIET, checkpoint_s=0.05))
    service.start()
    feed(service, 0, 50)
    service.settled()
    wait(lambda: service.status.checkpoints > 0)
    room(service.results._db, 0)
    feed(service, 50, 200)
    service.settled()
    assert "full" in service.status.troubles["results"]
    wait(lambda: "results failed" in service.status.troubles.get("checkpoint", ""))
    oldest = checkpoint.offset_of(checkpoint.listed(tmp_path / "checkpoints")[0])
    assert oldest <= service.results.read(0, 10**9)[0]["offset"].max()
    service.results._db.execute("PRAGMA max_page_count=100000")
    service.promote(plan_of("two"))
    switched(service, "two")
    feed(service, 200, len(CAME))
    service.stop()
    same(kept(tmp_path), undisturbed)


def test_a_crash_while_results_find_no_room_loses_none(
    tmp_path: Path, undisturbed: tuple[NDArray[Any], list[str]]
) -> None:
    service = service_of(tmp_path)
    service.start()
    feed(service, 0, 50)
    service.settled()
    room(service.results._db, 0)
    feed(service, 50, 200)
    service.settled()
    service.stop()  # no checkpoint can be written either
    assert service.status.state == "stopped"
    again = service_of(tmp_path)
    again.start()
    again.settled()
    again.promote(plan_of("two"))
    switched(again, "two")
    feed(again, 200, len(CAME))
    again.stop()
    same(kept(tmp_path), undisturbed)


def test_a_full_journal_refuses_and_goes_on(tmp_path: Path) -> None:
    service = service_of(tmp_path)
    service.start()
    feed(service, 0, 50)
    n = service.journal.last
    room(service.journal._db, 1)
    many = [renamed(event, f"more {i}") for i, event in enumerate(EVENTS * 4)]
    with pytest.raises(StoreFailed, match="full"):
        service.submit(many, stamp_us=CAME[-1][1])
    assert service.journal.last == n
    service.promote(plan_of("two"))
    wait(lambda: "model two" in service.status.troubles or _version(service) == "two")
    assert service.status.state == "live"
    service.journal._db.execute("PRAGMA max_page_count=100000")
    switched(service, "two")
    assert service.submit(many, stamp_us=CAME[-1][1]).new == len(many)
    service.settled()
    service.stop()
    assert kept(tmp_path)[0]["offset"].tolist() == list(range(1, n + len(many) + 1))


def _version(service: Service) -> str:
    return service.engine.lanes[""].plan.version


def test_a_model_of_foreign_features_is_refused_at_once(tmp_path: Path) -> None:
    service = service_of(tmp_path, version="rules")
    service.start()
    lane = service.engine.lanes[""]
    lane.plan = replace(lane.plan, extra=lane.plan.features)
    foreign = scorer()
    with pytest.raises((BadInput, KeyError)):
        service.promote(Plan(foreign), lane="nobody")
    service.stop()

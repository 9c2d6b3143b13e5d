"""The station as its readers find it: beside a working engine, after eviction, after a restart."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import numpy as np
import pytest

from leadlab.schema.wire import WireEvent
from leadlab.stream import live_engine
from leadlab.stream.lead_list import Wanted
from leadlab.stream.message import Message
from leadlab.stream.plan import Plan
from leadlab.stream.skew import Sample
from leadlab.stream.station import Station
from tests.stream.serving import CAME, plan_of

DAY_US = 86_400_000_000
START_US = 20_000 * DAY_US


def event(n: int, lead: str, day: float, kind: str = "Inquiry", **more: str) -> WireEvent:
    return WireEvent(f"e{n}", "acme", lead, kind, START_US + int(day * DAY_US), **more)


@contextmanager
def running(home: Path, told: list[Message] | None = None) -> Iterator[Station]:
    def publish(messages: object) -> None:
        if told is not None:
            told.extend(messages)  # type: ignore[call-overload]

    station = Station(
        home, Plan(), publish=publish, watched=lambda: None, clock=lambda: START_US + 300 * DAY_US
    )
    station.start()
    try:
        yield station
    finally:
        station.stop()


def test_many_readers_do_not_stop_the_engine(tmp_path: Path) -> None:
    ended = threading.Event()
    with running(tmp_path) as station:

        def read() -> None:
            while not ended.is_set():
                with station.service.reading():
                    time.sleep(0.003)

        readers = [threading.Thread(target=read) for _ in range(8)]
        for reader in readers:
            reader.start()
        try:
            for n in range(60):
                station.service.submit([event(n, f"lead-{n % 7}", n / 10)])
            station.service.settled(30)
        finally:
            ended.set()
            for reader in readers:
                reader.join()
        assert station.leads("acme", Wanted())["total"] == 7


def test_a_lead_can_be_read_after_what_it_stood_on_was_let_go_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_engine, "STRIDE", 64)
    with running(tmp_path) as station:
        submit = station.service.submit
        submit([event(0, "ann", 0)], stamp_us=START_US)
        submit([event(1, "ann", 1)], stamp_us=START_US + DAY_US)
        for n in range(2, 200):
            submit([event(n, "bob", n)], stamp_us=START_US + n * DAY_US)
        station.service.settled()
        lane = station.service.engine.lanes[""]
        assert lane.store.n_events < 200, "nothing was let go of"
        told = msgspec.json.decode(station.lead("acme", "ann"))
        assert told["events"] == 2
        assert told["changes"] == []


def test_after_a_restart_the_same_kinds_count_as_conversions(tmp_path: Path) -> None:
    def figures(station: Station) -> float:
        return station.figures("acme")["conversions_24h"]

    day = 300 - 0.1
    with running(tmp_path) as station:
        station.service.submit([event(0, "ann", day, "Offer Accepted")])
        station.service.settled()
        assert figures(station) == 1
    with running(tmp_path) as station:
        station.service.submit([event(1, "bob", day, "Offer Accepted")])
        station.service.settled()
        assert figures(station) == 2


def test_an_agent_hears_of_what_their_lead_does_itself(tmp_path: Path) -> None:
    told: list[Message] = []
    with running(tmp_path, told) as station:
        station.submit([event(0, "ann", 1, "Outgoing Call", agent="bea")])
        station.service.settled()
        del told[:]
        text = {"text": "Please call me back"}
        said = msgspec.structs.replace(event(1, "ann", 2, "Incoming Message"), data=text)
        station.submit([said])
        station.service.settled()
        assert {m.topic: m.agent for m in told if m.topic != "performance"} == {
            "conversations": "bea",
            "activity": "bea",
            "scores": "bea",
        }


def test_served_features_are_what_the_journal_gives(tmp_path: Path) -> None:
    """Also those of leads with late events; one that was tampered with is found."""
    station = Station(tmp_path, plan_of("one"), clock=lambda: CAME[-1][1])
    station.skew.share = 1.0
    station.start()
    for one, stamp_us in CAME:
        station.service.submit([one], stamp_us=stamp_us)
    station.service.settled()
    end_s = time.monotonic() + 60
    while station.skew.report()["waiting"]:
        station.skew.check(50)
        assert time.monotonic() < end_s
    report = station.skew.report()
    assert report["checked"] > 50
    assert report["differing"] == 0, report["last"]
    lane = station.service.engine.lanes[""]
    tenant, lead = next(
        name for place, name in enumerate(lane.names) if lane.book.rows["events"][place] < 30
    )
    place = lane.place_of(tenant, lead)
    own = lane.plan.features.select([f.name for f in lane.plan.features if f.entity == "lead"])
    values = lane.read(tenant, [lead], station.now_us()).values[0][: len(own)] + np.float32(1)
    offset, as_of_us = int(lane.book.rows["offset"][place]), station.now_us()
    station.skew.keep(Sample(offset, tenant, lead, as_of_us, own, values))
    while station.skew.report()["waiting"]:
        station.skew.check()
    assert station.skew.report()["differing"] == 1
    station.stop()

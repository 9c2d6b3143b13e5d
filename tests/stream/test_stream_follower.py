"""A service on a bus: a real Redis that dies and comes back."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from leadlab.schema.wire import WireEvent
from leadlab.stream.lead_list import Wanted
from leadlab.stream.plan import Plan
from leadlab.stream.redis_bus import RedisBus
from leadlab.stream.station import Station
from tests.redis_server import RedisServer

PATIENCE_S = 60.0


def event(n: int) -> WireEvent:
    now_us = time.time_ns() // 1000
    return WireEvent(f"e{n}", "acme", f"lead-{n % 3}", "Inquiry", now_us - 1_000_000)


def until(true: Callable[[], bool], why: str) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end_s, why
        time.sleep(0.02)


def test_what_is_taken_while_the_bus_is_away_is_scored_once_it_is_back(tmp_path: Path) -> None:
    server = RedisServer(tmp_path / "redis")
    try:
        station = Station(tmp_path / "live", Plan(), open_bus=partial(RedisBus, server.url))
        station.start()
        journal = station.service.journal
        taken = station.submit([event(0), event(1), event(0)])
        assert taken.fresh.tolist() == [True, True, False]
        until(lambda: journal.last == 2, "what was published did not come back")

        server.kill()
        away = station.submit([event(n) for n in range(2, 12)])
        assert away.spooled
        assert station.bus is not None
        assert station.bus.state == "spooling"
        assert journal.last == 2

        server.start()
        until(lambda: journal.last == 12, "what was spooled did not arrive")
        until(lambda: station.bus.state == "up", "the way to the bus is not told to be up")
        assert [e.id for e in journal.read(0, 100).events] == [f"e{n}" for n in range(12)]
        station.service.settled()
        assert station.leads("acme", Wanted())["total"] == 3
        station.stop()
    finally:
        server.stop()

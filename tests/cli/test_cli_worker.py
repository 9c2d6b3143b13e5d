"""``leadlab worker`` on a real Redis server, from events to results and messages."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from leadlab.cli.app import run
from leadlab.schema.wire import WireEvent
from leadlab.stream.redis_bus import RedisBus
from leadlab.stream.redis_messages import RedisMessages
from leadlab.stream.result_store import ResultStore
from tests.redis_server import RedisServer

START_US = 1_772_384_400_000_000


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RedisServer]:
    monkeypatch.setenv("LEADLAB_HOME", str(tmp_path / "lab"))
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    one = RedisServer(tmp_path / "redis")
    yield one
    one.stop()
    for number, handler in handlers.items():
        signal.signal(number, handler)


def events(start: int, end: int) -> list[WireEvent]:
    return [
        WireEvent(f"e{i}", f"team-{i % 3}", f"lead-{i % 5}", "Inquiry", START_US + i)
        for i in range(start, end)
    ]


class Outside:
    """Publishes, waits until all is scored, and ends the worker by a signal."""

    def __init__(self, bus: RedisBus, batch: list[WireEvent]) -> None:
        self.bus, self.batch, self.lag = bus, batch, -1
        self.thread = threading.Thread(target=self._act)
        self.thread.start()

    def _act(self) -> None:
        deadline_s = time.monotonic() + 60
        self.bus.publish(self.batch)
        while time.monotonic() < deadline_s:
            self.lag = self.bus.lag("engine")
            if self.lag == 0:
                break
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGTERM)


def work(server: RedisServer, bus: RedisBus, batch: list[WireEvent], *more: str) -> int:
    outside = Outside(bus, batch)
    code = run(["worker", "--redis", server.url, *more])
    outside.thread.join()
    assert outside.lag == 0
    return code


def results(home: Path) -> list[tuple[int, int]]:
    """(partition, offset) of every result that is stored."""
    found = []
    for folder in sorted((home / "live" / "partitions").iterdir()):
        store = ResultStore(folder / "results.db")
        rows, models = store.read(1, 10**9)
        store.close()
        assert set(models) <= {"rules"}
        found += [(int(folder.name), int(offset)) for offset in rows["offset"]]
    return found


def test_events_become_results_and_messages_across_restarts(
    server: RedisServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bus = RedisBus(server.url, partitions=4)
    messages = RedisMessages(server.url)
    messages.watch(["team-1"])
    assert work(server, bus, events(0, 60)) == 0
    assert work(server, bus, events(50, 90)) == 0
    offsets = {p: bus.last(p) for p in range(4)}
    found = results(tmp_path / "lab")
    assert sorted(found) == [(p, i) for p in range(4) for i in range(1, offsets[p] + 1)]
    assert len(found) == 90
    _, told = messages.read("0", 0.0)
    assert {m.tenant for m in told} == {"team-1"}
    active = [m.event for m in told if m.topic == "activity"]
    assert sorted(active) == sorted(f"e{i}" for i in range(90) if i % 3 == 1)
    assert {m.body["fallback"] for m in told if m.topic == "scores"} == {True}
    assert "rules stand in" in capsys.readouterr().err
    messages.close()
    bus.close()


def test_partitions_by_number(server: RedisServer, capsys: pytest.CaptureFixture[str]) -> None:
    RedisBus(server.url, partitions=4).close()
    for wrong in ("4", "0-4", "x", "1-", ""):
        assert run(["worker", "--redis", server.url, "--partitions", wrong]) == 3
        assert "partition" in capsys.readouterr().err


def test_a_bus_that_parts_leads_does_not_do_for_features_that_span_them(
    server: RedisServer, capsys: pytest.CaptureFixture[str]
) -> None:
    RedisBus(server.url, by="lead").close()
    assert run(["worker", "--redis", server.url]) == 2
    assert "look at one another" in capsys.readouterr().err


def test_no_server(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["worker", "--redis", "redis://ann:secret@127.0.0.1:1/0"]) == 9
    assert "secret" not in capsys.readouterr().err

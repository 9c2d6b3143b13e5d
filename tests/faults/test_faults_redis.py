"""Redis killed, frozen and slow under load: what was acknowledged is kept once, in order."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from leadlab.errors import Overloaded
from leadlab.stream.redis_bus import RedisBus
from leadlab.stream.service import wall_us
from leadlab.stream.spool import SpoolingPublisher
from leadlab.stream.worker import Worker
from tests.redis_server import RedisServer
from tests.stream.kept import JournalKeeper, by_lead, event, kept_in

PARTITIONS, LEADS, PRODUCERS = 3, 4, 3


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    one = RedisServer(tmp_path / "redis")
    yield one
    one.stop()


def bus_at(url: str) -> RedisBus:
    """Impatient, so that a frozen server is soon taken for one that is away."""
    return RedisBus(url, partitions=PARTITIONS, by="lead", lease_s=0.5, timeout_s=0.4)


class Load:
    """Producers and workers at work until told to end."""

    def __init__(self, url: str, folder: Path) -> None:
        self.home = folder / "home"
        self.acknowledged: dict[str, list[str]] = {}
        self.status = threading.Event()
        self._ended, self._stop = threading.Event(), threading.Event()
        self.publishers = [
            SpoolingPublisher(
                lambda: bus_at(url), folder / f"spool-{k}.db", clock_us=wall_us,
                rng=random.Random(k),
            )
            for k in range(PRODUCERS)
        ]  # fmt: skip
        self._buses = [bus_at(url) for _ in range(2)]
        self.workers = [
            Worker(bus, self.home, JournalKeeper, name=f"w{k}", rng=random.Random(k))
            for k, bus in enumerate(self._buses)
        ]
        self.probe = bus_at(url)
        jobs = [(self._produce, k) for k in range(PRODUCERS)]
        self._producing = [threading.Thread(target=job, args=(k,)) for job, k in jobs]
        self._working = [threading.Thread(target=w.run, args=(self._stop,)) for w in self.workers]
        for thread in (*self._producing, *self._working):
            thread.start()

    def _produce(self, k: int) -> None:
        """Events of this producer's leads; one in five goes out a second time."""
        rng, i, sent = random.Random(k), 0, []
        while not self._ended.is_set():
            batch = []
            for _ in range(rng.randint(1, 20)):
                batch.append(event(k + PRODUCERS * i, f"lead-{k}-{i % LEADS}"))
                i += 1
            again = [one for one in sent[-200:] if rng.random() < 0.02]
            try:
                self.publishers[k].publish([*again, *batch])
            except Overloaded:
                i -= len(batch)
                continue
            for one in batch:
                self.acknowledged.setdefault(one.lead, []).append(one.id)
            sent += batch
            time.sleep(0.002)

    def count(self) -> int:
        return sum(map(len, self.acknowledged.values()))

    def flows(self, more: int = 300) -> None:
        """Wait until more was acknowledged."""
        target = self.count() + more
        until(lambda: self.count() >= target)

    def ended(self) -> dict[str, list[str]]:
        """Stop producing, let all arrive, and give what the journals hold, by lead."""
        self._ended.set()
        for thread in self._producing:
            thread.join()
        until(lambda: all(p.status().state == "up" for p in self.publishers))
        until(lambda: self.probe.lag("engine") == 0)
        self.close()
        return by_lead(kept_in(self.home))

    def close(self) -> None:
        self._ended.set()
        self._stop.set()
        for thread in (*self._producing, *self._working):
            thread.join()
        for one in (*self.publishers, *self._buses, self.probe):
            one.close()
        self.publishers, self._buses = [], []


@pytest.fixture
def load(server: RedisServer, tmp_path: Path) -> Iterator[Load]:
    one = Load(server.url, tmp_path)
    one.flows()
    yield one
    one.close()


def until(true: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 40
    while not true():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def test_killed_and_restarted_under_load(load: Load, server: RedisServer) -> None:
    for _ in range(3):
        server.kill()
        until(lambda: all(p.status().state == "spooling" for p in load.publishers))
        until(lambda: all(w.status.state == "waiting" for w in load.workers))
        load.flows(100)
        server.start()
        load.flows()
    assert load.ended() == load.acknowledged


def test_frozen_for_a_second_under_load(load: Load, server: RedisServer) -> None:
    server.freeze()
    until(lambda: all(p.status().state == "spooling" for p in load.publishers))
    time.sleep(1.0)
    server.thaw()
    until(lambda: all(p.status().state == "up" for p in load.publishers))
    load.flows()
    assert load.ended() == load.acknowledged


def test_slow_under_load(load: Load, server: RedisServer) -> None:
    with redis.Redis(port=server.port, socket_timeout=10) as client:
        for pause_s in (0.1, 0.6, 0.2, 0.7):
            client.execute_command("DEBUG", "SLEEP", pause_s)
            client.execute_command("CLIENT", "PAUSE", int(pause_s * 1000), "WRITE")
            load.flows(100)
    assert load.ended() == load.acknowledged


def test_scripts_and_connections_dropped_under_load(load: Load, server: RedisServer) -> None:
    with redis.Redis(port=server.port, socket_timeout=10) as client:
        for _ in range(10):
            client.script_flush()
            client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            load.flows(50)
    assert load.ended() == load.acknowledged


WORKER = """
import random, sys, threading
from pathlib import Path
from leadlab.stream.worker import Worker
from tests.faults.test_faults_redis import bus_at
from tests.stream.kept import JournalKeeper
url, home, name = sys.argv[1:]
Worker(bus_at(url), Path(home), JournalKeeper, name=name, rng=random.Random(name)).run(
    threading.Event())
"""


def test_workers_killed_under_load(server: RedisServer, tmp_path: Path) -> None:
    """Each life of a worker is a process that ends by kill -9 at a moment that nobody chose."""
    rng, home, probe = random.Random(5), tmp_path / "home", bus_at(server.url)
    acknowledged: dict[str, list[str]] = {}
    lives = [live(server.url, home, f"w{k}") for k in range(2)]
    i = 0
    try:
        for life in range(4):
            until(lambda: probe.lag("engine") == 0)
            for _ in range(rng.randint(20, 60)):
                batch = [event(k, f"lead-{k % 7}") for k in range(i, i + rng.randint(1, 50))]
                i += len(batch)
                probe.publish(batch)
                for one in batch:
                    acknowledged.setdefault(one.lead, []).append(one.id)
            lives[life % 2].send_signal(signal.SIGKILL)
            lives[life % 2].wait()
            lives[life % 2] = live(server.url, home, f"w{life + 2}")
        until(lambda: probe.lag("engine") == 0)
    finally:
        for process in lives:
            process.kill()
            process.wait()
        probe.close()
    assert by_lead(kept_in(home)) == acknowledged


def live(url: str, home: Path, name: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WORKER, url, str(home), name])

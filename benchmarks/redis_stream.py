"""Events a second through a Redis server of our own, which flushes each write to disk.

``python benchmarks/redis_stream.py [--json] [--quick]``

First the bus alone: one process publishes, another consumes and commits. Then the whole way: JSON
bodies are decoded and published, two ``leadlab worker`` processes journal, score and exactly
explain every event, and the clock stops when all results are stored. SIMULATED events of 20,000
leads in each of 16 tenants, in 4 partitions. The model is trained, the bodies are made and the
kernels compiled before the clock starts.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import live_bodies
import live_model
import msgspec
from record import finish, record

from leadlab.errors import Overloaded, StoreFailed
from leadlab.schema.received import receive
from leadlab.schema.wire import WireEvent
from leadlab.stream.redis_bus import RedisBus
from leadlab.stream.service import wall_us

TENANTS, PARTITIONS, WORKERS = 16, 4, 2
PLAIN, PLAIN_QUICK = 1_000_000, 100_000
WHOLE, WHOLE_QUICK = 1_000_000, 60_000
PLAIN_TARGET, WHOLE_TARGET = 60_000.0, 15_000.0


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """A server on a free port; its address."""
    if shutil.which("redis-server") is None:
        sys.exit("no redis-server here: apt install redis-server, or conda install redis-server")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder.mkdir()
    options = f"--port {port} --bind 127.0.0.1 --dir {folder} --appendonly yes --appendfsync always"
    command = ["redis-server", *options.split(), "--save", "", "--logfile", "redis.log"]
    process = subprocess.Popen(command)
    url = f"redis://127.0.0.1:{port}/0"
    try:
        wait_for(url)
        yield url
    finally:
        process.terminate()
        process.wait()


def wait_for(url: str) -> None:
    """Until the server answers."""
    for _ in range(500):
        try:
            RedisBus(url, namespace="probe").close()
            return
        except StoreFailed:
            time.sleep(0.02)
    sys.exit("redis-server did not start")


def plain_event(i: int) -> WireEvent:
    """One event, about 150 bytes packed."""
    data = {"page": "listing", "listing": f"MLS-{i % 997:07d}", "seconds": float(i % 60)}
    tenant, lead = f"team-{i % TENANTS}", f"lead-{i % 20_000}"
    return WireEvent(f"e{i}", tenant, lead, "Listing Viewed", 1_772_384_400_000_000 + i, data=data)


def publish_all(url: str, n: int, go: Any) -> None:
    """The publishing process."""
    bus = RedisBus(url, namespace="plain", partitions=PARTITIONS)
    events = [plain_event(i) for i in range(n)]
    go.wait()
    for start in range(0, n, 4096):
        bus.publish(events[start : start + 4096])
    bus.close()


def plain(url: str, n: int) -> float:
    """Events a second, published by one process and committed by another."""
    bus = RedisBus(url, namespace="plain", partitions=PARTITIONS)
    consumer = bus.consumer("bench", "one")
    spawning = multiprocessing.get_context("spawn")
    go = spawning.Barrier(2)
    producer = spawning.Process(target=publish_all, args=(url, n, go))
    producer.start()
    go.wait()
    start_s, taken = time.perf_counter(), 0
    while taken < n:
        deliveries = consumer.poll(8192, 1.0)
        consumer.commit(deliveries)
        taken += sum(map(len, deliveries))
    elapsed_s = time.perf_counter() - start_s
    producer.join()
    bus.close()
    return n / elapsed_s


def results_in(home: Path) -> int:
    """Results stored so far: offsets of a journal count its events from 1."""
    total = 0
    for path in home.glob("partitions/*/results.db"):
        db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        there = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'results'").fetchone()
        query = "SELECT last FROM results ORDER BY first DESC LIMIT 1"
        total += (db.execute(query).fetchone() or (0,))[0] if there else 0
        db.close()
    return total


def publish_body(bus: RedisBus, body: bytes, k: int) -> int:
    """Decode a body of one tenant's events, as of now, and publish it."""
    now_us = wall_us()
    got = receive(body, tenant=f"team-{k % TENANTS}", now_us=now_us, lines=True)
    events = [
        msgspec.structs.replace(e, at_us=now_us, id=f"{k}-{e.id}") for e in got.events
    ]  # fmt: skip
    while True:
        try:
            return bus.publish(events).new
        except Overloaded:
            time.sleep(0.05)


def stored(home: Path, wanted: int) -> None:
    """Wait until so many results are stored."""
    until_s = time.monotonic() + 600
    while (found := results_in(home)) < wanted:
        if time.monotonic() > until_s:
            sys.exit(f"only {found:,} of {wanted:,} results came")
        time.sleep(0.02)


def whole(url: str, folder: Path, n: int) -> float:
    """Events a second from bodies to results by two workers."""
    model, bodies, home = live_model.trained(folder), folder / "bodies", folder / "home"
    live_bodies.write(bodies, n + TENANTS * live_bodies.BODY, 20_000)
    bus = RedisBus(url, namespace="whole", partitions=PARTITIONS, bound=200_000)
    command = [
        sys.executable, "-c", "from leadlab.cli import main; main()", "worker", "--redis", url,
        "--namespace", "whole", "--home", str(home), "--model", str(model),
    ]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    each = PARTITIONS // WORKERS
    shares = [f"{k * each}-{k * each + each - 1}" for k in range(WORKERS)]
    workers = [subprocess.Popen([*command, "--partitions", s], env=environment) for s in shares]
    try:
        read = ((k, body) for k, (body, _, _) in enumerate(live_bodies.read(bodies)))
        sent = sum(publish_body(bus, body, k) for k, body in itertools.islice(read, TENANTS))
        stored(home, sent)
        start_s, before = time.perf_counter(), sent
        for k, body in read:
            sent += publish_body(bus, body, k)
        stored(home, sent)
        elapsed_s = time.perf_counter() - start_s
    finally:
        for worker in workers:
            worker.send_signal(signal.SIGTERM)
        codes = [worker.wait() for worker in workers]
        bus.close()
    if any(codes):
        sys.exit(f"workers ended with {codes}")
    return (sent - before) / elapsed_s


def run(quick: bool) -> list[dict[str, Any]]:
    """Measure; records as in `benchmarks/record.py`."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with redis_server(folder / "redis") as url:
            n_plain, n_whole = (PLAIN_QUICK, WHOLE_QUICK) if quick else (PLAIN, WHOLE)
            alone = plain(url, n_plain)
            scored = whole(url, folder, n_whole)
    return [
        record(
            f"Redis Streams, {n_plain:,} events, published and committed", alone, "events/s",
            "target", PLAIN_TARGET, better="higher",
        ),
        record(
            f"JSON to results through Redis, {n_whole:,} events, two workers", scored, "events/s",
            "target", WHOLE_TARGET, better="higher",
        ),
    ]  # fmt: skip


if __name__ == "__main__":
    sys.exit(finish(run, __doc__))

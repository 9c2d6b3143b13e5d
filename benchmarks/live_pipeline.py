"""Events a second through the whole service in one process: JSON in, results published.

``python benchmarks/live_pipeline.py [--json] [--quick]``

Every event is decoded, journalled (flushed to disk), turned into features, scored, exactly
explained and published, one result an event: 5 million SIMULATED events of 20,000 leads. Two
threads: one reads bodies of 1,000 events, one is the engine. The bodies are made before the clock
starts. Beside the target of 50,000 events a second; memory is printed as it goes.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import live_bodies
import live_model
from record import finish, record

from leadlab.cli.served import take_turns
from leadlab.explain import Scorer
from leadlab.schema.received import receive
from leadlab.stream.live_engine import LiveEngine
from leadlab.stream.outcome import Outcome
from leadlab.stream.pacing import Pacing
from leadlab.stream.plan import Plan
from leadlab.stream.service import Service
from leadlab.stream.sink import Sink

TARGET = 50_000.0
BACKLOG = 8_000
"""Events that wait at most: what is fed faster waits at the door, where caches stay warm."""
EVENTS, QUICK = 5_000_000, 200_000


def resident_mb() -> float:
    """Memory of this process that is in RAM, MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def sustained(home: Path, bodies: Path, events: int) -> tuple[float, int, list[float]]:
    """Seconds from the first body to the last result, results, and memory on the way in MB."""
    plan = Plan.of(Scorer.load(live_model.trained(home)))
    published = 0

    def count(outcome: Outcome) -> None:
        nonlocal published
        published += len(outcome)

    pacing = Pacing(batch=4096, lag=200_000, keep=1_000_000)
    service = Service(home, lambda: LiveEngine(plan), [Sink("count", count)], pacing=pacing)
    service.start()
    take_turns()
    sent, memory = 0, [resident_mb()]
    start_s = time.perf_counter()
    for body, n, stamp_us in live_bodies.read(bodies):
        got = receive(body, tenant="acme", now_us=stamp_us, lines=True)
        while service.lag > BACKLOG:
            time.sleep(0.001)
        service.submit(got.events, stamp_us=stamp_us)
        sent += n
        if sent >= events * len(memory) / 10:
            memory.append(resident_mb())
            at_s = time.perf_counter() - start_s
            print(f"  {sent:>9,} sent  {at_s:7.1f} s  {memory[-1]:7.0f} MB", file=sys.stderr)
    service.settled(300)
    elapsed_s = time.perf_counter() - start_s
    counts, status = service.engine.lanes[""].counts, service.status
    service.stop()
    print(
        f"  {published:,} results, {counts.late:,} late, {counts.too_late} too late, "
        f"{counts.fallbacks} by rules, {status.checkpoints} checkpoints, "
        f"troubles: {status.troubles or 'none'}",
        file=sys.stderr,
    )
    return elapsed_s, published, memory


def run(quick: bool) -> list[dict[str, Any]]:
    """Measure; records as in `benchmarks/record.py`."""
    with tempfile.TemporaryDirectory() as folder:
        home, bodies = Path(folder), Path(folder) / "bodies"
        events = live_bodies.write(bodies, QUICK if quick else EVENTS, 20_000)
        elapsed_s, published, memory = sustained(home, bodies, events)
    name = f"whole service, {published:,} events, one process"
    rate = published / elapsed_s
    half = memory[len(memory) // 2]
    return [
        record(name, rate, "events/s", "target", TARGET, better="higher"),
        record("memory at the end of it", memory[-1], "MB", "half way", half),
    ]


if __name__ == "__main__":
    sys.exit(finish(run, __doc__))

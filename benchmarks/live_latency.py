"""Arrival to published at 1,000 single events a second, through the whole service.

``python benchmarks/live_latency.py [--json] [--quick]``

Events are SIMULATED and come at fixed moments of a real clock, whether or not the service keeps up
(an open loop): an event's time starts when it was due, so that waiting to be submitted counts. Each
is submitted alone, by one of eight threads as a web server has them; it ends when the sink is told,
after journal (flushed to disk), features, score, exact contributions and result store. The flush of
the disk is measured beside it, since no durable event can be faster. The peer gets features for
nothing: XGBoost's score and contributions of one row in an array, one thread.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import live_bodies
import live_model
import numpy as np
import xgboost as xgb
from record import finish, record

from leadlab.explain import Scorer
from leadlab.schema.received import receive
from leadlab.schema.wire import WireEvent
from leadlab.stream.live_engine import LiveEngine
from leadlab.stream.outcome import STAGES, Outcome
from leadlab.stream.plan import Plan
from leadlab.stream.service import Service
from leadlab.stream.sink import Sink

RATE, THREADS = 1000, 8
WARM_UP = 50_000
SWITCH_S = 0.0005
"""How soon one thread of Python makes room for another; 5 ms by default."""


class Clocked:
    """When each event was published, and the receipts of batches."""

    def __init__(self) -> None:
        self.published_s: dict[str, float] = {}
        self.receipts: list[dict[str, float]] = []
        self.values: list[np.ndarray] = []

    def take(self, outcome: Outcome) -> None:
        """Be told."""
        now_s = time.perf_counter()
        self.published_s.update(dict.fromkeys(outcome.events.id, now_s))
        self.receipts.append(outcome.receipt)
        if outcome.scores is not None and len(self.values) < 2000:
            self.values.append(outcome.scores.table.values[:1])


def simulated(folder: Path, events: int) -> list[tuple[WireEvent, int]]:
    """Events with their stream times."""
    bodies = folder / "bodies"
    live_bodies.write(bodies, events, 5_000)
    return [
        (event, stamp_us)
        for body, _, stamp_us in live_bodies.read(bodies)
        for event in receive(body, tenant="acme", now_us=stamp_us, lines=True).events
    ]


def paced(submit: Callable[[int], object], n: int) -> np.ndarray:
    """Call `submit` of 0 ... n - 1 at their moments; gives the moments, clock seconds."""
    due_s = time.perf_counter() + 0.1 + np.arange(n) / RATE

    def go(first: int) -> None:
        for k in range(first, n, THREADS):
            wait_s = due_s[k] - time.perf_counter()
            if wait_s > 0:
                time.sleep(wait_s)
            submit(k)

    threads = [threading.Thread(target=go, args=(i,)) for i in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return due_s


def measured(folder: Path, plan: Plan, seconds: int) -> tuple[np.ndarray, Clocked]:
    """Milliseconds from due to published of each event."""
    n = RATE * seconds
    events = simulated(folder, WARM_UP + n)
    clocked = Clocked()
    service = Service(folder / "live", lambda: LiveEngine(plan), [Sink("clock", clocked.take)])
    service.start()
    for start in range(0, WARM_UP, 1000):
        part = events[start : start + 1000]
        service.submit([event for event, _ in part], stamp_us=part[-1][1])
    service.settled()
    clocked.receipts.clear()
    later = events[WARM_UP : WARM_UP + n]

    def submit(k: int) -> None:
        event, stamp_us = later[k]
        service.submit([event], stamp_us=stamp_us)

    due_s = paced(submit, n)
    service.settled()
    service.stop()
    published_s = np.array([clocked.published_s[event.id] for event, _ in later])
    return (published_s - due_s) * 1e3, clocked


def flushed_ms(folder: Path, n: int) -> np.ndarray:
    """Milliseconds that a flush of a few hundred bytes takes on this disk."""
    took = np.empty(n)
    with (folder / "flushed").open("wb") as file:
        for i in range(n):
            file.write(b"x" * 400)
            file.flush()
            start_s = time.perf_counter()
            os.fsync(file.fileno())
            took[i] = (time.perf_counter() - start_s) * 1e3
    return took


def by_xgboost_ms(plan: Plan, rows: list[np.ndarray]) -> np.ndarray:
    """Milliseconds of XGBoost's score and contributions of single rows in turn."""
    assert plan.conversion is not None
    booster, columns = plan.conversion.model.booster_, plan.columns(plan.conversion.features)
    took = np.empty(len(rows))
    for i, row in enumerate(rows):
        own = np.ascontiguousarray(row[:, columns])
        start_s = time.perf_counter()
        booster.inplace_predict(own, missing=np.nan, validate_features=False)
        data = xgb.DMatrix(own, nthread=1)
        booster.predict(data, pred_contribs=True, validate_features=False)
        took[i] = (time.perf_counter() - start_s) * 1e3
    return took[len(rows) // 10 :]


def run(quick: bool) -> list[dict[str, Any]]:
    """Measure; records as in `benchmarks/record.py`."""
    sys.setswitchinterval(SWITCH_S)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plan = Plan.of(Scorer.load(live_model.trained(folder)))
        before = flushed_ms(folder, 200)
        took, clocked = measured(folder, plan, 5 if quick else 30)
        flush = np.concatenate([before, flushed_ms(folder, 200)])
    peer = by_xgboost_ms(plan, clocked.values)
    label = f"arrival to published, {RATE:,} events/s"
    found = [
        record(f"{label}, p50", float(np.percentile(took, 50)), "ms", "target", 3.0),
        record(f"{label}, p99", float(np.percentile(took, 99)), "ms", "target", 10.0),
        record(f"{label}, max", float(took.max()), "ms", "none", None),
        record("  of which a flush of the disk, p50", float(np.median(flush)), "ms", "p99",
               float(np.percentile(flush, 99))),
    ]  # fmt: skip
    steps = {
        step: np.array([r[step] - r[before_] for r in clocked.receipts]) * 1e3
        for before_, step in pairwise(STAGES)
    }
    for step, spent in steps.items():
        p50, p99 = (float(np.percentile(spent, q)) for q in (50, 99))
        found.append(record(f"  until {step}, p50", p50, "ms", "p99", p99))
    scored = sum(steps[step] for step in ("scored", "explained"))
    found.append(
        record("one event scored and explained, p50", float(np.median(scored)), "ms",
               "XGBoost, one row, features given", float(np.median(peer)))
    )  # fmt: skip
    return found


if __name__ == "__main__":
    sys.exit(finish(run, __doc__))

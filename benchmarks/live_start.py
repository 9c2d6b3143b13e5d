"""Start of the live service after a clean stop with a million leads.

``python benchmarks/live_start.py [--json] [--quick]``

A million SIMULATED leads with five events each are taken down a lane and written as a checkpoint,
beside a journal that stands at the same offset. A fresh process then starts the service and scores
one event; the time of its imports and of loading the model is told apart.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import live_model
import numpy as np
from record import finish, record

from leadlab.explain import Scorer
from leadlab.schema.wire import WireEvent
from leadlab.stream import checkpoint
from leadlab.stream.entries import Entries
from leadlab.stream.journal import Journal
from leadlab.stream.known_ids import id_keys
from leadlab.stream.live_engine import LiveEngine
from leadlab.stream.outcome import Outcome
from leadlab.stream.plan import Plan
from leadlab.stream.service import Service
from leadlab.stream.sink import Sink

TARGET_S = 10.0
LEADS, QUICK = 1_000_000, 50_000
EVENTS_EACH = 5
KINDS = ("Inquiry", "Viewed Property", "Visited Website", "Message Received", "Showing Requested")
START_US = 1_772_384_400_000_000
BATCH = 8192


def event(number: int, leads: int) -> WireEvent:
    """The `number`-th event: leads take turns, one event a millisecond."""
    lead, turn = number % leads, number // leads
    return WireEvent(
        f"{number}", "acme", f"lead-{lead:07d}", KINDS[(lead + turn) % len(KINDS)],
        START_US + number * 1000, float(lead % 997), f"agent-{lead % 50}",
    )  # fmt: skip


def stopped(home: Path, model: Path, leads: int) -> float:
    """Leave a home as a clean stop leaves it; gives the checkpoint's size in MB."""
    engine = LiveEngine(Plan.of(Scorer.load(model)))
    total = leads * EVENTS_EACH
    scored = total - total // EVENTS_EACH
    with Journal(home / "journal.db") as journal:
        for first in range(0, total, BATCH):
            events = [event(i, leads) for i in range(first, min(first + BATCH, total))]
            offsets = np.arange(first + 1, first + 1 + len(events))
            stamps_us = np.full(len(events), events[-1].at_us)
            entries = Entries(events, offsets, stamps_us, id_keys(events))
            journal.append(events, events[-1].at_us)
            if first < scored:
                engine.learn(entries)
            else:
                engine.take(entries)
    engine.offset = total
    path = checkpoint.write(checkpoint.freeze(engine, {}), home / "checkpoints")
    return path.stat().st_size / 1e6


def started(home: Path, model: Path, leads: int) -> dict[str, float]:
    """Seconds of a start in this process."""
    loaded_s = time.perf_counter()
    plan = Plan.of(Scorer.load(model))
    results: list[int] = []

    def note(outcome: Outcome) -> None:
        results.append(len(outcome))

    start_s = time.perf_counter()
    service = Service(home, lambda: LiveEngine(plan), [Sink("note", note)])
    service.start()
    live_s = time.perf_counter()
    state, replayed = service.status.state, service.status.replayed
    service.submit([event(leads * EVENTS_EACH, leads)])
    service.settled(300)
    scored_s = time.perf_counter()
    known = len(service.engine.lanes[""].names)
    if state != "live" or replayed or results != [1] or known != leads:
        raise AssertionError(f"no clean start: {state}, {replayed}, {len(results)}, {known}")
    return {
        "model": start_s - loaded_s,
        "live": live_s - start_s,
        "scored": scored_s - start_s,
    }


def run(quick: bool) -> list[dict[str, Any]]:
    """Measure; records as in `benchmarks/record.py`."""
    leads = QUICK if quick else LEADS
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        model = live_model.trained(home)
        size_mb = stopped(home, model, leads)
        command = [sys.executable, __file__, "--start", str(home), str(model), str(leads)]
        begin_s = time.perf_counter()
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        whole_s = time.perf_counter() - begin_s
    took: dict[str, float] = json.loads(done.stdout)
    label = f"{leads:,} leads"
    return [
        record(f"start to live, {label}", took["live"], "s", "target", TARGET_S),
        record(f"start to first event scored, {label}", took["scored"], "s", "target", TARGET_S),
        record(f"model loaded and compiled, {label}", took["model"], "s", "whole process", whole_s),
        record(f"checkpoint, {label}", size_mb, "MB", "none", None),
    ]


if __name__ == "__main__":
    if "--start" in sys.argv:
        home_, model_, leads_ = sys.argv[2:5]
        json.dump(started(Path(home_), Path(model_), int(leads_)), sys.stdout)
    else:
        sys.exit(finish(run, __doc__))

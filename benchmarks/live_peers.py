"""The live service beside the per-event route of others: same events, same model, from one run.

``python benchmarks/live_peers.py [--json] [--quick]``

Each peer decodes an event's JSON, brings window counts and means up to date, and asks XGBoost for
score and contributions of the one row, on one thread. They keep nothing on disk and publish
nothing, where we journal each event durably and keep its result. river computes those of the
catalogue's features that it has operators for (counts and means over time windows), the dataflow of
Bytewax those of them that are of the lead itself, in plain Python; the model's other columns are
missing for them. Before anything is timed their values are held against ours: river's windows
forget only when they are updated, so river is held against ours where that does not show. Quix
Streams runs on a Kafka broker only, which is not here. Events are SIMULATED.
"""

from __future__ import annotations

import datetime as dt
import itertools
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import live_bodies
import msgspec
import numpy as np
import xgboost as xgb
from live_pipeline import sustained
from record import finish, missing, record

from leadlab.explain import Scorer
from leadlab.schema.received import receive
from leadlab.stream.entries import Entries
from leadlab.stream.lane import Lane
from leadlab.stream.plan import Plan

NAME = "JSON in, scored, explained, per event"
EVENTS, QUICK = 1_000_000, 200_000
PEER_EVENTS, PEER_QUICK = 20_000, 4_000
CHECKED = 2_000
LEADS = 20_000
EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001  (river compares with times without a zone)


class Window(NamedTuple):
    """A feature that the peers compute: a count, or the mean of a number, over a time window."""

    column: int
    kinds: tuple[str, ...]
    source: str | None
    window_us: int
    by: str


def windows(plan: Plan, by: tuple[str, ...]) -> list[Window]:
    """Features of a plan that are plain windows over events of a lead, an agent or the team."""
    found = []
    for column, feature in enumerate(plan.features):
        chosen = feature.events or (feature.number.events if feature.number else None)
        if chosen is None or feature.window_s is None or feature.op not in ("count", "mean"):
            continue
        source = feature.number.source if feature.number else None
        if chosen.when or chosen.where or source in ("gap", "response") or chosen.by not in by:
            continue
        window_us = feature.window_s * 1_000_000
        found.append(Window(column, chosen.kinds, source, window_us, chosen.by))
    return found


class Decoded(NamedTuple):
    """What the peers use of an event."""

    at_us: int
    entities: dict[str, str | None]
    kind: str
    numbers: dict[str, Any]


def decoded(line: bytes) -> Decoded:
    """An event from its JSON."""
    row = msgspec.json.decode(line)
    at = dt.datetime.fromisoformat(row["at"])
    names = {"lead": row["lead"], "agent": row.get("agent"), "tenant": "acme"}
    numbers = {"value": row.get("value"), **row.get("data", {})}
    return Decoded(round(at.timestamp() * 1e6), names, row["kind"], numbers)


def asked(window: Window, event: Decoded) -> float | None:
    """The number that an event adds to a window; None where it adds nothing."""
    if window.kinds and event.kind not in window.kinds:
        return None
    return 1.0 if window.source is None else event.numbers.get(window.source)


class OneRow:
    """XGBoost's score and contributions of one row, one thread."""

    def __init__(self, plan: Plan) -> None:
        assert plan.conversion is not None
        self._booster = plan.conversion.model.booster_
        self._columns = plan.columns(plan.conversion.features)

    def __call__(self, values: np.ndarray) -> tuple[Any, Any]:
        """Score, and contributions."""
        row = np.ascontiguousarray(values[None, self._columns])
        score = self._booster.inplace_predict(row, missing=np.nan, validate_features=False)
        data = xgb.DMatrix(row, nthread=1)
        return score, self._booster.predict(data, pred_contribs=True, validate_features=False)


def by_river(plan: Plan, lines: list[bytes], score: Callable[[np.ndarray], object]) -> np.ndarray:
    """One `Agg` over a `TimeRolling` for each feature; learn, then read them all."""
    from river import feature_extraction, stats, utils  # noqa: PLC0415  (a peer may be missing)

    chosen = windows(plan, ("lead", "tenant"))
    aggregates = [
        feature_extraction.Agg(
            on="x",
            by=w.by,
            how=utils.TimeRolling(
                stats.Sum if w.source is None else stats.Mean,
                period=dt.timedelta(microseconds=w.window_us),
            ),
        )
        for w in chosen
    ]
    out = np.full((len(lines), len(plan.features)), np.nan, np.float32)
    for i, line in enumerate(lines):
        event = decoded(line)
        t = EPOCH + dt.timedelta(microseconds=event.at_us)
        for window, aggregate in zip(chosen, aggregates, strict=True):
            number = asked(window, event)
            x = {**event.entities, "x": number}
            if number is not None:
                aggregate.learn_one(x, t=t)
            (out[i, window.column],) = aggregate.transform_one(x).values()
        score(out[i])
    return out


class LeadWindows:
    """Windows of one lead in plain Python: a queue and a running sum each."""

    def __init__(self, chosen: list[Window]) -> None:
        self._held: list[deque[tuple[int, float]]] = [deque() for _ in chosen]
        self._sums = [0.0] * len(chosen)

    def take(self, chosen: list[Window], event: Decoded, width: int) -> np.ndarray:
        """Let an event in and old ones out; all values."""
        values = np.full(width, np.nan, np.float32)
        for k, window in enumerate(chosen):
            held, number = self._held[k], asked(window, event)
            if number is not None:
                held.append((event.at_us, number))
                self._sums[k] += number
            while held and held[0][0] <= event.at_us - window.window_us:
                self._sums[k] -= held.popleft()[1]
            if window.source is None:
                values[window.column] = len(held)
            elif held:
                values[window.column] = self._sums[k] / len(held)
        return values


def by_bytewax(plan: Plan, lines: list[bytes], score: Callable[[np.ndarray], object]) -> np.ndarray:
    """A dataflow: decode, windows in a stateful map by lead, score; one worker."""
    import bytewax.operators as op  # noqa: PLC0415
    from bytewax.dataflow import Dataflow  # noqa: PLC0415
    from bytewax.testing import TestingSink, TestingSource, run_main  # noqa: PLC0415

    chosen, width = windows(plan, ("lead",)), len(plan.features)
    found: list[np.ndarray] = []

    def take(state: LeadWindows | None, event: Decoded) -> tuple[LeadWindows, np.ndarray]:
        state = state or LeadWindows(chosen)
        return state, state.take(chosen, event, width)

    def scored(keyed: tuple[str, np.ndarray]) -> np.ndarray:
        score(keyed[1])
        return keyed[1]

    flow = Dataflow("peer")
    events = op.map("decode", op.input("in", flow, TestingSource(lines)), decoded)
    keyed = op.key_on("lead", events, lambda event: str(event.entities["lead"]))
    rows = op.map("score", op.stateful_map("windows", keyed, take), scored)
    op.output("out", rows, TestingSink(found))
    run_main(flow)
    return np.array(found)


def ours(plan: Plan, lines: list[bytes]) -> np.ndarray:
    """Our values after each event, as of its own time."""
    got = receive(b"\n".join(lines), tenant="acme", now_us=2**52, lines=True)
    at_us = np.array([event.at_us for event in got.events])
    entries = Entries(got.events, np.arange(1, len(at_us) + 1), at_us)
    scores = Lane(plan).take(entries).scores
    assert scores is not None
    return scores.table.values


def agree(plan: Plan, lines: list[bytes], theirs: np.ndarray, peer: str) -> int:
    """Stop where a peer's values are not ours; gives how many features it has."""
    mine = ours(plan, lines)
    chosen = windows(plan, ("lead", "tenant") if peer == "river" else ("lead",))
    events = [decoded(line) for line in lines]
    for window in chosen:
        shown = np.ones(len(lines), np.bool_)
        if peer == "river":  # stale for events that the window does not look at
            shown = np.array([asked(window, event) is not None for event in events])
        a, b = mine[shown, window.column], theirs[shown, window.column]
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4, err_msg=f"{peer}: {window}")
    return len(chosen)


PEERS = {"river": by_river, "bytewax": by_bytewax}


def read_lines(bodies: Path, n: int) -> list[bytes]:
    """The first events as lines of JSON."""

    def each() -> Iterator[bytes]:
        for body, _, _ in live_bodies.read(bodies):
            yield from body.split(b"\n")

    return list(itertools.islice(each(), n))


def run(quick: bool) -> list[dict[str, Any]]:
    """Measure; records as in `benchmarks/record.py`."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        home, bodies = Path(folder), Path(folder) / "bodies"
        events = live_bodies.write(bodies, QUICK if quick else EVENTS, LEADS)
        elapsed_s, published, _ = sustained(home, bodies, events)
        rate = published / elapsed_s
        plan = Plan.of(Scorer.load(home / "live.leadlab"))
        lines = read_lines(bodies, PEER_QUICK if quick else PEER_EVENTS)
    score = OneRow(plan)
    for peer, route in PEERS.items():
        try:
            theirs = route(plan, lines[:CHECKED], score)
        except ModuleNotFoundError as error:
            found.append(missing(NAME, rate, "events/s", f"{peer} + XGBoost", error))
            continue
        features = agree(plan, lines[:CHECKED], theirs, peer)
        start_s = time.perf_counter()
        route(plan, lines, score)
        peer_rate = len(lines) / (time.perf_counter() - start_s)
        label = f"{peer} + XGBoost, {features} of {len(plan.features)} features"
        found.append(record(NAME, rate, "events/s", label, peer_rate, better="higher"))
    found.append(record(NAME, rate, "events/s", "quixstreams (missing: no Kafka broker)", None))
    return found


if __name__ == "__main__":
    sys.exit(finish(run, __doc__))

"""Feature kernel against the field: the same simulated log, the same 72 values an event, one core.

``python benchmarks/features.py [--json] [--quick]``

8 kinds x 3 windows (1, 7 and 30 days) x count, sum and mean of the event's value, as of each event,
windows ``(t - w, t]``. The log is SIMULATED from a seed: work is measured here, not insight.
A peer too slow for the whole log runs on its first leads, and the row says on how many events.
Before anything is timed, peers are held against our values on a small log; river's rolling windows
forget only when they are updated, so river is held against ours where that does not show.
"""

from __future__ import annotations

import datetime as dt
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from record import best_of, finish, missing, record

from leadlab.features import FeatureSet, build, count, events, mean, number, total
from leadlab.schema.log import Coded, EventLog

KINDS = [f"kind{i}" for i in range(8)]
DAYS = [1, 7, 30]
US_PER_DAY = 86_400_000_000
NAME = "features, 72 values an event"


def simulated(n: int, n_leads: int, seed: int = 0) -> EventLog:
    """SIMULATED events of `n_leads` leads over 180 days."""
    rng = np.random.default_rng(seed)
    return EventLog(
        id=np.array([str(i) for i in range(n)], dtype=object),
        tenant=Coded.constant("simulated", n),
        lead=Coded(
            rng.integers(0, n_leads, n).astype(np.int32),
            np.array([f"lead{i}" for i in range(n_leads)], dtype=object),
        ),
        kind=Coded(rng.integers(0, 8, n).astype(np.int32), np.array(KINDS, dtype=object)),
        at_us=np.sort(rng.choice(180 * 86_400_000, n, replace=False)).astype(np.int64) * 1000,
        value=np.round(rng.gamma(2.0, 100.0, n), 2),
        agent=Coded.constant(None, n),
        source=Coded.constant(None, n),
    )


def first_leads(log: EventLog, n_events: int) -> EventLog:
    """Whole leads, about `n_events` events of them."""
    sizes = np.bincount(log.lead.codes)
    n_leads = int(np.searchsorted(np.cumsum(sizes), n_events)) + 1
    return log.take(log.lead.codes < n_leads)


def declared() -> FeatureSet:
    """The 72 features: by kind, then window, then count, sum and mean."""
    features = []
    for kind in KINDS:
        value = number("value", events(kind))
        for days in DAYS:
            w = f"{days}d"
            features += [count(events(kind), w), total(value, w), mean(value, w)]
    return FeatureSet(features)


def ours(log: EventLog) -> np.ndarray:
    """Values by our kernel, from the event log on."""
    return build(log, declared()).values


def _frame(log: EventLog) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "row": np.arange(len(log)),
            "lead": log.lead.codes,
            "kind": log.kind.codes,
            "time": pd.to_datetime(log.at_us, unit="us"),
            "value": log.value,
        }
    )


def by_pandas(log: EventLog) -> np.ndarray:
    """One rolling window for each kind and length over the values of that kind."""
    frame = _frame(log).sort_values(["lead", "time"], kind="stable")
    wide = {k: frame["value"].where(frame["kind"] == k) for k in range(8)}
    table = pd.DataFrame({"lead": frame["lead"], "time": frame["time"], **wide})
    out = np.empty((len(log), 72))
    for i, days in enumerate(DAYS):
        rolling = table.groupby("lead", sort=False).rolling(f"{days}D", on="time", min_periods=0)
        n, sums = rolling[list(wide)].count(), rolling[list(wide)].sum()
        for k in range(8):
            at = (k * 3 + i) * 3
            counts, totals = n[k].to_numpy(), sums[k].to_numpy()
            out[frame["row"], at] = counts
            out[frame["row"], at + 1] = totals
            out[frame["row"], at + 2] = np.divide(
                totals, counts, where=counts > 0, out=np.full(len(log), np.nan)
            )
    return out


def by_polars(log: EventLog) -> np.ndarray:
    """One `rolling` for each length, all kinds in it."""
    import polars as pl  # noqa: PLC0415  (a peer may be missing)

    frame = pl.from_pandas(_frame(log)).sort("lead", "time")
    out = np.empty((len(log), 72))
    for i, days in enumerate(DAYS):
        aggregates = []
        for k in range(8):
            chosen = pl.col("value").filter(pl.col("kind") == k)
            aggregates += [
                chosen.count().alias(f"n{k}"),
                chosen.sum().alias(f"s{k}"),
                chosen.mean().alias(f"m{k}"),
            ]
        table = frame.rolling("time", period=f"{days}d", group_by="lead").agg(aggregates)
        rows = frame["row"].to_numpy()
        for k in range(8):
            at = (k * 3 + i) * 3
            for j, name in enumerate("nsm"):
                out[rows, at + j] = table[f"{name}{k}"].to_numpy()
    return out


def by_duckdb(log: EventLog) -> np.ndarray:
    """One query with 72 window aggregates over three named range windows."""
    import duckdb  # noqa: PLC0415

    frame = _frame(log)
    columns = [
        f"{f} FILTER (kind = {k}) OVER w{days}"
        for k in range(8)
        for days in DAYS
        for f in ("count(value)", "sum(value)", "avg(value)")
    ]
    windows = ", ".join(
        f'w{days} AS (PARTITION BY lead ORDER BY "time" RANGE BETWEEN '
        f"(INTERVAL '{days} days' - INTERVAL '1 microsecond') PRECEDING AND CURRENT ROW)"
        for days in DAYS
    )
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.register("frame", frame)
        query = f"SELECT {', '.join(columns)}, row FROM frame WINDOW {windows}"
        table = connection.execute(query).fetchnumpy()
    *values, rows = table.values()
    out = np.empty((len(log), 72))
    for j, column in enumerate(values):
        filled = np.ma.filled(column.astype(np.float64), 0.0 if j % 3 == 1 else np.nan)
        out[rows, j] = filled
    return out


def by_river(log: EventLog) -> np.ndarray:
    """One `Agg` over a `TimeRolling` for each value; learn from the event, then read all 72."""
    from river import feature_extraction, stats, utils  # noqa: PLC0415

    aggregates = [
        (
            k,
            feature_extraction.Agg(
                on=on,
                by="lead",
                how=utils.TimeRolling(how, period=dt.timedelta(days=days)),
            ),
        )
        for k in range(8)
        for days in DAYS
        for on, how in (("one", stats.Sum), ("value", stats.Sum), ("value", stats.Mean))
    ]
    times = log.at_us.astype("datetime64[us]").tolist()
    out = np.empty((len(log), 72))
    for i, (lead, kind, value, t) in enumerate(
        zip(
            log.lead.codes.tolist(), log.kind.codes.tolist(), log.value.tolist(), times, strict=True
        )
    ):
        x = {"lead": lead, "value": value, "one": 1}
        for j, (of_kind, aggregate) in enumerate(aggregates):
            if of_kind == kind:
                aggregate.learn_one(x, t=t)
            (out[i, j],) = aggregate.transform_one(x).values()
    return out


PEERS: dict[str, tuple[Callable[[EventLog], np.ndarray], int]] = {
    "pandas": (by_pandas, 1_000_000),
    "polars": (by_polars, 1_000_000),
    "duckdb": (by_duckdb, 1_000_000),
    "river": (by_river, 20_000),
}


def _agree(log: EventLog, theirs: np.ndarray, peer: str) -> None:
    """Stop where a peer's values are not ours."""
    mine = ours(log).astype(np.float64)
    shown = np.ones(mine.shape, np.bool_)
    if peer == "river":  # stale for kinds other than the event's own
        shown = np.repeat(np.eye(8, dtype=np.bool_)[log.kind.codes], 9, axis=1)
    np.testing.assert_allclose(mine[shown], theirs[shown], rtol=1e-5, atol=1e-3, err_msg=peer)


def run(quick: bool) -> list[dict[str, Any]]:
    """Measure; records as in `benchmarks/record.py`."""
    n = 200_000 if quick else 1_000_000
    log = simulated(n, n // 50)
    small = first_leads(log, 2_000)
    build(small, declared())  # compile the kernel
    seconds = best_of(lambda: build(log, declared()), 5)
    rate = n / seconds
    found = [record(NAME, rate, "events/s", f"target, {n:,} events", 2e6, better="higher")]
    for peer, (function, size) in PEERS.items():
        try:
            _agree(small, function(small), peer)
        except ModuleNotFoundError as error:
            found.append(missing(NAME, rate, "events/s", peer, error))
            continue
        part = log if size >= n else first_leads(log, size // (4 if quick else 1))
        start = time.perf_counter()
        function(part)
        peer_rate = len(part) / (time.perf_counter() - start)
        label = f"{peer}, {len(part):,} events"
        found.append(record(NAME, rate, "events/s", label, peer_rate, better="higher"))
    return found


if __name__ == "__main__":
    sys.exit(finish(run, __doc__))

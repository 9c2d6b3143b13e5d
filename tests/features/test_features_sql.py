"""DuckDB's range windows as an independent oracle, on a log with ties and window edges."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import pytest

from leadlab.features import FeatureSet, build, count, events, highest, lowest, mean, number, total
from leadlab.schema import EventLog

WINDOWS = {"1h": "1 hour", "1d": "1 day", "7d": "7 days"}
AGGREGATES = {"total": "sum", "mean": "avg", "highest": "max", "lowest": "min"}
WORDS = {"total": total, "mean": mean, "highest": highest, "lowest": lowest}


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(20)
    n = 6000
    minutes = np.sort(rng.integers(0, 30 * 24 * 4, n)) * 15
    return pd.DataFrame(
        {
            "lead": rng.choice([f"lead{i}" for i in range(40)], n),
            "kind": rng.choice(["view", "save", "call"], n, p=[0.7, 0.2, 0.1]),
            "at": pd.Timestamp("2026-03-01", tz="UTC") + pd.to_timedelta(minutes, unit="m"),
            "value": np.where(rng.random(n) < 0.2, np.nan, rng.lognormal(12, 1, n)),
            "id": [f"e{i}" for i in range(n)],
        }
    )


def sql(frame: pd.DataFrame, aggregate: str, kind: str, window: str) -> np.ndarray:
    """The aggregate over ``(at - window, at]`` for each event, in the frame's order."""
    query = f"""
        SELECT {aggregate} FILTER (kind = '{kind}') OVER (
            PARTITION BY lead ORDER BY "at"
            RANGE BETWEEN (INTERVAL '{window}' - INTERVAL '1 microsecond') PRECEDING AND CURRENT ROW
        ) AS x FROM frame ORDER BY id
    """
    table = duckdb.sql(query).df()["x"].to_numpy(np.float64, na_value=np.nan)
    return pd.Series(table, index=sorted(frame["id"])).reindex(frame["id"]).to_numpy()


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("kind", ["view", "save", "call"])
def test_windows_agree_with_sql(frame: pd.DataFrame, kind: str, window: str) -> None:
    chosen = events(kind)
    price = number("value", chosen)
    features = FeatureSet([count(chosen, window), *(w(price, window) for w in WORDS.values())])
    log = EventLog.from_frame(frame, lead="lead", kind="kind", at="at", value="value", id="id")
    values = pd.DataFrame(build(log, features).values, index=log.id).reindex(frame["id"]).to_numpy()
    np.testing.assert_array_equal(values[:, 0], sql(frame, "count(*)", kind, WINDOWS[window]))
    for j, word in enumerate(WORDS, start=1):
        wanted = sql(frame, f"{AGGREGATES[word]}(value)", kind, WINDOWS[window])
        if word == "total":
            wanted = np.nan_to_num(wanted)  # SQL's sum of nothing is NULL, ours is 0
        np.testing.assert_allclose(values[:, j], wanted, rtol=1e-6, err_msg=word)


def test_a_sum_keeps_nothing_of_what_has_left() -> None:
    """Naive running sums leave 1e16 - 1e16 behind; ours is exact."""
    frame = pd.DataFrame(
        {
            "lead": "ann",
            "kind": "pay",
            "at": pd.to_datetime(
                ["2026-01-01T12", "2026-01-02T12", "2026-01-03T12", "2026-01-08T12"]
            ),
            "value": [1e15, 0.1, 0.2, 0.4],
        }
    )
    log = EventLog.from_frame(frame, lead="lead", kind="kind", at="at", value="value")
    table = build(log, FeatureSet([total(number("value", events("pay")), "7d")]))
    assert table.values[-1, 0] == np.float32(0.1 + 0.2 + 0.4)

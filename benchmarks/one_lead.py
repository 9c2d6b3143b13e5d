"""One lead: read its features, score it and explain it, as a live page asks for it.

``python benchmarks/one_lead.py [--json] [--quick]``

The store holds SIMULATED leads with the 71 catalogue features; the model has 200 trees of depth 5.
The peer gets the same features as a one-row frame and asks XGBoost for score and contributions,
one thread. Figures are single calls in turn, each for another lead at another moment.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import xgboost as xgb
from record import finish, record

from leadlab.data import simulate
from leadlab.explain import Scorer
from leadlab.features import OnlineStore, build, catalogue
from leadlab.models.conversion import ConversionModel

TARGET_MS = 1.0


def milliseconds(function: Callable[[int], object], n: int) -> np.ndarray:
    """Duration of each of `n` calls."""
    found = np.empty(n)
    for i in range(n):
        start = time.perf_counter_ns()
        function(i)
        found[i] = (time.perf_counter_ns() - start) / 1e6
    return found


def run(quick: bool) -> list[dict[str, Any]]:
    """Measure; records as in `benchmarks/record.py`."""
    features = catalogue()
    log = simulate(2_000 if quick else 20_000, 365).log
    table = build(log.take(np.arange(0, len(log) // 2)), features)
    label = np.nan_to_num(table.column("message_sentiment_mean_30d")) > 0.3
    model = ConversionModel(rounds=200, max_depth=5, min_child_weight=1.0).fit(table, label)
    scorer, store = Scorer(model, features, "bench"), OnlineStore(features)
    store.add(log)
    rng = np.random.default_rng(0)
    n = 1_000 if quick else 10_000
    leads = rng.choice(log.lead.names, n)
    as_of_us = int(log.at_us[-1]) + rng.integers(0, 86_400_000_000, n)

    def ours(i: int) -> object:
        return scorer.score(store.read([leads[i]], int(as_of_us[i])))

    rows = store.read(list(leads), as_of_us).to_frame()[features.names]

    def theirs(i: int) -> object:
        data = xgb.DMatrix(rows.iloc[[i]], nthread=1)
        return model.booster_.predict(data), model.booster_.predict(data, pred_contribs=True)

    for function in (ours, theirs):
        milliseconds(function, 50)
    mine, peer = milliseconds(ours, n), milliseconds(theirs, min(n, 2_000))
    found = []
    for name, q in (("p50", 50), ("p99", 99)):
        value, other = float(np.percentile(mine, q)), float(np.percentile(peer, q))
        label_ = f"one lead read, scored, explained, {name}"
        found.append(record(label_, value, "ms", "XGBoost, features given", other))
    found.append(record("one lead read, scored, explained, p99", value, "ms", "target", TARGET_MS))
    return found


if __name__ == "__main__":
    sys.exit(finish(run, __doc__))

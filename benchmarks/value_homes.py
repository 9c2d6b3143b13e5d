"""Homes valued one at a time with comparables, and in batches, on one core.

``python benchmarks/value_homes.py [--json] [--quick]``

The market has 20,000 MADE-UP sales; the model has its usual settings (1,600 trees of depth
6). One home: estimate, range, cautions and five comparables, from a one-row table. Batch: estimate,
range and cautions of a table. The peer is XGBoost alone on prepared features: no neighbours, no
range, no comparables.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np
from record import best_of, finish, record

from leadlab.models.valuation.comparables import comparables_of
from leadlab.models.valuation.made_up import made_up_sales
from leadlab.models.valuation.model import ValuationModel

AT = "2026-01-15"
TARGET_MS, TARGET_PER_S = 5.0, 5_000.0


def run(quick: bool) -> list[dict[str, Any]]:
    """Measure; records as in `benchmarks/record.py`."""
    n, asked = (4_000, 200) if quick else (20_000, 2_000)
    model = ValuationModel().fit(made_up_sales(n, seed=1))
    homes = made_up_sales(5_000, seed=2).drop(columns=["close_date", "close_price"])
    features = model.market_.ask(*model.homes(homes, AT)).features

    def one(i: int) -> object:
        subject, day = model.homes(homes.iloc[[i]], AT)
        seen = model.market_.ask(subject, day)
        return model.valued(seen, subject), comparables_of(model, seen)

    for i in range(20):
        one(i)
    spent = np.empty(asked)
    for i in range(asked):
        start = time.perf_counter_ns()
        one(i)
        spent[i] = (time.perf_counter_ns() - start) / 1e6
    found = []
    for name, q in (("p50", 50), ("p99", 99)):
        label, value = f"home valued with comparables, {name}", float(np.percentile(spent, q))
        found.append(record(label, value, "ms", "target", TARGET_MS))
    repeats = 2 if quick else 5
    batch = len(homes) / best_of(lambda: model.predict(homes, AT), repeats)
    found.append(record("homes valued in a batch", batch, "1/s", "target", TARGET_PER_S, "higher"))
    trees = model.trees_.boosters
    peer = len(homes) / best_of(lambda: [t.inplace_predict(features) for t in trees], repeats)
    label = "homes valued in a batch"
    found.append(record(label, batch, "1/s", "XGBoost, features given", peer, "higher"))
    return found


if __name__ == "__main__":
    sys.exit(finish(run, __doc__))

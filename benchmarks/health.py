"""Health of 10,000 leads at once, and all that would raise one of them.

``python benchmarks/health.py [--json] [--quick]``

Leads are SIMULATED; their features are built beforehand, as a board of all leads has them.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from record import best_of, finish, record

from leadlab.data.brokerage import simulate
from leadlab.features import build
from leadlab.models.health.assess import assess_health, health_features
from leadlab.models.health.raising import what_raises
from leadlab.models.health.weights import HealthWeights

LEADS, TARGET_MS = 10_000, 1000.0


def run(quick: bool) -> list[dict[str, Any]]:
    """Measure; records as in `benchmarks/record.py`."""
    log = simulate(1_000 if quick else 3_000, 200, 0).log
    table = build(log, health_features(HealthWeights.default()), log.at_us[-1:])
    rows = table.take(np.arange(LEADS) % len(table))
    repeats = 3 if quick else 10
    ms = 1000 * best_of(lambda: assess_health(rows), repeats)
    at_us = int(log.at_us[-1])
    own = log.for_leads([str(log.lead.values()[-1])])
    what_raises(own, at_us)
    one = 1000 * best_of(lambda: what_raises(own, at_us), repeats)
    return [
        record("assess 10,000 leads", ms, "ms", "target", TARGET_MS),
        record("what would raise one lead", one, "ms", "target", 100.0),
    ]


if __name__ == "__main__":
    sys.exit(finish(run, __doc__))

"""The simulated brokerage: from nothing to a folder with log and truth.

``python benchmarks/simulate.py [--json] [--quick]``

50,000 SIMULATED leads in 180 days, with and without texts, written as Parquet; events a second over
all of it, beside the target of 100,000.
"""

from __future__ import annotations

import sys
import tempfile
import time
from typing import Any

from record import finish, record

from leadlab.data.brokerage import simulate

TARGET = 100_000.0


def run(quick: bool) -> list[dict[str, Any]]:
    """Measure; records as in `benchmarks/record.py`."""
    found = []
    for texts in (False, True):
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            made = simulate(5_000 if quick else 50_000, 180, seed=0, texts=texts)
            made.write(folder)
            taken_s = time.perf_counter() - start
        name = f"simulate and write, {'with' if texts else 'without'} texts"
        rate = len(made.log) / taken_s
        found.append(record(name, rate, "events/s", "target", TARGET, better="higher"))
    return found


if __name__ == "__main__":
    sys.exit(finish(run, __doc__))

"""Memory of the online store: many active leads, 72 values each.

``python benchmarks/memory.py [--json] [--quick]``

A process of its own takes 1,000,000 SIMULATED leads with 5 events each in batches, and its peak
resident memory is read, with everything in it: arrays, names, Python itself.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from typing import Any

import numpy as np
from features import KINDS, declared
from record import finish, record

from leadlab.features import OnlineStore
from leadlab.schema.log import Coded, EventLog

EVENTS_EACH = 5
BATCH = 100_000


def batch(start: int, n_leads: int, seed: int) -> EventLog:
    """SIMULATED events of the leads from `start` on, over 20 days."""
    rng = np.random.default_rng(seed)
    n = n_leads * EVENTS_EACH
    names = np.array([f"lead{start + i}" for i in range(n_leads)], dtype=object)
    return EventLog(
        id=np.array([f"{start}-{i}" for i in range(n)], dtype=object),
        tenant=Coded.constant("simulated", n),
        lead=Coded(
            rng.permutation(np.repeat(np.arange(n_leads, dtype=np.int32), EVENTS_EACH)), names
        ),
        kind=Coded(rng.integers(0, 8, n).astype(np.int32), np.array(KINDS, dtype=object)),
        at_us=np.sort(rng.integers(0, 20 * 86_400_000_000, n)),
        value=rng.gamma(2.0, 100.0, n),
        agent=Coded.constant(None, n),
        source=Coded.constant(None, n),
    )


def fill(n_leads: int) -> int:
    """Fill a store; peak resident bytes of this process."""
    store = OnlineStore(declared())
    for k, start in enumerate(range(0, n_leads, BATCH // EVENTS_EACH)):
        store.add(batch(start, min(BATCH // EVENTS_EACH, n_leads - start), k))
    if len(store.leads) != n_leads or store.n_events != n_leads * EVENTS_EACH:
        raise SystemExit("the store lost leads or events")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def run(quick: bool) -> list[dict[str, Any]]:
    """Measure; records as in `benchmarks/record.py`."""
    n = 100_000 if quick else 1_000_000
    command = [sys.executable, __file__, "--fill", str(n)]
    peak = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    limit = 2e9 * n / 1e6
    name = f"{n:,} leads, {EVENTS_EACH} events each, 72 values"
    return [
        record(f"{name}: peak memory", peak / 1e9, "GB", "target", limit / 1e9),
        record(f"{name}: per lead", peak / n, "bytes", "target", limit / n),
    ]


if __name__ == "__main__":
    if "--fill" in sys.argv:
        print(fill(int(sys.argv[-1])))
        sys.exit(0)
    sys.exit(finish(run, __doc__))

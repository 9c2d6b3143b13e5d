"""Load with kills at seeded moments: the short form is a test, the long one a soak."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from tests.faults.feeding import Feeder
from tests.faults.load import Request


def killed_at_random(feeder: Feeder, todo: Sequence[Request], kills: int, seed: int) -> list[float]:
    """Send everything while the process is killed `kills` times; leaves the last one running.

    A client sends again what was not acknowledged, as an honest one does.

    Returns
    -------
    list of float
        Seconds from each start to the first answer.
    """
    rng = np.random.default_rng(seed)
    starts_s = []
    left = list(todo)
    share = max(1, len(todo) // (kills + 1))
    for _ in range(kills):
        feeder.start()
        starts_s.append(feeder.start_s)
        enough = int(rng.integers(0, 2 * share))
        left = feeder.send(left, until=enough)
        time.sleep(float(rng.random()) * 0.05)
        feeder.kill()
    feeder.start()
    starts_s.append(feeder.start_s)
    while left:
        left = feeder.send(left)
    return starts_s

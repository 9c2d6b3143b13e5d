"""The brokerage's agents: how soon and how surely they answer.

Answers to a new lead take about 15 hours on average (most are quicker, a few take days), and 48%
of new leads are never followed up; both are published averages. How far agents differ is of our
choosing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlab.data.brokerage.clock import in_hours
from leadlab.data.brokerage.draws import Keys, child, first_key, lognormal, normal, uniform

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
NEVER_SHARE = 0.48
MEDIAN_H, SIGMA = 1.8, 2.0
LEADS_EACH = 60
HOUR = 1 / 24


@dataclass(frozen=True, eq=False)
class Agents:
    """Agents in flat arrays.

    Attributes
    ----------
    pace : float array, shape (n,)
        Factor on the hours until an answer; above 1 is slower than most.
    follow_up : float array, shape (n,)
        Chance that a new lead is answered at all.
    """

    pace: F64
    follow_up: F64

    def __len__(self) -> int:
        return len(self.pace)

    @property
    def names(self) -> NDArray[np.object_]:
        """Names: "agent-000" and so on."""
        return np.array([f"agent-{i:03d}" for i in range(len(self))], dtype=object)

    def frame(self) -> pd.DataFrame:
        """One agent a row, with what is hidden of it."""
        return pd.DataFrame({"agent": self.names, "pace": self.pace, "follow_up": self.follow_up})


def draw_agents(n_leads: int, seed: int) -> Agents:
    """Draw one agent for each 60 leads, two at least.

    Examples
    --------
    >>> len(draw_agents(600, seed=0))
    10
    """
    n = max(2, n_leads // LEADS_EACH)
    keys = child(first_key(seed, "agents"), np.arange(n))
    pace = lognormal(keys, "pace", 1.0, 0.4)
    # quick agents are also the ones that follow up
    spread = 0.35 * normal(keys, "follow up") - 0.5 * np.log(pace)
    usual = np.log((1 - NEVER_SHARE) / NEVER_SHARE)
    return Agents(pace / pace.mean(), 1 / (1 + np.exp(-(usual + spread - spread.mean()))))


def answer_day(keys: Keys, purpose: str, asked: F64, pace: F64) -> F64:
    """When an answer comes, between 8 and 21 o'clock; days since the origin.

    Examples
    --------
    >>> keys = child(first_key(0, "x"), np.arange(50_000))
    >>> noon = np.full(50_000, 0.5)
    >>> delay_h = 24 * (answer_day(keys, "answer", noon, np.ones(50_000)) - noon)
    >>> bool(0 < delay_h.min() and 1 < np.median(delay_h) < 4)
    True
    """
    soonest = asked + lognormal(keys, purpose, MEDIAN_H * HOUR, SIGMA) * pace + 0.0005
    return in_hours(soonest, 8, 21, uniform(keys, purpose + ", morning"))

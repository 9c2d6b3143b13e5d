"""The market: seasons and the mortgage rate, which quicken or slow the way to a purchase.

Constant within a calendar month. The pace is 1 in an average month at a rate of 6.5%; spring and
early summer are quicker, winter slower, and each point of the rate costs about a seventh. The
seasons follow the usual course of North American sales in size, not a published index; the rate is
two slow waves with a random beginning.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlab.data.brokerage.clock import DAY_US, Clock
from leadlab.data.brokerage.draws import first_key, uniform

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
MONTHS = 1_200
"""A market lasts a hundred years."""
SEASON = np.array([0.78, 0.86, 1.0, 1.14, 1.22, 1.22, 1.14, 1.08, 1.0, 0.92, 0.84, 0.76])
USUAL_RATE = 6.5
RATE_EFFECT = 0.15


@dataclass(frozen=True)
class Market:
    """Pace of the market by calendar month from the log's first month on.

    Examples
    --------
    >>> market = Market(Clock(1_735_689_600_000_000), seed=0)  # from January 2025
    >>> bool(market.pace[4] > market.pace[0])
    True
    """

    clock: Clock
    seed: int

    @cached_property
    def _first(self) -> int:
        """Months from January 1970 to the log's first month."""
        stamp = np.datetime64(self.clock.start_us, "us").astype("datetime64[M]")
        return int(stamp.astype(np.int64))

    @cached_property
    def bounds(self) -> F64:
        """Ends of months in waking time, shape (MONTHS + 1,), the first at or before the start."""
        months = (self._first + np.arange(MONTHS + 1)).astype("datetime64[M]")
        at_us = months.astype("datetime64[us]").astype(np.int64)
        return self.clock.waking((at_us - self.clock.origin_us) / DAY_US)

    @cached_property
    def mortgage_rate(self) -> F64:
        """Percent a year, shape (MONTHS,)."""
        key = first_key(self.seed, "market")
        turn = np.arange(MONTHS)
        slow = np.sin(2 * np.pi * (turn / 38 + uniform(key, "slow wave")))
        quick = np.sin(2 * np.pi * (turn / 13 + uniform(key, "quick wave")))
        return np.asarray(USUAL_RATE + 0.7 * slow + 0.25 * quick)

    @cached_property
    def pace(self) -> F64:
        """Factor on the rates of those transitions that the market governs, shape (MONTHS,)."""
        season = SEASON[(self._first + np.arange(MONTHS)) % 12]
        return np.asarray(season * np.exp(-RATE_EFFECT * (self.mortgage_rate - USUAL_RATE)))

    @cached_property
    def paced(self) -> F64:
        """Pace summed up over waking time at `bounds`, shape (MONTHS + 1,)."""
        return np.concatenate([[0.0], np.cumsum(self.pace * np.diff(self.bounds))])

    def month(self, waking: F64) -> I64:
        """Number of the month at a waking time."""
        found = np.searchsorted(self.bounds, waking, side="right") - 1
        return np.clip(found, 0, MONTHS - 1)

    def frame(self, months: int) -> pd.DataFrame:
        """The first months, one a row: ``month``, ``mortgage_rate``, ``pace``."""
        names = (self._first + np.arange(months)).astype("datetime64[M]").astype(str)
        rows = {"mortgage_rate": self.mortgage_rate[:months], "pace": self.pace[:months]}
        return pd.DataFrame({"month": names, **rows})

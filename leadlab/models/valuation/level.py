"""The level of the market: how far recent sales lie above what attributes alone explain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
DRIFT_A_MONTH = 0.01
BOUNDS_DAYS = (7.0, 365.0)
PRIOR = 30.0
"""Sales that a level of 0 on the first day counts for."""
CLIP = 0.6
"""Residuals beyond count as if they stood there."""


@dataclass(frozen=True)
class MarketLevel:
    """A mean of residuals of log price, each day's from the sales before that day.

    Older sales count half as much every `half_life_days`. After the last sale it stays as it is.

    Attributes
    ----------
    first_day : int
        Days since 1970.
    by_day : float64 array
        Level on each day from the first one to the day after the last sale.

    Examples
    --------
    >>> level = MarketLevel.follow(np.array([0, 10]), np.array([0.1, 0.3]), half_life_days=30.0)
    >>> level.at([0, 1, 11, 99]).round(3).tolist()
    [0.0, 0.003, 0.015, 0.015]
    """

    first_day: int
    by_day: F64

    @classmethod
    def follow(cls, day: I64, residual: F64, half_life_days: float) -> MarketLevel:
        """Follow sales in order of time; `residual` in log price."""
        first, last = int(day[0]), int(day[-1])
        sums = np.bincount(day - first, np.clip(residual, -CLIP, CLIP), last - first + 1)
        counts = np.bincount(day - first, minlength=last - first + 1)
        keep = 2.0 ** (-1.0 / half_life_days)
        total, weight = 0.0, PRIOR
        found = np.empty(len(sums) + 1)
        for i, (more, n) in enumerate(zip(sums.tolist(), counts.tolist(), strict=True)):
            found[i] = total / weight
            total, weight = keep * total + more, max(keep * weight, 1e-9) + n
        found[-1] = total / weight
        return cls(first, found)

    def at(self, day: I64 | list[int]) -> F64:
        """Level on days (since 1970), from the sales of the days before."""
        place = np.clip(np.asarray(day, np.int64) - self.first_day, 0, len(self.by_day) - 1)
        found: F64 = self.by_day[place]
        return found


def half_life_of(day: I64, residual: F64) -> float:
    r"""Half-life that suits a market's noise, in days.

    The level is taken for a random walk of variance q a day, seen through the mean of each day's n
    sales with variance r = var(residual) / n. The best filter's gain tends to
    :math:`\sqrt{q / r}` where that is small, so that few or scattered sales give a slow level, and
    many a quick one. q is not estimated: a year of sales would not tell it. It is that of a market
    that moves by 1% in a month.

    References
    ----------
    Harvey (1989), Forecasting, Structural Time Series Models and the Kalman Filter, ch. 4.

    Examples
    --------
    >>> day = np.arange(4000) // 40
    >>> residual = np.resize([-0.2, 0.2], 4000)
    >>> round(half_life_of(day, residual), 1), round(half_life_of(day * 40, residual), 1)
    (12.0, 75.6)
    """
    per_day = len(day) / (day[-1] - day[0] + 1)
    noise = float(np.var(np.clip(residual, -CLIP, CLIP))) / per_day
    drift = DRIFT_A_MONTH**2 / 30
    gain = float(np.sqrt(drift / max(noise, 1e-12)))
    return float(np.clip(np.log(2) / gain, *BOUNDS_DAYS))

"""The clock that leads live by: fast in the evening and on weekends, nearly still at night.

All that leads do follows one clock, *waking time*, in days: a week of it is a week, but an hour of
a Saturday evening holds far more of it than an hour before dawn. Hidden intent and events run at
rates a day of waking time. So the hours are realistic, and the planted truth stays exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
DAY_US = 86_400_000_000
_MONDAY_US = 4 * DAY_US  # 1970-01-05
_WORKDAY = (6, 3, 2, 1, 1, 2, 5, 12, 20, 26, 30, 32, 40, 36, 30, 30, 34, 44, 60, 72, 74, 60, 38, 16)
_WEEKEND = (9, 5, 3, 2, 1, 2, 4, 10, 26, 48, 66, 70, 64, 62, 64, 62, 58, 54, 56, 60, 58, 48, 32, 18)


def _woken() -> F64:
    hours = np.array([*_WORKDAY * 5, *_WEEKEND * 2], float)
    return np.concatenate([[0.0], np.cumsum(hours) * 7 / hours.sum()])


_BOUNDS = np.arange(169) / 24
_WOKEN = _woken()


@dataclass(frozen=True)
class Clock:
    """Days since the Monday on or before the start, waking time, and microseconds since 1970.

    Attributes
    ----------
    start_us : int
        The log's first moment.

    Examples
    --------
    >>> clock = Clock(0)  # 1970-01-01, a Thursday
    >>> clock.start
    3.0
    >>> saturday = clock.waking(np.array([5.0, 5.25, 5.75]))
    >>> early, late = np.diff(saturday)  # midnight to six, six to six in the evening
    >>> bool(late > 10 * early)
    True
    """

    start_us: int

    @cached_property
    def origin_us(self) -> int:
        """Midnight (UTC) of the Monday on or before the start."""
        return self.start_us - (self.start_us - _MONDAY_US) % (7 * DAY_US)

    @property
    def start(self) -> float:
        """Days from the origin to the start, below 7."""
        return (self.start_us - self.origin_us) / DAY_US

    def waking(self, day: F64) -> F64:
        """Waking time of days since the origin."""
        week = np.floor(np.asarray(day) / 7)
        return np.asarray(week * 7 + np.interp(day - week * 7, _BOUNDS, _WOKEN))

    def day(self, waking: F64) -> F64:
        """Days since the origin at a waking time; the inverse of `waking`."""
        week = np.floor(np.asarray(waking) / 7)
        return np.asarray(week * 7 + np.interp(waking - week * 7, _WOKEN, _BOUNDS))

    def at_us(self, day: F64) -> I64:
        """Microseconds since 1970 of days since the origin."""
        return self.origin_us + np.floor(np.asarray(day) * DAY_US).astype(np.int64)

    def day_of(self, at_us: I64) -> F64:
        """Days since the origin of microseconds since 1970."""
        return np.asarray((np.asarray(at_us, np.int64) - self.origin_us) / DAY_US)


def in_hours(day: F64, early: float, late: float, spread: F64) -> F64:
    """Put off what falls outside of the hours to the next morning.

    Parameters
    ----------
    day : float array, shape (n,)
        Days since the origin, a midnight.
    early, late : float
        Hours of the day.
    spread : float array, shape (n,)
        0 to 1: how far into the morning's first two hours.

    Examples
    --------
    >>> (in_hours(np.array([0.5, 0.95, 1.1]), 8, 21, np.zeros(3)) * 24).round(6).tolist()
    [12.0, 32.0, 32.0]
    """
    hour = (day - np.floor(day)) * 24
    morning = np.floor(day) + (hour >= late) + (early + 2 * spread) / 24
    return np.where((hour < early) | (hour >= late), morning, day)

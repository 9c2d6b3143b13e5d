"""Local time: zone offsets as a table, and the calendar class of each event."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

I64 = NDArray[np.int64]
US_PER_DAY = 86_400_000_000
US_PER_HOUR = 3_600_000_000
US_PER_YEAR = 31_556_952_000_000
"""A mean Gregorian year of 365.2425 days."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STEP = timedelta(days=7)
_END_YEAR = 2100


@lru_cache(maxsize=32)
def zone_table(tz: str) -> tuple[I64, I64]:
    """When each offset from UTC begins to hold, and the offset, both in microseconds.

    Covers 1970 to 2100. A change is found by weekly steps and bisection to the second.

    Examples
    --------
    >>> starts, offsets = zone_table("UTC")
    >>> offsets.tolist()
    [0]
    """
    zone = ZoneInfo(tz)
    starts, offsets = [np.iinfo(np.int64).min], [_offset_us(zone, _EPOCH)]
    if tz != "UTC":
        moment = _EPOCH
        while moment.year < _END_YEAR:
            after = moment + _STEP
            if _offset_us(zone, after) != offsets[-1]:
                change = _bisect(zone, moment, after)
                starts.append((change - _EPOCH) // timedelta(microseconds=1))
                offsets.append(_offset_us(zone, change))
            moment = after
    return np.array(starts, np.int64), np.array(offsets, np.int64)


def _offset_us(zone: ZoneInfo, moment: datetime) -> int:
    offset = moment.astimezone(zone).utcoffset() or timedelta()
    return offset // timedelta(microseconds=1)


def _bisect(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """First second in ``(low, high]`` with another offset than `low`."""
    before = _offset_us(zone, low)
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        low, high = (middle, high) if _offset_us(zone, middle) == before else (low, middle)
    return high


def local_us(at_us: I64, tz: str) -> I64:
    """Local wall time of each moment, in microseconds."""
    starts, offsets = zone_table(tz)
    return at_us + offsets[np.searchsorted(starts, at_us, side="right") - 1]


def calendar_bits(at_us: I64, tz: str) -> NDArray[np.uint64]:
    """Calendar classes that hold at each moment, as the bits of `opcodes.CALENDAR`.

    Examples
    --------
    >>> saturday_noon = np.array([2 * 86_400_000_000 + 43_200_000_000])
    >>> calendar_bits(saturday_noon, "UTC").tolist()
    [1]
    """
    local = local_us(at_us, tz)
    weekday = (local // US_PER_DAY + 3) % 7
    hour = (local % US_PER_DAY) / 3_600e6
    weekend = weekday >= 5
    night = (hour >= 21) | (hour < 8)
    working = ~weekend & (hour >= 9) & (hour < 17)
    return np.asarray(weekend * 1 + night * 2 + working * 4, np.uint64)


def utc_us(local: I64, tz: str) -> I64:
    """Moment of each local wall time; a time that a clock change skips is taken an hour later.

    Examples
    --------
    >>> utc_us(np.array([0]), "UTC").tolist()
    [0]
    """
    starts, offsets = zone_table(tz)
    guess = local - offsets[np.searchsorted(starts, local, side="right") - 1]
    return local - offsets[np.searchsorted(starts, guess, side="right") - 1]

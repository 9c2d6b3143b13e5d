"""Anybody's column of times as microseconds since 1970-01-01 UTC.

What cannot be known is decided here, once:

* **A time without a zone** is read in the zone `tz`. When the clocks go back, the hour that occurs
  twice is read as the first of the two; when they go forward, the hour that no clock shows is
  refused.
* **Numbers** are seconds, milliseconds, microseconds or nanoseconds since 1970 UTC. One unit holds
  for the whole column, by the median of its sizes: below 1e11 seconds, below 1e14 milliseconds,
  below 1e17 microseconds, else nanoseconds. A stray in another unit lands centuries away and is
  refused as absurd rather than guessed at. Name the unit (`at_format`) where a column may hold
  times before March 1973. Text of 10, 13, 16 or 19 digits counts as a number.
* **Text** is ISO 8601. Day-first and month-first dates cannot be told apart: they are refused
  unless `at_format` names their form.
* **Finer than a microsecond** is cut off.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlab.errors import BadInput
from leadlab.schema.refusal import Mask, Problem

I64 = NDArray[np.int64]
NAT = np.iinfo(np.int64).min
DAY_US = 86_400_000_000
_TICKS_PER_S = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_DIGITS = r"\d{10}(?:\.\d+)?|\d{13}|\d{16}|\d{19}"
_ZONED = r"[T ].*(?:[zZ]|[+-]\d{2}(?::?\d{2})?)$"


def zone(name: str) -> ZoneInfo:
    """Look up a time zone by its IANA name.

    Examples
    --------
    >>> zone("Europe/Amsterdam").key
    'Europe/Amsterdam'
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadInput(
            "no such time zone",
            where="tz",
            got=name,
            expected="an IANA name, e.g. 'America/Denver'",
        ) from error


def moment_us(moment: dt.datetime | str | None, tz: str = "UTC") -> int:
    """One moment in microseconds since 1970 UTC; None is the clock's now.

    Examples
    --------
    >>> moment_us("1970-01-01T00:00:01"), moment_us("1970-01-01T01:00:01+01:00")
    (1000000, 1000000)
    """
    if moment is None:
        moment = dt.datetime.now(dt.UTC)
    try:
        stamp = pd.Timestamp(moment)
    except (ValueError, TypeError) as error:
        raise BadInput("not a moment", got=moment, expected="a datetime or ISO 8601") from error
    if pd.isna(stamp):
        raise BadInput("not a moment", got=moment, expected="a datetime or ISO 8601")
    stamp = stamp.tz_localize(zone(tz)) if stamp.tzinfo is None else stamp
    return int(stamp.tz_convert("UTC").tz_localize(None).as_unit("us").asm8.astype(np.int64))


def _to_us(index: pd.DatetimeIndex) -> I64:
    """Ticks of any resolution, as microseconds; out of reach of int64 becomes the end of it."""
    ticks = index.asi8
    per_s = _TICKS_PER_S[index.unit]
    if per_s >= 1_000_000:
        return np.where(ticks == NAT, NAT, ticks // (per_s // 1_000_000))
    factor = 1_000_000 // per_s
    reach = np.iinfo(np.int64).max // factor
    return np.where(ticks == NAT, NAT, np.clip(ticks, -reach, reach) * factor)


def _localised(index: pd.DatetimeIndex, tz: str) -> I64:
    """Wall-clock times of zone `tz`, as microseconds UTC; NAT where no clock shows the time."""
    if tz == "UTC":
        return _to_us(index)
    placed = index.tz_localize(
        zone(tz), ambiguous=np.ones(len(index), dtype=bool), nonexistent="NaT"
    )
    return _to_us(placed)


def _epoch_us(numbers: pd.Series, at_format: str | None) -> I64:
    """Numbers since 1970 in the one unit that fits them, as microseconds."""
    exact = pd.to_numeric(numbers, errors="coerce")
    if not pd.api.types.is_integer_dtype(exact.dtype):
        exact = exact.astype(np.float64)
    rough = exact.to_numpy(dtype=np.float64, na_value=np.nan)
    known = np.isfinite(rough)
    if not known.any():
        return np.full(len(rough), NAT)
    per_s = _TICKS_PER_S.get(at_format or "") or _ticks_per_s(float(np.median(abs(rough[known]))))
    known &= np.abs(rough) < 9e18 * min(1.0, per_s / 1e6)
    us = np.full(len(rough), NAT)
    if rough.dtype == exact.dtype:
        us[known] = np.floor(np.round(rough[known] * (1e6 / per_s), 3)).astype(np.int64)
    elif per_s <= 1_000_000:
        us[known] = exact.to_numpy(np.int64, na_value=0)[known] * (1_000_000 // per_s)
    else:
        us[known] = exact.to_numpy(np.int64, na_value=0)[known] // (per_s // 1_000_000)
    return us


def _ticks_per_s(typical: float) -> int:
    for unit, end in (("s", 1e11), ("ms", 1e14), ("us", 1e17)):
        if typical < end:
            return _TICKS_PER_S[unit]
    return _TICKS_PER_S["ns"]


def _text_us(text: pd.Series, tz: str, at_format: str | None) -> I64:
    """Read times written out, as microseconds UTC; NAT where that fails."""
    form = "ISO8601" if at_format is None or at_format in _TICKS_PER_S else at_format
    try:
        parsed = pd.DatetimeIndex(pd.to_datetime(text, format=form, utc=True, errors="coerce"))
        if parsed.unit == "ns":  # its reach ends in 2262: read again, cut to microseconds
            cut = text.str.replace(r"(\.\d{6})\d+", r"\1", regex=True)
            parsed = pd.DatetimeIndex(pd.to_datetime(cut, format=form, utc=True, errors="coerce"))
    except (ValueError, TypeError) as error:
        raise BadInput("cannot read times by this form", where="at_format", got=form) from error
    us = _to_us(parsed)
    if tz == "UTC" or "%z" in form:
        return us
    naive = ~text.str.contains(_ZONED, regex=True).to_numpy(bool)
    us[naive] = _localised(parsed[naive].tz_localize(None), tz)
    return us


def _objects_us(values: pd.Series, tz: str) -> I64:
    """Python dates and datetimes, with and without zones, as microseconds UTC."""
    aware = np.array([getattr(v, "tzinfo", None) is not None for v in values], dtype=bool)
    us = np.full(len(values), NAT)
    us[aware] = _to_us(pd.DatetimeIndex(pd.to_datetime(values[aware], utc=True, errors="coerce")))
    naive = pd.DatetimeIndex(pd.to_datetime(values[~aware], errors="coerce"))
    us[~aware] = _localised(naive, tz)
    return us


def _mixed_us(column: pd.Series, tz: str, at_format: str | None) -> I64:
    """Read a column of text, numbers and datetimes in any mixture."""
    us = np.full(len(column), NAT)
    given = column.notna().to_numpy(bool)
    text = given.copy()
    moments = np.zeros(len(column), dtype=bool)
    numbers = np.zeros(len(column), dtype=bool)
    if column.dtype == object:
        kinds = column.map(type)
        text &= kinds.map(lambda t: issubclass(t, str)).to_numpy(bool)
        moments = given & kinds.map(lambda t: issubclass(t, dt.date | np.datetime64)).to_numpy(bool)
        numbers = given & kinds.map(
            lambda t: issubclass(t, int | float | np.number) and not issubclass(t, bool)
        ).to_numpy(bool)
    written = column[text].astype("str").str.strip()
    if at_format is None or at_format in _TICKS_PER_S:
        digits = written.str.fullmatch(_DIGITS).to_numpy(bool)
        numbers[np.flatnonzero(text)[digits]] = True
        text[np.flatnonzero(text)[digits]] = False
        written = written[~digits]
    if text.any():
        us[text] = _text_us(written, tz, at_format)
    if numbers.any():
        us[numbers] = _epoch_us(column[numbers], at_format)
    if moments.any():
        us[moments] = _objects_us(column[moments], tz)
    return us


def read_times(
    column: pd.Series, *, tz: str, now_us: int, at_format: str | None = None
) -> tuple[I64, list[Problem]]:
    """Read `column` as times.

    Parameters
    ----------
    column : Series, length n
        datetime64 with or without a zone, text, numbers, Python datetimes, or a mixture.
    tz : str
        IANA zone of times without one.
    now_us : int
        Times more than a day later than this are refused.
    at_format : str, optional
        ``"s"``, ``"ms"``, ``"us"`` or ``"ns"`` for numbers, or a ``strptime`` form for text.

    Returns
    -------
    at_us : int64 array, shape (n,)
        Microseconds since 1970 UTC; of no meaning where a problem refuses the row.
    problems : list of Problem

    Examples
    --------
    >>> times = pd.Series(["2026-03-01T10:00:00-07:00", "soon"])
    >>> at_us, problems = read_times(times, tz="UTC", now_us=moment_us("2026-06-01"))
    >>> int(at_us[0]), [(p.reason, p.rows.tolist()) for p in problems]
    (1772384400000000, [('not a time', [False, True])])
    """
    zone(tz)
    field = str(column.name)
    given = column.notna().to_numpy(bool)
    if isinstance(column.dtype, pd.CategoricalDtype | pd.ArrowDtype):
        column = column.astype(object)
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        at_us = _to_us(pd.DatetimeIndex(column))
    elif column.dtype.kind == "M":
        at_us = _localised(pd.DatetimeIndex(column), tz)
    elif column.dtype.kind in "iuf":
        at_us = _epoch_us(column, at_format)
    elif column.dtype.kind in "bcm":
        at_us = np.full(len(column), NAT)
    else:
        at_us = _mixed_us(column, tz, at_format)
        if column.dtype == object or isinstance(column.dtype, pd.StringDtype):
            given = given & ~(column == "").fillna(False).to_numpy(bool)
    unread = at_us == NAT
    reason = "not a time" if tz == "UTC" else f"not a time, or one that no clock shows in {tz}"
    return at_us, _shown(
        field,
        [
            ("no time", ~given),
            (reason, given & unread),
            ("before 1970-01-01", ~unread & (at_us < 0)),
            ("in the future", ~unread & (at_us > now_us + DAY_US)),
        ],
    )


def _shown(field: str, reasons: Sequence[tuple[str, Mask]]) -> list[Problem]:
    """Return the problems that refuse any row."""
    return [Problem(field, reason, rows) for reason, rows in reasons if rows.any()]

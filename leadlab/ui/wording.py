"""Numbers and times as people read them, in HTML where a sign needs it."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from html import escape

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUS = "\N{MINUS SIGN}"
_SPANS = ((86_400, "d"), (3_600, "h"), (60, "min"))


def percent(p: float) -> str:
    """A probability.

    Examples
    --------
    >>> percent(0.1234), percent(0.0004), percent(1.0), percent(float("nan"))
    ('12.3%', '<0.1%', '100%', '–')
    """
    if math.isnan(p):
        return "–"
    if 0 < p < 0.0005:
        return "<0.1%"
    return "100%" if p >= 0.9995 else f"{100 * p:.1f}%"


def points(change: float) -> str:
    """A change of a probability, in percentage points with its sign; nothing where unknown.

    Examples
    --------
    >>> points(0.021), points(-0.021), points(0.0001), points(float("nan"))
    ('+2.1', '−2.1', '0.0', '')
    """
    if math.isnan(change):
        return ""
    tenths = round(1000 * change)
    if tenths == 0:
        return "0.0"
    return f"{'+' if tenths > 0 else MINUS}{abs(tenths) / 10:,.1f}"


def times(effect: float) -> str:
    """An effect in log-odds as what it multiplies the odds by.

    Examples
    --------
    >>> times(0.6931), times(-0.6931), times(0.0), times(4.0)
    ('×2.00', '×0.50', '×1.00', '×54.6')
    """
    factor = math.exp(min(effect, 50.0))
    digits = 2 if factor < 10 else 1 if factor < 100 else 0
    return f"×{factor:,.{digits}f}"


def moment(at_us: int) -> str:
    """A moment, to the minute, UTC.

    Examples
    --------
    >>> moment(1_329_314_580_000_000)
    'Wed 15 Feb 2012, 14:03'
    """
    return f"{at(at_us):%a %-d %b %Y, %H:%M}"


def at(at_us: int) -> datetime:
    """A moment as a datetime."""
    return _EPOCH + timedelta(microseconds=int(at_us))


def ago(at_us: int, now_us: int) -> str:
    """How long before `now_us` something happened.

    Examples
    --------
    >>> ago(0, 90 * 60 * 10**6), ago(0, 30 * 10**6), ago(0, 50 * 3600 * 10**6)
    ('1 h ago', 'just now', '2 d ago')
    """
    span_s = (now_us - at_us) / 1e6
    for size_s, unit in _SPANS:
        if span_s >= size_s:
            return f"{span_s // size_s:.0f} {unit} ago"
    return "just now"


def pace(speed: float) -> str:
    """How fast stream time goes.

    Examples
    --------
    >>> pace(60), pace(21_600), pace(86_400), pace(1_000_000)
    ('1 min/s', '6 h/s', '1 d/s', '11.6 d/s')
    """
    for size_s, unit in _SPANS:
        if speed >= size_s:
            return f"{speed / size_s:.3g} {unit}/s"
    return f"{speed:.3g} s/s"


def milliseconds(ms: float | None) -> str:
    """A processing time.

    Examples
    --------
    >>> milliseconds(0.94), milliseconds(12.3), milliseconds(None)
    ('0.94 ms', '12 ms', '–')
    """
    if ms is None:
        return "–"
    return f"{ms:.2f} ms" if ms < 10 else f"{ms:.0f} ms"


def rate(per_s: float) -> str:
    """Events a second.

    Examples
    --------
    >>> rate(0.0), rate(3.21), rate(1234.0)
    ('0', '3.2', '1,234')
    """
    if per_s == 0:
        return "0"
    return f"{per_s:.1f}" if per_s < 10 else f"{per_s:,.0f}"


def safe(text: object) -> str:
    """Text from outside, fit for HTML.

    Examples
    --------
    >>> safe("<b>&")
    '&lt;b&gt;&amp;'
    """
    return escape(str(text), quote=True)

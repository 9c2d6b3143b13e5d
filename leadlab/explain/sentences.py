"""One feature's value in words."""

from __future__ import annotations

import math
from datetime import timedelta

from leadlab.features.feature import Feature

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip


def quantity(x: float, unit: str) -> str:
    """A number with its unit, as short as it stays true.

    Examples
    --------
    >>> quantity(450_000, "USD"), quantity(0.5, "hours"), quantity(3, "events"), quantity(1, "days")
    ('$450,000', '30 minutes', '3', '1 day')
    """
    if unit == "USD":
        return f"-${-x:,.0f}" if x < 0 else f"${x:,.0f}"
    if unit in ("hours", "days"):
        return _duration(timedelta(hours=x) if unit == "hours" else timedelta(days=x))
    return _plain(x)


def _plain(x: float) -> str:
    if x == int(x) and abs(x) < 1e15:
        return f"{int(x):,}"
    return f"{x:,.0f}" if abs(x) >= 100 else f"{x:.3g}"


def _duration(span: timedelta) -> str:
    minutes = abs(span.total_seconds()) / 60
    for size, name in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size or name == "minute":
            n = minutes / size
            text = f"{n:.0f}" if n >= 10 or abs(n - round(n)) < 0.05 else f"{n:.1f}"
            sign = "-" if span < timedelta(0) else ""
            return f"{sign}{text} {name}{'' if text == '1' else 's'}"
    raise AssertionError("a minute is the last resort")


def phrase(feature: Feature, value: float) -> str:
    """Say what `value` of `feature` means.

    Examples
    --------
    >>> from leadlab.features import count, events, recency
    >>> showings = events("Showing Completed", noun="showing")
    >>> phrase(count(showings, "7d"), 3.0), phrase(count(showings, "7d"), 0.0)
    ('3 showings in 7 days', 'no showings in 7 days')
    >>> phrase(recency(showings), 0.25), phrase(recency(showings), float("nan"))
    ('last showing 6 hours ago', 'no showing yet')
    """
    if math.isnan(value) and feature.op not in _TELLING_NAN:
        return f"{feature.label} unknown"
    say = _PHRASES.get(feature.op, _labelled)
    return say(feature, value)


def _labelled(f: Feature, x: float) -> str:
    if f.unit == "ratio" and f.label.startswith("share"):
        return f"{f.label} {x:.0%}"
    return f"{f.label} {quantity(x, f.unit)}"


def _count(f: Feature, x: float) -> str:
    if f.events is None:
        return _labelled(f, x)
    within = f.label.removeprefix(f.events.plural).strip()
    if x == 0:
        return f"no {f.events.plural} {within}"
    return f"{_plain(x)} {f.events.noun if x == 1 else f.events.plural} {within}"


def _recency(f: Feature, x: float) -> str:
    noun = f.events.noun if f.events else "event"
    return f"no {noun} yet" if math.isnan(x) else f"last {noun} {quantity(x, 'days')} ago"


def _tenure(f: Feature, x: float) -> str:
    noun = f.events.noun if f.events else "event"
    return f"no {noun} yet" if math.isnan(x) else f"first {noun} {quantity(x, 'days')} ago"


def _waiting(f: Feature, x: float) -> str:
    noun = f.number.after.noun if f.number and f.number.after else "event"
    if math.isnan(x):
        return f"no {noun} waits for an answer"
    article = "an" if noun[:1] in "aeiou" else "a"
    return f"{article} {noun} has waited {quantity(x, 'hours')} for an answer"


def _is_latest(f: Feature, x: float) -> str:
    return f.label if x == 1 else f.label.replace(" is ", " is not ", 1)


def _trend(f: Feature, x: float) -> str:
    plural = f.events.plural if f.events else "events"
    now = f.parts[0].label.removeprefix(plural).strip()
    span = now.removeprefix("in ")
    if x == 0:
        return f"as many {plural} {now} as in the {span} before"
    return (
        f"{_plain(abs(x))} {'more' if x > 0 else 'fewer'} {plural} {now} than in the {span} before"
    )


def _hour(_: Feature, x: float) -> str:
    minutes = round(x * 60) % 1440
    return f"at {minutes // 60:02d}:{minutes % 60:02d}"


def _weekday(_: Feature, x: float) -> str:
    return f"on a {_DAYS[int(x)]}"


def _season(_: Feature, x: float) -> str:
    return f"in {_MONTHS[min(int(x / 30.44), 11)]}"


_TELLING_NAN = ("recency", "tenure", "waiting")
"""For these NaN means something: it has not happened, or nobody waits."""
_PHRASES = {
    "count": _count,
    "recency": _recency,
    "tenure": _tenure,
    "waiting": _waiting,
    "is_latest": _is_latest,
    "trend": _trend,
    "hour": _hour,
    "weekday": _weekday,
    "season": _season,
}

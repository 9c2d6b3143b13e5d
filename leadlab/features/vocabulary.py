"""The words that features are declared with.

Every word takes a selection of events (or a number that they carry) and mostly a window such as
"7d", and gives a `Feature` that names, measures and documents itself::

    visits = events("Visited Website", "Viewed Page", noun="visit")
    price = number("value", events("Viewed Property", noun="view"), noun="price", unit="USD")
    features = [count(visits, "7d"), trend(visits, "7d"), recency(visits), mean(price, "30d")]
"""

from __future__ import annotations

from leadlab.errors import BadInput
from leadlab.features.feature import (
    Events,
    Feature,
    Number,
    Op,
    slug,
    window_seconds,
    window_words,
)


def events(*kinds: str, noun: str | None = None, plural: str | None = None) -> Events:
    """Select events by kind; no kind selects all.

    Examples
    --------
    >>> events("Viewed Property", noun="property view").plural
    'property views'
    >>> events("W_Nabellen offertes").plural
    '"W_Nabellen offertes" events'
    """
    if noun is not None:
        return Events(tuple(kinds), noun, plural or noun + "s")
    if len(kinds) != 1:
        return Events(tuple(kinds), plural=plural or "events")
    return Events(tuple(kinds), f'"{kinds[0]}"', plural or f'"{kinds[0]}" events')


def number(source: str, chosen: Events, *, noun: str | None = None, unit: str = "") -> Number:
    """Take the event's value or a numeric data field of the chosen events."""
    return Number(source, chosen, noun or source.replace("_", " "), unit)


def response(after: Events, by: Events, noun: str | None = None) -> Number:
    """Hours from the first unanswered event of `after` to the event of `by` that answers it."""
    noun = noun or f"time from {after.noun} to {by.noun}"
    return Number("response", by, noun, "hours", after)


def gaps(chosen: Events) -> Number:
    """Hours between an event of the selection and the one before."""
    return Number("gap", chosen, f"gap between {chosen.plural}", "hours")


def count(chosen: Events, window: str | None = None) -> Feature:
    """How many events there are in the window."""
    label = f"{chosen.plural} {window_words(window)}"
    return _of_events("count", chosen, window, label, unit="events")


def distinct(attribute: str, chosen: Events, window: str) -> Feature:
    """How many distinct texts of a data field the window holds; "agent" and "source" count too."""
    if window is None:
        raise BadInput("distinct needs a window", where=attribute, expected='for example "90d"')
    noun = attribute.replace("_", " ")
    return Feature(
        name=f"{slug(chosen.noun)}_distinct_{slug(attribute)}_{window}",
        op="distinct",
        unit=f"distinct {noun}s",
        family=chosen.plural,
        label=f"distinct {noun}s over {chosen.plural} {window_words(window)}",
        events=chosen,
        window_s=window_seconds(window),
        attribute=attribute,
    )


def total(figure: Number, window: str | None = None) -> Feature:
    """Sum over the window; events without the number add nothing, no event gives 0."""
    return _of_number("total", "total", figure, window)


def mean(figure: Number, window: str | None = None) -> Feature:
    """Arithmetic mean over the window; NaN where no event carries the number."""
    return _of_number("mean", "mean", figure, window)


def highest(figure: Number, window: str | None = None) -> Feature:
    """Largest number in the window; NaN where no event carries it."""
    return _of_number("highest", "highest", figure, window)


def lowest(figure: Number, window: str | None = None) -> Feature:
    """Smallest number in the window; NaN where no event carries it."""
    return _of_number("lowest", "lowest", figure, window)


def latest(figure: Number) -> Feature:
    """The number that came last; also a static attribute that events repeat."""
    return _of_number("latest", "latest", figure, None)


def first(figure: Number) -> Feature:
    """The number that came first."""
    return _of_number("first", "first", figure, None)


def gap(chosen: Events) -> Feature:
    """Hours between the last two events of the selection."""
    return latest(gaps(chosen)).named(
        f"{slug(chosen.noun)}_gap", label=f"time between the last two {chosen.plural}"
    )


def recency(chosen: Events) -> Feature:
    """Days since the last event of the selection; NaN where there was none."""
    return _of_events("recency", chosen, None, f"days since last {chosen.noun}", unit="days")


def tenure(chosen: Events) -> Feature:
    """Days since the first event of the selection; NaN where there was none."""
    return _of_events("tenure", chosen, None, f"days since first {chosen.noun}", unit="days")


def waiting(answer: Number) -> Feature:
    """Hours that the first unanswered event has been waiting; NaN where none is."""
    if answer.source != "response" or answer.after is None:
        raise BadInput("waiting needs a response", got=answer.source, expected="response(...)")
    return Feature(
        name=f"{slug(answer.after.noun)}_waiting",
        op="waiting",
        unit="hours",
        family=answer.after.plural,
        label=f"hours that the last {answer.after.noun} has waited for an answer",
        number=answer,
    )


def decay(chosen: Events, half_life: str) -> Feature:
    """Count in which an event weighs ``2 ** (-age / half_life)``."""
    seconds = window_seconds(half_life)
    feature = _of_events(
        "decay", chosen, None, f"{chosen.plural}, weight halved every {half_life}", unit="events"
    )
    return Feature(
        name=f"{slug(chosen.noun)}_decay_{half_life}",
        op="decay",
        unit=feature.unit,
        family=feature.family,
        label=feature.label,
        events=chosen,
        half_life_s=seconds,
    )


def is_latest(attribute: str, category: str) -> Feature:
    """1 where the last known text of a data field is `category`, else 0; "kind" counts too."""
    return Feature(
        name=f"{slug(attribute)}_is_{slug(category)}",
        op="is_latest",
        unit="yes/no",
        family=attribute.replace("_", " "),
        label=f"{attribute.replace('_', ' ')} is {category}",
        attribute=attribute,
        category=category,
    )


def hour() -> Feature:
    """Local hour of the as-of time, with minutes as a fraction."""
    return Feature("hour", "hour", "hour of day", "time of day", "hour of day")


def weekday() -> Feature:
    """Local weekday of the as-of time, Monday = 0."""
    return Feature("weekday", "weekday", "day of week", "time of day", "day of week (Monday = 0)")


def season() -> Feature:
    """Time of the year of the as-of time: days since 1 January, to within a day and a half.

    Counted in mean years of 365.2425 days, so that it runs on smoothly through leap years.
    """
    return Feature("season", "season", "days", "time of year", "days since 1 January")


def ratio(above: Feature, below: Feature, name: str | None = None) -> Feature:
    """One feature over another; NaN where the second is 0 or unknown."""
    return _of_parts(
        "ratio", above, below, name or f"{above.name}_per_{below.name}", "per", "ratio"
    )


def difference(one: Feature, other: Feature, name: str | None = None) -> Feature:
    """One feature less another; NaN where either is unknown."""
    name = name or f"{one.name}_less_{other.name}"
    return _of_parts("difference", one, other, name, "less", one.unit)


def trend(chosen: Events, window: str) -> Feature:
    """Events in this window less events in the window before it."""
    seconds = _needed(window, "trend")
    now, both = count(chosen, window), count(chosen, f"{2 * seconds}s")
    return Feature(
        name=f"{slug(chosen.noun)}_trend_{window}",
        op="trend",
        unit="events",
        family=chosen.plural,
        label=f"{chosen.plural} {window_words(window)} less the {window_words(window)[3:]} before",
        events=chosen,
        window_s=2 * seconds,
        parts=(now, both),
    )


def rate(chosen: Events, window: str) -> Feature:
    """Events a day over the part of the window since the first event (at least one day)."""
    seconds = _needed(window, "rate")
    return Feature(
        name=f"{slug(chosen.noun)}_rate_{window}",
        op="rate",
        unit="events a day",
        family=chosen.plural,
        label=f"{chosen.plural} a day {window_words(window)}",
        events=chosen,
        window_s=seconds,
        parts=(count(chosen, window), tenure(Events(by=chosen.by))),
    )


def _needed(window: str | None, word: str) -> int:
    seconds = window_seconds(window)
    if seconds is None:
        raise BadInput(f"{word} needs a window", expected='for example "7d"')
    return seconds


def _of_events(op: Op, chosen: Events, window: str | None, label: str, unit: str) -> Feature:
    suffix = f"_{window}" if window else ""
    return Feature(
        name=f"{slug(chosen.noun)}_{op}{suffix}",
        op=op,
        unit=unit,
        family=chosen.plural,
        label=label,
        events=chosen,
        window_s=window_seconds(window),
    )


def _of_number(op: Op, word: str, figure: Number, window: str | None) -> Feature:
    suffix = f"_{window}" if window else ""
    over = "" if op in ("latest", "first") else f" {window_words(window)}"
    derived = figure.source in ("gap", "response")
    prefix = "" if derived else slug(figure.events.noun) + "_"
    of = "" if derived else f" of {figure.events.plural}"
    return Feature(
        name=f"{prefix}{slug(figure.noun)}_{op}{suffix}",
        op=op,
        unit=figure.unit,
        family=figure.events.plural,
        label=f"{word} {figure.noun}{of}{over}",
        number=figure,
        window_s=window_seconds(window),
    )


def _of_parts(op: Op, one: Feature, other: Feature, name: str, joint: str, unit: str) -> Feature:
    lengths = [p.window_s for p in (one, other) if p.window_s is not None]
    return Feature(
        name=name,
        op=op,
        unit=unit,
        family=one.family,
        label=f"{one.label} {joint} {other.label}",
        window_s=max(lengths) if lengths else None,
        parts=(one, other),
    )

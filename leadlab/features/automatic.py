"""Features for an event log that nobody has described."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from leadlab.errors import EmptyInput
from leadlab.features.feature import Feature
from leadlab.features.feature_set import FeatureSet
from leadlab.features.vocabulary import (
    count,
    decay,
    distinct,
    events,
    first,
    gap,
    gaps,
    highest,
    hour,
    is_latest,
    latest,
    mean,
    number,
    recency,
    tenure,
    total,
    trend,
    weekday,
)
from leadlab.schema.log import MISSING, Coded, EventLog

SLOW = ("1d", "7d", "30d")
FAST = ("1h", "6h", "1d")
_US_PER_DAY = 86_400_000_000
_FEW = 12
"""A text field with at most this many texts gives one yes/no feature for each."""


def automatic(
    log: EventLog,
    *,
    max_kinds: int = 24,
    max_categories: int = 10,
    skip: Iterable[str] = (),
    tz: str = "UTC",
) -> FeatureSet:
    """Declare features from what a log holds: its kinds, fields, agents and pace.

    Only names and the pace are taken from the log, no outcome; give it the training part all the
    same, so that nothing of the test part decides what is looked at.

    Parameters
    ----------
    log : EventLog
        At least one event.
    max_kinds, max_categories : int
        The most frequent kinds, and texts of a field, that get features of their own.
    skip : iterable of str
        Kinds and data fields to leave out, such as the outcome.
    tz : str
        Zone of hours and weekdays.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"case": ["a", "a", "b"], "step": ["in", "out", "in"],
    ...                       "time": ["2026-01-01", "2026-01-04", "2026-01-05"]})
    >>> log = EventLog.from_frame(frame, lead="case", kind="step", at="time")
    >>> features = automatic(log)
    >>> [n for n in features.names if n.startswith("out")]
    ['out_count', 'out_recency', 'out_tenure', 'out_count_7d']
    """
    if len(log) == 0:
        raise EmptyInput("cannot declare features", where="log", got="0 events")
    left_out = set(skip)
    windows = pace(log)
    features = [*_of_all(windows), *_of_kinds(log, windows, max_kinds, left_out)]
    features += _of_numbers(log, windows, left_out)
    features += _of_texts(log, windows, max_categories, left_out)
    if len(log.agent.names):
        features += _of_agents(log, windows, max_categories)
    unique: dict[str, Feature] = {}
    for feature in features:
        unique[_free(feature.name, unique)] = feature
    return FeatureSet([f.named(name) for name, f in unique.items()], tz=tz)


def pace(log: EventLog) -> tuple[str, str, str]:
    """Windows that fit how long leads last: hours where the median event's lead lasts under 2 days.

    The median is over events, not leads: many leads are gone within the hour, and the windows are
    for those that stay.
    """
    pair = log.tenant.codes * np.int64(len(log.lead.names)) + log.lead.codes
    _, first_event, inverse = np.unique(pair, return_index=True, return_inverse=True)
    last_us = np.zeros(len(first_event), np.int64)
    np.maximum.at(last_us, inverse, log.at_us)
    span_us = last_us - log.at_us[first_event]
    return FAST if 0 < np.median(span_us[inverse]) < 2 * _US_PER_DAY else SLOW


def most_frequent(column: Coded, most: int) -> list[str]:
    """The most frequent texts of a column, frequent first, ties by name."""
    used = column.codes[column.codes != MISSING]
    sizes = np.bincount(used, minlength=len(column.names))
    order = sorted(np.flatnonzero(sizes), key=lambda c: (-sizes[c], column.names[c]))
    return [column.names[c] for c in order[:most]]


def _free(name: str, taken: dict[str, Feature]) -> str:
    """A name that is not taken: two kinds may differ in signs that a name cannot hold."""
    free, n = name, 1
    while free in taken:
        n += 1
        free = f"{name}_{n}"
    return free


def _of_all(windows: tuple[str, str, str]) -> list[Feature]:
    every = events(noun="event")
    return [
        count(every),
        *(count(every, w) for w in windows),
        trend(every, windows[1]),
        decay(every, windows[1]),
        recency(every),
        tenure(every),
        gap(every),
        mean(gaps(every), windows[2]),
        hour(),
        weekday(),
    ]


def _of_kinds(
    log: EventLog, windows: tuple[str, str, str], most: int, left_out: set[str]
) -> list[Feature]:
    features = []
    for kind in most_frequent(log.kind, most + len(left_out)):
        if kind not in left_out:
            one = events(kind)
            features += [
                count(one),
                recency(one),
                tenure(one),
                count(one, windows[1]),
                is_latest("kind", kind),
            ]
    return features[: 5 * most]


def _of_numbers(log: EventLog, windows: tuple[str, str, str], left_out: set[str]) -> list[Feature]:
    every = events(noun="event")
    columns = {
        "value": log.value,
        **{k: c for k, c in log.data.items() if not isinstance(c, Coded)},
    }
    features = []
    for name, column in columns.items():
        if name not in left_out and not np.isnan(column).all():
            one = number(name, every)
            features += [latest(one), first(one), mean(one, windows[2]), highest(one, windows[2])]
            features.append(total(one))
    return features


def _of_texts(
    log: EventLog, windows: tuple[str, str, str], most: int, left_out: set[str]
) -> list[Feature]:
    features = []
    for name, column in log.data.items():
        if name in left_out or not isinstance(column, Coded) or not len(column.names):
            continue
        if len(column.names) <= _FEW:
            features += [is_latest(name, text) for text in most_frequent(column, most)]
        features.append(distinct(name, events(noun="event"), windows[2]))
    return features


def _of_agents(log: EventLog, windows: tuple[str, str, str], most: int) -> list[Feature]:
    every = events(noun="event")
    return [
        distinct("agent", every, windows[2]),
        *(is_latest("agent", name) for name in most_frequent(log.agent, most)),
        count(every.of("agent"), windows[0]),
        count(every.of("agent"), windows[1]),
        recency(every.of("agent")),
        count(every.of("tenant"), windows[0]),
        count(every.of("tenant"), windows[1]),
        trend(every.of("tenant"), windows[1]),
    ]

"""What a feature is: a declaration that names, measures and documents itself.

Nothing here computes. `leadlab.features.plan` compiles declarations for the kernel, which serves
training sets and live reads alike.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Literal

from leadlab.errors import BadInput

Entity = Literal["lead", "agent", "tenant"]
Calendar = Literal["weekend", "night", "working hours"]
Op = Literal[
    "count", "total", "mean", "highest", "lowest", "distinct",
    "recency", "tenure", "waiting", "latest", "first", "decay",
    "is_latest", "latest_code", "hour", "weekday", "season",
    "ratio", "difference", "trend", "rate",
]  # fmt: skip

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_WORDS = {"s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week"}


def window_seconds(window: str | None) -> int | None:
    """Length of a window such as "30m", "24h", "7d" or "2w" in seconds; None means ever.

    Examples
    --------
    >>> window_seconds("7d"), window_seconds(None)
    (604800, None)
    """
    if window is None:
        return None
    match = re.fullmatch(r"([1-9]\d{0,8})([smhdw])", window)
    if not match:
        raise BadInput(
            "cannot read a window", got=repr(window), expected='a number and s, m, h, d or w: "7d"'
        )
    return int(match[1]) * _SECONDS[match[2]]


def window_words(window: str | None) -> str:
    """A window in words.

    Examples
    --------
    >>> window_words("7d"), window_words("1h"), window_words(None)
    ('in 7 days', 'in 1 hour', 'so far')
    """
    window_seconds(window)
    if window is None:
        return "so far"
    number, unit = window[:-1], _WORDS[window[-1]]
    return f"in {number} {unit}{'' if number == '1' else 's'}"


def slug(text: str) -> str:
    """Lower-case words joined by underscores.

    Examples
    --------
    >>> slug("Viewed Property|COMPLETE")
    'viewed_property_complete'
    """
    return re.sub(r"[^a-z0-9]+", "_", text.lower().replace("'s", "")).strip("_") or "any"


@dataclass(frozen=True, slots=True)
class Events:
    """A selection of events that features look at.

    Attributes
    ----------
    kinds : tuple of str
        Kinds that count; empty means every kind.
    noun, plural : str
        How one and many of them are called in names and sentences.
    where : tuple of (str, str)
        Data fields that must equal a text.
    when : {"weekend", "night", "working hours"}, optional
        Local time of the event: Saturday and Sunday; 21:00 to 08:00; Monday to Friday 09:00-17:00.
    by : {"lead", "agent", "tenant"}
        Whose events: the lead's own, all of the agent who last acted for the lead, or everybody's.
    """

    kinds: tuple[str, ...] = ()
    noun: str = "event"
    plural: str = "events"
    where: tuple[tuple[str, str], ...] = ()
    when: Calendar | None = None
    by: Entity = "lead"

    def only(self, noun: str, plural: str | None = None, **where: str) -> Events:
        """Those of them whose data fields equal the given texts."""
        extra = tuple(sorted(where.items()))
        return replace(self, noun=noun, plural=plural or noun + "s", where=self.where + extra)

    def during(self, when: Calendar) -> Events:
        """Those of them that happened on weekends, at night, or in working hours."""
        return replace(self, noun=f"{when} {self.noun}", plural=f"{when} {self.plural}", when=when)

    def of(self, by: Entity) -> Events:
        """The same selection over the log of the lead's agent or of the whole tenant."""
        whose = {"lead": "", "agent": "agent's ", "tenant": "team's "}[by]
        return replace(self, noun=whose + self.noun, plural=whose + self.plural, by=by)


@dataclass(frozen=True, slots=True)
class Number:
    """A number that each selected event carries.

    Attributes
    ----------
    source : str
        "value", the name of a data field, "gap" (hours since the selection's event before) or
        "response" (hours from the first unanswered event of `after` to this one).
    events : Events
        Which events carry it.
    noun, unit : str
        What it is called and counted in.
    after : Events, optional
        For "response": what is being answered.
    """

    source: str
    events: Events
    noun: str = "value"
    unit: str = ""
    after: Events | None = None


@dataclass(frozen=True, slots=True)
class Feature:
    """One column of a training set, and one number of a live read.

    Attributes
    ----------
    name : str
        Column name.
    op : str
        How it is computed; see `leadlab.features.vocabulary`.
    unit, family, label : str
        What it is counted in, the group it is explained with, and its words.
    window_s : int or None
        Window in seconds, ``(as_of - window, as_of]``; None means since ever.

    Examples
    --------
    >>> from leadlab.features import count, events
    >>> visits = count(events("Visited Website", noun="visit"), "7d")
    >>> print(visits.doc)
    visit_count_7d: visits in 7 days [events]. As of t: events in (t - 7 days, t].
    """

    name: str
    op: Op
    unit: str
    family: str
    label: str
    events: Events | None = None
    number: Number | None = None
    window_s: int | None = None
    half_life_s: int | None = None
    attribute: str | None = None
    category: str | None = None
    parts: tuple[Feature, ...] = field(default=())

    @property
    def entity(self) -> Entity:
        """Whose log it is computed on."""
        return entities(self)[0]

    @property
    def doc(self) -> str:
        """Name, words, unit and as-of rule in one line."""
        span = "up to t"
        if self.window_s is not None:
            span = f"in (t - {self.window_s / 86400:g} days, t]"
        return f"{self.name}: {self.label} [{self.unit}]. As of t: events {span}."

    def named(self, name: str, *, label: str | None = None, family: str | None = None) -> Feature:
        """The same feature under another name, label or family."""
        return replace(self, name=name, label=label or self.label, family=family or self.family)


def entities(feature: Feature) -> tuple[Entity, ...]:
    """Entities that a feature draws on, its own first; a feature of parts may join two."""
    if feature.parts:
        return tuple(dict.fromkeys(e for part in feature.parts for e in entities(part)))
    chosen = feature.events or (feature.number.events if feature.number else None)
    return (chosen.by if chosen else "lead",)

"""An ordered set of features with unique names; what a model is trained on and served with."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pandas as pd

from leadlab.errors import BadInput, UnknownName
from leadlab.features.feature import Entity, Events, Feature, Number, entities

ENTITIES: tuple[Entity, ...] = ("lead", "agent", "tenant")


class FeatureSet:
    """Features in order, each name once.

    Parameters
    ----------
    features : iterable of Feature
    tz : str
        IANA zone of local hours, weekdays, nights and weekends.

    Examples
    --------
    >>> from leadlab.features import count, events, recency
    >>> visits = events("Visited Website", noun="visit")
    >>> features = FeatureSet([count(visits, "7d"), recency(visits)])
    >>> features.names
    ['visit_count_7d', 'visit_recency']
    """

    def __init__(self, features: Iterable[Feature], *, tz: str = "UTC") -> None:
        self.features = tuple(features)
        self.tz = tz
        if not self.features:
            raise BadInput("a feature set needs at least one feature")
        try:
            ZoneInfo(tz)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise BadInput("unknown time zone", got=tz, expected="an IANA name") from error
        self._by_name = {f.name: f for f in self.features}
        if len(self._by_name) < len(self.features):
            names = pd.Series([f.name for f in self.features])
            raise BadInput("a feature name is used twice", got=sorted(names[names.duplicated()]))
        for feature in self.features:
            if len(entities(feature)) > 1:
                raise BadInput(
                    "a feature of parts must draw on one entity",
                    where=feature.name,
                    got=entities(feature),
                )

    @property
    def names(self) -> list[str]:
        """Feature names in order."""
        return [f.name for f in self.features]

    def __len__(self) -> int:
        return len(self.features)

    def __iter__(self) -> Iterator[Feature]:
        return iter(self.features)

    def __getitem__(self, name: str) -> Feature:
        if name not in self._by_name:
            raise UnknownName("feature", name, self._by_name)
        return self._by_name[name]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FeatureSet) and (self.features, self.tz) == (
            other.features,
            other.tz,
        )

    def __hash__(self) -> int:
        return hash((self.features, self.tz))

    def select(self, names: Iterable[str]) -> FeatureSet:
        """Those of the given names, in that order."""
        return FeatureSet([self[name] for name in names], tz=self.tz)

    def describe(self) -> pd.DataFrame:
        """One row a feature: name, label, unit, window in days, family, entity."""
        rows = [
            (f.name, f.label, f.unit, (f.window_s or float("nan")) / 86400, f.family, f.entity)
            for f in self.features
        ]
        return pd.DataFrame(
            rows, columns=["name", "label", "unit", "window_days", "family", "entity"]
        )

    @property
    def longest_window_s(self) -> int:
        """Seconds that an event can matter to a window; at least one."""
        return max((_longest(f) for f in self.features), default=1)

    @property
    def kinds(self) -> frozenset[str]:
        """Kinds of events that any feature names."""
        return frozenset(kind for f in self.features for kind in _kinds(f))

    def to_json(self) -> dict[str, Any]:
        """Plain values, for a model's file."""
        return {"tz": self.tz, "features": [dataclasses.asdict(f) for f in self.features]}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> FeatureSet:
        """The inverse of `to_json`."""
        return cls([_feature(f) for f in content["features"]], tz=content["tz"])


def _kinds(feature: Feature) -> set[str]:
    chosen = [feature.events, feature.number.events if feature.number else None]
    named = {kind for e in chosen if e for kind in e.kinds}
    if feature.attribute == "kind" and feature.category:
        named.add(feature.category)
    return named.union(*(_kinds(part) for part in feature.parts))


def _longest(feature: Feature) -> int:
    own = feature.window_s or 1
    return max([own, *(_longest(part) for part in feature.parts)])


def _events(content: Mapping[str, Any] | None) -> Events | None:
    if content is None:
        return None
    where = tuple((str(k), str(v)) for k, v in content["where"])
    return Events(**{**content, "kinds": tuple(content["kinds"]), "where": where})


def _number(content: Mapping[str, Any] | None) -> Number | None:
    if content is None:
        return None
    chosen = _events(content["events"])
    if chosen is None:
        raise BadInput("a number without events", got=content)
    return Number(**{**content, "events": chosen, "after": _events(content["after"])})


def _feature(content: Mapping[str, Any]) -> Feature:
    return Feature(
        **{
            **content,
            "events": _events(content["events"]),
            "number": _number(content["number"]),
            "parts": tuple(_feature(p) for p in content["parts"]),
        }
    )


def by_entity(features: FeatureSet) -> dict[Entity, list[Feature]]:
    """Features grouped by the log they are computed on, each group in order."""
    groups: dict[Entity, list[Feature]] = {}
    for feature in features:
        groups.setdefault(feature.entity, []).append(feature)
    return groups

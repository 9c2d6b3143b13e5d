"""What a buyer says that it wants: wishes, which of them are limits, and what they weigh."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from leadlab.errors import BadInput, BrokenFile, UnknownName
from leadlab.models.matching.fair_housing import refuse_people

NAMES = ("budget", "bedrooms", "bathrooms", "living area", "lot", "type", "place", "commute",
         "walkability", "schools", "safety", "amenities", "age", "market", "style")  # fmt: skip
"""The fifteen factors, in the order in which they are told."""
_PAIRS = (
    ("budget_min_usd", "budget_usd"),
    ("bedrooms_min", "bedrooms_max"),
    ("living_area_min_sqft", "living_area_max_sqft"),
    ("built_from", "built_to"),
)


@dataclass(frozen=True)
class Preferences:
    """Wishes of a buyer; None and () say that it stated none.

    Attributes
    ----------
    budget_usd, budget_min_usd : float
        Highest and lowest price.
    bedrooms_min, bedrooms_max, bathrooms_min : float
    living_area_min_sqft, living_area_max_sqft, lot_min_sqft : float
        Square feet.
    types, areas, styles, amenities : tuple of str
        Any of the first three will do; of the amenities all are wished for.
    near : (latitude, longitude), degrees
    near_km : float
        How far from `near` is still full credit.
    work : (latitude, longitude), degrees
        Where the buyer commutes to.
    commute_max_min : float
        Minutes one way that are still full credit.
    speed_kmh : float
        Of that commute, over distances 1.3 times as long as the crow flies.
    walkability_min : float, 0 to 1
    schools_min, safety_min : float, 0 to 10
        Taken into account only where the buyer itself gives them.
    built_from, built_to : float
        Years.
    stories_max, garage_min : float
    market : "new" or "reduced"
        Homes lately listed; or homes whose price came down.
    hard : tuple of str
        Factors that a home must meet in full; one that is unknown there does not meet it.
    weights : mapping of str to float
        By factor, 1 where not given.

    Raises
    ------
    BadInput
        A wish that no home can meet (a budget of 0, a least above a most), or that names people
        instead of a feature of the home.
    UnknownName
        `hard` or `weights` name no factor.

    Examples
    --------
    >>> wants = Preferences(budget_usd=500_000, bedrooms_min=3, hard=("bedrooms",))
    >>> Preferences(bedrooms_min=4, bedrooms_max=2)
    Traceback (most recent call last):
        ...
    leadlab.errors.BadInput: no home can meet this (where: bedrooms_min; got: 4 to 2; ...
    """

    budget_usd: float | None = None
    budget_min_usd: float | None = None
    bedrooms_min: float | None = None
    bedrooms_max: float | None = None
    bathrooms_min: float | None = None
    living_area_min_sqft: float | None = None
    living_area_max_sqft: float | None = None
    lot_min_sqft: float | None = None
    types: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()
    amenities: tuple[str, ...] = ()
    near: tuple[float, float] | None = None
    near_km: float = 2.0
    work: tuple[float, float] | None = None
    commute_max_min: float = 30.0
    speed_kmh: float = 40.0
    walkability_min: float | None = None
    schools_min: float | None = None
    safety_min: float | None = None
    built_from: float | None = None
    built_to: float | None = None
    stories_max: float | None = None
    garage_min: float | None = None
    market: Literal["new", "reduced"] | None = None
    hard: tuple[str, ...] = ()
    weights: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", MappingProxyType(dict(self.weights)))
        for name in (*self.hard, *self.weights):
            if name not in NAMES:
                raise UnknownName("factor", name, NAMES, where="preferences")
        for name, weight in self.weights.items():
            if not (math.isfinite(weight) and weight >= 0):
                raise BadInput("no such weight", where=name, got=weight, expected="0 or more")
        for name in ("amenities", "styles"):
            refuse_people(name, getattr(self, name))
        _check_numbers(self)

    def but(self, **changes: Any) -> Preferences:
        """The same with some wishes changed."""
        return replace(self, **changes)

    def to_json(self) -> dict[str, Any]:
        """What was stated, in plain values."""
        given = {f.name: getattr(self, f.name) for f in fields(self)}
        given["weights"] = dict(self.weights)
        return {name: value for name, value in given.items() if value not in (None, (), {})}


_ABOVE_ZERO = ("budget_usd", "living_area_max_sqft", "near_km", "commute_max_min", "speed_kmh")
_MOST = {"walkability_min": 1.0, "schools_min": 10.0, "safety_min": 10.0}


def _check_numbers(wants: Preferences) -> None:
    for one in fields(wants):
        value = getattr(wants, one.name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        least = "above 0" if one.name in _ABOVE_ZERO else "0 or more"
        bad = not math.isfinite(value) or value < 0 or (value == 0 and one.name in _ABOVE_ZERO)
        if bad or value > _MOST.get(one.name, math.inf):
            most = f" and at most {_MOST[one.name]:g}" if one.name in _MOST else ""
            raise BadInput("no such wish", where=one.name, got=value, expected=least + most)
    for low, high in _PAIRS:
        least, most = getattr(wants, low), getattr(wants, high)
        if least is not None and most is not None and least > most:
            got = f"{least:g} to {most:g}"
            raise BadInput("no home can meet this", where=low, got=got, expected=f"up to {high}")
    for name in ("near", "work"):
        point = getattr(wants, name)
        if point is not None and not (
            len(point) == 2 and abs(point[0]) <= 90 and abs(point[1]) <= 180
        ):
            raise BadInput("no such place", where=name, got=point, expected="latitude, longitude")


def read_preferences(content: Mapping[str, Any]) -> Preferences:
    """Preferences from outside: types are checked, unknown names refused.

    Raises
    ------
    UnknownName
        A field is none of `Preferences`.
    BadInput
        A value is of another kind, or a wish that no home can meet.

    Examples
    --------
    >>> read_preferences({"budget_usd": 400000, "areas": ["Bayside"]}).areas
    ('Bayside',)
    >>> read_preferences({"budget": 400000})
    Traceback (most recent call last):
        ...
    leadlab.errors.UnknownName: unknown preference 'budget' (where: preferences). Did you mean ...
    """
    from pydantic import TypeAdapter, ValidationError  # noqa: PLC0415  (only at the border)

    known = [f.name for f in fields(Preferences)]
    for name in content:
        if name not in known:
            raise UnknownName("preference", str(name), known, where="preferences")
    try:
        checked: Preferences = TypeAdapter(Preferences).validate_python(dict(content))
    except ValidationError as error:
        first = error.errors()[0]
        own = first.get("ctx", {}).get("error")
        if isinstance(own, BadInput):
            raise own from None
        where = ".".join(str(part) for part in first["loc"]) or "preferences"
        raise BadInput(f"cannot read preferences: {first['msg']}", where=where) from error
    return checked


def load_preferences(path: str | Path) -> Preferences:
    """Preferences from a JSON file; see `read_preferences`.

    Raises
    ------
    BadInput
        There is no such file, or it holds no preferences.
    BrokenFile
        The file is no JSON object.
    """
    place = Path(path)
    if not place.is_file():
        raise BadInput("no such file", where=str(place))
    try:
        content = json.loads(place.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BrokenFile("not JSON", where=str(place), got=str(error)) from error
    if not isinstance(content, dict):
        raise BrokenFile("not an object of preferences", where=str(place))
    return read_preferences(content)

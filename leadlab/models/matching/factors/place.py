"""Where: place, commute, walkability, and by the buyer's own choice schools and safety."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlab.models.matching.catalogue import Catalogue
from leadlab.models.matching.factors.factor import F32, Factor, among, at_least, at_most, number
from leadlab.models.matching.geometry import km_between
from leadlab.models.matching.preferences import Preferences

FADES_KM = 8.0
"""Beyond the wished distance at which nothing is left."""
DETOUR = 1.3
"""Way by road over way as the crow flies, about that of towns."""


def place(homes: Catalogue, wants: Preferences) -> F32:
    """1 in a wished area or within the wished distance of a point, 0 from 8 km beyond it.

    A home in another area than those wished scores 0 unless `near` is stated as well.
    """
    found = np.full(len(homes), np.nan, np.float32)
    if wants.areas:
        found = among(homes.area, homes.areas, wants.areas)
    if wants.near is not None:
        close = at_most(homes.km_to(*wants.near), wants.near_km, FADES_KM)
        found = close if not wants.areas else np.fmax(found, close)
    return found


def minutes(
    homes: Catalogue, wants: Preferences, rows: NDArray[np.int64] | slice = slice(None)
) -> F32:
    """Minutes one way to the place of work: 1.3 times the distance at the stated speed.

    Where the catalogue holds ``commute_minutes`` (from `leadlab.models.matching.routes`, for this
    buyer) those count instead, and a home without them is unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> homes = Catalogue.prepare(
    ...     pd.DataFrame({"listing_key": ["a"], "latitude": [39.0], "longitude": [-105.0]}))
    >>> minutes(homes, Preferences(work=(39.1, -105.0), speed_kmh=40)).round(1).tolist()
    [21.700000762939453]
    """
    assert wants.work is not None
    routed = homes.number["commute_minutes"]
    if not np.isnan(routed).all():
        return np.asarray(routed[rows])
    return np.asarray(homes.km_to(*wants.work, rows) * np.float32(60 * DETOUR / wants.speed_kmh))


def commute(homes: Catalogue, wants: Preferences) -> F32:
    """1 up to the longest commute wished, 0 at twice that."""
    return at_most(minutes(homes, wants), wants.commute_max_min, wants.commute_max_min)


def walkability(homes: Catalogue, wants: Preferences) -> F32:
    """1 from the wished walkability on (`leadlab.models.matching.walkability`), 0 at 0.4 below."""
    return at_least(homes.number["walkability"], wants.walkability_min, 0.4)


def schools(homes: Catalogue, wants: Preferences) -> F32:
    """1 from the rating on that the buyer chose, 0 at 5 below; the catalogue names the source."""
    return at_least(homes.number["school_rating"], wants.schools_min, 5.0)


def safety(homes: Catalogue, wants: Preferences) -> F32:
    """1 from the rating on that the buyer chose, 0 at 5 below; the catalogue names the source."""
    return at_least(homes.number["safety_rating"], wants.safety_min, 5.0)


def _place_reason(homes: Catalogue, row: int, wants: Preferences) -> str:
    code = int(homes.area[row])
    area = homes.areas[code] if code >= 0 else "in an unnamed area"
    if area.casefold() in {a.casefold() for a in wants.areas}:
        return f"{area}, as wished"
    if wants.near is None:
        return f"{area} instead of {' or '.join(wants.areas)}"
    return f"{area}, {_km(homes, row, wants.near):.1f} km from the wished place"


def _km(homes: Catalogue, row: int, point: tuple[float, float]) -> float:

    at = (float(homes.number["latitude"][row]), float(homes.number["longitude"][row]))
    return km_between(at, point)


def _place_change(homes: Catalogue, row: int, wants: Preferences) -> dict[str, Any]:
    code = int(homes.area[row])
    if wants.areas and code >= 0:
        return {"areas": (*wants.areas, homes.areas[code])}
    if wants.near is not None:
        return {"near_km": math.ceil(10 * _km(homes, row, wants.near)) / 10}
    return {}


def _one_way(homes: Catalogue, row: int, wants: Preferences) -> float:
    assert wants.work is not None
    routed = float(homes.number["commute_minutes"][row])
    if not math.isnan(routed):
        return routed
    return _km(homes, row, wants.work) * 60 * DETOUR / wants.speed_kmh


def _commute_reason(homes: Catalogue, row: int, wants: Preferences) -> str:
    one_way = _one_way(homes, row, wants)
    enough = "as wished" if one_way <= wants.commute_max_min else (
        f"instead of at most {number(wants.commute_max_min)}"
    )  # fmt: skip
    routed = not math.isnan(float(homes.number["commute_minutes"][row]))
    how = "by road" if routed else f"at {wants.speed_kmh:g} km/h"
    return f"about {one_way:.0f} minutes to work {how}, {enough}"


def _commute_change(homes: Catalogue, row: int, wants: Preferences) -> dict[str, Any]:
    return {"commute_max_min": float(math.ceil(_one_way(homes, row, wants)))}


def _rated(name: str, field: str, wish: str, score: Callable[..., F32], words: str) -> Factor:
    def asked(wants: Preferences) -> bool:
        return getattr(wants, wish) is not None

    def reason(homes: Catalogue, row: int, wants: Preferences) -> str:
        value, least = float(homes.number[field][row]), float(getattr(wants, wish))
        source = f" ({homes.sources[field]})" if field in homes.sources else ""
        told = "as wished" if value >= least else f"instead of at least {least:g}"
        return f"{words} {value:.2g}{source}, {told}"

    def change(homes: Catalogue, row: int, wants: Preferences) -> dict[str, Any]:
        return {wish: float(homes.number[field][row])}

    return Factor(name, (field,), asked, score, reason, change)


_POINT = ("latitude", "longitude")
FACTORS = (
    Factor("place", ("city", *_POINT), lambda w: bool(w.areas) or w.near is not None, place,
           _place_reason, _place_change),
    Factor("commute", (*_POINT, "commute_minutes"), lambda w: w.work is not None, commute,
           _commute_reason, _commute_change),
    _rated("walkability", "walkability", "walkability_min", walkability, "walkability"),
    _rated("schools", "school_rating", "schools_min", schools, "school rating"),
    _rated("safety", "safety_rating", "safety_min", safety, "safety rating"),
)  # fmt: skip

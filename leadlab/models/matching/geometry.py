"""Distances between two points."""

from __future__ import annotations

import math

from leadlab.models.matching.catalogue import EARTH_KM


def km_between(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Great-circle distance by the haversine formula, km; points as latitude, longitude.

    Examples
    --------
    >>> round(km_between((0.0, 0.0), (0.0, 1.0)), 1)
    111.2
    """
    lat1, lon1, lat2, lon2 = map(math.radians, (*one, *other))
    a = (
        math.sin((lat2 - lat1) / 2) ** 2
        + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    )
    return 2 * EARTH_KM * math.asin(min(1.0, math.sqrt(a)))

"""How much of daily life is within a walk: full credit near by, none beyond half an hour.

For each category the nearest few places count, the first most. One at distance d gives its weight
times

    1 within 0.25 mile, falling to 0 at 30 minutes' walk: (1 - t)^2 (1 + 2 t), t the share of it,

and the sum over its possible most is the walkability, 0 to 1. Where the density of intersections is
known, less than 200 to the square mile takes off up to 5%. Distances are as the crow flies.

Schools, places of worship and whatever else speaks of who lives somewhere are no categories here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from leadlab.errors import BadInput, EmptyInput
from leadlab.models.matching.catalogue import EARTH_KM, Catalogue
from leadlab.models.matching.places import Places

F64 = NDArray[np.float64]
FULL_KM = 0.402
"""A quarter of a mile."""
NONE_KM = 2.4
"""30 minutes at 4.8 km/h."""
DENSE, SPARSE, MOST_OFF = 77.2, 23.2, 0.05
"""Intersections to the square kilometre (200 and 60 to the square mile) from which nothing, and at
which the most, is taken off; and that most."""
CATEGORIES: Mapping[str, tuple[tuple[str, ...], tuple[float, ...]]] = MappingProxyType(
    {
        "groceries": (("supermarket", "grocery", "convenience", "greengrocer", "bakery"), (3.0,)),
        "eating": (("restaurant", "fast_food", "pub", "bar"), (0.8, 0.5, 0.3, 0.2, 0.2)),
        "coffee": (("cafe", "coffee"), (1.2, 0.8)),
        "shops": (
            ("clothes", "hardware", "department_store", "mall", "books", "pharmacy", "chemist"),
            (0.6, 0.5, 0.4, 0.3),
        ),
        "errands": (("bank", "atm", "post_office", "library"), (1.0,)),
        "parks": (("park", "garden", "nature_reserve"), (1.0, 0.5)),
        "leisure": (("cinema", "theatre", "gym", "fitness_centre", "sports_centre"), (0.7, 0.3)),
        "transit": (("bus_stop", "station", "tram_stop", "subway", "platform"), (1.0, 0.5)),
    }
)
"""Groups of categories, and the weights of the nearest, second nearest, ... place of each."""


def decay(km: F64) -> F64:
    """Credit by distance.

    Examples
    --------
    >>> decay(np.array([0.1, 0.402, 1.401, 2.4, 9.0])).round(3).tolist()
    [1.0, 1.0, 0.5, 0.0, 0.0]
    """
    t = np.clip((km - FULL_KM) / (NONE_KM - FULL_KM), 0, 1)
    return np.asarray((1 - t) ** 2 * (1 + 2 * t))


def walkability(
    homes: Catalogue,
    around: Places,
    *,
    intersections_per_km2: F64 | None = None,
    categories: Mapping[str, tuple[tuple[str, ...], tuple[float, ...]]] = CATEGORIES,
) -> F64:
    """Walkability of each home, 0 to 1; NaN where it has no coordinates.

    Parameters
    ----------
    homes : Catalogue
    around : Places
    intersections_per_km2 : float array, shape (n,), optional
        Around each home; see `leadlab.models.matching.routes.Roads.intersections_per_km2`.
    categories : mapping
        Other groups and weights than `CATEGORIES`.

    Raises
    ------
    EmptyInput
        None of the places is of a category that counts.
    BadInput
        Densities are not one a home.

    Examples
    --------
    >>> import pandas as pd
    >>> homes = Catalogue.prepare(pd.DataFrame(
    ...     {"listing_key": ["a", "b"], "latitude": [39.7, None], "longitude": [-105.0, -105.0]}))
    >>> shop = Places(np.array([39.7]), np.array([-105.0]), np.array(["supermarket"], object))
    >>> walkability(homes, shop).round(2).tolist()
    [0.22, nan]
    """
    from sklearn.neighbors import BallTree  # noqa: PLC0415  (takes long to import)

    at = np.radians(
        np.column_stack([homes.number["latitude"], homes.number["longitude"]]).astype(np.float64)
    )
    known = ~np.isnan(at).any(axis=1)
    total, counted = np.zeros(int(known.sum())), 0
    for kinds, weights in categories.values():
        rows = np.isin(around.category, list(kinds))
        counted += int(rows.sum())
        if not rows.any() or not known.any():
            continue
        points = np.radians(np.column_stack([around.latitude[rows], around.longitude[rows]]))
        k = min(len(weights), len(points))
        distance, _ = BallTree(points, metric="haversine").query(at[known], k=k)
        total += decay(distance * EARTH_KM) @ np.array(weights[:k])
    if not counted:
        raise EmptyInput(
            "no place is of a category that counts",
            where="places",
            got=", ".join(sorted(set(map(str, around.category)))[:5]),
            hint="Name other categories: categories={'groceries': (('your name',), (3.0,))}.",
        )
    found = np.full(len(homes), np.nan)
    found[known] = total / sum(sum(weights) for _, weights in categories.values())
    if intersections_per_km2 is None:
        return found
    if np.shape(intersections_per_km2) != (len(homes),):
        raise BadInput("one density a home", got=np.shape(intersections_per_km2))
    off = np.clip((DENSE - intersections_per_km2) / (DENSE - SPARSE), 0, 1) * MOST_OFF
    return np.asarray(found * (1 - np.nan_to_num(off)))

"""What leads would like in a home, and would not say in so many words.

A lead has an ideal in each of six traits of a home and cares more for one than for another; it has
a sort of home that it likes best, and a place of work that it would rather not drive far to. The
liking of a home is

    liking = -1/2 sum_k w_k min((z_k - ideal_k)^2, 9) + 1.2 [best liked sort] - w_c km / 10

with traits z in standard units. It steers which of the homes that come up are looked at, which of
those are saved or put aside, and which are shown. No trait of a person enters, and none is implied.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlab.data.brokerage.draws import Keys, choose, lognormal, normal

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
TRAITS = ("size", "bedrooms", "lot", "built", "garage", "stories")
SORTS = ("Single Family Residence", "Townhouse", "Condominium")
SORT_SHARES = np.array([0.62, 0.18, 0.20])
BEST_SORT = 1.2
FARTHEST = 9.0
CENTRE, SPREAD = np.array([39.70, -104.97]), np.array([0.07, 0.09])
"""Of places of work, degrees."""
KM = np.array([111.2, 85.6])
"""In a degree of latitude and, at 39.7 degrees north, of longitude."""


@dataclass(frozen=True, eq=False)
class Tastes:
    """Tastes of leads, one lead a row.

    Attributes
    ----------
    ideal, weight : float array, shape (n, 6)
        Of `TRAITS`, in standard units.
    sort : int array, shape (n,)
        Position in `SORTS`.
    work : float array, shape (n, 2)
        Latitude and longitude of the place of work, degrees.
    commute : float array, shape (n,)
        Weight of ten kilometres.
    """

    ideal: F64
    weight: F64
    sort: I64
    work: F64
    commute: F64

    def and_then(self, others: Tastes) -> Tastes:
        """These tastes and, behind them, others."""
        return Tastes(
            **{
                f.name: np.concatenate([getattr(self, f.name), getattr(others, f.name)])
                for f in fields(self)
            }
        )

    def frame(self) -> pd.DataFrame:
        """One lead a row: ``ideal_...``, ``weight_...``, ``sort``, ``work_...``, ``commute``."""
        return pd.DataFrame(
            {f"ideal_{name}": self.ideal[:, k] for k, name in enumerate(TRAITS)}
            | {f"weight_{name}": self.weight[:, k] for k, name in enumerate(TRAITS)}
            | {"liked_sort": np.array(SORTS, dtype=object)[self.sort]}
            | {"work_latitude": self.work[:, 0], "work_longitude": self.work[:, 1]}
            | {"weight_commute": self.commute}
        )

    @classmethod
    def of_frame(cls, frame: pd.DataFrame) -> Tastes:
        """The inverse of `frame`; further columns are left alone.

        Examples
        --------
        >>> from leadlab.data.brokerage.draws import child, first_key
        >>> some = draw_tastes(child(first_key(0, "leads"), np.arange(3)), np.full(3, 0.5))
        >>> bool((Tastes.of_frame(some.frame()).ideal == some.ideal).all())
        True
        """
        return cls(
            frame[[f"ideal_{name}" for name in TRAITS]].to_numpy(np.float64),
            frame[[f"weight_{name}" for name in TRAITS]].to_numpy(np.float64),
            pd.Index(SORTS).get_indexer(pd.Index(frame["liked_sort"])).astype(np.int64),
            frame[["work_latitude", "work_longitude"]].to_numpy(np.float64),
            frame["weight_commute"].to_numpy(np.float64),
        )


def draw_tastes(key: Keys, price: F64) -> Tastes:
    """Draw what leads would like.

    Parameters
    ----------
    key : uint64 array, shape (n,)
    price : float array, shape (n,)
        Place in the price range, 0 to 1: who looks at dear homes looks for larger ones.
    """
    ideal = np.column_stack([normal(key, f"ideal {name}") for name in TRAITS])
    ideal[:, 0] = 2.4 * (price - 0.45) + 0.6 * ideal[:, 0]
    ideal[:, 1] = 0.7 * ideal[:, 0] + 0.7 * ideal[:, 1]
    weight = np.column_stack([lognormal(key, f"care {name}", 0.3, 0.8) for name in TRAITS])
    work = [normal(key, "work, north"), normal(key, "work, east")]
    return Tastes(
        ideal=ideal,
        weight=weight,
        sort=choose(key, "sort", SORT_SHARES),
        work=CENTRE + SPREAD * np.column_stack(work),
        commute=lognormal(key, "care commute", 0.6, 0.6),
    )


@dataclass(frozen=True, eq=False)
class Traits:
    """Homes as tastes see them.

    Attributes
    ----------
    z : float array, shape (n, 6)
        Of `TRAITS`, in standard units.
    sort : int array, shape (n,)
    at : float array, shape (n, 2)
        Latitude and longitude, degrees.
    """

    z: F64
    sort: I64
    at: F64


def traits_of(homes: pd.DataFrame) -> Traits:
    """What tastes see of listings.

    Examples
    --------
    >>> from leadlab.data.brokerage.listings import draw_listings
    >>> traits_of(draw_listings(0).public()).z.shape
    (2000, 6)
    """
    z = np.column_stack(
        [
            np.log(homes["living_area"] / 1_750) / 0.36,
            (homes["bedrooms_total"] - 3) / 1.1,
            np.log(homes["lot_size_square_feet"] / 5_400) / 0.65,
            (homes["year_built"] - 1_992) / 26,
            (homes["garage_spaces"] - 1.4) / 0.92,
            (homes["stories_total"] - 1.45) / 0.5,
        ]
    ).astype(np.float64)
    sort = pd.Index(SORTS).get_indexer(pd.Index(homes["property_sub_type"])).astype(np.int64)
    return Traits(z, sort, homes[["latitude", "longitude"]].to_numpy(np.float64))


def liking(tastes: Tastes, lead: I64, traits: Traits, home: I64) -> F64:
    """Liking of homes by leads, pair by pair.

    Parameters
    ----------
    tastes : Tastes
    lead : int array, shape (n,)
    traits : Traits
    home : int array, shape (n,)

    Returns
    -------
    float array, shape (n,)
    """
    found = np.where(traits.sort[home] == tastes.sort[lead], BEST_SORT, 0.0)
    for k in range(len(TRAITS)):
        gap = traits.z[home, k] - tastes.ideal[lead, k]
        found -= 0.5 * tastes.weight[lead, k] * np.minimum(gap * gap, FARTHEST)
    north, east = ((traits.at[home, i] - tastes.work[lead, i]) * KM[i] for i in (0, 1))
    return np.asarray(found - tastes.commute[lead] * np.sqrt(north**2 + east**2) / 10)

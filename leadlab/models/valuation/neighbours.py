"""What past sales nearby say of a home: the nearest ones, and those of its H3 cells.

Each statistic is of residuals of log price, after attributes and the level of the market at the
time of the sale, and only of sales before the day that is asked about.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import KDTree

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
EARTH_KM = 6371.0088
NEAREST = (5, 15, 40)
RESOLUTIONS = (7, 8, 9)
"""H3 cells of about 5, 0.7 and 0.1 square kilometres."""
HALF_LIFE_DAYS = 180.0
PRIOR = 3.0
"""Sales without residual that each mean of a cell counts in."""
ALIKE = 0.25
"""Difference in log value at which a neighbour's weight has fallen to 1/e."""
NAMES = (
    *(f"nearest_{k}" for k in NEAREST),
    *("nearest_alike", "nearest_spread", "nearest_km"),
    *(f"cell_{r}" for r in RESOLUTIONS),
    *(f"cell_{r}_sales" for r in RESOLUTIONS),
)


@dataclass(frozen=True, eq=False)
class Homes:
    """Where homes are, what they are worth by attributes alone, and the day that is asked about.

    Attributes
    ----------
    xyz : float64 array, shape (n, 3)
        On a sphere of the Earth's radius, in km; NaN where unknown.
    cells : int64 array, shape (n, len(RESOLUTIONS))
        H3 cells; 0 where unknown.
    value : float64 array, shape (n,)
        Log value by attributes.
    day : int64 array, shape (n,)
        Since 1970.
    """

    xyz: F64
    cells: I64
    value: F64
    day: I64


@dataclass(frozen=True, eq=False)
class PastSales:
    """Sales in order of time, to be asked what was known before a day.

    Attributes
    ----------
    homes : Homes
    residual : float64 array, shape (n,)
        Log price less value and level.

    Examples
    --------
    >>> lat = np.full(50, 47.0) + np.arange(50) / 1000
    >>> homes = homes_at(lat, np.full(50, -122.0), np.zeros(50), np.arange(50))
    >>> past = PastSales(homes, np.full(50, 0.2))
    >>> found = past.statistics(homes)
    >>> bool(np.isnan(found[0, 0])), found[49, :3].round(6).tolist()
    (True, [0.2, 0.2, 0.2])
    """

    homes: Homes
    residual: F64
    _located: I64 = field(init=False)
    _trees: dict[int, KDTree] = field(init=False, default_factory=dict)
    _cells: list[tuple[NDArray[np.void], F64, F64]] = field(init=False)

    def __post_init__(self) -> None:
        located = np.flatnonzero(~np.isnan(self.homes.xyz[:, 0]))
        object.__setattr__(self, "_located", located)
        sums = [self._running(r) for r in range(len(RESOLUTIONS))]
        object.__setattr__(self, "_cells", sums)

    def nearest(self, homes: Homes, most: int) -> tuple[I64, F64]:
        """Rows of the nearest sales before each home's day, nearest first, and distances in km.

        Returns
        -------
        rows : int64 array, shape (n, most)
            -1 where there is none.
        km : float64 array, shape (n, most)
            Along the great circle; infinite where there is none.
        """
        n = len(homes.day)
        rows, km = np.full((n, most), -1, np.int64), np.full((n, most), np.inf)
        known = np.flatnonzero(~np.isnan(homes.xyz[:, 0]))
        before = np.searchsorted(self.homes.day[self._located], homes.day[known], side="left")
        for count in np.unique(before[before > 0]):
            asked = known[before == count]
            k = min(most, int(count))
            chord, place = self._tree(int(count)).query(homes.xyz[asked], k=k)
            rows[asked[:, None], np.arange(k)] = self._located[place.reshape(len(asked), k)]
            km[asked[:, None], np.arange(k)] = _arc(chord.reshape(len(asked), k))
        return rows, km

    def statistics(self, homes: Homes, nearest: tuple[I64, F64] | None = None) -> F64:
        """What past sales say of each home, shape (n, len(NAMES)); NaN where there are none.

        `nearest` is what ``nearest(homes, NEAREST[-1])`` gave, where that is known already.
        """
        rows, km = self.nearest(homes, NEAREST[-1]) if nearest is None else nearest
        there = rows >= 0
        residual = np.where(there, self.residual[rows], 0.0)
        age = homes.day[:, None] - self.homes.day[rows]
        fresh = np.where(there, 2.0 ** (-age / HALF_LIFE_DAYS), 0.0)
        found = []
        for k in NEAREST:
            reach = np.where(there[:, :k], km[:, :k], 0.0)
            weight = fresh[:, :k] / (reach + 0.3 * reach.max(axis=1, keepdims=True) + 0.02)
            found.append(_mean(residual[:, :k], weight))
        alike = np.exp(-(((homes.value[:, None] - self.homes.value[rows]) / ALIKE) ** 2))
        weight = fresh * alike / (np.where(there, km, 0.0) + 0.3)
        found.append(_mean(residual, weight))
        middle = np.where(there[:, :15], self.residual[rows[:, :15]], np.nan)
        some = there[:, 1]
        found.append(np.full(len(rows), np.nan))
        found[-1][some] = np.nanstd(middle[some], axis=1)
        found.append(np.where(there[:, 4], km[:, 4], np.nan))
        cells = [self._cell(homes, r) for r in range(len(RESOLUTIONS))]
        return np.column_stack([*found, *(c[0] for c in cells), *(c[1] for c in cells)])

    def _tree(self, count: int) -> KDTree:
        """Of the first so many sales that have a place; the last tree asked for is kept."""
        if count not in self._trees:
            self._trees.clear()
            self._trees[count] = KDTree(self.homes.xyz[self._located[:count]])
        return self._trees[count]

    def _running(self, resolution: int) -> tuple[NDArray[np.void], F64, F64]:
        """Sales by cell and day, with running sums of weights and of weighted residuals.

        Weights grow by the day, which is as good as a decay of all earlier ones.
        """
        cell, day = self.homes.cells[:, resolution], self.homes.day
        order = np.lexsort((day, cell))
        order = order[cell[order] != 0]
        weight = 2.0 ** ((day[order] - self._origin) / HALF_LIFE_DAYS)
        terms = pd.DataFrame({"weight": weight, "sum": weight * self.residual[order]})
        sums = terms.groupby(cell[order]).cumsum()
        keys = _keys(cell[order], day[order])
        return keys, sums["weight"].to_numpy(), sums["sum"].to_numpy()

    @property
    def _origin(self) -> int:
        return int(self.homes.day[0])

    def _cell(self, homes: Homes, resolution: int) -> tuple[F64, F64]:
        """Shrunken mean residual and effective number of earlier sales in each home's cell."""
        keys, weights, sums = self._cells[resolution]
        asked = homes.cells[:, resolution]
        place = np.searchsorted(keys, _keys(asked, homes.day), side="left") - 1
        there = (place >= 0) & (asked != 0)
        there[there] = keys["cell"][place[there]] == asked[there]
        decay = 2.0 ** ((homes.day[there] - self._origin) / HALF_LIFE_DAYS)
        weight, total = np.zeros(len(asked)), np.zeros(len(asked))
        weight[there] = weights[place[there]] / decay
        total[there] = sums[place[there]] / decay
        unknown = asked == 0
        weight[unknown] = np.nan
        return total / (weight + PRIOR), weight


def homes_at(latitude: F64, longitude: F64, value: F64, day: I64) -> Homes:
    """Homes at places in degrees.

    Examples
    --------
    >>> one = homes_at(np.array([0.0]), np.array([90.0]), np.zeros(1), np.zeros(1, np.int64))
    >>> one.xyz.round(1).tolist()
    [[0.0, 6371.0, 0.0]]
    """
    phi, lam = np.radians(latitude), np.radians(longitude)
    unit = np.column_stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)])
    place = np.where(np.isnan(unit).any(axis=1, keepdims=True), np.nan, unit)
    return Homes(EARTH_KM * place, h3_cells(latitude, longitude), value, day)


def h3_cells(latitude: F64, longitude: F64) -> I64:
    """H3 cells at each of `RESOLUTIONS`, shape (n, 3); 0 where the place is unknown.

    Examples
    --------
    >>> cells = h3_cells(np.array([47.6, np.nan]), np.array([-122.3, 1.0]))
    >>> cells[1].tolist(), len(set(cells[0].tolist()))
    ([0, 0, 0], 3)
    """
    import h3.api.basic_int as h3  # noqa: PLC0415  (only valuations ask for cells)

    found = np.zeros((len(latitude), len(RESOLUTIONS)), np.int64)
    finest = RESOLUTIONS[-1]
    for i in np.flatnonzero(~np.isnan(latitude) & ~np.isnan(longitude)).tolist():
        cell = h3.latlng_to_cell(latitude[i], longitude[i], finest)
        found[i] = [h3.cell_to_parent(cell, r) for r in RESOLUTIONS[:-1]] + [cell]
    return found


def _arc(chord: F64) -> F64:
    """Length along the sphere of a straight line through it, in km."""
    found: F64 = 2 * EARTH_KM * np.arcsin(np.minimum(chord / (2 * EARTH_KM), 1.0))
    return found


def _mean(values: F64, weight: F64) -> F64:
    total = weight.sum(axis=1)
    found = np.full(len(values), np.nan)
    np.divide((values * weight).sum(axis=1), total, out=found, where=total > 0)
    return found


def _keys(cell: I64, day: I64) -> NDArray[np.void]:
    """Pairs that sort by cell and then by day."""
    keys = np.empty(len(cell), [("cell", np.int64), ("day", np.int64)])
    keys["cell"], keys["day"] = cell, day
    return keys

"""What is known of a market on a day: attributes' worth, the level, and the sales before it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlab.models.valuation.columns import AREA, PLACE, HomeColumns
from leadlab.models.valuation.hedonic import Hedonic
from leadlab.models.valuation.level import MarketLevel, half_life_of
from leadlab.models.valuation.neighbours import NAMES, NEAREST, Homes, PastSales, homes_at
from leadlab.models.valuation.sales import Sales

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
TURNED = ("northing_easting", "northing_westing")
"""Coordinates turned by 45 degrees, so that trees can cut slantwise."""
NEAR = (*NAMES, *(f"rate_{name}" for name in NAMES))
"""Statistics of past sales nearby: of residuals, and of log price per living area."""


SITED = (*PLACE, "postal_code", "city", "county_or_parish", "neighborhood", "subdivision_name")
"""Columns that stand for the place."""


def source_of(column: str) -> str:
    """What a column speaks of: itself, or "place".

    Examples
    --------
    >>> source_of("postal_code"), source_of("living_area")
    ('place', 'living_area')
    """
    return "place" if column in SITED else column


@dataclass(frozen=True, eq=False)
class Lens:
    """How homes are read.

    Attributes
    ----------
    columns : HomeColumns
    hedonic : Hedonic
        What attributes are worth.
    half_life_days : float
        How fast the level of the market forgets.
    rate : float
        Mean log price per square foot of living area in training.
    """

    columns: HomeColumns
    hedonic: Hedonic
    half_life_days: float
    rate: float

    @classmethod
    def learn(cls, sales: Sales, without: tuple[str, ...] = ()) -> Lens:
        """Learn from sales."""
        columns = HomeColumns.learn(sales.homes, sales.log_price, without)
        values = columns.values(sales.homes)
        levels = tuple(len(columns.levels.get(name, ())) for name in columns.names)
        hedonic = Hedonic.learn(values, sales.log_price, levels)
        half_life = half_life_of(sales.day, sales.log_price - hedonic.value(values))
        rate = float(np.mean(sales.log_price - log_area(columns, values)))
        return cls(columns, hedonic, half_life, rate)

    @property
    def names(self) -> tuple[str, ...]:
        """Features of `Market.features`, in order."""
        return (*self.columns.names, *TURNED, *NEAR)

    @property
    def sources(self) -> tuple[str, ...]:
        """The column that each feature speaks of; "place" for all that stands for where it is."""
        own = tuple(source_of(name) for name in self.columns.names)
        return (*own, *("place",) * (len(TURNED) + len(NEAR)))


@dataclass(frozen=True, eq=False)
class Asked:
    """Homes on days, as they are seen.

    Attributes
    ----------
    values : float64 array, shape (n, columns)
    homes : Homes
        Places, and worth by attributes.
    base : float64 array, shape (n,)
        Worth plus level, in log price, to which trees add what they know.
    level : float64 array, shape (n,)
    near : float64 array, shape (n, len(NEAR))
    features : float32 array, shape (n, len(lens.names))
    """

    values: F64
    homes: Homes
    base: F64
    level: F64
    near: F64
    features: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Market:
    """Past sales under a lens.

    Attributes
    ----------
    lens : Lens
    sales : Sales
    level : MarketLevel
    past : PastSales
        Residuals of log price.
    rates : PastSales
        Log prices per living area, less level and mean.
    asked : Asked
        The sales themselves, each as it was seen on the day of its closing.
    """

    lens: Lens
    sales: Sales
    level: MarketLevel
    past: PastSales
    rates: PastSales
    asked: Asked

    @classmethod
    def known(cls, lens: Lens, sales: Sales) -> Market:
        """All that sales tell."""
        values = lens.columns.values(sales.homes)
        worth = lens.hedonic.value(values)
        level = MarketLevel.follow(sales.day, sales.log_price - worth, lens.half_life_days)
        homes = homes_at(*_places(sales.homes), worth, sales.day)
        fair = sales.log_price - level.at(sales.day)
        past = PastSales(homes, fair - worth)
        area = log_area(lens.columns, values)
        rates = PastSales(replace(homes, value=area), fair - area - lens.rate)
        asked = _asked(lens, level, (past, rates), values, homes)
        return cls(lens, sales, level, past, rates, asked)

    def ask(self, homes: pd.DataFrame, day: I64) -> Asked:
        """What is known of homes before each one's day.

        Parameters
        ----------
        homes : DataFrame, n rows
            Under RESO names.
        day : int64 array, shape (n,)
            Since 1970.
        """
        values = self.lens.columns.values(homes)
        places = homes_at(*_places(homes), self.lens.hedonic.value(values), day)
        return _asked(self.lens, self.level, (self.past, self.rates), values, places)


def _asked(
    lens: Lens, level: MarketLevel, sold: tuple[PastSales, PastSales], values: F64, homes: Homes
) -> Asked:
    now = level.at(homes.day)
    past, rates = sold
    found = past.nearest(homes, NEAREST[-1])
    by_area = replace(homes, value=log_area(lens.columns, values))
    near = np.hstack([past.statistics(homes, found), rates.statistics(by_area, found)])
    return Asked(values, homes, homes.value + now, now, near, features(lens, values, near))


def log_area(columns: HomeColumns, values: F64) -> F64:
    """Logarithm of living areas; NaN where there is none above 0."""
    area = columns.column(values, AREA)
    found: F64 = np.log(np.where(area > 0, area, np.nan))
    return found


def features(lens: Lens, values: F64, near: F64) -> NDArray[np.float32]:
    """What trees see, shape (n, len(lens.names))."""
    north, east = (lens.columns.column(values, name) for name in PLACE)
    shrunk = east * np.cos(np.radians(north))
    turned = np.column_stack([north + shrunk, north - shrunk])
    return np.hstack([values, turned, near]).astype(np.float32)


def _places(homes: pd.DataFrame) -> tuple[F64, F64]:
    if not set(PLACE) <= set(homes.columns):
        unknown = np.full(len(homes), np.nan)
        return unknown, unknown
    north, east = (homes[name].to_numpy(np.float64) for name in PLACE)
    return north, east

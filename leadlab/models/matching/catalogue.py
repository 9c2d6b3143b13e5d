"""Listings made ready once, so that each buyer costs milliseconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlab.errors import BadInput, EmptyInput, UnknownName
from leadlab.models.matching.fair_housing import speaks_of_people
from leadlab.models.matching.listing_columns import F32, I32, codes, numbers, renamed

F64 = NDArray[np.float64]
EARTH_KM = 6371.0088
TRAITS = (
    *("list_price", "living_area", "bedrooms_total", "bathrooms", "lot_size_square_feet"),
    *("year_built", "garage_spaces", "stories_total", "east_km", "north_km", "price in area"),
)
"""What taste is learned over, besides the sort of home and its area. The last is the price on the
scale of prices in its area: who takes a small home in a dear place may look at prices, or at what
is cheap for the place."""
_WORKED_OUT = ("_index", "centre", "on_sphere", "standard", "filled", "powers", "usual")
_LOG = ("list_price", "living_area", "lot_size_square_feet")


@dataclass(frozen=True, eq=False)
class Catalogue:
    """Listings in flat arrays of shape (n,); NaN and code -1 are unknown.

    Attributes
    ----------
    key : object array
        Names of the listings.
    number : mapping of str to float32 array
        The fields of `leadlab.models.matching.listing_columns.NUMBERS`.
    sort, area, style : int32 array
        Codes into `sorts`, `areas` and `styles`.
    sorts, areas, styles : tuple of str
    amenities : mapping of str to bool array
    has_amenities : bool
        Whether the table says anything of amenities.
    sources : mapping of str to str
        Where ratings come from.
    doubts : mapping of str to int
        Values that were given but are taken as unknown, by what is wrong with them.

    Examples
    --------
    >>> homes = Catalogue.prepare(pd.DataFrame({"listing_key": ["a", "b"], "list_price": [3e5, 0]}))
    >>> len(homes), dict(homes.doubts)
    (2, {'list_price outside 1 to 1e+09': 1})
    """

    key: NDArray[np.object_]
    number: Mapping[str, F32]
    sort: I32
    sorts: tuple[str, ...]
    area: I32
    areas: tuple[str, ...]
    style: I32
    styles: tuple[str, ...]
    amenities: Mapping[str, NDArray[np.bool_]]
    has_amenities: bool
    sources: Mapping[str, str] = field(default_factory=dict)
    doubts: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.key)

    @classmethod
    def prepare(
        cls,
        listings: pd.DataFrame,
        *,
        columns: Mapping[str, str] | None = None,
        sources: Mapping[str, str] | None = None,
    ) -> Catalogue:
        """Read a table of listings.

        Parameters
        ----------
        listings : DataFrame
            RESO names in snake_case (`leadlab.schema.Property`), one listing a row. Columns that
            no factor knows are not read.
        columns : mapping of our name to the table's, optional
        sources : mapping, optional
            Where ``school_rating`` and ``safety_rating`` come from; without it they are not read.

        Raises
        ------
        EmptyInput
            There are no listings.
        BadInput
            A listing has no name, or two have the same.
        UnknownName
            A mapped column is not there.
        """
        sources = dict(sources or {})
        if not len(listings):
            raise EmptyInput("there are no listings", where="listings")
        table = renamed(listings.reset_index(drop=True), columns or {}, sources)
        unsourced = [f for f in ("school_rating", "safety_rating") if f not in sources]
        table = table.drop(columns=unsourced, errors="ignore")
        found, doubts = numbers(table)
        sort, sorts = codes(table, "property_sub_type")
        area, areas = codes(table, "city")
        style, styles = codes(table, "architectural_style")
        key = table["listing_key"].astype(str).to_numpy(object)
        amenities = _amenities(table)
        people = [word for word in amenities if speaks_of_people(word)]
        if people:
            doubts["amenities that speak of people"] = len(people)
            amenities = {word: has for word, has in amenities.items() if word not in people}
        said = "amenities" in table or any(c.endswith("_yn") for c in table.columns)
        return cls(key, found, sort, sorts, area, areas, style, styles, amenities, said,
                   sources, doubts)  # fmt: skip

    def with_number(self, name: str, values: F64 | F32) -> Catalogue:
        """The same homes with another numeric field: ``walkability``, ``commute_minutes``.

        What was worked out of the other fields is kept.

        Raises
        ------
        BadInput
            The field is none, or has not one value a home.
        """
        if name not in self.number or np.shape(values) != (len(self),):
            raise BadInput("one value a home of a known field", where=name, got=np.shape(values))
        found = replace(self, number={**self.number, name: np.asarray(values, np.float32)})
        if name not in (*TRAITS, "latitude", "longitude"):
            kept = {k: v for k, v in vars(self).items() if k in _WORKED_OUT}
            vars(found).update(kept)
        return found

    def rows(self, keys: NDArray[np.object_]) -> NDArray[np.int64]:
        """Rows of listings by name; -1 where there is none."""
        return np.asarray(self._index.get_indexer(pd.Index(keys)), np.int64)

    def row(self, key: str) -> int:
        """Row of a listing.

        Raises
        ------
        UnknownName
        """
        found = int(self.rows(np.array([key], dtype=object))[0])
        if found < 0:
            raise UnknownName("listing", key, map(str, self.key[:10_000]))
        return found

    @cached_property
    def _index(self) -> pd.Index[Any]:
        names: pd.Index[Any] = pd.Index(self.key)
        return names

    @cached_property
    def centre(self) -> tuple[float, float]:
        """Median latitude and longitude; (0, 0) where no home has coordinates."""
        at = [self.number[name].astype(np.float64) for name in ("latitude", "longitude")]
        known = ~np.isnan(at[0] + at[1])
        return (
            (float(np.median(at[0][known])), float(np.median(at[1][known])))
            if known.any()
            else (0.0, 0.0)
        )

    @cached_property
    def on_sphere(self) -> F32:
        """Unit vectors of the homes, shape (3, n), NaN where there are no coordinates.

        In float32 that is a place to within half a metre.
        """
        return unit_vectors(self.number["latitude"], self.number["longitude"]).astype(np.float32)

    def km_to(
        self, latitude: float, longitude: float, rows: NDArray[np.int64] | slice = slice(None)
    ) -> F32:
        """Great-circle distance of homes (all by default) from a point, km; NaN where unknown.

        The chord c between unit vectors gives it as ``2 R asin(c / 2)``, which is the haversine
        formula without its trigonometry per home.
        """
        point = unit_vectors(np.array([latitude]), np.array([longitude])).astype(np.float32)
        square = np.zeros(len(self.key[rows]), np.float32)
        for axis in range(3):
            gap = self.on_sphere[axis][rows] - point[axis, 0]
            gap *= gap
            square += gap
        half = np.minimum(np.sqrt(square) / 2, 1)
        return np.asarray(np.arcsin(half) * np.float32(2 * EARTH_KM), np.float32)

    @cached_property
    def standard(self) -> F32:
        """`TRAITS` in standard units (median 0, spread 1), shape (n, 11); NaN unknown."""
        latitude, longitude = self.centre
        scale = 111.2 * np.cos(np.radians(latitude))
        raw = {name: self.number[name].astype(np.float64) for name in self.number}
        raw |= {name: np.log(raw[name]) for name in _LOG}
        raw["north_km"] = (raw["latitude"] - latitude) * 111.2
        raw["east_km"] = (raw["longitude"] - longitude) * scale
        raw["price in area"] = _within(raw["list_price"], self.area, len(self.areas))
        return np.column_stack([_standard(raw[name]) for name in TRAITS]).astype(np.float32)

    @cached_property
    def filled(self) -> F32:
        """`standard` with 0 for unknown, shape (n, 11)."""
        return np.where(np.isnan(self.standard), np.float32(0), self.standard)

    @cached_property
    def powers(self) -> F32:
        """Squares of `filled`, `filled` itself, and 1 where it is known, shape (n, 33)."""
        known = (~np.isnan(self.standard)).astype(np.float32)
        return np.ascontiguousarray(np.hstack([self.filled**2, self.filled, known]))

    @cached_property
    def usual(self) -> dict[str, F64]:
        """Share of homes of each ``sort`` and ``area``, one home added to each."""
        found = {}
        for name, code, size in (
            ("sort", self.sort, len(self.sorts)),
            ("area", self.area, len(self.areas)),
        ):
            counts = np.bincount(code[code >= 0], minlength=size) + 1.0
            found[name] = counts / counts.sum()
        return found


def unit_vectors(latitude: NDArray[Any], longitude: NDArray[Any]) -> F64:
    """Points on the unit sphere, shape (3, n).

    Examples
    --------
    >>> unit_vectors(np.array([0.0, 90.0]), np.array([0.0, 0.0])).round(6).tolist()
    [[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]]
    """
    phi = np.radians(np.asarray(latitude, np.float64))
    lam = np.radians(np.asarray(longitude, np.float64))
    return np.stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)])


def _standard(values: F64) -> F64:
    """By median and half of the 16th to 84th percentile's span; all 0 where that is none."""
    known = values[~np.isnan(values)]
    if not len(known):
        return values
    low, middle, high = np.percentile(known, [16, 50, 84])
    spread = (high - low) / 2 or float(known.std()) or 1.0
    return np.asarray(np.clip((values - middle) / spread, -4, 4))


def _within(values: F64, area: I32, areas: int) -> F64:
    """Values less the mean of their area, over its spread; as they are where no area is known."""
    known = (area >= 0) & ~np.isnan(values)
    counts = np.maximum(np.bincount(area[known], minlength=areas + 1), 1)
    mean = np.bincount(area[known], weights=values[known], minlength=areas + 1) / counts
    gap = np.where(
        known, values - mean[area], values - np.nanmean(values) if known.any() else values
    )
    square = np.bincount(area[known], weights=gap[known] ** 2, minlength=areas + 1) / counts
    return np.asarray(gap / np.where(square > 0, np.sqrt(square), 1.0)[area])


def _amenities(table: pd.DataFrame) -> dict[str, NDArray[np.bool_]]:
    """What homes have: ``..._yn`` columns, and words of ``amenities`` between ; or commas."""
    found: dict[str, NDArray[np.bool_]] = {}
    for column in table.columns:
        if str(column).endswith("_yn") and not str(column).startswith("internet_"):
            name = str(column).removesuffix("_yn").replace("_", " ")
            found[name] = table[column].isin([True, 1, "true", "True", "Y", "yes"]).to_numpy(bool)
    if "amenities" in table:
        words = table["amenities"].fillna("").astype(str).str.casefold().str.split(r"[;,]")
        one = words.explode().str.strip()
        one = one[one != ""]
        for word, rows in one.groupby(one).groups.items():
            has = np.zeros(len(table), bool)
            has[np.asarray(rows, np.int64)] = True
            found[str(word)] = has | found.get(str(word), False)
    return found

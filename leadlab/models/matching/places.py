"""Points of interest from any table: CSV, Parquet, GeoParquet or GeoJSON, whoever exported it.

Coordinates are WGS 84 degrees. A GeoParquet file's points are read from its geometry column (WKB);
of lines and areas in GeoJSON, and of OpenStreetMap's ways in it, the mean of the vertices is taken.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlab.errors import BadInput, BrokenFile, EmptyInput, UnknownName

F64 = NDArray[np.float64]
TAGS = ("shop", "amenity", "leisure", "public_transport", "railway", "highway")
"""OpenStreetMap's keys whose values are categories, the first that a feature bears."""
_POINT = 1
_READS = (".csv", ".parquet", ".geojson", ".json")


@dataclass(frozen=True, eq=False)
class Places:
    """Points of interest in flat arrays of shape (n,).

    Attributes
    ----------
    latitude, longitude : float array
        Degrees.
    category : object array
        As the table has it: "supermarket", "cafe", "bus_stop".
    left_out : int
        Rows without category or usable coordinates.
    """

    latitude: F64
    longitude: F64
    category: NDArray[np.object_]
    left_out: int = 0

    def __len__(self) -> int:
        return len(self.latitude)


def places(
    table: pd.DataFrame,
    *,
    latitude: str = "latitude",
    longitude: str = "longitude",
    category: str = "category",
) -> Places:
    """Take points of interest from a table; the names of its columns are given.

    Raises
    ------
    UnknownName
        The table has no such column.
    EmptyInput
        No row can be used.

    Examples
    --------
    >>> found = places(pd.DataFrame({"lat": [39.7, None], "lon": [-105.0, 1.0],
    ...                              "fclass": ["cafe", "bank"]}),
    ...                latitude="lat", longitude="lon", category="fclass")
    >>> len(found), found.left_out
    (1, 1)
    """
    for column in (latitude, longitude, category):
        if column not in table:
            raise UnknownName("column", column, map(str, table.columns), where="places")
    north = pd.to_numeric(table[latitude], errors="coerce").to_numpy(np.float64, na_value=np.nan)
    east = pd.to_numeric(table[longitude], errors="coerce").to_numpy(np.float64, na_value=np.nan)
    named = table[category].notna().to_numpy(bool)
    with np.errstate(invalid="ignore"):
        good = named & (np.abs(north) <= 90) & (np.abs(east) <= 180)
    if not good.any():
        raise EmptyInput("no place has a category and coordinates", got=f"{len(table)} rows")
    kinds = table[category].to_numpy(object)[good]
    kinds = np.array([str(k).strip().casefold() for k in kinds], dtype=object)
    return Places(north[good], east[good], kinds, int((~good).sum()))


def read_places(path: str | Path, **columns: str) -> Places:
    """Read points of interest from a file.

    Parameters
    ----------
    path : str or Path
        .csv, .parquet (plain or GeoParquet), .geojson or .json.
    **columns : str
        ``latitude``, ``longitude``, ``category``, where they bear other names.

    Raises
    ------
    BadInput
        The file is missing or of another sort.
    BrokenFile
        It cannot be read as what its name says.
    """
    place = Path(path)
    if place.suffix not in _READS or not place.is_file():
        raise BadInput("no file of places", where=str(place), expected="one of " + " ".join(_READS))
    try:
        if place.suffix == ".csv":
            table = pd.read_csv(place)
        elif place.suffix == ".parquet":
            table = _with_points(pd.read_parquet(place))
        else:
            table = _features(json.loads(place.read_text(encoding="utf-8")))
    except (ValueError, OSError, KeyError, TypeError, struct.error) as error:
        got = f"{type(error).__name__}: {str(error)[:100]}"
        raise BrokenFile("cannot read places", where=str(place), got=got) from error
    return places(table, **columns)


def _with_points(table: pd.DataFrame) -> pd.DataFrame:
    """GeoParquet: latitude and longitude of the points of its geometry column."""
    if "geometry" not in table or "latitude" in table:
        return table
    at = [_wkb_point(value) for value in table["geometry"]]
    return table.assign(longitude=[p[0] for p in at], latitude=[p[1] for p in at])


def _wkb_point(value: object) -> tuple[float, float]:
    """X and y of a point in well-known binary; NaN for any other geometry (ISO 19125)."""
    if not isinstance(value, bytes) or len(value) < 21:
        return float("nan"), float("nan")
    order = "<" if value[0] == 1 else ">"
    (kind,) = struct.unpack(order + "I", value[1:5])
    if kind & 0xFF != _POINT:
        return float("nan"), float("nan")
    start = 9 if kind & 0x20000000 else 5
    x, y = struct.unpack(order + "2d", value[start : start + 16])
    return float(x), float(y)


def _features(content: Mapping[str, Any]) -> pd.DataFrame:
    """GeoJSON: one row a feature."""
    rows = []
    for feature in content["features"]:
        tags = feature.get("properties") or {}
        kind = tags.get("category") or next((tags[t] for t in TAGS if tags.get(t)), None)
        points = list(_vertices((feature.get("geometry") or {}).get("coordinates") or []))
        x, y = np.mean(points, axis=0) if points else (np.nan, np.nan)
        rows.append((kind, float(y), float(x)))
    return pd.DataFrame(rows, columns=["category", "latitude", "longitude"])


def _vertices(nested: Any) -> Iterator[tuple[float, float]]:
    if nested and isinstance(nested[0], int | float):
        yield float(nested[0]), float(nested[1])
    else:
        for part in nested:
            yield from _vertices(part)

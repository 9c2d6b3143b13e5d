"""Columns of a listing table as arrays: under which names, and what of them cannot be believed.

Only the fields named here are ever read. None says, or stands for, who lives somewhere; ratings of
schools and of safety are read only where their source is named.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlab.errors import BadInput, UnknownName

F32 = NDArray[np.float32]
I32 = NDArray[np.int32]
NUMBERS = {
    "list_price": (1.0, 1e9),
    "original_list_price": (1.0, 1e9),
    "bedrooms_total": (0.0, 15.0),
    "bathrooms": (0.0, 20.0),
    "living_area": (100.0, 200_000.0),
    "lot_size_square_feet": (1.0, 1e9),
    "year_built": (1_500.0, 2_200.0),
    "garage_spaces": (0.0, 50.0),
    "stories_total": (1.0, 120.0),
    "days_on_market": (0.0, 10_000.0),
    "latitude": (-90.0, 90.0),
    "longitude": (-180.0, 180.0),
    "walkability": (0.0, 1.0),
    "commute_minutes": (0.0, 1_440.0),
    "school_rating": (0.0, 10.0),
    "safety_rating": (0.0, 10.0),
}
"""Numeric fields and the range outside of which a value is taken as unknown."""
TEXTS = ("listing_key", "property_sub_type", "city", "architectural_style", "amenities")
SOURCED = ("school_rating", "safety_rating")
"""Fields that are read only with a named source."""
LEAST_SQFT_A_BEDROOM = 70.0
"""Floor of the smallest habitable room (International Residential Code R304); fewer square feet of
living area a bedroom say that the number of bedrooms is a slip."""
_BATHS = ("bathrooms_full", "bathrooms_half", "bathrooms_total_integer")


def renamed(
    listings: pd.DataFrame, columns: Mapping[str, str], sources: Mapping[str, str]
) -> pd.DataFrame:
    """Give a table's columns our names.

    Parameters
    ----------
    listings : DataFrame
    columns : mapping of our name to the table's
    sources : mapping of "school_rating", "safety_rating" to where they come from

    Raises
    ------
    UnknownName
        A name is none of ours, or the table has no such column.
    BadInput
        The table has no ``listing_key``, repeats one, or maps a rating without its source.

    Examples
    --------
    >>> renamed(pd.DataFrame({"id": ["a"], "beds": [3]}),
    ...         {"listing_key": "id", "bedrooms_total": "beds"}, {}).columns.tolist()
    ['listing_key', 'bedrooms_total']
    """
    known = (*NUMBERS, *TEXTS, *_BATHS)
    for ours, theirs in columns.items():
        if ours not in known:
            raise UnknownName("field of a listing", ours, known, where="columns")
        if theirs not in listings:
            raise UnknownName("column", theirs, map(str, listings.columns), where="listings")
    for field in sources:
        if field not in SOURCED:
            raise UnknownName("rating", field, SOURCED, where="sources")
    for field in SOURCED:
        if field in columns and not sources.get(field, "").strip():
            raise BadInput(
                "a rating needs its source",
                where=f"columns {field!r}",
                hint=f"Name it: sources={{{field!r}: '...'}}.",
            )
    table = listings.rename(columns={theirs: ours for ours, theirs in columns.items()})
    if "listing_key" not in table:
        raise BadInput(
            "listings need a name each", where="listings", expected="a column listing_key"
        )
    key = table["listing_key"]
    if key.isna().any() or key.duplicated().any():
        row = int(np.flatnonzero((key.isna() | key.duplicated()).to_numpy())[0])
        raise BadInput("no name, or one that came before", where=f"row {row}", got=key.iloc[row])
    return table


def numbers(table: pd.DataFrame) -> tuple[dict[str, F32], dict[str, int]]:
    """Numeric fields, NaN where unknown, and how many values were not believed.

    Returns
    -------
    dict of str to float32 array, shape (n,)
    dict of str to int
        Values that were given but taken as unknown, by what was wrong.

    Examples
    --------
    >>> table = pd.DataFrame({"list_price": [0.0, 4e5], "bedrooms_total": [33, 3],
    ...                       "living_area": [1620.0, 1620.0]})
    >>> found, doubts = numbers(table)
    >>> found["list_price"].tolist(), found["bedrooms_total"].tolist()
    ([nan, 400000.0], [nan, 3.0])
    >>> sorted(doubts)
    ['bedrooms_total outside 0 to 15', 'list_price outside 1 to 1e+09']
    """
    table = _with_bathrooms(table)
    found, doubts = {}, {}
    for field, (low, high) in NUMBERS.items():
        if field not in table:
            found[field] = np.full(len(table), np.nan, np.float32)
            continue
        values = pd.to_numeric(table[field], errors="coerce").to_numpy(np.float64, na_value=np.nan)
        text = np.isnan(values) & table[field].notna().to_numpy(bool)
        with np.errstate(invalid="ignore"):
            wrong = (values < low) | (values > high)
        for what, rows in (("not a number", text), (f"outside {low:g} to {high:g}", wrong)):
            if rows.any():
                doubts[f"{field} {what}"] = int(rows.sum())
        found[field] = np.where(wrong, np.nan, values).astype(np.float32)
    small = found["bedrooms_total"] * LEAST_SQFT_A_BEDROOM > found["living_area"]
    nowhere = (found["latitude"] == 0) & (found["longitude"] == 0)
    for fields, rows, what in (
        (("bedrooms_total",), small, "bedrooms_total too many for the living area"),
        (("latitude", "longitude"), nowhere, "coordinates 0, 0"),
    ):
        if rows.any():
            doubts[what] = int(rows.sum())
            for field in fields:
                found[field] = np.where(rows, np.float32(np.nan), found[field])
    return found, doubts


def _with_bathrooms(table: pd.DataFrame) -> pd.DataFrame:
    """One number of bathrooms: full ones and half of the half ones, or the total."""
    if "bathrooms" in table:
        return table
    full, half, total = (
        pd.to_numeric(table[c], errors="coerce") if c in table else None for c in _BATHS
    )
    if full is not None:
        return table.assign(bathrooms=full if half is None else full + 0.5 * half.fillna(0))
    return table if total is None else table.assign(bathrooms=total)


def codes(table: pd.DataFrame, field: str) -> tuple[I32, tuple[str, ...]]:
    """A text field as codes (-1 unknown) and names; white space and case at the ends do not count.

    Examples
    --------
    >>> codes(pd.DataFrame({"city": ["Bayside", None, " Bayside"]}), "city")
    (array([ 0, -1,  0], dtype=int32), ('Bayside',))
    """
    if field not in table:
        return np.full(len(table), -1, np.int32), ()
    text = table[field].astype(object)
    text = text.where(text.notna(), None).map(lambda v: None if v is None else str(v).strip())
    code, names = pd.factorize(text.replace("", None), sort=True)
    return code.astype(np.int32), tuple(str(n) for n in names)

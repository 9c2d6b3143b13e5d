"""Any table of sales by RESO names: which columns there are, and their values as numbers."""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlab.errors import BadInput, EmptyInput

F64 = NDArray[np.float64]
DATE, PRICE, AREA = "close_date", "close_price", "living_area"
PLACE = ("latitude", "longitude")
SOLD, OFFERED = (DATE, PRICE, AREA), (AREA,)
"""Columns that a sale must have, and those that a home to be valued must have."""
NO_FEATURES = frozenset(
    {
        *("listing_key", "parcel_number", "tenant", DATE, PRICE, "list_price"),
        *("original_list_price", "standard_status", "purchase_contract_date", "on_market_date"),
        *("days_on_market", "cumulative_days_on_market", "concessions_amount"),
        *("tax_annual_amount", "tax_assessed_value", "sale_type", "sale_condition"),
        *("internet_entire_listing_display_yn", "internet_address_display_yn"),
        "internet_automated_valuation_display_yn",
    }
)
"""Names, and columns that follow a price, an appraisal or the course of the sale."""
RARE = 20
"""Levels of a category with fewer sales count as unknown."""
FAR_OUT = 0.001
"""Beyond this share of training sales at either end a value is far out."""


def attribute_name(column: str) -> str:
    """Snake_case of a RESO name; other names as they are.

    Examples
    --------
    >>> attribute_name("ClosePrice"), attribute_name("WaterfrontYN"), attribute_name("sq ft")
    ('close_price', 'waterfront_yn', 'sq ft')
    """
    if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", column):
        return column
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", column).lower()


def by_reso_names(
    table: Any, need: Sequence[str], mapping: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """The table under RESO's attribute names.

    Parameters
    ----------
    table : DataFrame
        Columns in RESO's own spelling (ClosePrice) or in snake_case (close_price).
    need : sequence of str
        Columns that must be there, in snake_case.
    mapping : mapping of str to str, optional
        The table's own names to RESO's, for those that bear others.

    Raises
    ------
    EmptyInput
        If there is no row.
    BadInput
        If it is no table, a needed column is missing (close names are offered), or two columns
        come to bear one name.

    Examples
    --------
    >>> by_reso_names(pd.DataFrame({"LivingArea": [900]}), ["living_area"]).columns.tolist()
    ['living_area']
    >>> by_reso_names(pd.DataFrame({"LivngArea": [900]}), ["living_area"])
    Traceback (most recent call last):
    leadlab.errors.BadInput: a table of homes lacks a column (where: living_area or LivingArea;
    got: livng_area). Is 'LivngArea' living_area? Say so with mapping={'LivngArea': 'living_area'}.
    """
    if not isinstance(table, pd.DataFrame):
        raise BadInput("a table of homes is a DataFrame", got=type(table).__name__)
    if not len(table):
        raise EmptyInput("a table of homes without rows")
    own = {str(c): attribute_name(str(c)) for c in table.columns}
    for name, meant in (mapping or {}).items():
        if name not in own:
            raise BadInput("no such column to map", where="mapping", got=name, expected=list(own))
        own[name] = attribute_name(meant)
    names = list(own.values())
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice or len(own) < len(table.columns):
        raise BadInput("two columns of one name", got=", ".join(twice))
    for name in need:
        if name not in names:
            raise _lacks(name, own)
    return table.set_axis(names, axis=1)


def _lacks(name: str, own: Mapping[str, str]) -> BadInput:
    words = name.split("_")
    spelt = "".join(word.capitalize() for word in words)
    close = difflib.get_close_matches(name, list(own.values()), n=1, cutoff=0.5)
    theirs = next((their for their, ours in own.items() if close and ours == close[0]), None)
    hint = None
    if theirs is not None:
        hint = f"Is '{theirs}' {name}? Say so with mapping={{'{theirs}': '{name}'}}."
    return BadInput(
        "a table of homes lacks a column",
        where=f"{name} or {spelt}",
        got=", ".join(list(own.values())[:12]),
        hint=hint,
    )


def days_of(column: Any, where: str) -> NDArray[np.int64]:
    """Days since 1970 of dates.

    Raises
    ------
    BadInput
        If one is missing or no date.

    Examples
    --------
    >>> days_of(["1970-01-03"], "at").tolist()
    [2]
    """
    if isinstance(column, np.datetime64) and not np.isnat(column):
        return np.array([column.astype("datetime64[D]").astype(np.int64)])
    try:
        if isinstance(column, (str, dt.date)) and not pd.isna(pd.Timestamp(column)):
            one = pd.Timestamp(column)
            one = one if one.tz is None else one.tz_convert(None)
            return np.array([one.to_datetime64()]).astype("datetime64[D]").astype(np.int64)
        given = np.atleast_1d(np.asarray(column, object))
        times = pd.DatetimeIndex(pd.to_datetime(given))
    except (ValueError, TypeError) as error:
        raise BadInput("not a date", where=where, got=str(error)[:80]) from error
    if times.isna().any():
        raise BadInput("a date is missing", where=where)
    if times.tz is not None:
        times = times.tz_convert(None)
    found: NDArray[np.int64] = times.to_numpy("datetime64[D]").astype(np.int64)
    return found


@dataclass(frozen=True)
class HomeColumns:
    """Which columns of homes a model reads, and how.

    Attributes
    ----------
    names : tuple of str
        Columns, in order.
    levels : dict of str to dict
        Of each category, a number a level: its rank by the median price in training.
    middle : float64 array
        Median of each column in training.
    low, high : float64 array
        Ends beyond which a value is far out; infinite for categories.
    set_aside : tuple of str
        Columns that hold nothing to learn from: texts without common levels, dates, constants.

    Examples
    --------
    >>> homes = pd.DataFrame({"living_area": [800.0, 900.0] * 30, "city": ["A", "B"] * 30})
    >>> columns = HomeColumns.learn(homes, np.log(np.arange(1.0, 61.0)))
    >>> columns.values(homes.head(2)).tolist()
    [[800.0, 0.0], [900.0, 1.0]]
    """

    names: tuple[str, ...]
    levels: dict[str, dict[str, float]]
    middle: F64
    low: F64
    high: F64
    set_aside: tuple[str, ...] = ()

    @classmethod
    def learn(cls, homes: pd.DataFrame, log_price: F64, without: Sequence[str] = ()) -> HomeColumns:
        """Learn from homes under RESO names and the logarithms of their prices."""
        names: list[str] = []
        aside: list[str] = []
        levels: dict[str, dict[str, float]] = {}
        for name in map(str, homes.columns):
            if name in NO_FEATURES or name in without:
                continue
            if pd.api.types.is_numeric_dtype(homes[name].dtype):
                (names if homes[name].nunique() > 1 or name == AREA else aside).append(name)
                continue
            ranks = _ranks(homes[name], log_price)
            if len(ranks) > 1:
                names.append(name)
                levels[name] = ranks
            else:
                aside.append(name)
        found = cls(tuple(names), levels, *(np.zeros(len(names)),) * 3, tuple(aside))
        values = found.values(homes)
        ends = np.nanquantile(values, [0.5, FAR_OUT, 1 - FAR_OUT], axis=0)
        is_level = np.array([name in levels for name in names])
        ends[1:, is_level] = [[-np.inf], [np.inf]]
        return cls(tuple(names), levels, ends[0], ends[1], ends[2], tuple(aside))

    def values(self, homes: pd.DataFrame) -> F64:
        """Numbers of homes, shape (n, len(names)); NaN where unknown.

        A column that is missing altogether is unknown throughout.
        """
        found = np.full((len(homes), len(self.names)), np.nan)
        for j, name in enumerate(self.names):
            if name not in homes.columns:
                continue
            column = homes[name]
            if name in self.levels:
                known = self.levels[name]
                found[:, j] = [known.get(str(value), np.nan) for value in column]
            else:
                found[:, j] = _numbers(column.to_numpy(), name)
        found[np.isinf(found)] = np.nan
        return found

    def column(self, values: F64, name: str) -> F64:
        """One column of `values`; NaN throughout where the model does not read it."""
        if name not in self.names:
            return np.full(len(values), np.nan)
        chosen: F64 = values[:, self.names.index(name)]
        return chosen

    def far_out(self, values: F64) -> NDArray[np.bool_]:
        """Whether each value lies far out of what training saw, shape (n, len(names))."""
        outside: NDArray[np.bool_] = (values < self.low) | (values > self.high)
        return outside


def _numbers(column: NDArray[Any], name: str) -> F64:
    try:
        found: F64 = column.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise BadInput("a number is needed", where=name, got=str(error)[:60]) from error
    return found


def _ranks(column: pd.Series[Any], log_price: F64) -> dict[str, float]:
    """Place of each common level in the order of median prices."""
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return {}
    texts = column.astype(object).where(column.notna(), None)
    median = pd.Series(log_price).groupby(texts.map(str).to_numpy(object)).agg(["median", "size"])
    common = median[median["size"] >= RARE].sort_values("median", kind="stable")
    return {str(level): float(i) for i, level in enumerate(common.index)}

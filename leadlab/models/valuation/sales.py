"""A table of sales, tidied: in order of time, with what cannot be used set aside and counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlab.errors import EmptyInput
from leadlab.models.valuation.columns import AREA, DATE, PLACE, PRICE, SOLD, by_reso_names

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Sales:
    """Sales that a model can use.

    Attributes
    ----------
    homes : DataFrame, n rows
        Under RESO names, in order of time.
    day : int64 array, shape (n,)
        Of closing, since 1970.
    log_price : float64 array, shape (n,)
    set_aside : dict of str to int
        Rows that were left out, by reason.
    """

    homes: pd.DataFrame
    day: I64
    log_price: F64
    set_aside: dict[str, int]

    def __len__(self) -> int:
        return len(self.day)

    def before(self, day: int) -> Sales:
        """Sales of earlier days."""
        return self.take(slice(0, int(np.searchsorted(self.day, day, side="left"))))

    def take(self, rows: Any) -> Sales:
        """Some of the sales, in their order."""
        homes = self.homes.iloc[rows].reset_index(drop=True)
        return Sales(homes, self.day[rows], self.log_price[rows], self.set_aside)

    def joined(self, other: Sales) -> Sales:
        """These and others, in order of time; on one day these come first."""
        homes = pd.concat([self.homes, other.homes], ignore_index=True)
        day = np.concatenate([self.day, other.day])
        order = np.argsort(day, kind="stable")
        price = np.concatenate([self.log_price, other.log_price])
        reasons = {*self.set_aside, *other.set_aside}
        aside = {r: self.set_aside.get(r, 0) + other.set_aside.get(r, 0) for r in sorted(reasons)}
        homes = homes.iloc[order].reset_index(drop=True)
        return Sales(homes, day[order], price[order], aside)


def tidy_sales(table: Any, mapping: Mapping[str, str] | None = None) -> Sales:
    """Sales under RESO names, by day of closing.

    A sale without a date, with a price or a living area that is missing or not above 0, or with
    coordinates off the globe (which only become unknown) is told in `Sales.set_aside`.

    Parameters
    ----------
    table : DataFrame
        With close_date, close_price (US dollars) and living_area at least.
    mapping : mapping of str to str, optional
        The table's own names to RESO's.

    Raises
    ------
    EmptyInput
        If no sale can be used.
    BadInput
        If a column is missing or is no number or date.

    Examples
    --------
    >>> table = pd.DataFrame({"CloseDate": ["2026-02-01", "2026-01-01", None],
    ...     "ClosePrice": [2e5, 0, 1e5], "LivingArea": [900, 800, 700]})
    >>> sales = tidy_sales(table)
    >>> len(sales), sales.set_aside
    (1, {'no date': 1, 'no price above 0': 1})
    """
    homes = with_places(by_reso_names(table, SOLD, mapping))
    when = pd.to_datetime(homes[DATE], errors="coerce", utc=True).dt.tz_localize(None)
    price, area = (pd.to_numeric(homes[name], errors="coerce") for name in (PRICE, AREA))
    dated, priced = when.notna().to_numpy(), _positive(price)
    keep = dated & priced & _positive(area)
    reasons = {
        "no date": int((~dated).sum()),
        "no price above 0": int((dated & ~priced).sum()),
        "no living area above 0": int((dated & priced & ~keep).sum()),
    }
    aside = {reason: n for reason, n in reasons.items() if n}
    if not keep.any():
        raise EmptyInput("no sale can be used", got=aside)
    day = when[keep].to_numpy("datetime64[D]").astype(np.int64)
    order = np.argsort(day, kind="stable")
    homes = homes[keep].iloc[order].reset_index(drop=True)
    log_price = np.log(price[keep].to_numpy(np.float64)[order])
    return Sales(homes, day[order], log_price, aside)


def with_places(homes: pd.DataFrame) -> pd.DataFrame:
    """Homes whose latitude and longitude are degrees on the globe, or unknown (both).

    The point 0, 0, which stands for "unknown" in many feeds, is unknown too.
    """
    if not set(PLACE) <= set(homes.columns):
        return homes.drop(columns=list(set(PLACE) & set(homes.columns)))
    lat, lon = (_degrees(homes[name]) for name in PLACE)
    known = (np.abs(lat) <= 90) & (np.abs(lon) <= 180) & ((lat != 0) | (lon != 0))
    return homes.assign(
        latitude=np.where(known, lat, np.nan), longitude=np.where(known, lon, np.nan)
    )


def _degrees(column: pd.Series[Any]) -> F64:
    values = column.to_numpy()
    if values.dtype != np.float64:
        values = pd.to_numeric(column, errors="coerce").to_numpy(np.float64)
    found: F64 = values
    return found


def _positive(column: pd.Series[float]) -> NDArray[np.bool_]:
    values = column.to_numpy(np.float64)
    found: NDArray[np.bool_] = np.isfinite(values) & (values > 0)
    return found

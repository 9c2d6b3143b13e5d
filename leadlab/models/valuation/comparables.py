"""Sales most like a home in the model's own eyes: shared leaves, weighted by time and distance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlab.errors import BadInput
from leadlab.models.valuation.columns import DATE, PRICE
from leadlab.models.valuation.market import Asked, Market
from leadlab.models.valuation.model import ValuationModel

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
POOL = 200
"""The nearest sales that are looked at; the latest ones where the place is unknown."""
HALF_LIFE_DAYS = 180.0
REACH_KM = 2.0
"""Distance at which a sale's weight has fallen to a half."""
ALIKE = 0.25
"""Difference in log worth by attributes at which a sale's weight has fallen to 1/e."""


def comparables(model: ValuationModel, listing: Any, at: Any, *, top: int = 5) -> pd.DataFrame:
    """The past sales that speak most for a home's price.

    The weight of a sale is s * 2 ** (-days / 180) * exp(-|w - w'| / 0.25) / (1 + km / 2): s is the
    share of the model's trees, each weighing by what its splits gained in training, in which home
    and sale lie in one leaf; w and w' are log worths by attributes alone. Candidates are the 200
    nearest earlier sales, or the latest ones where the home's place is unknown.

    Parameters
    ----------
    model : ValuationModel
    listing : DataFrame of one row
    at : date
        Only sales of earlier days are looked at.
    top : int
        At most so many.

    Returns
    -------
    DataFrame, heaviest first
        ``sale`` (row among `model.market_.sales`), ``listing_key`` where known, ``close_date``,
        ``close_price``, ``days_before``, ``km`` (NaN where unknown), ``similarity`` (s) and
        ``weight``; weights sum to 1.

    Raises
    ------
    BadInput
        If it is not one home, or `model.predict` would raise.

    Examples
    --------
    >>> from leadlab.models.valuation.made_up import made_up_sales
    >>> sales = made_up_sales(600, seed=1)
    >>> found = comparables(ValuationModel(rounds=60).fit(sales), sales.tail(1), "2026-01-01")
    >>> len(found), round(float(found["weight"].sum()), 6), bool((found["days_before"] > 0).all())
    (5, 1.0, True)
    """
    homes, day = model.homes(listing, at)
    if len(homes) != 1 or top < 1:
        raise BadInput(
            "comparables of one home are asked for", got=f"{len(homes)} homes, top {top}"
        )
    return comparables_of(model, model.market_.ask(homes, day), top=top)


def comparables_of(model: ValuationModel, subject: Asked, *, top: int = 5) -> pd.DataFrame:
    """As `comparables`, for one home that the market has been asked about."""
    market = model.market_
    rows, km = _candidates(market, subject)
    seen, sales = market.asked, market.sales
    similarity = model.trees_.shared_leaves(subject.features, model.leaves()[rows], model.gains_)
    days = subject.homes.day[0] - sales.day[rows]
    near = 1 / (1 + np.nan_to_num(km) / REACH_KM)
    alike = np.exp(-np.abs(seen.homes.value[rows] - subject.homes.value[0]) / ALIKE)
    weight = similarity * near * alike * 2.0 ** (-days / HALF_LIFE_DAYS)
    best = np.argsort(-weight, kind="stable")[:top]
    total = float(weight[best].sum())
    chosen = rows[best]
    found: dict[str, Any] = {"sale": chosen}
    if "listing_key" in sales.homes:
        found["listing_key"] = sales.homes["listing_key"].iloc[chosen].to_numpy()
    return pd.DataFrame(
        {
            **found,
            DATE: sales.day[chosen].astype("datetime64[D]").astype("datetime64[s]"),
            PRICE: np.exp(sales.log_price[chosen]),
            "days_before": days[best],
            "km": km[best],
            "similarity": similarity[best],
            "weight": weight[best] / total if total > 0 else np.full(len(best), 1 / len(best)),
        }
    )


def _candidates(market: Market, subject: Asked) -> tuple[I64, F64]:
    """Rows of sales before the day, and their distances in km."""
    rows, km = market.past.nearest(subject.homes, POOL)
    there = rows[0] >= 0
    if there.any():
        return rows[0][there], km[0][there]
    before = int(np.searchsorted(market.sales.day, subject.homes.day[0], side="left"))
    latest = np.arange(max(before - POOL, 0), before)
    return latest, np.full(len(latest), np.nan)

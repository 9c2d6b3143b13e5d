"""A comparative market analysis: comparables, adjusted step by step toward the subject."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlab.models.valuation.columns import PRICE
from leadlab.models.valuation.comparables import comparables_of
from leadlab.models.valuation.market import Asked, features, source_of
from leadlab.models.valuation.model import ValuationModel

F64 = NDArray[np.float64]
TIME, PLACE = "time", "place"
NET_WARNING, GROSS_WARNING = 0.15, 0.25
"""Customary marks, shown as a warning only: no rule caps adjustments that a market supports."""


@dataclass(frozen=True, eq=False)
class Cma:
    """Comparables adjusted toward a subject.

    Attributes
    ----------
    grid : DataFrame, one row a comparable
        What `comparables` gives; ``adjusted_price``; ``net`` and ``gross``, shares of the
        comparable's price; ``warning``, empty where both are within the customary marks.
    adjustments : DataFrame, one row a comparable
        US dollars by step: "time", attributes in the model's order, "place". They add up to the
        adjusted price less the price.
    value : float
        Mean of the adjusted prices by weight, US dollars.
    low, high : float
        Lowest and highest adjusted price.
    """

    grid: pd.DataFrame
    adjustments: pd.DataFrame
    value: float
    low: float
    high: float


def cma(model: ValuationModel, listing: Any, at: Any, *, top: int = 5) -> Cma:
    """Adjust the best comparables of a home toward it.

    Each comparable is turned into the subject one step at a time: first the market's level of its
    day into that of the valuation, then each attribute, at last the place with what sold nearby. A
    step's adjustment is the change of the model's estimate, as a share, times the price so far:
    what the market paid for the difference. An inferior comparable is adjusted upward.

    Parameters
    ----------
    model : ValuationModel
    listing : DataFrame of one row
    at : date
    top : int
        Comparables.

    Raises
    ------
    BadInput
        As `comparables`.

    References
    ----------
    Fannie Mae Selling Guide B4-1.3-09, Adjustments to Comparable Sales.

    Examples
    --------
    >>> from leadlab.models.valuation.made_up import made_up_sales
    >>> sales = made_up_sales(600, seed=1)
    >>> found = cma(ValuationModel(rounds=60).fit(sales), sales.tail(1), "2026-01-01", top=3)
    >>> total = found.grid["close_price"] + found.adjustments.sum(axis=1)
    >>> len(found.grid), bool((total - found.grid["adjusted_price"]).abs().max() < 0.01)
    (3, True)
    """
    homes, day = model.homes(listing, at)
    return cma_of(model, model.market_.ask(homes, day), top=top)


def cma_of(model: ValuationModel, subject: Asked, *, top: int = 5) -> Cma:
    """As `cma`, for one home that the market has been asked about."""
    grid = comparables_of(model, subject, top=top)
    names, path = _paths(model, subject, grid["sale"].to_numpy())
    price = grid[PRICE].to_numpy()
    along = price[:, None] * np.exp(path - path[:, :1])
    dollars = pd.DataFrame(np.diff(along, axis=1), columns=names)
    moved = dollars.loc[:, (dollars != 0).any()]
    net = moved.sum(axis=1).abs() / price
    gross = moved.abs().sum(axis=1) / price
    grid = grid.assign(adjusted_price=along[:, -1], net=net, gross=gross, warning=_warn(net, gross))
    adjusted, weight = along[:, -1], grid["weight"].to_numpy()
    value = float(adjusted @ weight)
    return Cma(grid, moved, value, float(adjusted.min()), float(adjusted.max()))


def _paths(
    model: ValuationModel, subject: Asked, sales: NDArray[np.int64]
) -> tuple[list[str], F64]:
    """Names of the steps, and log estimates along them, shape (comparables, steps + 1)."""
    lens, seen = model.trees_.lens, model.market_.asked
    attributes = [n for n in lens.columns.names if source_of(n) != PLACE]
    names = [TIME, *attributes, PLACE]
    k, m, width = len(sales), len(names), len(lens.columns.names)
    values = np.repeat(seen.values[sales][:, None], m + 1, axis=1)
    for step, name in enumerate(attributes, 2):
        j = lens.columns.names.index(name)
        values[:, step:, j] = subject.values[0, j]
    values[:, -1] = subject.values[0]
    near = np.repeat(seen.near[sales][:, None], m + 1, axis=1)
    near[:, -1] = subject.near[0]
    level = np.full((k, m + 1), subject.level[0])
    level[:, 0] = seen.level[sales]
    flat = values.reshape(k * (m + 1), width)
    worth = lens.hedonic.value(flat)
    X = features(lens, flat, near.reshape(len(flat), -1))
    log_price = model.trees_.estimate(worth, level.ravel(), X)
    return names, log_price.reshape(k, m + 1)


def _warn(net: pd.Series[float], gross: pd.Series[float]) -> list[str]:
    told = []
    for n, g in zip(net, gross, strict=True):
        parts = [f"net {n:.0%}"] * (n > NET_WARNING) + [f"gross {g:.0%}"] * (g > GROSS_WARNING)
        told.append(" and ".join(parts) + " of the price" if parts else "")
    return told

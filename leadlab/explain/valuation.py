"""Why a home is valued as it is: exact contributions in log price, told in percent of the price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlab.explain.reasons import Reason
from leadlab.explain.trees import TreeShapley
from leadlab.models.valuation.columns import AREA
from leadlab.models.valuation.market import Asked, source_of
from leadlab.models.valuation.model import ValuationModel
from leadlab.models.valuation.price_trees import SHARES

F64 = NDArray[np.float64]
LEVEL, PLACE = "market level", "place"
WORDS = {"living_area": "square feet of living area", "lot_size_square_feet": "square feet of lot"}


@dataclass(frozen=True, eq=False)
class PriceReasons:
    """What each column adds to each home's log price.

    Attributes
    ----------
    frame : DataFrame, n rows
        From `ValuationModel.predict`.
    values : DataFrame, n rows
        The homes, under RESO names.
    contributions : float64 array, shape (n, len(names))
        In log price; NaN rows where there is no estimate.
    names : tuple of str
        The model's columns, those of place summed as "place", then "market level".
    base : float
        Log price of a home of which nothing is known, before any move of the market;
        ``base + contributions.sum(axis=1)`` is the logarithm of the estimate.
    method : str
        Of the trees' part: see `leadlab.explain.TreeShapley`.
    """

    frame: pd.DataFrame
    values: pd.DataFrame
    contributions: F64
    names: tuple[str, ...]
    base: float
    method: str

    def reasons(self, row: int, top: int = 5) -> list[Reason]:
        """The strongest reasons of one valuation, strongest first; effects in log price."""
        effects = self.contributions[row]
        strongest = [j for j in np.argsort(-np.abs(effects), kind="stable") if effects[j] != 0.0]
        told = []
        for j in strongest[:top]:
            name, effect = self.names[j], float(effects[j])
            if np.isnan(effect):
                continue
            text = f"{self._phrase(row, name)}: {np.expm1(effect):+.1%} of the price"
            told.append(Reason(text, name, effect, (name,)))
        return told

    def _phrase(self, row: int, name: str) -> str:
        if name == LEVEL:
            return "what recent sales fetched beyond their attributes"
        if name == PLACE:
            return "the place and what sold nearby"
        words = name.replace("_", " ")
        value: Any = self.values[name].iloc[row] if name in self.values else None
        if value is None or pd.isna(value):
            return f"{words} unknown"
        if name in WORDS:
            return f"{value:,.0f} {WORDS[name]}"
        number = isinstance(value, (int, float, np.number)) and not name.startswith("year")
        return f"{words} {value:g}" if number else f"{words} {value}"


class PriceExplainer:
    """A trained valuation model with the tables that explain its trees.

    The estimate is a sum: a linear regression, whose Shapley values are weight times distance from
    the mean; the level of the market; and trees, whose Shapley values are exact. Columns of one
    source are summed.

    Parameters
    ----------
    model : ValuationModel
        Fitted.

    Examples
    --------
    >>> from leadlab.models.valuation.made_up import made_up_sales
    >>> sales = made_up_sales(600, seed=1)
    >>> explainer = PriceExplainer(ValuationModel(rounds=60).fit(sales))
    >>> found = explainer.explain(sales.tail(2), "2026-01-01")
    >>> total = found.base + found.contributions.sum(axis=1)
    >>> bool(np.allclose(np.exp(total), found.frame["estimate"], rtol=1e-4))
    True
    """

    def __init__(self, model: ValuationModel) -> None:
        self.model = model
        lens = model.trees_.lens
        self.shapley = [
            TreeShapley.compile(b, feature_names=lens.names) for b in model.trees_.boosters
        ]
        columns = [source_of(name) for name in lens.columns.names]
        self.names = (*dict.fromkeys([*columns, PLACE]), LEVEL)
        self._columns = [self.names.index(name) for name in columns]
        self._features = [self.names.index(name) for name in lens.sources]

    def explain(self, listings: Any, at: Any) -> PriceReasons:
        """Value and explain homes.

        Parameters
        ----------
        listings : DataFrame, n rows
        at : date, or n dates

        Raises
        ------
        BadInput
            As `ValuationModel.predict`.
        """
        homes, day = self.model.homes(listings, at)
        return self.explain_asked(self.model.market_.ask(homes, day), homes)

    def explain_asked(self, asked: Asked, homes: pd.DataFrame) -> PriceReasons:
        """As `explain`, for homes that the market has been asked about."""
        lens = self.model.trees_.lens
        found = np.zeros((len(homes), len(self.names)))
        linear = lens.hedonic.contributions(asked.values)
        np.add.at(found.T, self._columns, linear.T / 2)
        told = [one.explain(asked.features) for one in self.shapley]
        for share, one in zip(SHARES, told, strict=True):
            np.add.at(found.T, self._features, share * one.contributions.T)
        found[:, -1] = asked.level
        base = (lens.hedonic.base + self.model.trees_.middle) / 2
        base += sum(share * float(t.base) for share, t in zip(SHARES, told, strict=True))
        found[~(lens.columns.column(asked.values, AREA) > 0)] = np.nan
        frame = self.model.valued(asked, homes)
        return PriceReasons(frame, homes, found, self.names, base, told[0].method)

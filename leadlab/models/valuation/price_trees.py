"""Boosted trees for what attributes and market level leave of log price."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from leadlab.models.valuation.market import Asked, Lens, Market
from leadlab.models.valuation.sales import Sales

F64 = NDArray[np.float64]
SETTINGS = {
    "objective": "reg:pseudohubererror",
    "huber_slope": 0.15,
    "base_score": 0.0,
    "subsample": 0.7,
    "colsample_bytree": 0.4,
    "min_child_weight": 5.0,
    "lambda": 3.0,
    "tree_method": "hist",
    "nthread": 1,
}
"""Huber's loss is quadratic for errors up to about 15% of the price and linear beyond: sales at odd
prices weigh less."""


@dataclass(frozen=True, eq=False)
class PriceTrees:
    """A lens and the trees that were trained through it."""

    lens: Lens
    booster: xgb.Booster

    @classmethod
    def learn(
        cls,
        sales: Sales,
        *,
        rounds: int,
        learning_rate: float,
        max_depth: int,
        without: tuple[str, ...],
        seed: int,
    ) -> tuple[PriceTrees, Market]:
        """Learn from sales, each seen as on the day of its closing; also give their market."""
        lens = Lens.learn(sales, without)
        market = Market.known(lens, sales)
        rest = sales.log_price - market.asked.base
        settings = {**SETTINGS, "eta": learning_rate, "max_depth": max_depth, "seed": seed}
        data = xgb.DMatrix(market.asked.features, rest, nthread=1)
        return cls(lens, xgb.train(settings, data, rounds)), market

    def log_price(self, asked: Asked) -> F64:
        """Estimates, shape (n,)."""
        found: F64 = asked.base + self.rest(asked.features)
        return found

    def rest(self, features: NDArray[np.float32]) -> F64:
        """What trees add to worth and level, in log price."""
        found: F64 = self.booster.inplace_predict(features).astype(np.float64)
        return found

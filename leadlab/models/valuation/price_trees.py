"""Boosted trees for what attributes and market level leave of log price."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from leadlab.models.valuation.market import Asked, Lens, Market
from leadlab.models.valuation.sales import Sales
from leadlab.models.valuation.tree_table import TreeTable, trees_of

F64 = NDArray[np.float64]
F32 = NDArray[np.float32]
COMMON = {
    "base_score": 0.0,
    "subsample": 0.7,
    "colsample_bytree": 0.4,
    "tree_method": "hist",
    "nthread": 1,
}
ROBUST = {
    "objective": "reg:pseudohubererror",
    "huber_slope": 0.15,
    "min_child_weight": 5.0,
    "lambda": 3.0,
}
"""Quadratic for errors up to about 15% of the price and linear beyond: sales at odd prices weigh
less."""
ABSOLUTE = {"objective": "reg:absoluteerror", "min_child_weight": 5.0, "lambda": 3.0}
SQUARED = {"objective": "reg:squarederror", "min_child_weight": 10.0, "lambda": 10.0}
LONGER = 2
"""Rounds of the last set are so many times as many, at three quarters of the rate."""
SLOWER = 0.75
SHARES = (0.25, 0.25, 0.5)


@dataclass(frozen=True, eq=False)
class PriceTrees:
    """A lens and three sets of trees that were trained through it.

    Two sets, on Huber's loss and on absolute errors, start from worth by attributes plus level; the
    third, on squares, from the median price plus level. Where the regression describes attributes
    well the first two are better, elsewhere the third; their errors differ enough for the mean to
    beat each. The third counts twice, so that either start counts for a half.

    Attributes
    ----------
    lens : Lens
    boosters : tuple of three Boosters
    middle : float
        Median of log price less level in training.
    """

    lens: Lens
    boosters: tuple[xgb.Booster, ...]
    middle: float

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
        seen = market.asked
        fair = sales.log_price - seen.level
        middle = float(np.median(fair))
        settings = {**COMMON, "max_depth": max_depth, "seed": seed, "eta": learning_rate}
        slow = {**settings, **SQUARED, "eta": SLOWER * learning_rate}
        rest = fair - seen.homes.value
        boosters = (
            _trained({**settings, **ROBUST}, seen.features, rest, rounds),
            _trained({**settings, **ABSOLUTE}, seen.features, rest, rounds),
            _trained(slow, seen.features, fair - middle, LONGER * rounds),
        )
        return cls(lens, boosters, middle), market

    def log_price(self, asked: Asked) -> F64:
        """Estimates, shape (n,)."""
        return self.estimate(asked.homes.value, asked.level, asked.features)

    def estimate(self, worth: F64, level: F64, features: F32) -> F64:
        """Log price from worth by attributes, level and features, shape (n,)."""
        start = level + (worth + self.middle) / 2
        if len(features) == 1:  # a booster takes a millisecond to be asked about one row
            return np.asarray(start + self.table.values(features[0]) @ self.tree_shares)
        parts = (
            share * b.inplace_predict(features).astype(np.float64)
            for share, b in zip(SHARES, self.boosters, strict=True)
        )
        found: F64 = start + sum(parts)
        return found

    def leaves(self, features: F32) -> NDArray[np.uint16]:
        """Leaf of each row in each tree, shape (n, trees)."""
        data = xgb.DMatrix(features, nthread=1)
        found = [b.predict(data, pred_leaf=True).astype(np.uint16) for b in self.boosters]
        return np.hstack(found)

    @cached_property
    def table(self) -> TreeTable:
        """The trees as flat arrays."""
        return TreeTable.of(self.boosters)

    @cached_property
    def tree_shares(self) -> F64:
        """What each tree counts for, shape (trees,)."""
        return np.repeat(SHARES, [b.num_boosted_rounds() for b in self.boosters])

    def shared_leaves(self, one: F32, leaves: NDArray[np.uint16], gains: F64) -> F64:
        """Share of trees, by gain, in which a row lies in the same leaf as each of `leaves`."""
        same = (leaves == self.table.leaves(one[0])).astype(np.float32)
        found: F64 = (same @ gains.astype(np.float32)).astype(np.float64)
        return found

    def gains(self) -> F64:
        """What each tree's splits gained in training, as a share of all, shape (trees,)."""
        found = []
        for booster in self.boosters:
            gain = np.array([sum(tree["loss_changes"]) for tree in trees_of(booster)], np.float64)
            found.append(gain / max(gain.sum(), 1e-12))
        return np.concatenate([s * gain for s, gain in zip(SHARES, found, strict=True)])


def _trained(settings: dict[str, Any], features: F32, rest: F64, rounds: int) -> xgb.Booster:
    return xgb.train(settings, xgb.DMatrix(features, rest, nthread=1), rounds)

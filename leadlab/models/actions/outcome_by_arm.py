"""Expected outcome of each arm: one small boosted regression an arm."""

from __future__ import annotations

from typing import Any

import numpy as np
import xgboost as xgb
from numpy.typing import ArrayLike, NDArray

from leadlab.errors import BadInput
from leadlab.models.matrix import matrix

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
_SETTINGS = {"max_depth": 3, "learning_rate": 0.1, "reg_lambda": 10.0}
_ROUNDS = 60
_LEAST_SHARE, _LEAST_ROWS = 0.01, 20
_BINS = 64
"""Few bins: they are made anew for every fit."""


def trees(data: xgb.DMatrix, settings: dict[str, float], n: int, base: float) -> xgb.Booster:
    """Boosted trees whose leaves hold at least 1% of the weight of `n` rows, and 20."""
    least = max(_LEAST_ROWS, _LEAST_SHARE * n)
    own = {"min_child_weight": least, "base_score": base, "max_bin": _BINS, "nthread": 1}
    return xgb.train({**settings, **own}, data, _ROUNDS)


def binned(values: F32, target: F64) -> xgb.QuantileDMatrix:
    """Rows to train on."""
    return xgb.QuantileDMatrix(values, target, max_bin=_BINS, nthread=1)


def asked(values: F32) -> xgb.DMatrix:
    """Rows to predict for."""
    return xgb.DMatrix(values, nthread=1)


class OutcomeByArm:
    """Regressions of an outcome on what was known, one an arm.

    Parameters
    ----------
    X : DataFrame, FeatureTable or array, shape (n, k)
    arm : int array, shape (n,)
    y : array, shape (n,)
    arms : int
        Number of arms; each must occur.

    Raises
    ------
    BadInput
        If an arm does not occur.

    Examples
    --------
    >>> X = np.zeros((6, 1), np.float32)
    >>> model = OutcomeByArm(X, [0, 0, 0, 1, 1, 1], [1.0, 1.0, 1.0, 4.0, 4.0, 4.0], 2)
    >>> model.predict(X[:1]).tolist()
    [[1.0, 4.0]]
    """

    def __init__(self, X: Any, arm: ArrayLike, y: ArrayLike, arms: int) -> None:
        values, taken = matrix(X).values, np.asarray(arm)
        outcome = np.asarray(y, np.float64)
        self.boosters = []
        for a in range(arms):
            rows = taken == a
            if not rows.any():
                raise BadInput("an arm was never tried", where=f"arm {a}")
            data, base = binned(values[rows], outcome[rows]), float(outcome[rows].mean())
            self.boosters.append(trees(data, _SETTINGS, int(rows.sum()), base))

    def predict(self, X: Any) -> F64:
        """Expected outcome of each arm, shape (n, arms)."""
        data = asked(matrix(X).values)
        return np.column_stack([b.predict(data) for b in self.boosters]).astype(np.float64)

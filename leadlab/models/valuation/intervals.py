"""Ranges of a price that hold it as often as promised: conformal, scaled by the local error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin

from leadlab.errors import BadInput

F64 = NDArray[np.float64]
ROUNDS = 120
SMALLEST = 0.001
"""Added to absolute errors of log price, so that none is 0."""
FEWEST = 40


class _Zero(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Foresees no error, since MAPIE wants an estimator."""

    def __init__(self) -> None:
        self.fitted_ = True

    def fit(self, X: Any, y: Any) -> Self:
        return self

    def predict(self, X: F64) -> F64:
        return np.zeros(len(X))


@dataclass(frozen=True, eq=False)
class PriceRange:
    """Ends of the range of log price around an estimate.

    Trees foresee the size of the error from features and estimate. On other sales, errors divided
    by that size give the two quantiles that MAPIE's split-conformal method asks for, one for each
    tail. The promise is kept on average over sales like those of the calibration.

    Attributes
    ----------
    size : Booster
    low, high : float
        Ends in units of the size.
    level : float

    References
    ----------
    Lei, G'Sell, Rinaldo, Tibshirani and Wasserman (2018), Distribution-free predictive inference
    for regression, section 5.2.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.random((4000, 2)).astype(np.float32)
    >>> error = rng.normal(size=4000) * (0.1 + X[:, 0])
    >>> found = PriceRange.learn(X, np.zeros(4000), error, level=0.9)
    >>> low, high = found.around(X, np.zeros(4000))
    >>> round(float(((error > low) & (error < high)).mean()), 1)
    0.9
    """

    size: xgb.Booster
    low: float
    high: float
    level: float

    @classmethod
    def learn(
        cls,
        features: NDArray[np.float32],
        estimate: F64,
        error: F64,
        *,
        level: float = 0.9,
        seed: int = 0,
    ) -> PriceRange:
        """Learn from sales that the estimates did not train on.

        Parameters
        ----------
        features : array, shape (n, m)
        estimate : array, shape (n,)
            Log price.
        error : array, shape (n,)
            Log price that was paid less the estimate.
        level : float
            Share of prices that ranges are to hold.
        seed : int
            Draws the half that sizes are learned on; the other half calibrates.

        Raises
        ------
        BadInput
            If the level cannot be used or there are too few sales for it.
        """
        from mapie.conformity_scores import AbsoluteConformityScore  # noqa: PLC0415  (slow)
        from mapie.regression import SplitConformalRegressor  # noqa: PLC0415

        fewest = max(FEWEST, int(np.ceil(8 / (1 - level)))) if 0 < level < 1 else 0
        if not fewest or len(error) < fewest:
            raise BadInput(
                "too few sales to calibrate a range on", got=f"{len(error)}, level {level}",
                expected=f"a level in (0, 1) and at least {fewest} sales",
            )  # fmt: skip
        half = np.random.default_rng(seed).random(len(error)) < 0.5
        X = _with_estimate(features, estimate)
        size = _sizes(X[half], np.abs(error[half]), seed)
        rest = np.flatnonzero(~half)
        scaled = error[rest] / size.inplace_predict(X[rest])
        none = np.zeros((len(rest), 1))
        conformal = SplitConformalRegressor(
            _Zero(),
            confidence_level=level,
            conformity_score=AbsoluteConformityScore(sym=False),
            prefit=True,
        ).conformalize(none, scaled)
        low, high = conformal.predict_interval(none[:1])[1][0, :, 0]
        return cls(size, float(low), float(high), level)

    def around(self, features: NDArray[np.float32], estimate: F64) -> tuple[F64, F64]:
        """Ends of the range of log price, each of shape (n,)."""
        size = self.size.inplace_predict(_with_estimate(features, estimate)).astype(np.float64)
        return estimate + self.low * size, estimate + self.high * size


def _with_estimate(features: NDArray[np.float32], estimate: F64) -> NDArray[np.float32]:
    return np.column_stack([features, estimate]).astype(np.float32)


def _sizes(X: NDArray[np.float32], error: F64, seed: int) -> xgb.Booster:
    """Trees for the mean absolute error."""
    settings = {
        "objective": "reg:gamma",
        "eta": 0.05,
        "max_depth": 3,
        "min_child_weight": 20,
        "subsample": 0.8,
        "colsample_bytree": 0.5,
        "nthread": 1,
        "seed": seed,
    }
    return xgb.train(settings, xgb.DMatrix(X, error + SMALLEST, nthread=1), ROUNDS)

"""Scores of leads with everything that explains them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from leadlab.features.table import FeatureTable


@dataclass(frozen=True, eq=False)
class Scores:
    """What a model says of some leads, and exactly why.

    Attributes
    ----------
    table : FeatureTable
        What the model saw.
    probability : float64 array, shape (n,)
        Of the outcome within the model's horizon, calibrated where the model is.
    low, high : float64 array, shape (n,)
        Interval of the share that converts among the next `of` leads like this one; NaN where the
        model was not calibrated.
    margin : float64 array, shape (n,)
        Log-odds; ``base + contributions.sum(axis=1)``.
    contributions : float64 array, shape (n, n_features)
        What each feature adds to the margin.
    base : float
        The expected margin, which no feature explains.
    method, why : str
        "exact table", or "xgboost" and why; see `leadlab.explain.TreeShapley`.
    model_version : str
        Which model said it.
    of : int
        Leads that the interval speaks of; 0 where there is none.
    calibration : str
        What turned the margin's own probability into the one given; "none" where nothing did.
    """

    table: FeatureTable
    probability: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    margin: NDArray[np.float64]
    contributions: NDArray[np.float64]
    base: float
    method: str
    why: str
    model_version: str
    of: int = 0
    calibration: str = "none"

    def __len__(self) -> int:
        return len(self.table)

    def take(self, rows: NDArray[np.generic]) -> Scores:
        """Some of the rows, by position or mask."""
        return replace(
            self,
            table=self.table.take(rows),
            probability=self.probability[rows],
            low=self.low[rows],
            high=self.high[rows],
            margin=self.margin[rows],
            contributions=self.contributions[rows],
        )

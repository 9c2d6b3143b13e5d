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
        Of the outcome within the model's horizon.
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
    """

    table: FeatureTable
    probability: NDArray[np.float64]
    margin: NDArray[np.float64]
    contributions: NDArray[np.float64]
    base: float
    method: str
    why: str
    model_version: str

    def __len__(self) -> int:
        return len(self.table)

    def take(self, rows: NDArray[np.generic]) -> Scores:
        """Some of the rows, by position or mask."""
        return replace(
            self,
            table=self.table.take(rows),
            probability=self.probability[rows],
            margin=self.margin[rows],
            contributions=self.contributions[rows],
        )

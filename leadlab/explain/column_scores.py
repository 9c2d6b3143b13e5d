"""Scores of a table's rows with what each column did to them, by whichever classifier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

LOG_ODDS, PROBABILITY = "log-odds", "probability"


@dataclass(frozen=True, eq=False)
class ColumnScores:
    """What a classifier says of some rows, and what each column adds.

    Attributes
    ----------
    frame : DataFrame, n rows
        What was asked about; its columns are the contributions' columns.
    probability : float64 array, shape (n,)
        As the model gives it, calibrated where it is.
    margin : float64 array, shape (n,)
        ``base + contributions.sum(axis=1)``, in `unit`; before any calibration.
    contributions : float64 array, shape (n, columns)
    base : float
        What no column explains.
    unit : str
        "log-odds" or "probability": what contributions add up in.
    method : str
        Who computed them: "exact tree Shapley, leadlab", "tree Shapley, xgboost",
        "shap TreeExplainer", "shap LinearExplainer", or "shap permutation, ... approximate".
    exact : bool
        Whether they are the Shapley values of the method's game, or a sampled estimate of them.
    why : str
        What `method` rests on, such as the background rows; empty where nothing needs saying.
    learner : str
        Type of the classifier.
    """

    frame: pd.DataFrame
    probability: NDArray[np.float64]
    margin: NDArray[np.float64]
    contributions: NDArray[np.float64]
    base: float
    unit: str
    method: str
    exact: bool
    why: str
    learner: str

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def names(self) -> list[str]:
        """Columns, in the order of the contributions."""
        return [str(name) for name in self.frame.columns]

    def phrase(self, row: int, column: int) -> str:
        """One value in words.

        Examples
        --------
        >>> none = np.zeros((1, 2))
        >>> frame = pd.DataFrame({"visits": [3.0], "City": [None]})
        >>> p = none[:, 0]
        >>> found = ColumnScores(frame, p, p, none, 0.0, LOG_ODDS, "", True, "", "")
        >>> found.phrase(0, 0), found.phrase(0, 1)
        ('visits is 3', 'City unknown')
        """
        value: Any = self.frame.iat[row, column]
        if pd.isna(value):
            return f"{self.names[column]} unknown"
        return f"{self.names[column]} is {_plain(value)}"


def _plain(value: Any) -> str:
    return f"{value:,.4g}" if isinstance(value, (float, np.floating)) else str(value)

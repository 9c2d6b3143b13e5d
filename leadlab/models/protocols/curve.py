"""The rate along one feature: what a table on paper could do."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadlab.errors import UnknownName
from leadlab.models.estimator import F32, F64, LeadClassifier


class FeatureCurve(LeadClassifier):
    """The rate of rows in the same bin of one feature.

    Bins hold like numbers of training rows; unknown values are a bin of their own. Rates are drawn
    toward the base rate b: ``(hits + prior * b) / (rows + prior)``.

    Parameters
    ----------
    column : str
        Feature, for example days since the last sign of life.
    bins : int
        At most.
    prior : float
        Rows that the base rate counts for.

    Examples
    --------
    >>> import pandas as pd
    >>> X = pd.DataFrame({"quiet_days": [0, 1, 8, 9]})
    >>> curve = FeatureCurve(column="quiet_days", bins=2, prior=0).fit(X, [0, 0, 0, 1])
    >>> curve.predict_proba(X)[:, 1].tolist()
    [0.0, 0.0, 0.5, 0.5]
    """

    def __init__(self, *, column: str = "x0", bins: int = 30, prior: float = 20.0) -> None:
        self.column = column
        self.bins = bins
        self.prior = prior

    def _train(self, X: F32, y: F32, validation: tuple[F32, F32] | None) -> None:
        names = self.feature_names_in_.tolist()
        if self.column not in names:
            raise UnknownName("feature", self.column, map(str, names))
        self.place_ = names.index(self.column)
        values = X[:, self.place_].astype(np.float64)
        inner = np.arange(1, self.bins) / self.bins
        known = values[~np.isnan(values)]
        self.edges_: F64 = np.unique(np.quantile(known, inner)) if len(known) else np.empty(0)
        which, n = self._bin(X), len(self.edges_) + 2
        rows = np.bincount(which, minlength=n) + self.prior
        hits = np.bincount(which, weights=y, minlength=n) + self.prior * self.base_rate_
        self.rates_: F64 = np.divide(hits, rows, out=np.full(n, self.base_rate_), where=rows > 0)

    def _chance(self, X: F32) -> F64:
        return np.asarray(self.rates_[self._bin(X)], np.float64)

    def _bin(self, X: F32) -> NDArray[np.int64]:
        values = X[:, self.place_].astype(np.float64)
        place = np.searchsorted(self.edges_, values, side="left")
        found: NDArray[np.int64] = np.where(np.isnan(values), len(self.edges_) + 1, place)
        return found

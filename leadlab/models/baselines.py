"""What a model must beat: the base rate, the rule of the last event, logistic regression."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from leadlab.errors import BadInput
from leadlab.models.estimator import F32, F64, LeadClassifier


class BaseRate(LeadClassifier):
    """Everybody converts at the training rate.

    Examples
    --------
    >>> BaseRate().fit([[0.0]] * 4, [0, 0, 0, 1]).predict_proba([[9.0]]).tolist()
    [[0.75, 0.25]]
    """

    def _train(self, X: F32, y: F32, validation: tuple[F32, F32] | None) -> None:
        pass

    def _chance(self, X: F32) -> F64:
        return np.full(len(X), self.base_rate_)


class LastEventRule(LeadClassifier):
    """The conversion rate of leads whose last event was of the same kind.

    Rates are drawn toward the base rate b: ``(converted + prior * b) / (rows + prior)``.

    Parameters
    ----------
    prefix : str
        Features of this prefix say yes (1) or no (0) to "the last event was of kind ...", such as
        those that ``is_latest("kind", ...)`` declares. Rows that say no to all share one rate.
    prior : float
        Rows that the base rate counts for.

    Attributes
    ----------
    rate_ : dict of str to float
        Rate of each feature, and of "other".

    Examples
    --------
    >>> import pandas as pd
    >>> X = pd.DataFrame({"kind_is_inquiry": [1, 1, 0, 0], "kind_is_showing": [0, 0, 1, 1]})
    >>> rule = LastEventRule(prior=0).fit(X, [0, 0, 0, 1])
    >>> rule.rate_
    {'kind_is_inquiry': 0.0, 'kind_is_showing': 0.5, 'other': 0.25}
    """

    def __init__(self, *, prefix: str = "kind_is_", prior: float = 20.0) -> None:
        self.prefix = prefix
        self.prior = prior

    def _train(self, X: F32, y: F32, validation: tuple[F32, F32] | None) -> None:
        self.columns_ = self._kinds()
        state = self._state(X)
        n = len(self.columns_) + 1
        rows = np.bincount(state, minlength=n) + self.prior
        hits = np.bincount(state, weights=y, minlength=n) + self.prior * self.base_rate_
        self.rates_ = np.divide(hits, rows, out=np.full(n, self.base_rate_), where=rows > 0)
        names = [*self.feature_names_in_[self.columns_], "other"]
        self.rate_ = dict(zip(names, self.rates_.tolist(), strict=True))

    def _chance(self, X: F32) -> F64:
        return np.asarray(self.rates_[self._state(X)], np.float64)

    def _kinds(self) -> NDArray[np.int64]:
        found = [str(n).startswith(self.prefix) for n in self.feature_names_in_]
        if not any(found):
            raise BadInput(
                "no feature tells the kind of the last event",
                where="X",
                expected=f"names that start with {self.prefix!r}",
                hint='Declare is_latest("kind", ...) for each kind.',
            )
        return np.flatnonzero(found)

    def _state(self, X: F32) -> NDArray[np.int64]:
        flags = X[:, self.columns_] > 0.5
        state: NDArray[np.int64] = np.where(flags.any(axis=1), flags.argmax(axis=1), flags.shape[1])
        return state


class Logistic(LeadClassifier):
    """L2 logistic regression on signed logs, imputed by the median and scaled.

    A feature with unknown values in training also gets a yes/no column "was unknown".

    Parameters
    ----------
    c : float
        Inverse strength of the penalty.
    max_iter : int
        Steps of L-BFGS at most; `converged_` says whether they were enough.

    Examples
    --------
    >>> model = Logistic().fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1])
    >>> model.predict([[0.0], [3.0]]).tolist()
    [0, 1]
    """

    def __init__(self, *, c: float = 0.1, max_iter: int = 1000) -> None:
        self.c = c
        self.max_iter = max_iter

    def _train(self, X: F32, y: F32, validation: tuple[F32, F32] | None) -> None:
        self.pipeline_: Pipeline = make_pipeline(
            SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
            StandardScaler(),
            LogisticRegression(C=self.c, max_iter=self.max_iter, tol=1e-3),
        )
        self.pipeline_.fit(_signed_log(X), y)
        self.converged_ = bool(self.pipeline_[-1].n_iter_[0] < self.max_iter)

    def _chance(self, X: F32) -> F64:
        return np.asarray(self.pipeline_.predict_proba(_signed_log(X))[:, 1], np.float64)


def _signed_log(X: F32) -> F64:
    """Draw in long tails, so that no single gap of months rules the sum."""
    values = X.astype(np.float64)
    drawn: F64 = np.sign(values) * np.log1p(np.abs(values))
    return drawn

"""Any classifier, with probabilities that hold and an interval beside each."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone

from leadlab.errors import BadInput, NotFitted
from leadlab.models.calibration.choice import (
    METHODS,
    Calibration,
    choose_calibration,
    fit_calibration,
)
from leadlab.models.calibration.rate_interval import RateInterval
from leadlab.models.folds import Folds, grouped_folds, members, refuse_one_class
from leadlab.models.matrix import outcomes

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Cv = Iterable[tuple[ArrayLike, ArrayLike]]


class OutOfFold(NamedTuple):
    """Scores of rows by models that did not see them.

    Attributes
    ----------
    rows, fold : int array
        Position of each row, and the fold that held it out.
    p : float array
        Score.
    """

    rows: I64
    fold: I64
    p: F64


class Calibrated(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """An estimator whose scores are calibrated out of fold, with an interval beside each.

    Clones of the estimator score the rows of each fold that they did not train on. On those scores
    a calibration is chosen, the interval is set on scores that were calibrated by a map fitted on
    the other folds, and the estimator is trained once more, on all rows.

    Folds are used rather than one held-out slice because every row then serves twice: the final
    model learns from all of them, and the calibration sees each of the few conversions. A slice of
    a fifth would hold a fifth of the conversions, and its isotonic steps would follow their noise.
    The price is that the map is fitted to models of somewhat fewer rows than the final one.

    Parameters
    ----------
    estimator : classifier with predict_proba
        Left unfitted; of `leadlab.models`, scikit-learn or alike.
    folds : int
        Where `fit` is given no `cv`.
    seed : int
        Of the folds and the blocks of the interval.
    methods : tuple of str
        Calibrations to choose from.
    level : float
        Of the interval.
    of : int
        Leads that the interval speaks of.

    Attributes
    ----------
    estimator_ : classifier
        Fitted on all rows.
    calibration_ : Calibration
    interval_ : RateInterval
    out_of_fold_ : OutOfFold
        Rows, folds and uncalibrated scores that both came from.
    classes_ : int array
        ``[0, 1]``.

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(4000, 1)).repeat(2, axis=1)
    >>> y = rng.random(4000) < 1 / (1 + np.exp(1 - X[:, 0]))
    >>> lead = [[2.0, 2.0]]  # converts in truth at 0.73
    >>> float(GaussianNB().fit(X, y).predict_proba(lead)[0, 1].round(2))
    0.94
    >>> model = Calibrated(GaussianNB(), methods=("none", "beta")).fit(X, y)
    >>> model.calibration_.method, float(model.predict_proba(lead)[0, 1].round(2))
    ('beta', 0.72)
    >>> low, high = model.interval(lead)
    >>> low.tolist(), high.tolist()
    ([0.55], [0.85])
    """

    def __init__(
        self,
        estimator: Any,
        *,
        folds: int = 5,
        seed: int = 0,
        methods: tuple[str, ...] = METHODS,
        level: float = 0.9,
        of: int = 20,
    ) -> None:
        self.estimator = estimator
        self.folds = folds
        self.seed = seed
        self.methods = methods
        self.level = level
        self.of = of

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        *,
        groups: ArrayLike | None = None,
        cv: Cv | None = None,
        validation: Any = None,
    ) -> Self:
        """Score out of fold, calibrate, set the interval, train on all rows.

        Parameters
        ----------
        X : FeatureTable, DataFrame or array, n rows
        y : array of 0 and 1, shape (n,)
        groups : array, shape (n,), optional
            Lead of each row, on one side of each fold; handed on where the estimator takes it.
        cv : iterable of (train, test) row positions, optional
            Shuffled folds of like base rate when not given. For rows in order of time give
            `leadlab.models.folds.ordered_folds`.
        validation : optional
            Handed to every fit of an estimator that stops early. A tuple must be of other leads.

        Raises
        ------
        BadInput
            If lengths differ, labels are not 0 and 1, a fold has one class or shares rows or groups
            between its sides, a row is held out twice, or the estimator takes no `validation`.
        """
        n = len(np.asarray(y))
        label = outcomes(y, n).astype(np.int64)
        if _rows_of(X) != n:
            raise BadInput("rows and outcomes differ in number", got=_rows_of(X), expected=n)
        group = members(groups, n)
        sides = _folds(label, group, groups is None, cv, self.folds, self.seed)
        found = [
            self._trained(_take(X, train), label[train], group[train], groups, validation)
            .predict_proba(_take(X, test))[:, 1]
            .astype(np.float64)
            for train, test in sides
        ]
        rows = np.concatenate([test for _, test in sides])
        fold = np.repeat(np.arange(len(sides)), [len(test) for _, test in sides])
        # Single precision may leave [0, 1] by a rounding.
        p = np.clip(np.concatenate(found), 0.0, 1.0)
        who = None if groups is None else group[rows]
        self.out_of_fold_ = OutOfFold(rows, fold, p)
        self.calibration_ = choose_calibration(
            p, label[rows], groups=who, folds=self.folds, seed=self.seed, methods=self.methods
        )
        self.interval_ = RateInterval.fit(
            cross_calibrated(p, label[rows], fold, self.calibration_.method),
            label[rows],
            groups=who,
            folds=fold,
            level=self.level,
            of=self.of,
            seed=self.seed,
        )
        self.classes_ = np.array([0, 1])
        self.estimator_ = self._trained(X, label, group, groups, validation)
        return self

    def _trained(
        self, X: Any, label: I64, group: I64, groups: ArrayLike | None, validation: Any
    ) -> Any:
        """A clone of the estimator, fitted."""
        taken = inspect.signature(self.estimator.fit).parameters
        given = {}
        if groups is not None and "groups" in taken:
            given["groups"] = group
        if validation is not None:
            if "validation" not in taken:
                raise BadInput(
                    "the estimator takes no validation side",
                    where="validation",
                    got=type(self.estimator).__name__,
                )
            given["validation"] = validation
        return clone(self.estimator).fit(X, label, **given)

    def _score(self, X: Any) -> F64:
        if not hasattr(self, "estimator_"):
            raise NotFitted("this Calibrated is not trained yet", hint="Call fit.")
        score = np.asarray(self.estimator_.predict_proba(X), np.float64)[:, 1]
        return self.calibration_.apply(np.clip(score, 0.0, 1.0))

    def predict_proba(self, X: Any) -> F64:
        """Calibrated probabilities of not converting and of converting, shape (n, 2).

        Raises
        ------
        NotFitted
            Before `fit`.
        """
        chance = self._score(X)
        return np.column_stack([1.0 - chance, chance])

    def predict(self, X: Any) -> I64:
        """1 where converting is likelier than not; at low base rates rank by probability."""
        found: I64 = (self._score(X) > 0.5).astype(np.int64)
        return found

    def interval(self, X: Any) -> tuple[F64, F64]:
        """Lowest and highest share of the next `of` leads like each row, see `RateInterval`."""
        return self.interval_.around(self._score(X))

    def to_json(self) -> dict[str, Any]:
        """Calibration and interval as plain values; the estimator is kept by its own format."""
        if not hasattr(self, "estimator_"):
            raise NotFitted("this Calibrated is not trained yet", hint="Call fit.")
        return {"calibration": self.calibration_.to_json(), "interval": self.interval_.to_json()}

    @classmethod
    def restored(cls, estimator: Any, found: Mapping[str, Any]) -> Self:
        """A fitted estimator put together with what `to_json` gave."""
        model = cls(estimator)
        model.estimator_, model.classes_ = estimator, np.array([0, 1])
        model.calibration_ = Calibration.from_json(found["calibration"])
        model.interval_ = RateInterval.from_json(found["interval"])
        return model


def cross_calibrated(p: F64, y: I64, fold: I64, method: str) -> F64:
    """Scores of each fold calibrated by a map that was fitted on the other folds.

    Raises
    ------
    BadInput
        If the other folds hold one class only; the message names the fold.

    Examples
    --------
    >>> p, fold = np.array([0.2, 0.4, 0.2, 0.4]), np.array([0, 0, 1, 1])
    >>> cross_calibrated(p, np.array([0, 1, 1, 0]), fold, "none").round(3).tolist()
    [0.2, 0.4, 0.2, 0.4]
    """
    found = np.empty(len(p))
    for i in np.unique(fold):
        held = fold == i
        refuse_one_class(y, [(np.flatnonzero(~held), np.flatnonzero(held))], first=int(i))
        found[held] = fit_calibration(p[~held], y[~held], method).apply(p[held])
    return found


def _folds(label: I64, group: I64, alone: bool, cv: Cv | None, folds: int, seed: int) -> Folds:
    """Checked folds."""
    if cv is None:
        return grouped_folds(label, None if alone else group, folds, seed)
    sides = [(np.asarray(a, np.int64), np.asarray(b, np.int64)) for a, b in cv]
    if len(sides) < 2:
        raise BadInput("at least two folds are needed", where="cv", got=len(sides))
    refuse_one_class(label, sides)
    for i, (train, test) in enumerate(sides):
        if not len(test):
            raise BadInput("an empty test side", where=f"fold {i}")
        shared = np.intersect1d(group[train], group[test])
        if len(shared):
            raise BadInput("a lead is on both sides", where=f"fold {i}", got=f"{len(shared)} leads")
    held = np.concatenate([test for _, test in sides])
    if len(np.unique(held)) < len(held):
        raise BadInput("a row is held out twice", where="cv")
    return sides


def _rows_of(X: Any) -> int:
    return int(X.shape[0]) if hasattr(X, "shape") else len(X)


def _take(X: Any, rows: I64) -> Any:
    """Rows by position."""
    if isinstance(X, pd.DataFrame):
        return X.iloc[rows]
    if hasattr(X, "take") and not hasattr(X, "shape"):
        return X.take(rows)
    return X[rows] if hasattr(X, "shape") else np.asarray(X)[rows]

"""What the two-class estimators share: the scikit-learn manners."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from leadlab.errors import BadInput, NotFitted
from leadlab.models.files.feature_plan import plan_of
from leadlab.models.matrix import Matrix, matrix, outcomes, same_columns

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Validation = tuple[Any, ArrayLike] | float


class LeadClassifier(ClassifierMixin, BaseEstimator, ABC):  # type: ignore[misc]
    """Base of estimators of P(converts within the horizon | what is known now).

    A subclass implements ``_train(X, y, validation)`` and ``_chance(X)`` on checked float32
    arrays.

    Attributes
    ----------
    feature_names_in_ : object array of str
        Columns, in order; "x0", "x1", ... where the training set had no names.
    n_features_in_ : int
    classes_ : int array
        ``[0, 1]``.
    named_ : bool
        Whether the training set had column names, which later input is then held to.
    base_rate_ : float
        Share of converted rows in training.
    plan_hash_ : str
        Hash of the feature plan of the training table; empty where that stated none.
    """

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        *,
        groups: ArrayLike | None = None,
        validation: Validation | None = None,
    ) -> Self:
        """Learn from landmarks.

        Parameters
        ----------
        X : FeatureTable, DataFrame or array, shape (n, k)
            NaN where unknown.
        y : array of 0 and 1, shape (n,)
        groups : array, shape (n,), optional
            Lead of each row; kept whole where `validation` is a share.
        validation : (X, y) or float, optional
            For models that stop early: later landmarks of other leads, best from
            `leadlab.models.splits.temporal_split`; or the share of leads, by last first
            appearance, to hold out of rows that are in time order.

        Raises
        ------
        BadInput
            If shapes, columns or labels cannot be used, or there is one class only.
        """
        table = matrix(X)
        label = outcomes(y, len(table.values))
        names = table.names or tuple(f"x{i}" for i in range(table.values.shape[1]))
        if len(set(names)) < len(names):
            raise BadInput("two features of one name", where="X", got=_twice(names))
        named = table.names is not None
        values, later = table.values, None
        if isinstance(validation, float):
            kept, held = _held_out(groups, len(label), validation)
            later = (values[held], outcomes(label[held], len(held)))
            values, label = values[kept], outcomes(label[kept], len(kept))
        elif validation is not None:
            held_values = same_columns(matrix(validation[0]), names, named)
            later = (held_values, outcomes(validation[1], len(held_values)))
        self.feature_names_in_ = np.array(names, dtype=object)
        self.n_features_in_ = len(names)
        self.classes_ = np.array([0, 1])
        self.named_ = named
        self.plan_hash_ = plan_of(X)
        self.base_rate_ = float(label.mean(dtype=np.float64))
        self._train(values, label, later)
        return self

    def predict_proba(self, X: Any) -> F64:
        """Probabilities of not converting and of converting, shape (n, 2).

        Raises
        ------
        NotFitted
            Before `fit`.
        BadInput
            If the columns are not those of training, in that order, or were built with another
            feature plan than the training table's.
        """
        if not hasattr(self, "classes_"):
            raise NotFitted(f"this {type(self).__name__} is not trained yet", hint="Call fit.")
        built = plan_of(X) if self.plan_hash_ else ""
        if built and built != self.plan_hash_:
            raise BadInput(
                "a table of another feature plan than the model's",
                where="X",
                got=f"plan {built[:12]}",
                expected=f"plan {self.plan_hash_[:12]}",
            )
        chance = self._chance(self._columns(matrix(X)))
        return np.column_stack([1.0 - chance, chance])

    def predict(self, X: Any) -> NDArray[np.int64]:
        """1 where converting is likelier than not; at low base rates rank by probability."""
        found: NDArray[np.int64] = (self.predict_proba(X)[:, 1] > 0.5).astype(np.int64)
        return found

    def _columns(self, table: Matrix) -> F32:
        return same_columns(table, tuple(self.feature_names_in_), self.named_)

    @abstractmethod
    def _train(self, X: F32, y: F32, validation: tuple[F32, F32] | None) -> None:
        """Learn from checked rows."""

    @abstractmethod
    def _chance(self, X: F32) -> F64:
        """Probability of each checked row."""


def _twice(names: tuple[str, ...]) -> str:
    return next(name for i, name in enumerate(names) if name in names[:i])


def _held_out(groups: ArrayLike | None, n: int, share: float) -> tuple[I64, I64]:
    """Rows of the earlier leads, and rows of the last `share` of them by first appearance."""
    if not 0 < share < 1:
        raise BadInput("cannot hold out this share", where="validation", got=share)
    names = np.arange(n) if groups is None else np.asarray(groups)
    if names.shape != (n,):
        raise BadInput("one group a row is needed", where="groups", got=names.shape, expected=(n,))
    _, first, lead = np.unique(names, return_index=True, return_inverse=True)
    held = np.argsort(np.argsort(first)) >= len(first) - max(1, round(len(first) * share))
    return np.flatnonzero(~held[lead]), np.flatnonzero(held[lead])

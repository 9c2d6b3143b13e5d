"""Expected uplift of each arm: cross-fitted doubly robust scores, then a line and shallow trees.

For arm a, propensity p and cross-fitted expected outcomes m, row i has the score
``s_a = m_a + 1[A = a] / p_a (y - m_a)``; the expectation of ``s_a - s_0`` given x is the uplift
(Kennedy, 2023), so any regression of it on x will do. Here it is the mean of a ridge line and of
shallow boosted trees, refitted under exponential row weights (the Bayesian bootstrap; Rubin, 1981):
the members' mean is the expected uplift, their spread is what Thompson sampling draws from.

Why not a library. econml's ``DRLearner`` is the same estimator and the tests hold the two to one
another, but its final stage is one model: it gives no draws for the trees, takes propensities that
are known only by way of a classifier, and is kept by pickle, which model files here never are.
scikit-uplift has no doubly robust learner and two arms only; causalml needs another build of
XGBoost. So the two regressions are scikit-learn's and XGBoost's, and the rest is the score above.

References
----------
Kennedy, E. H. (2023), Towards optimal doubly robust estimation of heterogeneous causal effects.
Rubin, D. B. (1981), The Bayesian bootstrap.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
import xgboost as xgb
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import StratifiedKFold

from leadlab.errors import BadInput, NotFitted
from leadlab.models.actions.off_policy import Logged, logged, scores
from leadlab.models.actions.outcome_by_arm import OutcomeByArm, asked, binned, trees
from leadlab.models.matrix import matrix, same_columns

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
ALPHAS = tuple(10.0**e for e in range(7))
_EFFECT = {"max_depth": 2, "learning_rate": 0.05, "reg_lambda": 10.0}


class UpliftModel(BaseEstimator):  # type: ignore[misc]
    """Expected uplift of each arm against the first.

    Parameters
    ----------
    members : int
        Draws of the Bayesian bootstrap, at least 2.
    folds : int
        Of the cross-fitting, at least 2.
    seed : int

    Attributes
    ----------
    arms_ : int
    names_ : tuple of str
        Columns in order.
    n_tried_ : int array, shape (arms,)
        Rows of each arm.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, arm = rng.normal(size=(2000, 1)), rng.integers(0, 2, 2000)
    >>> y = rng.normal(size=2000) + arm * (X[:, 0] > 0)
    >>> model = UpliftModel(members=4).fit(X, arm, y, [0.5, 0.5])
    >>> model.effects(np.array([[-1.0], [1.0]])).round().tolist()
    [[0.0, 0.0], [0.0, 1.0]]
    """

    kind: ClassVar[str] = "uplift"

    def __init__(self, members: int = 20, folds: int = 5, seed: int = 0) -> None:
        self.members = members
        self.folds = folds
        self.seed = seed

    def fit(self, X: Any, arm: ArrayLike, y: ArrayLike, propensity: ArrayLike) -> Self:
        """Learn from rows whose arm was drawn with known propensities.

        Parameters
        ----------
        X : DataFrame, FeatureTable or array, shape (n, k)
            What was known before; NaN where unknown.
        arm : int array, shape (n,)
            0 is the control.
        y : array, shape (n,)
            Outcomes.
        propensity : array, shape (arms,) or (n, arms)

        Raises
        ------
        BadInput
            If an argument cannot be used, or an arm was tried in fewer rows than there are folds.
        """
        if self.members < 2 or self.folds < 2:
            got = f"members={self.members}, folds={self.folds}"
            raise BadInput("at least two members and two folds", got=got)
        table = matrix(X)
        log = logged(y, arm, propensity)
        values = table.values
        if len(values) != len(log.y):
            raise BadInput("one outcome a row", got=f"{len(values)} rows, {len(log.y)} outcomes")
        self.arms_ = log.propensity.shape[1]
        self.n_tried_ = np.bincount(log.action, minlength=self.arms_)
        rare = int(self.n_tried_.argmin())
        if self.n_tried_[rare] < self.folds:
            raise BadInput(
                "an arm was tried too rarely to learn from", where=f"arm {rare}",
                got=f"{self.n_tried_[rare]} rows", expected=f"{self.folds} or more",
            )  # fmt: skip
        self.named_ = table.names is not None
        self.names_ = table.names or tuple(f"x{i}" for i in range(values.shape[1]))
        score = scores(log, self._held_out(values, log))
        self._learn(values, score[:, 1:] - score[:, :1])
        return self

    def effects(self, X: Any) -> F64:
        """Expected uplift of each arm, shape (n, arms); the first column is 0.

        Raises
        ------
        NotFitted
            Before `fit`.
        BadInput
            If the columns are others.
        """
        return np.asarray(self.draws(X).mean(axis=0))

    def draws(self, X: Any) -> F64:
        """Uplift in each draw of the belief, shape (members, n, arms)."""
        values = self._values(X)
        scaled, data = self._scaled(values), asked(values)
        found = np.zeros((self.members, len(values), self.arms_))
        for i, (lines, grown) in enumerate(self.members_):
            for a, (line, tree) in enumerate(zip(lines, grown, strict=True), 1):
                found[i, :, a] = (scaled @ line[1:] + line[0] + tree.predict(data)) / 2
        return found

    def to_files(self) -> dict[str, bytes]:
        """Plain files that hold data and no code.

        Raises
        ------
        NotFitted
            Before `fit`.
        """
        from leadlab.models.actions.files import to_files  # noqa: PLC0415  (cycle)

        return to_files(self)

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """What `to_files` gave.

        Raises
        ------
        BrokenFile
            If a file is missing, cut short, altered or of another kind.
        """
        from leadlab.models.actions.files import from_files  # noqa: PLC0415  (cycle)

        return from_files(cls, files)

    def _held_out(self, values: F32, log: Logged) -> F64:
        """Expected outcomes of each row by models that did not see it."""
        found = np.empty((len(values), self.arms_))
        sides = StratifiedKFold(self.folds, shuffle=True, random_state=self.seed)
        for train, test in sides.split(values, log.action):
            model = OutcomeByArm(values[train], log.action[train], log.y[train], self.arms_)
            found[test] = model.predict(values[test])
        return found

    def _learn(self, values: F32, target: F64) -> None:
        finite = np.where(np.isfinite(values), values, np.nan).astype(np.float64)
        some = np.isfinite(finite).any(axis=0)
        self.center_ = np.zeros(values.shape[1])
        self.center_[some] = np.nanmean(finite[:, some], axis=0)
        filled = np.where(np.isnan(finite), self.center_, finite)
        self.scale_ = np.where((sd := filled.std(axis=0)) > 0, sd, 1.0)
        scaled = self._scaled(values)
        alphas = [_alpha(scaled, target[:, a]) for a in range(target.shape[1])]
        data = binned(values, target[:, 0])
        rng = np.random.default_rng(self.seed)
        self.members_: list[tuple[list[F64], list[xgb.Booster]]] = []
        for _ in range(self.members):
            weight = rng.exponential(size=len(values))
            weight /= weight.mean()
            data.set_weight(weight)
            lines = [
                _line(scaled, t, weight, alpha) for t, alpha in zip(target.T, alphas, strict=True)
            ]
            grown = []
            for t in target.T:
                data.set_label(t)
                base = float(np.average(t, weights=weight))
                grown.append(trees(data, _EFFECT, len(values), base))
            self.members_.append((lines, grown))

    def _values(self, X: Any) -> F32:
        if not hasattr(self, "members_"):
            raise NotFitted("this UpliftModel is not trained yet", hint="Call fit.")
        return same_columns(matrix(X), self.names_, self.named_)

    def _scaled(self, values: F32) -> F64:
        """Standardised; what is unknown is average."""
        filled = np.where(np.isnan(values), self.center_, values)
        return np.asarray((filled - self.center_) / self.scale_)


def _alpha(scaled: F64, target: F64) -> float:
    """Penalty of the line with the least leave-one-out error."""
    return float(RidgeCV(ALPHAS).fit(scaled, target).alpha_)


def _line(scaled: F64, target: F64, weight: F64, alpha: float) -> F64:
    """Weighted ridge with a free constant: the constant, then the slopes."""
    X = np.column_stack([np.ones(len(scaled)), scaled])
    weighted = X * weight[:, None]
    penalty = np.diag([0.0, *np.full(scaled.shape[1], alpha)])
    return np.asarray(np.linalg.solve(weighted.T @ X + penalty, weighted.T @ target))

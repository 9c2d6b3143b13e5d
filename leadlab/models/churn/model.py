"""P(no further sign of life) within several horizons, by a model that never contradicts itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, clone

from leadlab.errors import BadInput, NotFitted
from leadlab.models.calibration.choice import choose_calibration, fit_calibration
from leadlab.models.calibration.rate_interval import RateInterval
from leadlab.models.churn.labels import Labels, labels_of
from leadlab.models.churn.silence import HORIZONS_DAYS, SILENT, checked_horizons
from leadlab.models.conversion import ConversionModel
from leadlab.models.files.feature_plan import plan_of
from leadlab.models.folds import grouped_folds, members
from leadlab.models.matrix import F32, matrix, same_columns

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
LEVELS = (("critical", 0.8), ("high", 0.6), ("medium", 0.4), ("low", 0.0))
"""Level and the probability of silence that it begins at."""
TREES = ConversionModel(rounds=300, patience=25, max_depth=4, min_child_weight=20.0)


class ChurnModel(BaseEstimator):  # type: ignore[misc]
    """A chain of conditional silences, each by boosted trees with a calibration of its own.

    With horizons h1 < h2 < ... the k-th stage learns P(silent to h_k | silent to h_(k-1)) on the
    landmarks that were silent so far, and ``P(silent to h_k)`` is the product of the first k
    stages: it cannot rise with the horizon, whatever the input.

    Leads are held out in folds. On the held-out rows each stage stops boosting, the calibration is
    chosen and each horizon's interval is set; then each stage is trained on all rows, with the
    median number of trees.

    Parameters
    ----------
    horizons_days : sequence of float
        Ascending.
    level_horizon_days : float, optional
        Horizon that the level goes by; the longest when not given. The longest is the least
        likely to be silent through, so a lead is called critical only if it is critical by every
        horizon; a quiet week is common among leads that come back, a quiet month is not.
    estimator : ConversionModel, optional
        Unfitted settings of each stage; its seed is replaced.
    folds : int
        At least 2.
    level : float
        Of the intervals.
    seed : int
        Of folds, trees and intervals.

    Attributes
    ----------
    stages_ : list of ConversionModel
        One a horizon; `leadlab.explain.TreeShapley` explains each exactly.
    calibrations_ : list of Calibration
        One a stage.
    intervals_ : list of RateInterval
        One a horizon.
    wait_days_ : float array, shape (k,)
        Mean days to the next sign of the training rows heard within each stage.
    plan_hash_ : str
        Hash of the feature plan of the training table; empty where that stated none.
    base_rates_ : float array, shape (k,)
        Share of silent rows under each horizon.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(900, 2))
    >>> days = rng.exponential(12 * np.exp(X[:, 0]))
    >>> y = (days[:, None] > np.array([7, 14, 30])).astype(int)
    >>> model = ChurnModel(folds=3).fit(X, y, next_days=days)
    >>> found = model.predict([[1.5, 0.0], [-1.5, 0.0]])
    >>> list(found.columns), found["level"].tolist()
    (['p_7d', 'p_14d', 'p_30d', 'expected_days', 'level'], ['medium', 'low'])
    """

    kind: ClassVar[str] = "churn"

    def __init__(
        self,
        *,
        horizons_days: Sequence[float] = HORIZONS_DAYS,
        level_horizon_days: float | None = None,
        estimator: ConversionModel | None = None,
        folds: int = 4,
        level: float = 0.9,
        seed: int = 0,
    ) -> None:
        self.horizons_days = horizons_days
        self.level_horizon_days = level_horizon_days
        self.estimator = estimator
        self.folds = folds
        self.level = level
        self.seed = seed

    def fit(
        self,
        X: Any,
        y: Any,
        *,
        groups: ArrayLike | None = None,
        next_days: ArrayLike | None = None,
    ) -> Self:
        """Learn from landmarks.

        Parameters
        ----------
        X : FeatureTable, DataFrame or array, shape (n, p)
            NaN where unknown.
        y : Silence, or array of 1, 0 and -1, shape (n, k)
            1 silent through the horizon, 0 heard within, -1 not known; a `Silence` brings groups
            and days with it.
        groups : array, shape (n,), optional
            Lead of each row, kept whole.
        next_days : array, shape (n,), optional
            Days to the next sign, NaN where none came.

        Raises
        ------
        BadInput
            If shapes, columns or labels cannot be used, labels of two horizons contradict each
            other, or a stage has one outcome only or in too few leads.
        """
        self._level_column()
        table = matrix(X)
        names = table.names or tuple(f"x{i}" for i in range(table.values.shape[1]))
        labels = labels_of(y, len(table.values), self._horizons(), groups, next_days)
        self.feature_names_in_ = np.array(names, dtype=object)
        self.n_features_in_, self.named_ = len(names), table.names is not None
        self.plan_hash_ = plan_of(X)
        self.base_rates_ = labels.base_rates
        self.wait_days_ = labels.wait_days
        frame = pd.DataFrame(table.values, columns=list(names), copy=False)
        fold = self._fold_of_each(labels)
        held, rounds = self._hold_out(frame, labels, fold)
        self.calibrations_ = [
            choose_calibration(
                held[rows, k],
                labels.stage(k)[rows],
                groups=labels.groups[rows],
                folds=self.folds,
                seed=self.seed,
            )
            for k, rows in enumerate(labels.rows)
        ]
        self.intervals_ = self._intervals(held, labels, fold)
        self.stages_ = [
            self._trees(rounds[k]).fit(frame.iloc[rows] if self.named_ else table.values[rows],
                                       labels.stage(k)[rows])
            for k, rows in enumerate(labels.rows)
        ]  # fmt: skip
        return self

    def predict(self, X: Any) -> pd.DataFrame:
        """Foresee each row.

        Returns
        -------
        DataFrame
            ``p_7d``, ``p_14d``, ... (P(no sign of life) of each horizon, never rising),
            ``expected_days`` and ``level``. Expected days are the restricted mean
            E[min(days to the next sign, H)] with H the longest horizon:
            ``sum_k (P_(k-1) - P_k) wait_k + P_K H`` with P_0 = 1 and `wait_days_`.
        """
        chance = self.silence(X)
        frame = pd.DataFrame(chance, columns=self.names)
        heard = -np.diff(np.column_stack([np.ones(len(chance)), chance]), axis=1)
        frame["expected_days"] = heard @ self.wait_days_ + chance[:, -1] * self._horizons()[-1]
        frame["level"] = levels(chance[:, self._level_column()])
        return frame

    def silence(self, X: Any) -> F64:
        """P(no sign of life) within each horizon, shape (n, k), never rising along a row.

        Raises
        ------
        NotFitted
            Before `fit`.
        BadInput
            If the columns are not those of training, in that order, or of another feature plan.
        """
        return self._chain(self.conditional(X))

    def conditional(self, X: Any) -> F64:
        """What the trees of each stage say before calibration, shape (n, k)."""
        if not hasattr(self, "stages_"):
            raise NotFitted(f"this {type(self).__name__} is not trained yet", hint="Call fit.")
        built = plan_of(X) if self.plan_hash_ else ""
        if built and built != self.plan_hash_:
            raise BadInput(
                "a table of another feature plan than the model's",
                where="X",
                got=f"plan {built[:12]}",
                expected=f"plan {self.plan_hash_[:12]}",
            )
        values = same_columns(matrix(X), tuple(self.feature_names_in_), self.named_)
        return np.column_stack([stage.predict_proba(values)[:, 1] for stage in self.stages_])

    def interval(self, X: Any) -> tuple[F64, F64]:
        """Low and high of each probability, each of shape (n, k); see `RateInterval`."""
        chance = self.silence(X)
        ends = [one.around(chance[:, k]) for k, one in enumerate(self.intervals_)]
        return np.column_stack([low for low, _ in ends]), np.column_stack(
            [high for _, high in ends]
        )

    @property
    def names(self) -> list[str]:
        """Columns of the probabilities."""
        return [f"p_{days:g}d" for days in self._horizons()]

    def _horizons(self) -> tuple[float, ...]:
        return checked_horizons(self.horizons_days)

    def _level_column(self) -> int:
        horizons = self._horizons()
        wanted = horizons[-1] if self.level_horizon_days is None else self.level_horizon_days
        if wanted not in horizons:
            raise BadInput("the level goes by one of the horizons", where="level_horizon_days",
                           got=wanted, expected=horizons)  # fmt: skip
        return horizons.index(wanted)

    def _trees(self, rounds: int | None = None) -> ConversionModel:
        chosen: ConversionModel = clone(TREES if self.estimator is None else self.estimator)
        chosen.set_params(seed=self.seed)
        return chosen if rounds is None else chosen.set_params(rounds=rounds)

    def _fold_of_each(self, labels: Labels) -> I64:
        """Fold of each row; leads are dealt by whether any row of theirs is silent to the end."""
        lead = members(labels.groups, len(labels.groups))
        last = np.zeros(int(lead.max()) + 1, np.int64)
        np.maximum.at(last, lead, (labels.silent[:, -1] == SILENT).astype(np.int64))
        fold_of_lead = np.zeros(len(last), np.int64)
        for number, (_, test) in enumerate(grouped_folds(last, None, self.folds, self.seed)):
            fold_of_lead[test] = number
        return fold_of_lead[lead]

    def _hold_out(self, frame: pd.DataFrame, labels: Labels, fold: I64) -> tuple[F64, list[int]]:
        """Each stage's probability of every row by trees that did not see its lead; trees used."""
        values: F32 = frame.to_numpy()
        held = np.full(labels.silent.shape, np.nan)
        rounds = []
        for k, rows in enumerate(labels.rows):
            y, used = labels.stage(k), []
            for number in range(int(fold.max()) + 1):
                out = fold == number
                train, stop = rows[~out[rows]], rows[out[rows]]
                labels.refuse_one_class(k, train, stop)
                trees = self._trees().fit(
                    values[train], y[train], validation=(values[stop], y[stop])
                )
                held[out, k] = trees.predict_proba(values[out])[:, 1]
                used.append(trees.best_iteration_ + 1)
            rounds.append(round(float(np.median(used))))
        return held, rounds

    def _intervals(self, held: F64, labels: Labels, fold: I64) -> list[RateInterval]:
        """Set on rows whose lead neither the trees nor the calibration saw."""
        chance = np.empty(held.shape)
        for number in range(int(fold.max()) + 1):
            for k, rows in enumerate(labels.rows):
                fitted = rows[fold[rows] != number]
                one = fit_calibration(
                    held[fitted, k], labels.stage(k)[fitted], self.calibrations_[k].method
                )
                chance[fold == number, k] = one.apply(held[fold == number, k])
        chained = np.cumprod(chance, axis=1).astype(np.float64)
        return [
            RateInterval.fit(
                chained[rows, k],
                labels.silent[rows, k],
                groups=labels.groups[rows],
                folds=fold[rows],
                level=self.level,
                seed=self.seed,
            )
            for k, rows in enumerate(labels.known)
        ]

    def _chain(self, conditional: F64) -> F64:
        calibrated = [one.apply(conditional[:, k]) for k, one in enumerate(self.calibrations_)]
        return np.cumprod(np.column_stack(calibrated), axis=1).astype(np.float64)

    def to_files(self) -> dict[str, bytes]:
        """The fitted model as named files, without pickle; see `leadlab.models.churn.files`.

        Raises
        ------
        NotFitted
            Before `fit`.
        """
        from leadlab.models.churn.files import to_files  # noqa: PLC0415  (cycle)

        return to_files(self)

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """What `to_files` gave.

        Raises
        ------
        BrokenFile
            If a file is missing, cut short, altered or of another kind.
        """
        from leadlab.models.churn.files import from_files  # noqa: PLC0415  (cycle)

        return from_files(cls, files)


def levels(chance: ArrayLike) -> NDArray[np.object_]:
    """Name of the level of each probability of silence.

    Examples
    --------
    >>> levels([0.8, 0.79, 0.4, 0.1]).tolist()
    ['critical', 'high', 'medium', 'low']
    """
    p = np.asarray(chance, np.float64)
    found = np.full(p.shape, LEVELS[-1][0], dtype=object)
    for name, least in reversed(LEVELS):
        found[p >= least] = name
    return found

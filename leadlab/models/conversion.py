"""P(lead converts within the horizon | what is known now), by boosted trees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
import xgboost as xgb
from numpy.typing import ArrayLike

from leadlab.errors import BadInput, NotFitted
from leadlab.models.calibration.calibrated import cross_calibrated
from leadlab.models.calibration.choice import Calibration, choose_calibration
from leadlab.models.calibration.rate_interval import RateInterval, interval_size
from leadlab.models.estimator import F32, F64, LeadClassifier
from leadlab.models.folds import grouped_folds, members
from leadlab.models.matrix import matrix


class ConversionModel(LeadClassifier):
    """Gradient-boosted trees on the log-loss (Chen and Guestrin, 2016).

    Few leads convert. Rows are neither weighted nor resampled for that, since either makes every
    probability too high; boosting starts from the base rate instead, and the log-loss is what
    training and early stopping both watch. So a predicted 3% means 3 in 100.

    Parameters
    ----------
    rounds : int
        Trees at most; all of them without a validation side.
    patience : int
        Rounds without a better validation log-loss before training stops; the trees after the
        best round are dropped from the model, so nothing can predict with them.
    learning_rate, max_depth, min_child_weight, subsample, colsample, reg_lambda, max_bin
        As in XGBoost (``colsample`` is ``colsample_bytree``). Depth up to 8 keeps exact
        explanations fast.
    threads : int
        For training. Predictions always use one: a single row is answered in well under a
        millisecond, which more threads only delay.
    seed : int
        Fixes the rows and columns that each tree sees.

    Attributes
    ----------
    booster_ : xgboost.Booster
        The trees in use.
    best_iteration_ : int
        Index of the last tree in use.
    validation_log_loss_ : float
        At that tree; NaN without a validation side.
    calibration_ : Calibration or None
        What `calibrate` chose; it turns the trees' probability into the one that is given.
    interval_ : RateInterval or None
        What `calibrate` found of how far shares of leads scatter around their probability.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(400, 2))
    >>> y = rng.random(400) < 1 / (1 + np.exp(-2 * X[:, 0]))
    >>> model = ConversionModel(rounds=100, max_depth=2).fit(X, y)
    >>> hot, cold = model.predict_proba([[1.5, 0.0], [-1.5, 0.0]])[:, 1]
    >>> bool(hot > 0.7), bool(cold < 0.3)
    (True, True)
    """

    kind: ClassVar[str] = "conversion"

    def __init__(
        self,
        *,
        rounds: int = 600,
        patience: int = 40,
        learning_rate: float = 0.05,
        max_depth: int = 5,
        min_child_weight: float = 10.0,
        subsample: float = 0.7,
        colsample: float = 0.5,
        reg_lambda: float = 5.0,
        max_bin: int = 128,
        threads: int = 1,
        seed: int = 0,
    ) -> None:
        self.rounds = rounds
        self.patience = patience
        self.learning_rate = learning_rate
        self.max_depth = max_depth
        self.min_child_weight = min_child_weight
        self.subsample = subsample
        self.colsample = colsample
        self.reg_lambda = reg_lambda
        self.max_bin = max_bin
        self.threads = threads
        self.seed = seed

    def _train(self, X: F32, y: F32, validation: tuple[F32, F32] | None) -> None:
        if self.rounds < 1 or self.patience < 1:
            raise BadInput("rounds and patience start at 1", got=(self.rounds, self.patience))
        settings = {
            "objective": "binary:logistic",
            "base_score": self.base_rate_,
            "eval_metric": "logloss",
            "tree_method": "hist",
            "eta": self.learning_rate,
            "max_depth": self.max_depth,
            "min_child_weight": self.min_child_weight,
            "subsample": self.subsample,
            "colsample_bytree": self.colsample,
            "lambda": self.reg_lambda,
            "max_bin": self.max_bin,
            "nthread": self.threads,
            "seed": self.seed,
        }
        train = xgb.QuantileDMatrix(X, y, max_bin=self.max_bin, nthread=self.threads)
        if validation is None:
            booster = xgb.train(settings, train, self.rounds)
            self.best_iteration_, self.validation_log_loss_ = self.rounds - 1, float("nan")
        else:
            later = xgb.QuantileDMatrix(
                *validation, ref=train, max_bin=self.max_bin, nthread=self.threads
            )
            booster = xgb.train(
                settings,
                train,
                self.rounds,
                evals=[(later, "validation")],
                early_stopping_rounds=self.patience,
                verbose_eval=False,
            )
            self.best_iteration_ = int(booster.best_iteration)
            self.validation_log_loss_ = float(booster.best_score)
            booster = booster[: self.best_iteration_ + 1]
        self.booster_ = one_thread(booster)
        self.calibration_: Calibration | None = None
        self.interval_: RateInterval | None = None

    def calibrate(self, X: Any, y: ArrayLike, *, groups: ArrayLike | None = None) -> Self:
        """Choose a calibration, and measure an interval, on rows that the trees did not learn from.

        Parameters
        ----------
        X : FeatureTable, DataFrame or array, shape (n, k)
        y : array of 0 and 1, shape (n,)
        groups : array, shape (n,), optional
            Lead of each row. Few leads give an interval that speaks of fewer; where an outcome
            occurs in one lead only, or there are fewer than 32, nothing can be checked: the model
            stays as it was, with neither.

        Raises
        ------
        NotFitted
            Before `fit`.
        """
        if not hasattr(self, "booster_"):
            raise NotFitted("nothing to calibrate yet", hint="Call fit.")
        p = np.clip(self._trees(self._columns(matrix(X))), 0.0, 1.0)
        label = np.asarray(y)
        self.calibration_ = self.interval_ = None
        leads = members(groups, len(label))
        of = interval_size(len(np.unique(leads)))
        if not of or min(len(np.unique(leads[label == kind])) for kind in (0, 1)) < 2:
            return self
        fold = np.empty(len(p), np.int64)
        for number, (_, held) in enumerate(grouped_folds(label, groups, seed=self.seed)):
            fold[held] = number
        self.calibration_ = choose_calibration(p, label, groups=groups, seed=self.seed)
        self.interval_ = RateInterval.fit(
            cross_calibrated(p, label, fold, self.calibration_.method),
            label,
            groups=groups,
            folds=fold,
            of=of,
            seed=self.seed,
        )
        return self

    def calibrated(self, p: F64) -> F64:
        """What the model says where its trees say `p`."""
        if self.calibration_ is None:
            return p
        return self.calibration_.apply(np.clip(p, 0.0, 1.0))

    def _chance(self, X: F32) -> F64:
        return self.calibrated(self._trees(X))

    def _trees(self, X: F32) -> F64:
        chance = self.booster_.inplace_predict(X, missing=np.nan, validate_features=False)
        return np.asarray(chance, np.float64)

    def to_files(self) -> dict[str, bytes]:
        """The fitted model as named files, without pickle; see `leadlab.models.files.stored`."""
        from leadlab.models.files.conversion import to_files  # noqa: PLC0415  (cycle)

        return to_files(self)

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """The inverse of `to_files`; files that it cannot read raise many kinds of error."""
        from leadlab.models.files.conversion import from_files  # noqa: PLC0415  (cycle)

        return from_files(cls, files)


def one_thread(booster: xgb.Booster) -> xgb.Booster:
    """The same trees, predicting on one thread; set once, since `set_param` is not thread-safe."""
    booster.set_param({"nthread": 1})
    return booster

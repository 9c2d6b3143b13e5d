"""P(buys again within a horizon), for any horizon and age: features without a scale of time.

A customer of 20 weeks asked about 20 weeks ahead is much like one of 40 weeks asked about 40: what
matters is how many purchases there were, where in the life so far the last one fell, and how far
ahead one looks against that life. So short horizons of the past can speak for a longer one ahead.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from leadlab.features import FeatureTable
from leadlab.models.conversion import ConversionModel
from leadlab.models.estimator import F32, F64, LeadClassifier

SMOOTH_DAYS = 14.0
"""Added to ages and pauses, so that the first days weigh no more than two weeks."""


def scale_free(table: FeatureTable, ahead_days: ArrayLike) -> pd.DataFrame:
    """What `RepurchaseModel` is fed.

    Parameters
    ----------
    table : FeatureTable
        With purchase_count, purchase_recency, purchase_tenure, and of dollars and discs
        purchase_dollars_total, purchase_dollars_first, purchase_dollars_latest,
        purchase_discs_total and purchase_discs_first; n rows.
    ahead_days : float or array, shape (n,)
        How far each row looks ahead.

    Returns
    -------
    DataFrame
        n rows. With x repeat purchases, age T, last purchase r days ago and horizon h:
        ``repeats`` log(x + 1/4), ``quiet_share`` r / T, ``ahead_per_age``
        log log(1 + h / (T + 14)), ``ahead_per_quiet`` likewise with r, ``quiet_per_pace`` log of r
        over the mean pause; products of the first two; logs of dollars and discs.
    """
    get = {name: table.column(f"purchase_{name}").astype(np.float64) for name in _READ}
    ahead = np.asarray(ahead_days, np.float64)
    repeats, age, quiet = get["count"] - 1, get["tenure"], get["recency"]
    lived = age - quiet
    share = quiet / np.maximum(age, 1.0)
    log_repeats = np.log(repeats + 0.25)
    return pd.DataFrame(
        {
            "repeats": log_repeats,
            "any_repeat": (repeats > 0).astype(np.float64),
            "quiet_share": share,
            "ahead_per_age": np.log(np.log1p(ahead / (age + SMOOTH_DAYS))),
            "ahead_per_quiet": np.log(np.log1p(ahead / (quiet + SMOOTH_DAYS))),
            "quiet_per_pace": np.log((quiet + 1) / (lived / np.maximum(repeats, 1) + 7)),
            "repeats_quiet": log_repeats * share,
            "repeats_quiet_2": log_repeats * share**2,
            "dollars": np.log1p(get["dollars_total"]),
            "dollars_each": np.log1p(get["dollars_total"] / get["count"]),
            "dollars_first": np.log1p(get["dollars_first"]),
            "dollars_latest": np.log1p(get["dollars_latest"]),
            "discs": np.log1p(get["discs_total"]),
            "discs_first": np.log1p(get["discs_first"]),
        }
    )


_READ = ("count", "recency", "tenure", "dollars_total", "dollars_first", "dollars_latest",
         "discs_total", "discs_first")  # fmt: skip


class RepurchaseModel(LeadClassifier):
    """The mean, in log-odds, of a logistic regression and of shallow boosted trees.

    The line carries on where a horizon or an age lies outside what was seen, the trees bend it
    inside. On rehearsals the two together had the lower log-loss once the level was corrected; at
    their own level the line alone had.

    Parameters
    ----------
    rounds : int
        Trees.
    c : float
        Inverse strength of the penalty of the regression.
    seed : int

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(400, 2))
    >>> y = rng.random(400) < 1 / (1 + np.exp(-2 * X[:, 0]))
    >>> hot, cold = RepurchaseModel().fit(X, y).predict_proba([[2.0, 0.0], [-2.0, 0.0]])[:, 1]
    >>> bool(hot > 0.6 > 0.4 > cold)
    True
    """

    def __init__(self, *, rounds: int = 100, c: float = 1.0, seed: int = 0) -> None:
        self.rounds = rounds
        self.c = c
        self.seed = seed

    def _train(self, X: F32, y: F32, validation: tuple[F32, F32] | None) -> None:
        line = LogisticRegression(C=self.c, max_iter=500)
        self.line_: Pipeline = make_pipeline(StandardScaler(), line).fit(X.astype(np.float64), y)
        self.trees_ = ConversionModel(
            rounds=self.rounds,
            max_depth=3,
            min_child_weight=max(1.0, len(X) / 2000),
            colsample=0.6,
            reg_lambda=10.0,
            seed=self.seed,
        ).fit(X, y)

    def _chance(self, X: F32) -> F64:
        line = self.line_.decision_function(X.astype(np.float64))
        p = np.clip(self.trees_.predict_proba(X)[:, 1], 1e-9, 1 - 1e-9)
        mean = (line + np.log(p / (1 - p))) / 2
        return np.asarray(1 / (1 + np.exp(-mean)), np.float64)

"""Uplift by econml's LinearDRLearner, the peer of `leadlab.models.actions.uplift`."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier
from xgboost import XGBRegressor

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
_LEAST_SHARE = 0.01


def econml_effects(X: pd.DataFrame, arm: I64, y: F64, asked: pd.DataFrame, *, seed: int = 0) -> F64:
    """Train on rows whose arm was drawn alike for all, and foresee others.

    Outcomes are foreseen by trees like ours, propensities are the arms' shares, scores are
    cross-fitted on five folds; the effects are a line without a penalty.

    Parameters
    ----------
    X, asked : DataFrame
        Numbers; columns that add up to another one are one too many for this line.
    arm : int array, shape (n,)
        0 is the control.
    y : float array, shape (n,)
    seed : int

    Returns
    -------
    float array, shape (rows asked, arms)
        The first column is 0.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, arm = pd.DataFrame({"x": rng.normal(size=3000)}), rng.integers(0, 2, 3000)
    >>> y = arm * X["x"].to_numpy() + rng.normal(size=3000)
    >>> econml_effects(X, arm, y, pd.DataFrame({"x": [-1.0, 1.0]})).round().tolist()
    [[0.0, -1.0], [0.0, 1.0]]
    """
    from econml.dr import LinearDRLearner  # noqa: PLC0415  (an extra, slow to import)

    learner = LinearDRLearner(
        model_regression=XGBRegressor(
            max_depth=3, n_estimators=60, learning_rate=0.1, reg_lambda=10.0, n_jobs=1,
            min_child_weight=_LEAST_SHARE * len(y),
        ),
        model_propensity=DummyClassifier(strategy="prior"),
        cv=5,
        random_state=seed,
    ).fit(y, arm, X=X.to_numpy(), inference=None)  # fmt: skip
    effects = np.asarray(learner.const_marginal_effect(asked.to_numpy()), np.float64)
    return np.column_stack([np.zeros(len(asked)), effects])

"""One model and its baselines on several held-out sides: means over them, and pooled figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression

from leadlab.models.calibration.calibrated import Calibrated
from leadlab.models.folds import Folds
from leadlab.models.held_out import held_out_figures
from leadlab.models.tables.model import TableModel

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Tell = Callable[[str], None]
POOLED = ("ece", "ece_floor")
"""Errors of calibration are judged on all held-out rows together: a fold has too few for them."""


class Sides(NamedTuple):
    """What was predicted, and its figures.

    Attributes
    ----------
    figures : list of dict
        Of each held-out side.
    y, p : arrays
        Outcomes and probabilities of all held-out rows, side after side.
    methods : list of str
        Calibration chosen on each side; empty for a model without one.
    """

    figures: list[dict[str, float]]
    y: I64
    p: F64
    methods: list[str]


def baselines() -> dict[str, TableModel]:
    """What a table model must beat: the base rate, and logistic regression on the same columns.

    Examples
    --------
    >>> list(baselines())
    ['base rate', 'logistic regression']
    """
    return {
        "base rate": TableModel(learner=DummyClassifier(strategy="prior")),
        "logistic regression": TableModel(learner=LogisticRegression(C=1.0, max_iter=2000)),
    }


def held_out_sides(
    model: Any,
    X: pd.DataFrame,
    y: I64,
    folds: Folds,
    *,
    groups: I64,
    tell: Tell = lambda step: None,
) -> Sides:
    """Fit a clone on each training side and judge it on the side held out.

    A `Calibrated` model is fitted with the groups, and its interval is judged too.
    """
    figures, found, methods = [], [], []
    for i, (train, test) in enumerate(folds):
        tell(f"side {i + 1} of {len(folds)}")
        fitted, interval = clone(model), None
        if isinstance(fitted, Calibrated):
            fitted.fit(X.iloc[train], y[train], groups=groups[train])
            interval = fitted.interval_
            methods.append(fitted.calibration_.method)
        else:
            fitted.fit(X.iloc[train], y[train])
        p = fitted.predict_proba(X.iloc[test])[:, 1]
        figures.append(held_out_figures(y[test], p, interval=interval, groups=groups[test]))
        found.append(p)
    held = np.concatenate([test for _, test in folds])
    return Sides(figures, y[held], np.concatenate(found), methods)


def summary(sides: Sides) -> dict[str, float]:
    """Means over sides; ``ece`` and ``ece_floor`` on the pooled rows instead.

    Examples
    --------
    >>> figures = [{"roc_auc": 0.7, "ece": 0.3}, {"roc_auc": 0.9, "ece": 0.5}]
    >>> found = summary(Sides(figures, np.array([0, 1]), np.array([0.0, 1.0]), []))
    >>> round(found["roc_auc"], 2), found["ece"]
    (0.8, 0.0)
    """
    pooled = held_out_figures(sides.y, sides.p)
    return {
        name: pooled[name] if name in POOLED else _mean(sides.figures, name)
        for name in sides.figures[0]
    }


def spread(sides: Sides) -> dict[str, float]:
    """Standard deviation over sides, and the mean over sides of what `summary` pools.

    Examples
    --------
    >>> figures = [{"roc_auc": 0.7, "ece": 0.3}, {"roc_auc": 0.9, "ece": 0.5}]
    >>> found = spread(Sides(figures, np.array([0, 1]), np.array([0.0, 1.0]), []))
    >>> {name: round(value, 3) for name, value in found.items()}
    {'roc_auc_sd': 0.141, 'ece_sd': 0.141, 'ece_mean': 0.4}
    """
    names = list(sides.figures[0])
    found = {
        f"{name}_sd": float(np.std([f[name] for f in sides.figures], ddof=1))
        for name in names
        if len(sides.figures) > 1
    }
    return found | {f"{n}_mean": _mean(sides.figures, n) for n in names if n in POOLED}


def _mean(figures: list[dict[str, float]], name: str) -> float:
    return float(np.mean([found[name] for found in figures]))


def judged(
    model: Any,
    X: pd.DataFrame,
    y: I64,
    folds: Folds,
    *,
    groups: I64,
    tell: Tell = lambda step: None,
) -> tuple[Sides, Mapping[str, Sides]]:
    """`held_out_sides` of a model, and of each of `baselines`."""
    own = held_out_sides(model, X, y, folds, groups=groups, tell=tell)
    others = {}
    for name, one in baselines().items():
        tell(name)
        others[name] = held_out_sides(one, X, y, folds, groups=groups)
    return own, others

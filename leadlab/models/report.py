"""What a model is worth on rows that it never saw, beside its baselines."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from leadlab.models.intervals import Estimate, estimate, standard_metrics
from leadlab.models.metrics import calibration_table, why_undefined

LOWER_IS_BETTER = frozenset({"brier", "log_loss", "ece"})


class Fitted(Protocol):
    """Anything that gives probabilities."""

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probabilities, shape (n, 2)."""


@dataclass(frozen=True)
class Report:
    """Figures of a model and its baselines on one test side.

    Attributes
    ----------
    name : str
        The model.
    metrics : mapping of str to Estimate
        pr_auc, roc_auc, brier, log_loss, ece (equal-mass bins), lift and precision at `capacity`,
        base_rate.
    baselines : mapping of str to mapping
        The same of each baseline.
    calibration : DataFrame
        Predicted against observed rate of the model, see `calibration_table`.
    rows, leads, converted : int
        Size of the test side.
    capacity : int or float
        Rows, or share of rows, that there is time to act on.
    seed : int
        Of the bootstrap.
    why : str or None
        Why ranking figures do not exist.
    """

    name: str
    metrics: Mapping[str, Estimate]
    baselines: Mapping[str, Mapping[str, Estimate]]
    calibration: pd.DataFrame
    rows: int
    leads: int
    converted: int
    capacity: float
    seed: int
    why: str | None = None

    def to_frame(self) -> pd.DataFrame:
        """One row a model and figure: model, metric, value, low, high, why."""
        models = {self.name: self.metrics, **self.baselines}
        rows = [
            (model, metric, found.value, found.low, found.high, found.why)
            for model, figures in models.items()
            for metric, found in figures.items()
        ]
        return pd.DataFrame(rows, columns=["model", "metric", "value", "low", "high", "why"])

    def to_json(self) -> dict[str, Any]:
        """Plain values, None for NaN."""
        return {
            "name": self.name,
            "metrics": _plain(self.metrics),
            "baselines": {name: _plain(figures) for name, figures in self.baselines.items()},
            "calibration": self.calibration.to_dict("records"),
            "rows": self.rows,
            "leads": self.leads,
            "converted": self.converted,
            "capacity": self.capacity,
            "seed": self.seed,
            "why": self.why,
        }

    def beats(self, metric: str = "pr_auc") -> dict[str, bool]:
        """Whether the model's figure is better than each baseline's; False where either is NaN."""
        own = self.metrics[metric].value
        sign = -1 if metric in LOWER_IS_BETTER else 1
        return {
            name: bool(sign * own > sign * figures[metric].value)
            for name, figures in self.baselines.items()
        }


def evaluate(
    model: Fitted,
    baselines: Mapping[str, Fitted],
    X: Any,
    y: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    capacity: float = 0.1,
    bins: int = 10,
    resamples: int = 200,
    seed: int = 0,
    name: str = "model",
) -> Report:
    """Judge a fitted model and fitted baselines on a test side.

    Parameters
    ----------
    model, baselines
        Anything with ``predict_proba``.
    X : FeatureTable, DataFrame or array, shape (n, k)
    y : array of 0 and 1, shape (n,)
        One class only is no error: what then does not exist is NaN, with the reason.
    groups : array, shape (n,), optional
        Lead of each row; intervals resample whole leads.
    capacity : int or float
        For lift and precision: a number of rows, or a share of them in (0, 1].
    bins : int
        Of the calibration error and table.
    resamples : int
        Of the bootstrap; every model sees the same ones.
    seed : int

    Examples
    --------
    >>> from leadlab.models.baselines import BaseRate, Logistic
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]] * 20, [0, 0, 1, 1] * 20
    >>> report = evaluate(Logistic().fit(X, y), {"base rate": BaseRate().fit(X, y)}, X, y)
    >>> report.metrics["roc_auc"].value, report.beats()
    (1.0, {'base rate': True})
    """
    label = np.asarray(y)
    figures = standard_metrics(capacity, bins)

    def judged(one: Fitted) -> tuple[NDArray[np.float64], dict[str, Estimate]]:
        chance = np.asarray(one.predict_proba(X))[:, 1]
        rng = np.random.default_rng(seed)
        return chance, estimate(label, chance, figures, rng=rng, groups=groups, resamples=resamples)

    chance, own = judged(model)
    return Report(
        name=name,
        metrics=own,
        baselines={title: judged(one)[1] for title, one in baselines.items()},
        calibration=calibration_table(label, chance, bins=bins),
        rows=len(label),
        leads=len(np.unique(np.asarray(groups))) if groups is not None else len(label),
        converted=int(label.sum()),
        capacity=capacity,
        seed=seed,
        why=why_undefined(label),
    )


def _plain(figures: Mapping[str, Estimate]) -> dict[str, Any]:
    return {name: {k: _or_none(v) for k, v in asdict(e).items()} for name, e in figures.items()}


def _or_none(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value

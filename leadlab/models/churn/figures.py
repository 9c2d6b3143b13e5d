"""How a forecast of silence is judged: each horizon on its own, beside simple forecasts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from leadlab.features import FeatureTable
from leadlab.models.baselines import BaseRate, Logistic
from leadlab.models.calibration.rate_interval import RateInterval
from leadlab.models.churn.model import ChurnModel
from leadlab.models.churn.silence import Silence
from leadlab.models.estimator import LeadClassifier
from leadlab.models.held_out import held_out_figures
from leadlab.models.protocols.curve import FeatureCurve
from leadlab.models.protocols.evaluation import best_of

F64 = NDArray[np.float64]
Figures = dict[str, float]
LOGISTIC_ROWS = 30_000


def judge(
    chance: F64,
    found: Silence,
    intervals: Sequence[RateInterval] | None = None,
    *,
    seed: int = 0,
) -> list[Figures]:
    """Figures of each horizon on the landmarks whose window is over.

    Parameters
    ----------
    chance : array, shape (n, k)
        P(silent) of each landmark and horizon.
    found : Silence
        n landmarks, k horizons.
    intervals : sequence of RateInterval, optional
        One a horizon.
    seed : int

    Returns
    -------
    list of dict
        See `leadlab.models.held_out.held_out_figures`.
    """
    figures = []
    for k, label in enumerate(found.known.T):
        rows = np.flatnonzero(label >= 0)
        figures.append(
            held_out_figures(
                label[rows],
                chance[rows, k],
                interval=intervals[k] if intervals is not None else None,
                groups=found.lead[rows],
                seed=seed,
            )
        )
    return figures


def beside(
    train: FeatureTable, labels: Silence, test: FeatureTable, *, curve: str
) -> dict[str, F64]:
    """What simple forecasts say, each horizon fitted on its own.

    Parameters
    ----------
    train, test : FeatureTable
    labels : Silence
        Of the training rows.
    curve : str
        Feature that the one-feature curve reads, mostly days since the last sign.

    Returns
    -------
    dict of str to array, shape (len(test), k)
        "base rate", "curve" and "logistic regression".
    """
    found: dict[str, F64] = {}
    learners: dict[str, LeadClassifier] = {
        "base rate": BaseRate(),
        "curve": FeatureCurve(column=curve),
        "logistic regression": Logistic(max_iter=300),
    }
    for name, learner in learners.items():
        columns = []
        for label in labels.known.T:
            rows = np.flatnonzero(label >= 0)
            if name == "logistic regression":
                rows = rows[:: max(1, -(-len(rows) // LOGISTIC_ROWS))]
            columns.append(learner.fit(train.take(rows), label[rows]).predict_proba(test)[:, 1])
        found[name] = np.column_stack(columns)
    return found


def flat(horizons_days: Sequence[float], figures: Sequence[Mapping[str, float]]) -> Figures:
    """One mapping, the horizon in each name.

    Examples
    --------
    >>> flat((7.0, 30.0), [{"ece": 0.1}, {"ece": 0.2}])
    {'ece_7d': 0.1, 'ece_30d': 0.2}
    """
    return {
        f"{name}_{days:g}d": value
        for days, found in zip(horizons_days, figures, strict=True)
        for name, value in found.items()
    }


def compared(
    model: ChurnModel,
    test: FeatureTable,
    found: Silence,
    others: Mapping[str, F64],
    *,
    seed: int = 0,
) -> tuple[Figures, Figures, dict[str, Figures]]:
    """Figures of the model, the best of any baseline, and each baseline's own.

    Parameters
    ----------
    model : ChurnModel
        Fitted on other leads.
    test : FeatureTable
    found : Silence
        Of its rows.
    others : mapping of str to array, shape (n, k)
        From `beside`.
    seed : int
    """
    horizons = found.horizons_days
    ours = judge(model.silence(test), found, model.intervals_, seed=seed)
    theirs = {name: judge(chance, found, seed=seed) for name, chance in others.items()}
    best = [best_of({n: figures[k] for n, figures in theirs.items()}) for k in range(len(horizons))]
    by_name = {name: flat(horizons, figures) for name, figures in theirs.items()}
    return flat(horizons, ours), flat(horizons, best), by_name

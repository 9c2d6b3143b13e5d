"""The figures by which every protocol judges probabilities on rows that were held out."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from leadlab.models import metrics
from leadlab.models.calibration.rate_interval import RateInterval

SIMULATIONS = 200


def ece_floor(
    p: ArrayLike, *, bins: int = 10, simulations: int = SIMULATIONS, seed: int = 0
) -> float:
    """Expected calibration error that these probabilities would show were they exactly right.

    With few rows even true probabilities miss the observed rate of a bin. Outcomes are drawn from
    p and scored by `leadlab.models.metrics.ece`; the mean over simulations is what an error has to
    exceed before it says anything. Rows count as independent; where several are of one lead the
    floor is higher in truth.

    Parameters
    ----------
    p : array, shape (n,)
    bins : int
        As in `ece`.
    simulations, seed : int

    Examples
    --------
    >>> few, many = ece_floor([0.3] * 100), ece_floor([0.3] * 10_000)
    >>> round(few, 3), round(many, 3)
    (0.037, 0.003)
    """
    rng = np.random.default_rng(seed)
    chance = np.asarray(p, np.float64)
    metrics.checked(np.zeros(chance.shape), chance)
    drawn = [
        metrics.ece(rng.random(len(chance)) < chance, chance, bins=bins) for _ in range(simulations)
    ]
    return float(np.mean(drawn))


def brier_skill(y: ArrayLike, p: ArrayLike) -> float:
    """``1 - brier / (b (1 - b))`` with b the base rate of the very rows that are judged.

    That is stricter than the base rate of the training rows, which nobody could know better than
    the model: a constant cannot do better on these rows than b does. NaN where all rows are alike.

    Examples
    --------
    >>> brier_skill([0, 1], [0.5, 0.5]), brier_skill([0, 1], [0.0, 1.0])
    (0.0, 1.0)
    """
    rate = metrics.base_rate(y, p)
    spread = rate * (1 - rate)
    return 1 - metrics.brier(y, p) / spread if spread > 0 else metrics.NAN


def held_out_figures(
    y: ArrayLike,
    p: ArrayLike,
    *,
    interval: RateInterval | None = None,
    groups: ArrayLike | None = None,
    capacity: float = 0.1,
    seed: int = 0,
) -> dict[str, float]:
    """Ranking, error, calibration, coverage and lift under the names that all protocols use.

    Parameters
    ----------
    y : array of 0 and 1, shape (n,)
    p : array, shape (n,)
        Probabilities of rows that nothing was fitted on.
    interval : RateInterval, optional
        Fitted on other rows; adds its coverage under ``coverage_90`` (the number is its level).
    groups : array, shape (n,), optional
        Lead of each row, for the coverage.
    capacity : int or float
        For ``lift``, see `leadlab.models.metrics.precision_at`.
    seed : int
        Of ``ece_floor`` and of the blocks of the coverage.

    Returns
    -------
    dict of str to float
        roc_auc, pr_auc, brier, brier_skill, log_loss, ece, ece_floor, lift, base_rate and perhaps
        coverage_90. NaN where a figure does not exist.

    Raises
    ------
    EmptyInput, BadInput
        If rows cannot be scored, or there are too few groups for one block of the interval.

    Examples
    --------
    >>> found = held_out_figures([0, 1, 0, 1], [0.1, 0.4, 0.4, 0.9])
    >>> found["roc_auc"], found["base_rate"], round(found["brier_skill"], 2)
    (0.875, 0.5, 0.46)
    """
    figures = {
        "roc_auc": metrics.roc_auc(y, p),
        "pr_auc": metrics.pr_auc(y, p),
        "brier": metrics.brier(y, p),
        "brier_skill": brier_skill(y, p),
        "log_loss": metrics.log_loss(y, p),
        "ece": metrics.ece(y, p),
        "ece_floor": ece_floor(p, seed=seed),
        "lift": metrics.lift_at(y, p, capacity=capacity),
        "base_rate": metrics.base_rate(y, p),
    }
    if interval is not None:
        name = f"coverage_{100 * interval.level:g}"
        figures[name] = interval.coverage(p, y, groups, seed=seed)
    return figures

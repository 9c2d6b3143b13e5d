"""Bootstrap intervals that respect who the rows belong to."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leadlab.errors import BadInput
from leadlab.models import metrics

Metric = Callable[..., float]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure, its 95% interval, and why it is NaN where it is.

    Attributes
    ----------
    value, low, high : float
        The figure on all rows; the 2.5% and 97.5% quantiles over resamples of whole groups.
    resamples : int
        Resamples on which the figure exists.
    why : str or None
        Why `value` is NaN.
    """

    value: float
    low: float
    high: float
    resamples: int
    why: str | None = None


def standard_metrics(capacity: float = 0.1, bins: int = 10) -> dict[str, Metric]:
    """Figures of every report, by name.

    Examples
    --------
    >>> list(standard_metrics())
    ['pr_auc', 'roc_auc', 'brier', 'log_loss', 'ece', 'lift', 'precision', 'base_rate']
    """
    return {
        "pr_auc": metrics.pr_auc,
        "roc_auc": metrics.roc_auc,
        "brier": metrics.brier,
        "log_loss": metrics.log_loss,
        "ece": partial(metrics.ece, bins=bins),
        "lift": partial(metrics.lift_at, capacity=capacity),
        "precision": partial(metrics.precision_at, capacity=capacity),
        "base_rate": metrics.base_rate,
    }


def estimate(
    y: ArrayLike,
    p: ArrayLike,
    figures: Mapping[str, Metric],
    *,
    rng: np.random.Generator,
    groups: ArrayLike | None = None,
    resamples: int = 200,
) -> dict[str, Estimate]:
    """Figures with bootstrap intervals over groups.

    Rows of one lead are no independent witnesses: whole leads are drawn with replacement, and a
    lead drawn k times weighs k.

    Parameters
    ----------
    y, p : array, shape (n,)
        Outcomes and probabilities.
    figures : mapping of str to callable
        ``figure(y, p, weight) -> float``; see `standard_metrics`.
    rng : numpy Generator
        The same state gives the same intervals.
    groups : array, shape (n,), optional
        Lead of each row; each row is its own group when not given.
    resamples : int
        0 leaves the intervals NaN.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> found = estimate([0, 1] * 50, [0.2, 0.6] * 50, standard_metrics(), rng=rng)
    >>> found["roc_auc"].value, round(found["brier"].low, 2)
    (1.0, 0.09)
    """
    outcome, chance, _ = metrics.checked(y, p)
    if resamples < 0:
        raise BadInput("resamples cannot be negative", got=resamples)
    member = _members(groups, len(outcome))
    # Rows sorted by score keep the stable sorts inside the figures cheap on every resample.
    order = np.argsort(-chance, kind="stable")
    outcome, chance, member = outcome[order], chance[order], member[order]
    size = int(member.max()) + 1
    drawn = np.empty((resamples, len(figures)))
    for i in range(resamples):
        picks = np.bincount(rng.integers(0, size, size), minlength=size)
        weight = picks[member].astype(np.float64)
        if weight.any():
            drawn[i] = [figure(outcome, chance, weight) for figure in figures.values()]
        else:
            drawn[i] = math.nan
    undefined = metrics.why_undefined(outcome)
    found = {}
    for column, (name, figure) in enumerate(figures.items()):
        value = figure(outcome, chance, np.ones(len(outcome)))
        found[name] = _summary(value, drawn[:, column], undefined)
    return found


def _members(groups: ArrayLike | None, n: int) -> NDArray[np.int64]:
    if groups is None:
        return np.arange(n)
    names = np.asarray(groups)
    if names.shape != (n,):
        raise BadInput("one group a row is needed", where="groups", got=names.shape, expected=(n,))
    return np.unique(names, return_inverse=True)[1].astype(np.int64)


def _summary(value: float, drawn: NDArray[np.float64], undefined: str | None) -> Estimate:
    existing = drawn[~np.isnan(drawn)]
    low, high = np.quantile(existing, [0.025, 0.975]) if len(existing) else (math.nan, math.nan)
    why = (undefined or "it does not exist for these rows") if math.isnan(value) else None
    return Estimate(float(value), float(low), float(high), len(existing), why)

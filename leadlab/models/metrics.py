"""How good probabilities are: ranking, error, calibration and lift.

Every function takes ``y`` (0 or 1), ``p`` (probability of 1) and optional row weights, does not
depend on the order of rows, and gives NaN where the figure does not exist (see `why_undefined`).
Weights make the group bootstrap of `leadlab.models.intervals` cheap: a lead drawn twice weighs 2.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from leadlab.errors import BadInput, EmptyInput

F64 = NDArray[np.float64]
NAN = float("nan")
CLIP = 1e-15
"""Log-loss takes probabilities no closer to 0 and 1 than this."""


def checked(y: ArrayLike, p: ArrayLike, weight: ArrayLike | None = None) -> tuple[F64, F64, F64]:
    """Outcomes, probabilities and weights as float64 arrays of one length.

    Raises
    ------
    EmptyInput
        If there is no row.
    BadInput
        If lengths differ, `y` holds anything but 0 and 1, `p` leaves [0, 1], or a weight is
        negative or not a number.
    """
    outcome, chance = np.asarray(y, np.float64), np.asarray(p, np.float64)
    mass = np.ones(outcome.shape) if weight is None else np.asarray(weight, np.float64)
    if outcome.ndim != 1 or outcome.shape != chance.shape or outcome.shape != mass.shape:
        got = f"{outcome.shape}, {chance.shape}, {mass.shape}"
        raise BadInput("y, p and weight must be of one length", got=got)
    if not len(outcome):
        raise EmptyInput("no rows to score")
    if not np.isin(outcome, (0.0, 1.0)).all():
        raise BadInput("outcomes must be 0 or 1", where="y", got=np.unique(outcome)[:5].tolist())
    if not ((chance >= 0) & (chance <= 1)).all():
        got = chance[~((chance >= 0) & (chance <= 1))][0]
        raise BadInput("probabilities must lie in [0, 1]", where="p", got=got)
    if not (mass >= 0).all() or not np.isfinite(mass).all():
        raise BadInput("weights must be finite and not negative", where="weight")
    return outcome, chance, mass


def why_undefined(y: ArrayLike) -> str | None:
    """Why ranking figures do not exist for these outcomes, or None where they do.

    Examples
    --------
    >>> why_undefined([0, 0, 0])
    'no row converted: ranking figures need both outcomes'
    """
    outcome = np.asarray(y)
    if not len(outcome):
        return "no rows"
    if not (outcome == 1).any():
        return "no row converted: ranking figures need both outcomes"
    if not (outcome == 0).any():
        return "every row converted: ranking figures need both outcomes"
    return None


def base_rate(y: ArrayLike, p: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Share of rows that converted."""
    outcome, _, mass = checked(y, p, weight)
    return float(mass @ outcome / mass.sum()) if mass.sum() else NAN


def _steps(outcome: F64, chance: F64, mass: F64) -> tuple[F64, F64]:
    """Weight of converted and of all rows at or above each distinct score, highest first."""
    order = np.argsort(-chance, kind="stable")
    last = np.append(np.diff(chance[order]) != 0, True)
    hits = np.cumsum((mass * outcome)[order])[last]
    taken = np.cumsum(mass[order])[last]
    return hits, taken


def roc_auc(y: ArrayLike, p: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Chance that a converted row scores above another one, ties counting half.

    Examples
    --------
    >>> roc_auc([0, 1, 0, 1], [0.1, 0.4, 0.4, 0.9])
    0.875
    """
    hits, taken = _steps(*checked(y, p, weight))
    misses = taken - hits
    if hits[-1] <= 0 or misses[-1] <= 0:
        return NAN
    heights = (hits + np.append(0, hits[:-1])) / 2
    return float(heights @ np.diff(misses, prepend=0) / (hits[-1] * misses[-1]))


def pr_auc(y: ArrayLike, p: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Average precision: precision at each distinct score, weighted by the recall gained there.

    A constant score gives the base rate.

    Examples
    --------
    >>> pr_auc([0, 1, 0, 1], [0.3, 0.3, 0.3, 0.3])
    0.5
    """
    hits, taken = _steps(*checked(y, p, weight))
    if hits[-1] <= 0:
        return NAN
    precision = np.divide(hits, taken, out=np.zeros_like(hits), where=taken > 0)
    return float(precision @ np.diff(hits, prepend=0) / hits[-1])


def brier(y: ArrayLike, p: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Mean squared error of the probability (Brier, 1950).

    Examples
    --------
    >>> brier([0, 1], [0.0, 0.5])
    0.125
    """
    outcome, chance, mass = checked(y, p, weight)
    return float(mass @ (chance - outcome) ** 2 / mass.sum()) if mass.sum() else NAN


def log_loss(y: ArrayLike, p: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Mean negative log-likelihood in nats, probabilities clipped to [1e-15, 1 - 1e-15].

    Examples
    --------
    >>> round(log_loss([0, 1], [0.5, 0.5]), 4)
    0.6931
    """
    outcome, chance, mass = checked(y, p, weight)
    chance = np.clip(chance, CLIP, 1 - CLIP)
    loss = -(outcome * np.log(chance) + (1 - outcome) * np.log1p(-chance))
    return float(mass @ loss / mass.sum()) if mass.sum() else NAN


def _bins(chance: F64, mass: F64, bins: int) -> NDArray[np.int64]:
    """Equal-mass bin of each row; rows of one score share the bin of their middle."""
    if bins < 1:
        raise BadInput("at least one bin", where="bins", got=bins)
    _, tied = np.unique(chance, return_inverse=True)
    block = np.bincount(tied, weights=mass)
    middle = (np.cumsum(block) - block / 2) / max(mass.sum(), np.finfo(float).tiny)
    bin_of_block: NDArray[np.int64] = np.minimum((middle * bins).astype(np.int64), bins - 1)
    return bin_of_block[tied]


def calibration_table(
    y: ArrayLike, p: ArrayLike, weight: ArrayLike | None = None, *, bins: int = 10
) -> pd.DataFrame:
    """Predicted against observed rate over bins of equal mass.

    Returns
    -------
    DataFrame
        One row a bin that holds rows: ``n`` (weight), ``predicted``, ``observed``, ``lowest`` and
        ``highest`` probability.

    Examples
    --------
    >>> calibration_table([0, 0, 1, 1], [0.1, 0.1, 0.8, 0.6], bins=2)[["n", "observed"]]
         n  observed
    0  2.0       0.0
    1  2.0       1.0
    """
    outcome, chance, mass = checked(y, p, weight)
    kept = mass > 0
    outcome, chance, mass = outcome[kept], chance[kept], mass[kept]
    which = _bins(chance, mass, bins)
    rows = pd.DataFrame({"n": mass, "predicted": mass * chance, "observed": mass * outcome})
    table = rows.groupby(which).sum()
    table[["predicted", "observed"]] = table[["predicted", "observed"]].div(table["n"], axis=0)
    span = pd.Series(chance).groupby(which)
    return table.assign(lowest=span.min(), highest=span.max()).reset_index(drop=True)


def ece(y: ArrayLike, p: ArrayLike, weight: ArrayLike | None = None, *, bins: int = 10) -> float:
    """Expected calibration error: mean distance of predicted and observed rate, equal-mass bins.

    Equal-width bins hide everything at base rates of a few percent, where all rows fall into one.

    Examples
    --------
    >>> round(ece([0, 1], [0.2, 0.2]), 3)
    0.3
    """
    outcome, chance, mass = checked(y, p, weight)
    if not mass.sum():
        return NAN
    which = _bins(chance, mass, bins)
    surplus = np.bincount(which, weights=mass * (chance - outcome), minlength=bins)
    return float(np.abs(surplus).sum() / mass.sum())


def precision_at(
    y: ArrayLike, p: ArrayLike, weight: ArrayLike | None = None, *, capacity: float = 0.1
) -> float:
    """Share of converted rows among the best scored, as many as there is capacity for.

    Parameters
    ----------
    capacity : int or float
        A number of rows (int, at least 1) or a share of them (float in (0, 1]). Rows tied at the
        edge are taken in part, all alike.
    """
    outcome, chance, mass = checked(y, p, weight)
    room = _room(capacity, float(mass.sum()))
    hits, taken = _steps(outcome, chance, mass)
    return float(np.interp(room, np.append(0, taken), np.append(0, hits)) / room) if room else NAN


def lift_at(
    y: ArrayLike, p: ArrayLike, weight: ArrayLike | None = None, *, capacity: float = 0.1
) -> float:
    """`precision_at` over the base rate: 1 is what random picks reach.

    Examples
    --------
    >>> lift_at([1, 0, 0, 0, 1, 0, 0, 0], [0.9, 0.1, 0.2, 0.3, 0.8, 0.2, 0.1, 0.1], capacity=2)
    4.0
    """
    rate = base_rate(y, p, weight)
    return precision_at(y, p, weight, capacity=capacity) / rate if rate > 0 else NAN


def _room(capacity: float, total: float) -> float:
    if isinstance(capacity, (int, np.integer)) and not isinstance(capacity, bool) and capacity >= 1:
        return min(float(capacity), total)
    if isinstance(capacity, float) and 0 < capacity <= 1:
        return capacity * total
    raise BadInput(
        "cannot read a capacity",
        where="capacity",
        got=capacity,
        expected="a whole number of rows, or a share as a float in (0, 1]",
    )

"""Whether 30% means 30 in 100: predicted against observed rate, and how much of it is noise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from leadlab.models.draws import band, draws
from leadlab.models.folds import members
from leadlab.models.held_out import ece_floor
from leadlab.models.intervals import Estimate
from leadlab.models.metrics import _bins, checked, ece
from leadlab.models.validation.plain import plain

F64 = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Reliability:
    """Calibration of a model and its baselines.

    Attributes
    ----------
    bins : DataFrame
        model, n, predicted, observed, low, high (95% interval of observed), lowest, highest.
    ece : mapping of str to Estimate
        Expected calibration error of each model over equal-mass bins.
    floor : mapping of str to float
        Mean error that perfectly calibrated probabilities would show on as many rows: an error
        near it says nothing against the model.
    """

    bins: pd.DataFrame
    ece: Mapping[str, Estimate]
    floor: Mapping[str, float]

    def to_frame(self) -> pd.DataFrame:
        """The bins."""
        return self.bins

    def to_json(self) -> dict[str, Any]:
        """Plain values, None for NaN."""
        found: dict[str, Any] = plain(self)
        return found


def reliability(
    y: ArrayLike,
    chances: Mapping[str, ArrayLike],
    *,
    bins: int = 10,
    groups: ArrayLike | None = None,
    resamples: int = 200,
    seed: int = 0,
) -> Reliability:
    """Observed rate over bins of equal mass, with a bootstrap over groups.

    Parameters
    ----------
    y : array of 0 and 1, shape (n,)
    chances : mapping of str to array, shape (n,)
    bins : int
        Of equal mass; tied probabilities share one.

    Examples
    --------
    >>> found = reliability([0, 0, 0, 1] * 25, {"rate": [0.25] * 100}, resamples=50)
    >>> found.bins[["n", "predicted", "observed"]].to_numpy().tolist()
    [[100.0, 0.25, 0.25]]
    >>> bool(found.ece["rate"].value < found.floor["rate"])
    True
    """
    tables, errors, floors = [], {}, {}
    for model, p in chances.items():
        outcome, chance, mass = checked(y, p)
        which = np.unique(_bins(chance, mass, bins), return_inverse=True)[1]
        tables.append(_table(model, outcome, chance, which))
        rates, drawn = [], []
        for weight in draws(len(outcome), groups=groups, resamples=resamples, seed=seed):
            rates.append(_rates(outcome, which, weight))
            drawn.append([ece(outcome, chance, weight, bins=bins)])
        low, high = band(rates or [np.full(which.max() + 1, np.nan)])
        tables[-1] = tables[-1].assign(low=low, high=high)
        (least,), (most,) = band(drawn or [[np.nan]])
        value = ece(outcome, chance, bins=bins)
        errors[model] = Estimate(value, float(least), float(most), len(drawn))
        floors[model] = noise_floor(chance, bins=bins, groups=groups, seed=seed)
    order = ["model", "n", "predicted", "observed", "low", "high", "lowest", "highest"]
    return Reliability(pd.concat(tables, ignore_index=True)[order], errors, floors)


def noise_floor(
    p: ArrayLike,
    *,
    bins: int = 10,
    groups: ArrayLike | None = None,
    rounds: int = 50,
    seed: int = 0,
) -> float:
    """Mean calibration error of outcomes drawn with exactly the probabilities `p`.

    Outcomes of one group are drawn together, as a lead's moments share its fate: with one uniform
    number u a group, row i converts where u < p_i.

    Examples
    --------
    >>> few, many = noise_floor([0.3] * 20), noise_floor([0.3] * 2000)
    >>> bool(few > 5 * many)
    True
    """
    chance = np.asarray(p, np.float64)
    if groups is None:
        return ece_floor(chance, bins=bins, simulations=rounds, seed=seed)
    member = members(groups, len(chance))
    rng = np.random.default_rng(seed)
    size = int(member.max()) + 1
    found = [
        ece((rng.random(size)[member] < chance).astype(np.float64), chance, bins=bins)
        for _ in range(rounds)
    ]
    return float(np.mean(found))


def _table(model: str, outcome: F64, chance: F64, which: NDArray[np.int64]) -> pd.DataFrame:
    rows = pd.DataFrame({"n": 1.0, "predicted": chance, "observed": outcome})
    grouped = rows.groupby(which)
    span = pd.Series(chance).groupby(which)
    found = grouped.mean().assign(n=grouped["n"].sum(), lowest=span.min(), highest=span.max())
    return found.assign(model=model).reset_index(drop=True)


def _rates(outcome: F64, which: NDArray[np.int64], weight: F64) -> F64:
    size = int(which.max()) + 1
    hits = np.bincount(which, weights=weight * outcome, minlength=size)
    mass = np.bincount(which, weights=weight, minlength=size)
    return np.asarray(np.divide(hits, mass, out=np.full(size, np.nan), where=mass > 0))

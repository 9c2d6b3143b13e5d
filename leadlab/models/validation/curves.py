"""Curves of a ranking, with bands: ROC, precision-recall, and what each capacity catches.

All of them are readings of one staircase: rows by falling score, weight taken so far against
converted weight taken so far. Tied rows are one step, entered evenly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from leadlab.models.draws import band, draws
from leadlab.models.metrics import checked

F64 = NDArray[np.float64]
GRID = np.linspace(0.0, 1.0, 101)
"""Where curves are read."""


@dataclass(frozen=True, eq=False)
class Stairs:
    """Converted and other weight at or above each distinct score, beginning at nothing.

    Attributes
    ----------
    hits, misses : float64 array, shape (scores + 1,)
    """

    hits: F64
    misses: F64

    @property
    def taken(self) -> F64:
        """Weight of all rows at or above each score."""
        return self.hits + self.misses


Reading = Callable[[Stairs, F64], F64]


def roc(stairs: Stairs, at: F64) -> F64:
    """Share of converted rows found when this share of the others is taken too.

    Examples
    --------
    >>> roc(Stairs(np.array([0.0, 1.0, 1.0]), np.array([0.0, 0.0, 2.0])), np.array([0.0, 0.5]))
    array([1., 1.])
    """
    if stairs.hits[-1] <= 0 or stairs.misses[-1] <= 0:
        return np.full(len(at), np.nan)
    x, y = stairs.misses / stairs.misses[-1], stairs.hits / stairs.hits[-1]
    last = np.append(np.diff(x) > 0, True)  # the highest point above each place
    return np.asarray(np.interp(at, x[last], y[last]))


def precision_recall(stairs: Stairs, at: F64) -> F64:
    """Precision when this share of the converted rows is found (Davis and Goadrich, 2006).

    At 0 it is the precision of the best score.
    """
    if stairs.hits[-1] <= 0:
        return np.full(len(at), np.nan)
    first = np.append(True, np.diff(stairs.hits) > 0)  # fewest rows that reach a recall
    wanted = np.maximum(at * stairs.hits[-1], 1e-9)
    # Within a step the rows are taken evenly; those before the first hit of a step come along.
    step = np.searchsorted(stairs.hits[first], wanted, side="left")
    end = np.flatnonzero(first)[np.minimum(step, first.sum() - 1)]
    start = end - 1
    share = (wanted - stairs.hits[start]) / (stairs.hits[end] - stairs.hits[start])
    misses = stairs.misses[start] + share * (stairs.misses[end] - stairs.misses[start])
    return np.asarray(wanted / (wanted + misses))


def gain(stairs: Stairs, at: F64) -> F64:
    """Share of converted rows among the best scored share of all."""
    if stairs.hits[-1] <= 0:
        return np.full(len(at), np.nan)
    return np.asarray(np.interp(at * stairs.taken[-1], stairs.taken, stairs.hits) / stairs.hits[-1])


def lift(stairs: Stairs, at: F64) -> F64:
    """`gain` over the share taken: 1 is what random picks reach; NaN at 0."""
    found = gain(stairs, at)
    return np.asarray(np.divide(found, at, out=np.full(len(at), np.nan), where=at > 0))


def stairs_of(y: ArrayLike, p: ArrayLike, weights: Iterator[F64] | None = None) -> Iterator[Stairs]:
    """The staircase of all rows, then one of each resample.

    Examples
    --------
    >>> next(stairs_of([1, 0, 1], [0.9, 0.5, 0.5])).hits.tolist()
    [0.0, 1.0, 2.0]
    """
    outcome, chance, mass = checked(y, p)
    order = np.argsort(-chance, kind="stable")
    outcome, chance = outcome[order], chance[order]
    last = np.append(np.diff(chance) != 0, True)

    def one(weight: F64) -> Stairs:
        hits = np.cumsum(weight * outcome)[last]
        taken = np.cumsum(weight)[last]
        return Stairs(np.append(0.0, hits), np.append(0.0, taken - hits))

    yield one(mass)
    for weight in weights or ():
        yield one(weight[order])


def read_curves(
    y: ArrayLike,
    chances: Mapping[str, ArrayLike],
    readings: Mapping[str, Reading],
    *,
    at: F64 = GRID,
    groups: ArrayLike | None = None,
    resamples: int = 200,
    seed: int = 0,
) -> pd.DataFrame:
    """Every reading of every model's staircase with 95% bands.

    Parameters
    ----------
    y : array, shape (n,)
    chances : mapping of str to array, shape (n,)
        Probabilities of each model; all see the same resamples.
    readings : mapping of str to callable
        `roc`, `precision_recall`, `gain`, `lift`.

    Returns
    -------
    DataFrame
        model, curve, x, y, low, high.

    Examples
    --------
    >>> found = read_curves([0, 1] * 20, {"m": [0.1, 0.9] * 20}, {"roc": roc}, resamples=20)
    >>> found[["y", "low", "high"]].min().tolist()
    [1.0, 1.0, 1.0]
    """
    parts: list[dict[str, Any]] = []
    n = len(np.asarray(y))
    for model, p in chances.items():
        drawn = draws(n, groups=groups, resamples=resamples, seed=seed)
        values: dict[str, list[F64]] = {curve: [] for curve in readings}
        for stairs in stairs_of(y, p, drawn):
            for curve, reading in readings.items():
                values[curve].append(reading(stairs, at))
        for curve, found in values.items():
            low, high = band(found[1:] or [np.full(len(at), np.nan)])
            parts.append(
                {"model": model, "curve": curve, "x": at, "y": found[0], "low": low, "high": high}
            )
    return pd.concat([pd.DataFrame(part) for part in parts], ignore_index=True)

"""What a model leans on: how much worse it gets when a family of columns tells it nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from leadlab.errors import BadInput, EmptyInput
from leadlab.features.table import FeatureTable
from leadlab.models.draws import band, draws
from leadlab.models.folds import members
from leadlab.models.metrics import CLIP, checked
from leadlab.models.report import Fitted
from leadlab.models.tabular import column_names, shuffled, take
from leadlab.models.validation.plain import plain

F64 = NDArray[np.float64]
MOST_ROWS = 10_000
"""Importance is measured on at most so many rows."""


@dataclass(frozen=True, eq=False)
class Importance:
    """What each family of columns, or each column, is worth to a model.

    Attributes
    ----------
    figures : DataFrame
        name, value, low, high (95% interval), columns (how many), strongest first.
    method : str
        How it was measured.
    unit : str
        Of value, low and high.
    rows : int
        Rows it was measured on.
    """

    figures: pd.DataFrame
    method: str
    unit: str
    rows: int

    def to_frame(self) -> pd.DataFrame:
        """One row a family."""
        return self.figures

    def to_json(self) -> dict[str, Any]:
        """Plain values, None for NaN."""
        found: dict[str, Any] = plain(self)
        return found


def families(X: Any) -> dict[str, list[str]]:
    """Columns that belong together: the families of a FeatureTable, else each column by itself.

    Examples
    --------
    >>> families(np.zeros((1, 2)))
    {'x0': ['x0'], 'x1': ['x1']}
    """
    found: dict[str, list[str]] = {}
    if isinstance(X, FeatureTable):
        for feature in X.features:
            found.setdefault(feature.family, []).append(feature.name)
        return found
    return {name: [name] for name in column_names(X)}


def permutation_importance(
    model: Fitted,
    X: Any,
    y: ArrayLike,
    *,
    columns: Mapping[str, Sequence[str]] | None = None,
    groups: ArrayLike | None = None,
    repeats: int = 3,
    resamples: int = 200,
    seed: int = 0,
    most_rows: int = MOST_ROWS,
) -> Importance:
    """Rise of the log-loss when a family of columns comes from other rows (Breiman, 2001).

    With l_i the loss of row i, the figure is the mean of ``l_i(permuted) - l_i`` over rows and
    repeats. All columns of a family move together, so that none can stand in for another. An
    interval tells what the choice of leads does, by a bootstrap over groups of those differences;
    a column that the model does not use has exactly 0. Permuting makes rows that cannot occur, so
    the figure says what this model leans on, not what the column is worth.

    Parameters
    ----------
    model : anything with ``predict_proba``
    X : FeatureTable, DataFrame or array, shape (n, k)
    y : array of 0 and 1, shape (n,)
    columns : mapping of str to names, optional
        Families; `families` of X when not given.
    groups : array, shape (n,), optional
    repeats : int
        Permutations of each family, at least 1.
    most_rows : int
        Of a larger table so many rows are drawn; the result says how many.

    Raises
    ------
    EmptyInput, BadInput, UnknownName

    Examples
    --------
    >>> from leadlab.models.baselines import Logistic
    >>> X = np.random.default_rng(0).normal(size=(400, 2))
    >>> model = Logistic().fit(X, X[:, 0] > 0)
    >>> found = permutation_importance(model, X, X[:, 0] > 0).figures
    >>> found["name"].tolist(), bool(found["low"].iloc[0] > found["high"].iloc[1])
    (['x0', 'x1'], True)
    """
    if repeats < 1:
        raise BadInput("at least one permutation", where="repeats", got=repeats)
    chosen = {name: list(those) for name, those in (columns or families(X)).items()}
    label = np.asarray(y)
    if not len(label):
        raise EmptyInput("no rows to permute")
    rng = np.random.default_rng(seed)
    member = members(groups, len(label))
    if len(label) > most_rows:
        rows = np.sort(rng.choice(len(label), most_rows, replace=False))
        X, label, member = take(X, rows), label[rows], member[rows]
    before = _losses(model, X, label)
    worse = np.zeros((len(label), len(chosen)))
    for _ in range(repeats):
        order = rng.permutation(len(label))
        for j, those in enumerate(chosen.values()):
            worse[:, j] += _losses(model, shuffled(X, those, order), label) - before
    return importance_of(
        worse / repeats,
        {name: len(those) for name, those in chosen.items()},
        method=f"permutation, {repeats} repeats",
        unit="rise of the log-loss, nats",
        groups=member,
        resamples=resamples,
        seed=seed,
    )


def importance_of(
    effects: F64,
    columns: Mapping[str, int],
    *,
    method: str,
    unit: str,
    groups: ArrayLike | None = None,
    resamples: int = 200,
    seed: int = 0,
) -> Importance:
    """Mean effect of each family over rows, with a bootstrap over groups.

    Parameters
    ----------
    effects : float64 array, shape (n, families)
        What each family does to each row.
    columns : mapping of str to int
        Families in order, and how many columns each has.
    """
    means = [
        weight @ effects / weight.sum()
        for weight in draws(len(effects), groups=groups, resamples=resamples, seed=seed)
        if weight.any()
    ]
    low, high = band(means or [np.full(len(columns), np.nan)])
    frame = pd.DataFrame(
        {
            "name": list(columns),
            "value": effects.mean(axis=0),
            "low": low,
            "high": high,
            "columns": list(columns.values()),
        }
    )
    frame = frame.sort_values("value", ascending=False, kind="stable", ignore_index=True)
    return Importance(frame, method, unit, len(effects))


def _losses(model: Fitted, X: Any, label: NDArray[Any]) -> F64:
    outcome, chance, _ = checked(label, np.asarray(model.predict_proba(X))[:, 1])
    chance = np.clip(chance, CLIP, 1 - CLIP)
    return -(outcome * np.log(chance) + (1 - outcome) * np.log1p(-chance))

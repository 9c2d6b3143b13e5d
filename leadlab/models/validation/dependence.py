"""How a model's answer moves with one column, and where no data backs the curve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlab.errors import BadInput, EmptyInput
from leadlab.models.report import Fitted
from leadlab.models.tabular import column, set_to, take
from leadlab.models.validation.plain import plain

F64 = NDArray[np.float64]
MISSING = "missing"
MOST_CATEGORIES = 12
THIN_SHARE = 0.01
"""A grid value that stands for a smaller share of the known values is extrapolation."""
RUG = np.linspace(0.0, 1.0, 11)
RUG_COLUMNS = ["feature", "quantile", "x"]
CURVE = ["feature", "x", "label", "mean", "low", "high", "share", "extrapolates"]


@dataclass(frozen=True, eq=False)
class Dependence:
    """Partial dependence of a model on some columns.

    Attributes
    ----------
    curves : DataFrame
        feature; x (NaN for a category and for missing); label (the value as text); mean, low and
        high: mean, 10% and 90% quantile over rows of the chance when the column is set to x; share
        of the data that lies nearest to x; extrapolates (below 1% of the known values).
    rug : DataFrame
        feature, quantile, x: where the data lie.
    rows : int
        Rows that were averaged over.
    """

    curves: pd.DataFrame
    rug: pd.DataFrame
    rows: int

    def to_frame(self) -> pd.DataFrame:
        """The curves."""
        return self.curves

    def to_json(self) -> dict[str, Any]:
        """Plain values, None for NaN."""
        found: dict[str, Any] = plain(self)
        return found


def dependence(
    model: Fitted,
    X: Any,
    features: Sequence[str],
    *,
    points: int = 12,
    most_rows: int = 500,
    seed: int = 0,
) -> Dependence:
    """Partial dependence (Friedman, 2001) with quantiles of the individual curves.

    The column is set to each grid value in every row, all else stays: ``mean_i p(x, rest_i)``.
    The low and high are quantiles of ``p(x, rest_i)`` (individual conditional expectation,
    Goldstein et al., 2015), not an interval. The grid has evenly spaced values between the ends
    of the data and its quantiles; unknown values are a point of their own.

    Parameters
    ----------
    model : anything with ``predict_proba``
    X : FeatureTable, DataFrame or array, shape (n, k)
        Categories and unknown values are welcome.
    features : sequence of str
    points : int
        Grid values at most of either sort, at least 2.
    most_rows : int
        Rows to average over, drawn from a larger table; shares and quantiles are of all rows.

    Examples
    --------
    >>> from leadlab.models.baselines import Logistic
    >>> X = np.random.default_rng(0).normal(size=(300, 2))
    >>> found = dependence(Logistic().fit(X, X[:, 0] > 0), X, ["x0"], points=3).curves
    >>> bool(found["mean"].is_monotonic_increasing)
    True
    """
    if points < 2:
        raise BadInput("a curve needs two points", where="points", got=points)
    n = len(X)
    if not n:
        raise EmptyInput("no rows to average over")
    rng = np.random.default_rng(seed)
    sample = X
    if n > most_rows:
        sample = take(X, np.sort(rng.choice(n, most_rows, replace=False)))
    curves, rugs = [], []
    for name in features:
        values = column(X, name)
        grid = _numbers(values, points) if values.dtype.kind == "f" else _categories(values)
        answers = [
            np.asarray(model.predict_proba(set_to(sample, {name: at})))[:, 1] for at in grid["at"]
        ]
        curves.append(_curve(name, grid, np.array(answers)))
        rugs.append(_rug(name, values))
    if not curves:
        return Dependence(pd.DataFrame(columns=CURVE), pd.DataFrame(columns=RUG_COLUMNS), n)
    frame, rug = (pd.concat(parts, ignore_index=True) for parts in (curves, rugs))
    return Dependence(frame, rug, len(sample))


def _numbers(values: F64, points: int) -> pd.DataFrame:
    """Grid of a column of numbers, and the share of rows nearest to each value."""
    known = values[~np.isnan(values)]
    distinct = np.unique(known)
    if len(distinct) > points:
        spaced = np.linspace(distinct[0], distinct[-1], points)
        at = np.unique(np.append(spaced, np.quantile(known, np.linspace(0, 1, points))))
    else:
        at = distinct
    nearest = np.searchsorted((at[1:] + at[:-1]) / 2, known) if len(at) else np.zeros(0, np.int64)
    share = np.bincount(nearest, minlength=len(at)) / len(values)
    labels = [f"{one:.4g}" for one in at]
    unknown = float(np.isnan(values).mean())
    if unknown:
        at, share, labels = np.append(at, np.nan), np.append(share, unknown), [*labels, MISSING]
    return pd.DataFrame({"at": at, "x": at, "label": labels, "share": share})


def _categories(values: NDArray[Any]) -> pd.DataFrame:
    """The commonest categories, and missing where it occurs."""
    shares = pd.Series(values).value_counts().head(MOST_CATEGORIES) / len(values)
    at = [*shares.index]
    unknown = float(pd.isna(values).mean())
    if unknown:
        at.append(None)
    return pd.DataFrame(
        {
            "at": pd.Series(at, dtype=object),
            "x": np.nan,
            "label": [MISSING if one is None else str(one) for one in at],
            "share": [*shares, *([unknown] if unknown else [])],
        }
    )


def _curve(name: str, grid: pd.DataFrame, answers: F64) -> pd.DataFrame:
    low, high = np.quantile(answers, [0.1, 0.9], axis=1)
    known = grid.loc[grid["label"] != MISSING, "share"].sum()
    return pd.DataFrame(
        {
            "feature": name,
            "x": grid["x"],
            "label": grid["label"],
            "mean": answers.mean(axis=1),
            "low": low,
            "high": high,
            "share": grid["share"],
            "extrapolates": (grid["share"] < THIN_SHARE * known) & (grid["label"] != MISSING),
        }
    )


def _rug(name: str, values: NDArray[Any]) -> pd.DataFrame:
    known = values[~np.isnan(values)] if values.dtype.kind == "f" else np.zeros(0)
    at = np.quantile(known, RUG) if len(known) else np.zeros(0)
    return pd.DataFrame({"feature": name, "quantile": RUG[: len(at)], "x": at})

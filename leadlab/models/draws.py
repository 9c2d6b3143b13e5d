"""Resamples of whole groups, as row weights: one bootstrap for curves, bins and ratios alike."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leadlab.errors import BadInput
from leadlab.models.folds import members

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


def draws(
    n: int, *, groups: ArrayLike | None = None, resamples: int = 200, seed: int = 0
) -> Iterator[F64]:
    """Row weights of each resample: how often the row's group was drawn.

    As many groups are drawn, with replacement, as there are (Efron and Tibshirani, 1993); rows of
    one group are no independent witnesses and stay together.

    Parameters
    ----------
    n : int
        Rows, at least 1.
    groups : array, shape (n,), optional
        Group of each row.
    resamples : int
        Not negative.
    seed : int
        The same seed gives the same resamples.

    Yields
    ------
    float64 array, shape (n,)

    Examples
    --------
    >>> one = next(draws(4, groups=["a", "a", "b", "b"], seed=1))
    >>> bool(one[0] == one[1] and one[2] == one[3] and one.sum() == 4)
    True
    """
    if resamples < 0:
        raise BadInput("resamples cannot be negative", where="resamples", got=resamples)
    member = members(groups, n)
    size = int(member.max()) + 1
    rng = np.random.default_rng(seed)
    for _ in range(resamples):
        picks = np.bincount(rng.integers(0, size, size), minlength=size)
        yield picks[member].astype(np.float64)


def band(drawn: ArrayLike, level: float = 0.95) -> tuple[F64, F64]:
    """Lower and upper quantile over resamples, of each column.

    Parameters
    ----------
    drawn : array, shape (resamples, k)
        NaN where a figure does not exist on a resample; a column of NaN only gives NaN.
    level : float
        Share between the two.

    Examples
    --------
    >>> low, high = band([[0.0, float("nan")], [1.0, float("nan")]], level=0.5)
    >>> low.tolist(), high.tolist()
    ([0.25, nan], [0.75, nan])
    """
    values = np.asarray(drawn, np.float64)
    low, high = np.full((2, values.shape[1]), math.nan)
    some = ~np.isnan(values).all(axis=0)
    if some.any():
        edges = [(1 - level) / 2, (1 + level) / 2]
        low[some], high[some] = np.nanquantile(values[:, some], edges, axis=0)
    return low, high

"""How well estimates meet sale prices: level, spread, and fairness between cheap and dear homes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from leadlab.errors import BadInput, EmptyInput

F64 = NDArray[np.float64]
FIGURES = ("median_ratio", "cod", "prd", "prb")
LEVEL = 0.95
FEWEST = 5
"""A group of fewer sales gets NaN for all but its size."""


@dataclass(frozen=True)
class RatioStudy:
    """Figures of a set of sales, with confidence intervals.

    Attributes
    ----------
    figures : dict of str to float
        ``median_ratio``, ``cod`` (percent), ``prd``, ``prb``.
    low, high : dict of str to float
        95% intervals, by a bootstrap over sales.
    n : int
        Sales that counted.
    trimmed : int
        Sales that did not, for a ratio far out.
    groups : DataFrame
        The same by group: ``by``, ``group``, ``n``, then each figure, ``..._low`` and
        ``..._high``.
    """

    figures: dict[str, float]
    low: dict[str, float]
    high: dict[str, float]
    n: int
    trimmed: int
    groups: pd.DataFrame


def ratio_figures(estimate: ArrayLike, price: ArrayLike) -> dict[str, float]:
    r"""Median ratio, COD, PRD and PRB.

    With :math:`R = estimate / price`, :math:`M` its median and :math:`V = estimate / M`:

    - COD = 100 mean|R - M| / M: the spread of ratios.
    - PRD = mean(R) / (sum(estimate) / sum(price)): above 1, dear homes are valued too low.
    - PRB = slope of (R - M) / M on log2((V + price) / 2): the change of the ratio, relative to M,
      when value doubles. NaN where all values are equal.

    Parameters
    ----------
    estimate, price : arrays, shape (n,)
        US dollars, above 0.

    Raises
    ------
    EmptyInput, BadInput
        If there is no sale, or an amount is not above 0 and finite.

    References
    ----------
    IAAO, Standard on Ratio Studies (2013).

    Examples
    --------
    >>> found = ratio_figures([90, 100, 220], [100, 100, 200])
    >>> found["median_ratio"], round(found["cod"], 3), round(found["prd"], 4)
    (1.0, 6.667, 0.9756)
    """
    amounts = _amounts(estimate, price)
    return {
        name: float(values[0]) for name, values in _figures(*(a[None] for a in amounts)).items()
    }


def ratio_study(
    estimate: ArrayLike,
    price: ArrayLike,
    *,
    area: ArrayLike | None = None,
    bands: int = 4,
    trim: bool = False,
    draws: int = 1000,
    seed: int = 0,
) -> RatioStudy:
    """Judge estimates overall, by area and by price band.

    Parameters
    ----------
    estimate, price : arrays, shape (n,)
        US dollars, above 0.
    area : array, shape (n,), optional
        Name of each sale's area.
    bands : int
        Price bands of equal numbers of sales. They are cut by the mean of the price and of the
        estimate over the median ratio: bands of prices alone would make any model look unfair.
    trim : bool
        Leave out ratios beyond the quartiles by more than 3 times their distance, as IAAO allows.
    draws : int
        Of the bootstrap.
    seed : int

    Raises
    ------
    EmptyInput, BadInput
        As `ratio_figures`; or if areas or bands cannot be used.

    Examples
    --------
    >>> price = np.linspace(2e5, 9e5, 200)
    >>> study = ratio_study(price * 1.02, price, bands=2, draws=50)
    >>> round(study.figures["median_ratio"], 3), study.groups["n"].tolist()
    (1.02, [100, 100])
    """
    e, p = _amounts(estimate, price)
    names = None if area is None else np.asarray(area, object)
    if names is not None and names.shape != p.shape:
        raise BadInput("one area a sale is needed", where="area", got=names.shape, expected=p.shape)
    if bands < 1 or draws < 2:
        raise BadInput("at least one band and two draws are needed", got=(bands, draws))
    keep = within_fences(e / p) if trim else np.ones(len(p), bool)
    e, p = e[keep], p[keep]
    rng = np.random.default_rng(seed)
    figures, low, high = _with_interval(e, p, draws, rng)
    groups = [_row("band", name, e[m], p[m], draws, rng) for name, m in _bands(e, p, bands)]
    if names is not None:
        kept = names[keep].astype(str)
        groups += [
            _row("area", name, e[kept == name], p[kept == name], draws, rng)
            for name in sorted(set(kept))
        ]
    return RatioStudy(figures, low, high, len(p), int((~keep).sum()), pd.DataFrame(groups))


def within_fences(ratio: ArrayLike, times: float = 3.0) -> NDArray[np.bool_]:
    """Whether each ratio lies within `times` interquartile ranges of the quartiles.

    Examples
    --------
    >>> within_fences([0.9, 1.0, 1.1, 1.0, 9.0]).tolist()
    [True, True, True, True, False]
    """
    r = np.asarray(ratio, np.float64)
    first, third = np.quantile(r, [0.25, 0.75])
    span = times * (third - first)
    inside: NDArray[np.bool_] = (r >= first - span) & (r <= third + span)
    return inside


def value_bands(estimate: F64, price: F64, bands: int) -> list[tuple[str, NDArray[np.bool_]]]:
    """Rows of each price band, cheap to dear, as `ratio_study` cuts them.

    Examples
    --------
    >>> values = np.array([1e5, 2e5, 3e5, 4e5])
    >>> [(name, rows.tolist()) for name, rows in value_bands(values, values, 2)]
    [('1 of 2', [True, True, False, False]), ('2 of 2', [False, False, True, True])]
    """
    return _bands(*_amounts(estimate, price), bands)


def _bands(e: F64, p: F64, bands: int) -> list[tuple[str, NDArray[np.bool_]]]:
    value = (e / np.median(e / p) + p) / 2
    place = np.argsort(np.argsort(value, kind="stable"), kind="stable")
    band = place * bands // len(value)
    return [(f"{k + 1} of {bands}", band == k) for k in range(bands)]


def _amounts(estimate: ArrayLike, price: ArrayLike) -> tuple[F64, F64]:
    e, p = np.asarray(estimate, np.float64), np.asarray(price, np.float64)
    if e.shape != p.shape or e.ndim != 1:
        raise BadInput("one estimate and one price a sale are needed", got=f"{e.shape}, {p.shape}")
    if not len(p):
        raise EmptyInput("no sales to judge")
    bad = ~((e > 0) & (p > 0) & np.isfinite(e) & np.isfinite(p))
    if bad.any():
        i = int(np.argmax(bad))
        raise BadInput(
            "amounts must be above 0 and finite",
            where=f"sale {i}",
            got=f"estimate {e[i]}, price {p[i]}",
            hint="Leave out sales that got no estimate, and say how many.",
        )
    return e, p


def _figures(e: F64, p: F64) -> dict[str, F64]:
    """Figures of many samples at once, each of shape (draws, n)."""
    ratio = e / p
    median = np.median(ratio, axis=1)
    away = (ratio - median[:, None]) / median[:, None]
    x = np.log2((e / median[:, None] + p) / 2)
    x = x - x.mean(axis=1, keepdims=True)
    spread = (x * x).sum(axis=1)
    slope = np.full(len(x), np.nan)
    np.divide((x * away).sum(axis=1), spread, out=slope, where=spread > 1e-12)
    return {
        "median_ratio": median,
        "cod": 100 * np.abs(away).mean(axis=1),
        "prd": ratio.mean(axis=1) / (e.sum(axis=1) / p.sum(axis=1)),
        "prb": slope,
    }


def _with_interval(
    e: F64, p: F64, draws: int, rng: np.random.Generator
) -> tuple[dict[str, float], dict[str, float], dict[str, float]]:
    if len(p) < FEWEST:
        unknown = dict.fromkeys(FIGURES, float("nan"))
        return unknown, dict(unknown), dict(unknown)
    figures = {name: float(v[0]) for name, v in _figures(e[None], p[None]).items()}
    found = []
    for start in range(0, draws, 100):  # so that memory stays small
        rows = rng.integers(len(p), size=(min(100, draws - start), len(p)))
        found.append(_figures(e[rows], p[rows]))
    ends = (1 - LEVEL) / 2, (1 + LEVEL) / 2
    low, high = {}, {}
    for name in FIGURES:
        drawn = np.concatenate([part[name] for part in found])
        low[name], high[name] = (float(v) for v in np.quantile(drawn, ends))
    return figures, low, high


def _row(
    by: str, group: str, e: F64, p: F64, draws: int, rng: np.random.Generator
) -> dict[str, Any]:
    figures, low, high = _with_interval(e, p, draws, rng)
    row: dict[str, Any] = {"by": by, "group": group, "n": len(p)}
    for name in FIGURES:
        row |= {name: figures[name], f"{name}_low": low[name], f"{name}_high": high[name]}
    return row

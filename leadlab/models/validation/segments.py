"""A model's figures by segment, and over time; what is too small to judge says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from leadlab.errors import BadInput
from leadlab.models import metrics
from leadlab.models.folds import members
from leadlab.models.intervals import Estimate, Metric, estimate
from leadlab.models.validation.plain import plain

LEAST_GROUPS = 30
"""With fewer leads nothing is said of a segment."""
LEAST_OUTCOMES = 5
"""Ranking figures need so many leads of either outcome."""
MOST_SEGMENTS = 30
"""The largest are named; the others are put together."""
UNKNOWN = "unknown"
LONG_SPAN_DAYS = 120
"""A longer time is told by month, a shorter one by week."""
US_PER_DAY = 86_400_000_000
RANKING = ("roc_auc", "pr_auc", "lift")
FIELDS = ["field", "segment", "rows", "leads", "converted", "metric", "value", "low", "high", "why"]


@dataclass(frozen=True, eq=False)
class Segments:
    """Figures of each segment of each field.

    Attributes
    ----------
    figures : DataFrame
        field, segment, rows, leads, converted, metric, value, low, high, why (there is no figure).
        Metrics: base_rate (observed), predicted (mean), roc_auc, pr_auc, brier, log_loss, lift.
    least_groups, least_outcomes : int
        Below these a figure is not given.
    """

    figures: pd.DataFrame
    least_groups: int = LEAST_GROUPS
    least_outcomes: int = LEAST_OUTCOMES

    def to_frame(self) -> pd.DataFrame:
        """One row a segment and metric."""
        return self.figures

    def to_json(self) -> dict[str, Any]:
        """Plain values, None for NaN."""
        found: dict[str, Any] = plain(self)
        return found


def by_segment(
    y: ArrayLike,
    p: ArrayLike,
    segments: Mapping[str, ArrayLike],
    *,
    groups: ArrayLike | None = None,
    capacity: float = 0.1,
    resamples: int = 100,
    seed: int = 0,
) -> Segments:
    """Judge a model on each segment by itself.

    Parameters
    ----------
    y : array of 0 and 1, shape (n,)
    p : array, shape (n,)
    segments : mapping of str to array, shape (n,)
        By field; None and NaN are the segment "unknown". Beyond the 30 largest segments of a field
        the others are one, which says how many they are.
    groups : array, shape (n,), optional
        Lead of each row.
    capacity : int or float
        For lift, within each segment: a number of rows or a share of them.

    Raises
    ------
    BadInput
        If a field has not one value a row.

    Examples
    --------
    >>> y, p = [0, 1] * 50, [0.2, 0.6] * 50
    >>> found = by_segment(y, p, {"source": ["web"] * 96 + ["fax"] * 4}, resamples=10).figures
    >>> found.query("metric == 'roc_auc'")[["segment", "value", "why"]].values.tolist()
    [['web', 1.0, None], ['fax', nan, 'only 4 leads: figures need 30']]
    """
    outcome, chance, _ = metrics.checked(y, p)
    member = members(groups, len(outcome))
    figures = _figures(capacity)
    rows: list[tuple[Any, ...]] = []
    for field, values in segments.items():
        named = _named(values, len(outcome), field)
        for name in pd.unique(named):
            mine = np.flatnonzero(named == name)
            leads = len(np.unique(member[mine]))
            found = _judge(outcome[mine], chance[mine], member[mine], figures, resamples, seed)
            size = (field, str(name), len(mine), leads, int(outcome[mine].sum()))
            rows += [
                (*size, metric, one.value, one.low, one.high, one.why)
                for metric, one in found.items()
            ]
    frame = pd.DataFrame(rows, columns=FIELDS)
    return Segments(frame.assign(why=pd.Series([row[-1] for row in rows], dtype=object)))


def by_period(
    y: ArrayLike,
    p: ArrayLike,
    at_us: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    capacity: float = 0.1,
    resamples: int = 100,
    seed: int = 0,
    every: str | None = None,
) -> Segments:
    """Judge a model in each week or month (UTC), earliest first; segments are first days.

    Parameters
    ----------
    at_us : int array, shape (n,)
        Moment of each row, microseconds since 1970-01-01 UTC.
    every : {"week", "month"}, optional
        Weeks (from Monday) for spans of up to 120 days, else months, when not given.

    Examples
    --------
    >>> day_us = np.arange(100) // 10 * 86_400_000_000
    >>> found = by_period([0, 1] * 50, [0.2, 0.6] * 50, day_us, resamples=0).figures
    >>> found["segment"].drop_duplicates().tolist()
    ['1969-12-29', '1970-01-05']
    """
    moments = np.asarray(at_us, np.int64)
    if moments.shape != np.shape(y):
        raise BadInput(
            "one moment a row is needed", where="at_us", got=moments.shape, expected=np.shape(y)
        )
    span_days = (moments.max() - moments.min()) / US_PER_DAY if len(moments) else 0.0
    unit = every or ("month" if span_days > LONG_SPAN_DAYS else "week")
    if unit not in ("week", "month"):
        raise BadInput("no such period", where="every", got=unit, expected="week, month")
    days = moments.astype("datetime64[us]").astype("datetime64[D]")
    if unit == "month":
        first = days.astype("datetime64[M]").astype("datetime64[D]")
    else:
        first = days - (days.astype(np.int64) + 3) % 7  # 1970-01-01 was a Thursday
    order = np.argsort(first, kind="stable")
    found = by_segment(
        np.asarray(y)[order],
        np.asarray(p)[order],
        {unit: first[order].astype(str)},
        groups=members(groups, len(moments))[order],
        capacity=capacity,
        resamples=resamples,
        seed=seed,
    )
    frame = found.figures.sort_values("segment", kind="stable", ignore_index=True)
    return replace(found, figures=frame)


def _figures(capacity: float) -> dict[str, Metric]:
    def lift(y: Any, p: Any, weight: Any) -> float:
        return metrics.lift_at(y, p, weight, capacity=capacity)

    return {
        "base_rate": metrics.base_rate,
        "predicted": lambda _, p, weight: float(weight @ p / weight.sum()),
        "roc_auc": metrics.roc_auc,
        "pr_auc": metrics.pr_auc,
        "brier": metrics.brier,
        "log_loss": metrics.log_loss,
        "lift": lift,
    }


def _judge(
    y: NDArray[np.float64],
    p: NDArray[np.float64],
    member: NDArray[np.int64],
    figures: Mapping[str, Callable[..., float]],
    resamples: int,
    seed: int,
) -> dict[str, Estimate]:
    """Figures of one segment, or why there are none."""
    leads = len(np.unique(member))
    nan = float("nan")
    if leads < LEAST_GROUPS:
        why = f"only {leads} lead{'s' * (leads != 1)}: figures need {LEAST_GROUPS}"
        return {name: Estimate(nan, nan, nan, 0, why) for name in figures}
    scarce = {
        "converted": len(np.unique(member[y == 1])),
        "did not convert": len(np.unique(member[y == 0])),
    }
    few = [f"only {n} {what}" for what, n in scarce.items() if n < LEAST_OUTCOMES]
    wanted = {name: one for name, one in figures.items() if not (few and name in RANKING)}
    rng = np.random.default_rng(seed)
    found = estimate(y, p, wanted, rng=rng, groups=member, resamples=resamples)
    why = "; ".join(few) + f": ranking figures need {LEAST_OUTCOMES}"
    return {name: found.get(name, Estimate(nan, nan, nan, 0, why)) for name in figures}


def _named(values: ArrayLike, n: int, field: str) -> NDArray[Any]:
    raw = np.asarray(values, dtype=object)
    if raw.shape != (n,):
        raise BadInput(
            "one value a row is needed", where=f"segment {field!r}", got=raw.shape, expected=(n,)
        )
    named = np.array([UNKNOWN if pd.isna(one) else str(one) for one in raw], dtype=object)
    sizes = pd.Series(named).value_counts()
    if len(sizes) > MOST_SEGMENTS:
        rest = sizes.index[MOST_SEGMENTS:]
        named[np.isin(named, rest.to_numpy())] = f"{len(rest)} others"
    return named

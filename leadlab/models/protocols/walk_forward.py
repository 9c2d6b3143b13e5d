"""Scoring in order of time: each row by a model and a calibration that knew what came before it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone

from leadlab.errors import BadInput
from leadlab.models.calibration.rate_interval import RateInterval
from leadlab.models.calibration.recent import RecentCalibration
from leadlab.models.held_out import held_out_figures
from leadlab.models.protocols.delays import Delays

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
INTERVAL_ROWS = 4000
"""So many of the latest rows set the interval."""


@dataclass(frozen=True, eq=False)
class InTime:
    """Rows in order of time, and what was known of them when.

    Attributes
    ----------
    X : DataFrame, n rows
    y : int array, shape (n,)
        Outcomes as they came in the end.
    at : array, shape (n,)
        Moment of each row, ascending.
    known_at : array or None
        When each outcome was settled; at once where None.
    """

    X: pd.DataFrame
    y: I64
    at: NDArray[Any]
    known_at: NDArray[Any] | None = None

    def __post_init__(self) -> None:
        if len({len(self.X), len(self.y), len(self.at)}) > 1:
            raise BadInput("rows, outcomes and moments differ in number")
        if (self.at[1:] < self.at[:-1]).any():
            raise BadInput("rows must be in order of time", where="at")

    def edges(self, start: int, every: int) -> list[int]:
        """Positions at which a new stretch of at least `every` rows begins; none parts a moment."""
        fresh = np.flatnonzero(self.at[1:] > self.at[:-1]) + 1
        found, n = [start], len(self.y)
        for place in fresh[fresh > start]:
            if place - found[-1] >= every and n - place >= every / 2:
                found.append(int(place))
        return found

    def settled(self, place: int) -> I64:
        """Rows so old, when row `place` came, that all of their age were settled."""
        now = self.at[place]
        if self.known_at is None:
            return np.flatnonzero(self.at < now)
        return np.flatnonzero(self.at + (self.known_at - self.at).max() < now)

    def known(self, place: int) -> tuple[I64, I64, F64]:
        """What was known when row `place` came: earlier rows, outcomes so far, share known."""
        now = self.at[place]
        rows = np.flatnonzero(self.at < now)
        if self.known_at is None:
            return rows, self.y[rows], np.ones(len(rows))
        settled = self.known_at[rows] < now
        so_far = np.where(settled, self.y[rows], 0)
        age = (now - self.at[rows]) / _UNIT[self.at.dtype.kind]
        ones = so_far > 0
        delay = (self.known_at[rows] - self.at[rows]) / _UNIT[self.at.dtype.kind]
        share = Delays.of(delay[ones], age[ones]).known_by(age)
        return rows, so_far, np.where(settled & ~ones, 1.0, share)


_UNIT: dict[str, Any] = {"M": np.timedelta64(1, "s"), "i": 1, "f": 1.0}


@dataclass(frozen=True, eq=False)
class Walk:
    """Rows scored in order of time.

    Attributes
    ----------
    start : int
        First row that counts.
    score, p : float array, shape (n,)
        Raw and calibrated; NaN before the walk began.
    interval : RateInterval
        Set before `start`.
    """

    start: int
    score: F64
    p: F64
    interval: RateInterval

    def figures(self, y: ArrayLike, *, calibrated: bool = True) -> dict[str, float]:
        """`held_out_figures` from `start` on, with the coverage where calibrated."""
        label = np.asarray(y)[self.start :]
        if not calibrated:
            return held_out_figures(label, self.score[self.start :])
        return held_out_figures(label, self.p[self.start :], interval=self.interval)


def walk_forward(
    model: Any,
    data: InTime,
    *,
    start: int,
    warm_up: int,
    retrain: int,
    recalibrate: int,
    frozen: bool = False,
) -> Walk:
    """Score every row by what was known when it came.

    From row `warm_up` on, the model is trained anew every `retrain` rows on all earlier ones; a
    row whose outcome may still come weighs by the share of outcomes that would be known at its
    age. The calibration follows every `recalibrate` rows, fitted on the own scores of earlier rows,
    given before their outcomes, that are old enough to be settled one and all: of younger ones the
    early outcomes come first. While there are none, scores stay as they are. The interval is set at
    `start`, on what is known by then of the rows scored before.

    Parameters
    ----------
    model : TableModel or alike
        Takes ``sample_weight``.
    data : InTime
    start : int
        First row that is judged.
    warm_up : int
        First row that is scored, before `start`; both outcomes must be known by then.
    retrain, recalibrate : int
        Rows.
    frozen : bool
        Whether training and calibration end at `start`.

    Raises
    ------
    BadInput
        If `warm_up` does not lie before `start`.

    Examples
    --------
    >>> from leadlab.models.tables.model import TableModel
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame({"x": rng.normal(size=3000)})
    >>> y = (rng.random(3000) < np.where(np.arange(3000) < 2000, 0.1, 0.5)).astype(int)
    >>> data = InTime(X, y, np.arange(3000))
    >>> plan = {"start": 2200, "warm_up": 1000, "retrain": 1000, "recalibrate": 50}
    >>> walk = walk_forward(TableModel(), data, **plan)
    >>> bool(walk.score[2600:].mean() < 0.3), bool(walk.p[2600:].mean() > 0.35)
    (True, True)
    """
    if not 0 < warm_up < start < len(data.y):
        raise BadInput("a walk warms up, then starts", got=f"warm_up={warm_up}, start={start}")
    score = _scores(model, data, _stops(data, warm_up, start, retrain, frozen))
    p = np.full(len(data.y), np.nan)
    for first, end in _stops(data, warm_up, start, recalibrate, frozen):
        rows = data.settled(first)
        rows = rows[rows >= warm_up]
        p[first:end] = RecentCalibration.fit(score[rows], data.y[rows]).apply(score[first:end])
    return Walk(start, score, p, _interval(data, p, warm_up, start))


def _stops(data: InTime, begin: int, start: int, every: int, frozen: bool) -> list[tuple[int, int]]:
    """Stretches from `begin` on; `start` is an edge, and the last one where `frozen`."""
    before = [e for e in data.edges(begin, every) if e < start] if begin < start else []
    after = [start] if frozen else data.edges(start, every)
    edges = [*before, *after, len(data.y)]
    return list(pairwise(edges))


def _scores(model: Any, data: InTime, stretches: list[tuple[int, int]]) -> F64:
    score = np.full(len(data.y), np.nan)
    for first, end in stretches:
        rows, so_far, share = data.known(first)
        weight = np.where(so_far > 0, 1.0, share)
        fitted = clone(model).fit(data.X.iloc[rows], so_far, sample_weight=weight)
        score[first:end] = fitted.predict_proba(data.X.iloc[first:end])[:, 1]
    return score


def _interval(data: InTime, p: F64, warm_up: int, first: int) -> RateInterval:
    """Set on the chance that an outcome is known by now, against those that are."""
    rows, so_far, share = data.known(first)
    told = np.flatnonzero(rows >= warm_up)[-INTERVAL_ROWS:]
    return RateInterval.fit(p[rows[told]] * share[told], so_far[told])

"""What a part of health is measured by: one feature each, read as points from 0 to 100.

Every measure is monotone in its feature. NaN stays NaN, which is "unknown", except where a feature
says by NaN that something has not happened or that nobody waits; what that is worth is ``absent``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlab.errors import BadInput
from leadlab.features.table import FeatureTable

F64 = NDArray[np.float64]
SHAPES = ("more", "sooner", "between", "change")
BEFORE_DAYS = 14.0
"""A change against the week before is known when a lead has been there for both weeks."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One feature of the catalogue, and how it is read.

    Attributes
    ----------
    feature : str
        Its value is x.
    shape : str
        "more": ``100 x / (x + half)``. "sooner": ``100 half / (x + half)``. "between": straight
        from 0 points at `low` to 100 at `high`, level beyond; `low` may be the greater one.
        "change": ``50 + 50 x / (now + before + half)`` where x is the trend of a count, now is the
        count itself (the feature named in `over`) and before is now less x; unknown where neither
        week had any, or a lead came less than 14 days ago.
    weight : float
        In its part.
    half, low, high : float
        Of the shape, in the feature's unit.
    over : str
        A feature to divide x by; for "change" the count.
    absent : float or None
        Points where x is NaN; None means unknown.

    Raises
    ------
    BadInput
        If a setting cannot be used.

    Examples
    --------
    >>> Measure("showing_count_30d", "more", 1.0, half=1.0).points(np.array([0.0, 1.0, 3.0]))
    array([ 0., 50., 75.])
    >>> Measure("request_waiting", "sooner", 1.0, half=4.0, absent=100.0).points(
    ...     np.array([12.0, np.nan]))
    array([ 25., 100.])
    """

    feature: str
    shape: str
    weight: float
    half: float = math.nan
    low: float = math.nan
    high: float = math.nan
    over: str = ""
    absent: float | None = None

    def __post_init__(self) -> None:
        where = f"measure {self.feature}"
        if self.shape not in SHAPES:
            raise BadInput("no such shape", where=where, got=self.shape, expected=", ".join(SHAPES))
        if not (self.weight >= 0 and math.isfinite(self.weight)):
            raise BadInput("a weight is a number from 0", where=where, got=self.weight)
        if self.shape == "between":
            if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low != self.high):
                raise BadInput("two ends are needed", where=where, got=(self.low, self.high))
        elif not (self.half > 0 and math.isfinite(self.half)):
            raise BadInput("half must be positive", where=where, got=self.half)
        if self.shape == "change" and not self.over:
            raise BadInput("a change needs its count", where=where, expected="over")
        if self.absent is not None and not 0 <= self.absent <= 100:
            raise BadInput("points are 0 to 100", where=where, got=self.absent)

    def points(self, x: F64, over: F64 | None = None, known_days: F64 | None = None) -> F64:
        """Points of values, shape (n,); NaN where unknown.

        Parameters
        ----------
        x : array, shape (n,)
        over : array, shape (n,), optional
            Values of the feature named in `over`.
        known_days : array, shape (n,), optional
            Days since the lead was first seen, for "change".
        """
        if self.shape == "change" and over is not None:
            return _change(x, over, self.half, known_days)
        if over is not None:
            x = np.divide(x, over, out=np.full(len(x), np.nan), where=over > 0)
        if self.shape == "more":
            x = np.maximum(x, 0.0)
            found = 100.0 * x / (x + self.half)
        elif self.shape == "sooner":
            found = 100.0 * self.half / (np.maximum(x, 0.0) + self.half)
        else:
            found = 100.0 * np.clip((x - self.low) / (self.high - self.low), 0.0, 1.0)
        return found if self.absent is None else np.where(np.isnan(x), self.absent, found)

    def of(self, table: FeatureTable) -> F64:
        """Points of each row of a table; all unknown where the table lacks the feature.

        A row of a lead of whom nothing is known is unknown throughout, also where ``absent`` would
        speak.
        """
        names = table.names
        needed = [self.feature, *([self.over] if self.over else [])]
        if not set(needed) <= set(names):
            return np.full(len(table), np.nan)
        x, *rest = (table.column(name).astype(np.float64) for name in needed)
        found = self.points(x, rest[0] if rest else None, _tenure(table))
        return np.where(nothing_known(table), np.nan, found)

    def to_json(self) -> dict[str, Any]:
        """Plain values, without what is not set."""
        told = {name: getattr(self, name) for name in self.__slots__}
        return {n: v for n, v in told.items() if v not in (None, "") and v == v}


def _change(trend: F64, now: F64, half: float, known_days: F64 | None) -> F64:
    both = 2 * now - trend
    found = 50.0 + 50.0 * trend / (np.maximum(both, 0.0) + half)
    unknown = both <= 0
    if known_days is not None:
        unknown = unknown | ~(known_days >= BEFORE_DAYS)
    return np.where(unknown, np.nan, np.clip(found, 0.0, 100.0))


def _tenure(table: FeatureTable) -> F64 | None:
    name = "activity_tenure"
    return table.column(name).astype(np.float64) if name in table.names else None


def nothing_known(table: FeatureTable) -> NDArray[np.bool_]:
    """Rows of leads that have no event yet: all their own features are unknown.

    Counts of a lead's own events are 0, never NaN, for any lead with an event of any kind.
    """
    own = np.array([f.entity == "lead" and f.op in _NEVER_NAN for f in table.features])
    if not own.any():
        own[:] = True
    return np.asarray(np.isnan(table.values[:, own]).all(axis=1), np.bool_)


_NEVER_NAN = ("count", "trend", "decay")

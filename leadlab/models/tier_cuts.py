"""Thresholds of one segment, how they came about, and the sentence that says so."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
TINY = 1e-9


@dataclass(frozen=True)
class Cut:
    """Where hot and warm begin, and what was there.

    Attributes
    ----------
    hot : float or None
        Lowest hot probability; None where no lead is hot.
    warm : float
        Lowest warm probability: the base rate, drawn to the whole's.
    bound : str
        What set `hot`: "capacity", "lift", or "ties" where too many leads share the best score.
    leads, converted, hot_leads, hot_converted : int
        Rows that the thresholds were set on.
    own : float
        Weight of the segment's own rows in its thresholds; 1 for the whole.
    hot_lift : float
        Times the base rate that a hot lead must promise.

    Examples
    --------
    >>> print(Cut(0.041, 0.02, "capacity", 120, 3, 12, 2, 0.375, 1.5).why("the segment"))
    hot from 4.1%: the 12 hottest of 120 leads fill the team's time; they converted 6.7 times as
    often as all. Warm from 2%, the rate of the segment. Thresholds are 38% its own, 62% the
    whole's.
    """

    hot: float | None
    warm: float
    bound: str
    leads: int
    converted: int
    hot_leads: int
    hot_converted: int
    own: float
    hot_lift: float

    @property
    def lift(self) -> float:
        """Rate of the hot over the rate of all; NaN where either does not exist."""
        if not self.hot_leads or not self.converted:
            return math.nan
        return (self.hot_converted / self.hot_leads) / (self.converted / self.leads)

    def why(self, of: str) -> str:
        """The thresholds in words; `of` names whose base rate it is."""
        parts = [self._hot_words(), f"Warm from {_percent(self.warm)}, the rate of {of}."]
        if self.own < 1:
            own = round(100 * self.own)
            parts.append(f"Thresholds are {own}% its own, {100 - own}% the whole's.")
        return " ".join(parts)

    def _hot_words(self) -> str:
        if self.hot is None:
            return (
                f"None is hot: more of the {self.leads:,} leads share the best score than there is "
                "time for."
            )
        begin = f"hot from {_percent(self.hot)}: "
        if not self.hot_leads:
            return f"{begin}none of the {self.leads:,} leads reached it."
        if self.bound == "capacity":
            reason = f"the {self.hot_leads:,} hottest of {self.leads:,} leads fill the team's time"
        else:
            reason = (
                f"that is {self.hot_lift:g} times the base rate, which {self.hot_leads:,} of "
                f"{self.leads:,} leads reach, so there is time left"
            )
        if math.isnan(self.lift):
            return f"{begin}{reason}; none of all has converted so far."
        return f"{begin}{reason}; they converted {self.lift:.1f} times as often as all."


def cut_whole(p: F64, y: F64, capacity: float, hot_lift: float) -> Cut:
    """Thresholds over all rows."""
    base = float(y.mean())
    return _cut(p, y, _within(p, capacity * len(p)), base, 1.0, hot_lift)


def cuts_by_segment(
    p: F64,
    y: F64,
    segment: NDArray[np.str_],
    whole: Cut,
    capacity: float,
    hot_lift: float,
    prior_leads: float,
) -> dict[str, Cut]:
    """Thresholds of each segment, partially pooled, all hot rows together within capacity.

    On the log-odds a segment's threshold is ``w own + (1 - w) whole's`` with
    ``w = n / (n + prior_leads)``; its base rate is ``(converted + prior_leads b) / (n +
    prior_leads)`` with b the whole's. Then all thresholds are raised by one amount, if need be,
    until the hot rows of all segments are no more than there is time for.
    """
    names, which = np.unique(segment, return_inverse=True)
    n = np.bincount(which)
    own = n / (n + prior_leads)
    room = _within(p, capacity * len(p))
    edges = np.full(len(names), math.nan)
    for i in range(len(names)):
        edge = _within(p[which == i], capacity * n[i])
        if room is not None and edge is not None:
            edges[i] = own[i] * _log_odds(edge) + (1 - own[i]) * _log_odds(room)
        elif room is not None:
            edges[i] = _log_odds(room)
            own[i] = 0.0
    inside = np.clip(p, TINY, 1 - TINY)
    margin = np.log(inside) - np.log1p(-inside) - edges[which]
    raised = _within(margin, capacity * len(p)) if np.isfinite(edges).all() else None
    rate = float(y.mean())
    found = {}
    for i, name in enumerate(names):
        rows = which == i
        base = float((y[rows].sum() + prior_leads * rate) / (n[i] + prior_leads))
        edge = None if raised is None else _chance(edges[i] + max(raised, 0.0))
        found[str(name)] = _cut(p[rows], y[rows], edge, base, float(own[i]), hot_lift)
    return found


def _cut(p: F64, y: F64, edge: float | None, base: float, own: float, hot_lift: float) -> Cut:
    enough = hot_lift * base
    bound = "ties" if edge is None else "capacity" if edge >= enough else "lift"
    hot = None if edge is None else min(max(edge, enough), 1.0)
    is_hot = np.zeros(len(p), bool) if hot is None else p >= hot
    return Cut(
        hot=hot,
        warm=base,
        bound=bound,
        leads=len(p),
        converted=int(y.sum()),
        hot_leads=int(is_hot.sum()),
        hot_converted=int(y[is_hot].sum()),
        own=own,
        hot_lift=float(hot_lift),
    )


def _within(values: F64, room: float) -> float | None:
    """Lowest value that no more than `room` rows reach; None where even the highest is too many."""
    distinct, rows = np.unique(values, return_counts=True)
    reach = np.cumsum(rows[::-1])[::-1]
    fits = np.flatnonzero(reach <= room + TINY)
    return float(distinct[fits[0]]) if len(fits) else None


def _log_odds(p: float) -> float:
    inside = min(max(p, TINY), 1 - TINY)
    return math.log(inside) - math.log1p(-inside)


def _chance(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds))


def _percent(p: float) -> str:
    return f"{100 * p:.2g}%"

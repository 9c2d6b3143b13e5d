"""Silence: a lead at a moment, and whether it gives a sign of life within each of several horizons.

The moments are any: `leadlab.features.build` asks at each event, daily, or at given moments, so a
silent lead is asked about on its silent days. What is not known yet is not silence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from leadlab.errors import BadInput, EmptyInput
from leadlab.models.landmarks import (
    I64,
    NEVER_US,
    US_PER_DAY,
    Asked,
    first_at,
    horizon_us,
    leads_of,
    of_kinds,
)
from leadlab.schema.kinds import CONVERTED, LOST, Direction, kinds
from leadlab.schema.log import Coded, EventLog

F64 = NDArray[np.float64]
SILENT, HEARD, CENSORED, RESOLVED = 1, 0, -1, -2
HORIZONS_DAYS = (7.0, 14.0, 30.0)


@dataclass(frozen=True, eq=False)
class Silence:
    """Labels of n landmarks over k horizons, in the order asked.

    Attributes
    ----------
    label : int8 array, shape (n, k)
        1 no sign of life in ``(as_of, as_of + horizon]``; 0 a sign; -1 censored; -2 nothing to
        foresee: the lead had its outcome, or had given no sign of life yet.
    next_days : float64 array, shape (n,)
        Days until the next sign; NaN where none came by the end of observation.
    as_of_us : int64 array, shape (n,)
        The landmark.
    lead : int64 array, shape (n,)
        One number per (tenant, lead): the group that must stay whole.
    horizons_days : tuple of float
        Ascending.
    end_us : int
        End of observation: nothing after it was looked at.
    """

    label: NDArray[np.int8]
    next_days: F64
    as_of_us: I64
    lead: I64
    horizons_days: tuple[float, ...]
    end_us: int

    def __len__(self) -> int:
        return len(self.label)

    @property
    def known(self) -> NDArray[np.int8]:
        """Labels to learn from and to judge by, shape (n, k): -1 where the window is not over.

        A sign within a window that is not over is known, silence is not: to keep the one without
        the other would make leads look livelier than they are.
        """
        ahead_us = np.array([horizon_us(h) for h in self.horizons_days])
        over = self.as_of_us[:, None] + ahead_us <= self.end_us
        return np.where(over & (self.label >= 0), self.label, np.int8(CENSORED))

    @property
    def alive(self) -> I64:
        """Positions of the landmarks with something to foresee."""
        return np.flatnonzero(self.label[:, 0] != RESOLVED)

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """How many landmarks of each sort there are under each horizon."""
        names = {"silent": SILENT, "heard": HEARD, "censored": CENSORED, "resolved": RESOLVED}
        return {
            f"{days:g}d": {n: int((self.label[:, j] == code).sum()) for n, code in names.items()}
            for j, days in enumerate(self.horizons_days)
        }

    def take(self, rows: NDArray[np.generic]) -> Silence:
        """Some of the rows, by position or mask."""
        kept = (self.label[rows], self.next_days[rows], self.as_of_us[rows], self.lead[rows])
        return Silence(*kept, self.horizons_days, self.end_us)


def signs_of(log: EventLog) -> tuple[str, ...]:
    """Kinds of a log that a lead itself does, after `leadlab.schema.kinds`.

    A word of refusal is no sign that more will come: "Unsubscribed" is none.

    Raises
    ------
    BadInput
        If the log holds none of them.
    """
    known = [k for k in kinds(direction=Direction.FROM_LEAD) if k != "Unsubscribed"]
    found = tuple(kind for kind in known if kind in log.kind.index)
    if not found:
        raise BadInput(
            "no kind of this log is known to be a lead's own doing",
            where="signs",
            got=", ".join(map(str, log.kind.names[:4])),
            hint="Name the kinds that are signs of life.",
        )
    return found


def outcomes_of(log: EventLog) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Kinds of a log that mean success, and any other ending, after `leadlab.schema.kinds`."""
    won, lost = ((kind,) if kind in log.kind.index else () for kind in (CONVERTED, LOST))
    return won, lost


def label_silence(
    asked: Asked,
    log: EventLog,
    *,
    signs: tuple[str, ...] | None = None,
    converted: tuple[str, ...] = (),
    ended: tuple[str, ...] = (),
    horizons_days: Sequence[float] = HORIZONS_DAYS,
    end_us: int | None = None,
) -> Silence:
    """Label leads at moments by what the log says happened next.

    With s a lead's first sign of life after t, T the end of observation and h a horizon, the
    landmark at t is

    - resolved, if the lead had an outcome at or before t, or no sign of life at or before t;
    - heard, if t < s <= min(t + h, T); a conversion counts as a sign of life;
    - silent, if t + h <= T;
    - censored otherwise.

    Parameters
    ----------
    asked : FeatureTable or Moments
        n rows.
    log : EventLog
        Must hold every lead that is asked about.
    signs : tuple of str, optional
        Kinds that are signs of life; `signs_of` the log when not given.
    converted, ended : tuple of str
        Kinds that mean success, and kinds that mean any other ending.
    horizons_days : sequence of float
        Ascending, each above 0.
    end_us : int, optional
        End of observation; the log's last event when not given.

    Raises
    ------
    EmptyInput
        If there are no rows or no events.
    UnknownName
        If a kind or a lead does not occur in the log.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"who": ["ann", "ann", "bob"], "what": ["Inquiry"] * 3,
    ...                       "when": ["2026-01-01", "2026-01-10", "2026-01-20"]})
    >>> log = EventLog.from_frame(frame, lead="who", kind="what", at="when")
    >>> from leadlab.features import Moments
    >>> found = label_silence(Moments(log.tenant, log.lead, log.at_us), log)
    >>> found.label.tolist(), found.next_days.tolist()
    ([[1, 0, 0], [1, -1, -1], [-1, -1, -1]], [9.0, nan, nan])
    """
    horizons = checked_horizons(horizons_days)
    if not len(asked.as_of_us) or not len(log):
        raise EmptyInput("no landmarks to label", got=f"{len(asked.as_of_us)} rows")
    log = log.canonical()
    end_us = int(log.at_us[-1]) if end_us is None else int(end_us)
    wanted = tuple(signs_of(log) if signs is None else signs)
    _refuse_contradiction(wanted, converted, ended)
    lead, own = leads_of(asked, log)
    seen = log.at_us <= end_us
    own, at_us, kind = own[seen], log.at_us[seen], log.kind.take(seen)
    as_of_us = np.asarray(asked.as_of_us, np.int64)
    outcome_us = first_at(lead, own, at_us, _any(kind, (*converted, *ended)))
    born_us = first_at(lead, own, at_us, of_kinds(kind, wanted))
    sign = _any(kind, (*wanted, *converted))
    next_us = _next_at(lead, as_of_us, own[sign], at_us[sign])
    window_end_us = as_of_us[:, None] + np.array([horizon_us(h) for h in horizons])
    label = np.full(window_end_us.shape, CENSORED, np.int8)
    label[window_end_us <= end_us] = SILENT
    label[next_us[:, None] <= window_end_us] = HEARD
    label[(outcome_us <= as_of_us) | (born_us > as_of_us)] = RESOLVED
    gone = next_us == NEVER_US
    next_days = np.where(gone, np.nan, (next_us - as_of_us) / US_PER_DAY)
    return Silence(label, next_days, as_of_us, lead, horizons, end_us)


def checked_horizons(horizons_days: Sequence[float]) -> tuple[float, ...]:
    """Horizons as floats.

    Raises
    ------
    BadInput
        If there is none, or they do not rise.
    """
    horizons = tuple(float(h) for h in horizons_days)
    if not horizons or any(b <= a for a, b in pairwise(horizons)):
        raise BadInput(
            "horizons must rise", where="horizons_days", got=horizons, expected="(7, 14, 30)"
        )
    for days in horizons:
        horizon_us(days)
    return horizons


def _refuse_contradiction(
    signs: tuple[str, ...], converted: tuple[str, ...], ended: tuple[str, ...]
) -> None:
    if not signs:
        raise BadInput("which kinds are signs of life?", where="signs", expected='("Inquiry",)')
    twice = sorted((set(signs) | set(converted)) & set(ended))
    if twice:
        raise BadInput("a kind cannot be an ending and a sign of life", where="ended", got=twice)


def _any(kind: Coded, wanted: tuple[str, ...]) -> NDArray[np.bool_]:
    return of_kinds(kind, wanted) if wanted else np.zeros(len(kind.codes), np.bool_)


def _next_at(lead: I64, as_of_us: I64, own: I64, at_us: I64) -> I64:
    """Time of each asked lead's next event after its moment; the end of time where none."""
    if not len(own):
        return np.full(len(lead), NEVER_US)
    # Places in time instead of times, so that lead and place fit one integer.
    times = np.unique(at_us)
    width = np.int64(len(times) + 1)
    key = own * width + np.searchsorted(times, at_us)
    order = np.argsort(key, kind="stable")
    asked = lead * width + np.searchsorted(times, as_of_us, side="right")
    place = np.minimum(np.searchsorted(key[order], asked), len(key) - 1)
    found = order[place]
    later = (own[found] == lead) & (at_us[found] > as_of_us)
    return np.where(later, at_us[found], NEVER_US)

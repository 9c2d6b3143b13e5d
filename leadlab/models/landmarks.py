"""Landmarks: a lead at a moment, and whether it converted within the horizon after it.

What is not known is not a negative: a landmark whose horizon reaches beyond the end of
observation, and whose lead had no outcome by then, is censored and left out of training.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from leadlab.errors import BadInput, EmptyInput, UnknownName
from leadlab.schema.log import MISSING, Coded, EventLog

I64 = NDArray[np.int64]
CONVERTED, NOT_CONVERTED, CENSORED, RESOLVED = 1, 0, -1, -2
US_PER_DAY = 86_400_000_000
NEVER_US = np.iinfo(np.int64).max


class Asked(Protocol):
    """Rows that ask about a lead at a moment: a FeatureTable or Moments."""

    @property
    def tenant(self) -> Coded:
        """Tenant of each row."""

    @property
    def lead(self) -> Coded:
        """Lead of each row."""

    @property
    def as_of_us(self) -> I64:
        """Moment of each row, microseconds since 1970-01-01 UTC."""


@dataclass(frozen=True, eq=False)
class Landmarks:
    """Labels of n landmarks, in the order asked.

    Attributes
    ----------
    label : int8 array, shape (n,)
        1 converted in ``(as_of, as_of + horizon]``; 0 known not to have; -1 censored; -2 the lead
        had its outcome at or before the landmark.
    as_of_us, window_end_us : int64 array, shape (n,)
        The landmark, and the end of its horizon.
    lead : int64 array, shape (n,)
        One number per (tenant, lead): the group that must stay whole.
    horizon_days : float
    end_us : int
        End of observation: nothing after it was looked at.
    """

    label: NDArray[np.int8]
    as_of_us: I64
    window_end_us: I64
    lead: I64
    horizon_days: float
    end_us: int

    def __len__(self) -> int:
        return len(self.label)

    @property
    def usable(self) -> I64:
        """Positions of the landmarks whose label is known and whose whole horizon was observed.

        Shortly before the end of observation only some labels are known, and conversions before
        others: to keep those that happen to be known would make every rate too high.
        """
        return np.flatnonzero((self.label >= 0) & (self.window_end_us <= self.end_us))

    @property
    def counts(self) -> dict[str, int]:
        """How many landmarks there are of each sort."""
        names = {
            "converted": CONVERTED,
            "not_converted": NOT_CONVERTED,
            "censored": CENSORED,
            "resolved": RESOLVED,
        }
        return {name: int((self.label == code).sum()) for name, code in names.items()}


def label_landmarks(
    asked: Asked,
    log: EventLog,
    *,
    converted: tuple[str, ...],
    ended: tuple[str, ...] = (),
    horizon_days: float,
    end_us: int | None = None,
) -> Landmarks:
    """Label leads at moments by what the log says happened next.

    With C and E a lead's first conversion and first other ending, T the end of observation and h
    the horizon, the landmark at t is

    - resolved, if C <= t or E <= t: there is nothing left to foresee;
    - converted, if t < C <= min(t + h, T), be there another ending on the way or not;
    - not converted, if t + h <= T, or if t < E <= T: an ended lead is taken to stay ended;
    - censored otherwise.

    Parameters
    ----------
    asked : FeatureTable or Moments
        n rows.
    log : EventLog
        Must hold every lead that is asked about.
    converted, ended : tuple of str
        Kinds that mean success, and kinds that mean any other ending.
    horizon_days : float
        Above 0.
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
    >>> frame = pd.DataFrame({"who": ["ann", "ann", "bob", "cid"],
    ...                       "what": ["Inquiry", "Closed", "Inquiry", "Inquiry"],
    ...                       "when": ["2026-01-01", "2026-01-09", "2026-01-02", "2026-02-01"]})
    >>> log = EventLog.from_frame(frame, lead="who", kind="what", at="when")
    >>> from leadlab.features import Moments
    >>> asked = Moments(log.tenant, log.lead, log.at_us)
    >>> found = label_landmarks(asked, log, converted=("Closed",), horizon_days=14)
    >>> found.label.tolist(), found.counts["censored"]
    ([1, 0, -2, -1], 1)
    """
    ahead_us = horizon_us(horizon_days)
    if not len(asked.as_of_us) or not len(log):
        raise EmptyInput("no landmarks to label", got=f"{len(asked.as_of_us)} rows")
    log = log.canonical()
    end_us = int(log.at_us[-1]) if end_us is None else int(end_us)
    if not converted:
        raise BadInput("which kind means success?", where="converted", expected='("Closed",)')
    if set(converted) & set(ended):
        got = sorted(set(converted) & set(ended))
        raise BadInput("a kind cannot mean success and another ending", where="ended", got=got)
    lead, own = leads_of(asked, log)
    seen = log.at_us <= end_us
    won_us = first_at(lead, own[seen], log.at_us[seen], of_kinds(log.kind, converted)[seen])
    lost_us = first_at(lead, own[seen], log.at_us[seen], of_kinds(log.kind, ended)[seen])
    as_of_us = np.asarray(asked.as_of_us, np.int64)
    window_end_us = as_of_us + ahead_us
    label = np.full(len(as_of_us), CENSORED, np.int8)
    label[(window_end_us <= end_us) | (lost_us <= end_us)] = NOT_CONVERTED
    label[won_us <= np.minimum(window_end_us, end_us)] = CONVERTED
    label[np.minimum(won_us, lost_us) <= as_of_us] = RESOLVED
    return Landmarks(label, as_of_us, window_end_us, lead, float(horizon_days), end_us)


def horizon_us(horizon_days: float) -> int:
    """A horizon in microseconds.

    Examples
    --------
    >>> horizon_us(1)
    86400000000
    """
    if not 0 < horizon_days <= 36_525:
        raise BadInput(
            "cannot use a horizon", where="horizon_days", got=horizon_days, expected="0 to 36525"
        )
    return round(horizon_days * US_PER_DAY)


def leads_of(asked: Asked, log: EventLog) -> tuple[I64, I64]:
    """One number per (tenant, lead), of each asked row and of each event.

    Raises
    ------
    UnknownName
        If a lead that is asked about has no event.
    """
    width = np.int64(len(log.lead.names))
    lead = _codes(asked.tenant, log.tenant, "tenant") * width + _codes(asked.lead, log.lead, "lead")
    own = log.tenant.codes * width + log.lead.codes
    _refuse_strangers(asked, np.unique(own), lead)
    return lead, own


def _codes(asked: Coded, known: Coded, what: str) -> I64:
    """Codes of the asked names in the log's own coding."""
    used = np.unique(asked.codes)
    table = np.full(len(asked.names) + 1, MISSING, np.int64)
    for code in used[used != MISSING]:
        name = asked.names[code]
        if name not in known.index:
            raise UnknownName(what, str(name), map(str, known.names))
        table[code] = known.index[name]
    if MISSING in used:
        raise BadInput(f"a landmark without a {what}", where=what)
    return table[asked.codes]


def _refuse_strangers(asked: Asked, own: I64, lead: I64) -> None:
    """A lead may have a namesake with another tenant and no event of its own."""
    strange = np.flatnonzero(~np.isin(lead, own))
    if len(strange):
        row = strange[0]
        name, tenant = asked.lead.take(strange[:1]), asked.tenant.take(strange[:1])
        where = f"row {row}, tenant {tenant.values()[0]}"
        raise UnknownName("lead", str(name.values()[0]), [], where=where)


def of_kinds(kind: Coded, wanted: tuple[str, ...]) -> NDArray[np.bool_]:
    """Which events are of the wanted kinds, each of which must be known."""
    codes = []
    for name in wanted:
        if name not in kind.index:
            raise UnknownName("kind", name, map(str, kind.names))
        codes.append(kind.index[name])
    return np.isin(kind.codes, codes)


def first_at(lead: I64, own: I64, at_us: I64, chosen: NDArray[np.bool_]) -> I64:
    """Time of each asked lead's first chosen event; the end of time where there is none."""
    leads, first = np.unique(own[chosen], return_index=True)
    if not len(leads):
        return np.full(len(lead), NEVER_US)
    place = np.minimum(np.searchsorted(leads, lead), len(leads) - 1)
    return np.where(leads[place] == lead, at_us[chosen][first[place]], NEVER_US)

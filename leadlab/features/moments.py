"""Which leads are asked about, and as of when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlab.errors import BadInput
from leadlab.features.clock import US_PER_DAY, local_us, utc_us
from leadlab.features.feature_set import FeatureSet
from leadlab.schema.log import Coded, EventLog

I64 = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Moments:
    """Questions: a lead and an as-of time each.

    Attributes
    ----------
    tenant, lead : Coded, length n
        Names as in the log; others are answered as unknown.
    as_of_us : int64 array, shape (n,)
        Microseconds since 1970-01-01 UTC.
    """

    tenant: Coded
    lead: Coded
    as_of_us: I64

    def __len__(self) -> int:
        return len(self.as_of_us)


At = str | Moments | Sequence[datetime | str] | pd.DatetimeIndex | I64


def as_micros(times: Sequence[datetime | str] | pd.DatetimeIndex | I64) -> I64:
    """Times as microseconds since 1970-01-01 UTC; integers are taken as such already.

    Examples
    --------
    >>> as_micros(["1970-01-02"]).tolist()
    [86400000000]
    """
    if isinstance(times, np.ndarray) and times.dtype.kind == "i":
        return times.astype(np.int64)
    try:
        index = pd.DatetimeIndex(pd.to_datetime(list(times), utc=True))
    except (ValueError, TypeError) as error:
        raise BadInput("cannot read as-of times", got=str(times)[:80]) from error
    return np.asarray(index.as_unit("us").asi8)


def moments_of(log: EventLog, features: FeatureSet, at: At) -> Moments:
    """Spell out what `at` asks; see `leadlab.features.build`."""
    if isinstance(at, Moments):
        return at
    if isinstance(at, str):
        if at == "each event":
            return Moments(log.tenant, log.lead, log.at_us)
        if at == "daily":
            return _daily(log, features)
        raise BadInput(
            "cannot tell the moments",
            got=repr(at),
            expected='"each event", "daily", times or Moments',
        )
    return _at_times(log, np.sort(as_micros(at)))


def _spans(log: EventLog) -> tuple[I64, I64, I64]:
    """Position of each lead's first event, and the times of its first and last, in time order."""
    pair = log.tenant.codes * np.int64(len(log.lead.names)) + log.lead.codes
    _, first, inverse = np.unique(pair, return_index=True, return_inverse=True)
    last_us = np.zeros(len(first), np.int64)
    np.maximum.at(last_us, inverse, log.at_us)
    return first, log.at_us[first], last_us


def _at_times(log: EventLog, times_us: I64) -> Moments:
    """Each time, every lead known by then."""
    first, first_us, _ = _spans(log)
    known = [first[first_us <= t] for t in times_us]
    rows = np.concatenate(known) if known else np.empty(0, np.int64)
    as_of_us = np.repeat(times_us, [len(k) for k in known])
    return Moments(log.tenant.take(rows), log.lead.take(rows), as_of_us)


def _daily(log: EventLog, features: FeatureSet) -> Moments:
    """Local midnights from a lead's first event until its last one has left every window."""
    first, first_us, last_us = _spans(log)
    until_us = last_us + features.longest_window_s * 1_000_000
    until_us = np.minimum(until_us, log.at_us[-1] + US_PER_DAY)
    start_day = local_us(first_us, features.tz) // US_PER_DAY + 1
    end_day = np.maximum(local_us(until_us, features.tz) // US_PER_DAY, start_day)
    counts = end_day - start_day + 1
    rows = np.repeat(first, counts)
    within = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    as_of_us = utc_us((np.repeat(start_day, counts) + within) * US_PER_DAY, features.tz)
    order = np.argsort(as_of_us, kind="stable")
    rows = rows[order]
    return Moments(log.tenant.take(rows), log.lead.take(rows), as_of_us[order])

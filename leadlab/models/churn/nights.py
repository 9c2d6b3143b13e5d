"""Landmarks for silence: midnights of every lead, thinned to a number that can be trained on."""

from __future__ import annotations

import numpy as np

from leadlab.errors import BadInput
from leadlab.features.feature_set import FeatureSet
from leadlab.features.moments import Moments, moments_of
from leadlab.schema.log import EventLog

US_PER_DAY = 86_400_000_000


def nights(log: EventLog, features: FeatureSet, *, most: int = 80_000) -> Moments:
    """Every k-th midnight of each lead, silent days included, the leads taking turns.

    Parameters
    ----------
    log : EventLog
        At least one event.
    features : FeatureSet
        A lead is asked about from its first event until its last has left every window, and not
        beyond the end of the log.
    most : int
        k is the least that leaves about so many.

    Examples
    --------
    >>> import pandas as pd
    >>> from leadlab.features import count, events
    >>> frame = pd.DataFrame({"who": ["ann", "bob"], "what": ["Inquiry"] * 2,
    ...                       "when": ["2026-01-01", "2026-01-09"]})
    >>> log = EventLog.from_frame(frame, lead="who", kind="what", at="when")
    >>> features = FeatureSet([count(events("Inquiry"), "7d")])
    >>> len(nights(log, features)), len(nights(log, features, most=4))
    (7, 3)
    """
    if most < 1:
        raise BadInput("at least one landmark", where="most", got=most)
    asked = moments_of(log.canonical(), features, "daily")
    inside = np.flatnonzero(asked.as_of_us <= int(log.at_us.max()))
    every = max(1, -(-len(inside) // most))
    turn = asked.as_of_us[inside] // US_PER_DAY + asked.lead.codes[inside]
    rows = inside[turn % every == 0]
    return Moments(asked.tenant.take(rows), asked.lead.take(rows), asked.as_of_us[rows])

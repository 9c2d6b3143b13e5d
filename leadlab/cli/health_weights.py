"""Weights of health learned from the past of a log, up to a moment and never beyond it."""

from __future__ import annotations

import numpy as np

from leadlab.errors import BadInput, EmptyInput
from leadlab.explain import Scorer
from leadlab.features import build
from leadlab.features.moments import as_micros
from leadlab.models.churn.nights import nights
from leadlab.models.health.assess import health_features
from leadlab.models.health.learn import learn_weights
from leadlab.models.health.weights import HealthWeights
from leadlab.models.landmarks import label_landmarks
from leadlab.schema import EventLog

NIGHTS = 60_000


def learned(log: EventLog, scorer: Scorer, as_of: str | None) -> HealthWeights:
    """Learn from midnights of leads whose outcome was known by the moment.

    Parameters
    ----------
    log : EventLog
    scorer : Scorer
        Its file says which outcome within which horizon.
    as_of : str or None
        Events after it are not looked at; the log's last event when not given.

    Raises
    ------
    EmptyInput, BadInput
        If there are no events, the model does not say its outcome, or too little is known.
    """
    if not len(log):
        raise EmptyInput("there is nothing to learn from", got="0 events")
    about = scorer.about
    if about is None or not about.converted or about.horizon_days is None:
        raise BadInput("the model does not say what outcome it foresees", where="--learn")
    at_us = int(log.at_us[-1]) if as_of is None else int(as_micros([as_of])[0])
    past = log.between(0, at_us + 1)
    features = health_features(HealthWeights.default(), scorer.features.tz)
    table = build(past, features, nights(past, features, most=NIGHTS))
    found = label_landmarks(
        table,
        past,
        converted=tuple(k for k in about.converted if k in past.kind.index),
        ended=tuple(k for k in about.ended if k in past.kind.index),
        horizon_days=about.horizon_days,
    )
    rows = found.usable
    when = str(np.datetime64(at_us, "us").astype("datetime64[D]"))
    return learn_weights(
        table.take(rows),
        found.label[rows].astype(np.int64),
        groups=found.lead[rows],
        origin=f"this log up to {when}",
    )

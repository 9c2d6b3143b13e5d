"""How well it stands with leads: 0 to 100, five parts, six levels, from what was known then.

A part is the weighted mean of its known measures, the score the weighted mean of the known parts::

    part_p = sum(u_m points_m) / sum(u_m)      over the measures m of p that are known
    score  = sum(w_p part_p)   / sum(w_p)      over the parts p that are known

What is unknown leaves the mean and is said to be unknown. The chance of converting is the model's,
beside the score and no part of it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from leadlab.errors import BadInput, EmptyInput
from leadlab.features.batch import build
from leadlab.features.catalogue import catalogue
from leadlab.features.feature_set import FeatureSet
from leadlab.features.moments import as_micros
from leadlab.features.table import FeatureTable
from leadlab.models.health.health import Healths
from leadlab.models.health.weights import PARTS, HealthWeights
from leadlab.schema.log import EventLog

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


class Chances(Protocol):
    """What a model says of the same rows, such as `leadlab.explain.Scores`."""

    @property
    def probability(self) -> F64:
        """Of the outcome, shape (n,)."""

    @property
    def low(self) -> F64:
        """Lower end of the interval, shape (n,)."""

    @property
    def high(self) -> F64:
        """Upper end of the interval, shape (n,)."""

    @property
    def of(self) -> int:
        """Leads that the interval speaks of."""


def assess_health(
    lead: FeatureTable | EventLog,
    as_of: datetime | str | None = None,
    *,
    chance: Chances | None = None,
    weights: HealthWeights | None = None,
    tz: str = "UTC",
) -> Healths:
    """Say how well it stands with leads as of a moment.

    Parameters
    ----------
    lead : FeatureTable or EventLog
        Rows of the catalogue as of the moment, of one lead or of many; or events, of which those
        up to the moment are read and all leads known by then are assessed.
    as_of : datetime or str, optional
        The moment. Rows of a table that were built for another are refused. When not given: the
        rows' own moments; of a log, its last event.
    chance : Chances, optional
        The scorer's probability with interval of the same rows in the same order.
    weights : HealthWeights, optional
        Those that come with the package when not given.
    tz : str
        Zone of the features that are built of events.

    Returns
    -------
    Healths
        A lead of whom nothing is known has the score NaN, the level "unknown" and a note.

    Raises
    ------
    EmptyInput
        If the log has no event.
    BadInput
        If the table has none of the features, is of another moment, or `chance` has other rows.

    Examples
    --------
    >>> import pandas as pd
    >>> log = EventLog.from_frame(
    ...     pd.DataFrame({"lead": ["bob", "ann", "ann"], "at": ["2026-02-01", "2026-03-01",
    ...         "2026-03-01"], "kind": ["Inquiry", "Showing Requested", "Saved Property"]}),
    ...     lead="lead", kind="kind", at="at")
    >>> bob, ann = assess_health(log, "2026-03-02").to_frame()["score"]
    >>> 0 < bob < ann < 100
    True
    """
    weights = HealthWeights.default() if weights is None else weights
    at_us = None if as_of is None else int(as_micros([as_of])[0])
    table = _built(lead, at_us, weights, tz) if isinstance(lead, EventLog) else lead
    _check(table, at_us, weights, chance)
    points = np.column_stack([m.of(table) for part in weights.parts for m in part.measures])
    parts = parts_of(weights, points)
    score = score_of(weights, parts)
    unknown = np.full(len(table), np.nan)
    return Healths(
        table,
        weights,
        score,
        parts,
        points,
        _place(score, weights.cuts),
        _place(parts[:, PARTS.index("momentum")], weights.steady),
        unknown if chance is None else np.asarray(chance.probability, np.float64),
        unknown if chance is None else np.asarray(chance.low, np.float64),
        unknown if chance is None else np.asarray(chance.high, np.float64),
        0 if chance is None else chance.of,
    )


def health_features(weights: HealthWeights, tz: str = "UTC") -> FeatureSet:
    """The catalogue's features that health reads.

    Examples
    --------
    >>> "showing_count_30d" in health_features(HealthWeights.default()).names
    True
    """
    return catalogue(tz).select(weights.features)


def parts_of(weights: HealthWeights, points: F64) -> F64:
    """Parts of the points of all measures, shape (n, 5); NaN where no measure is known."""
    found, start = [], 0
    for part in weights.parts:
        stop = start + len(part.measures)
        own = np.array([m.weight for m in part.measures])
        found.append(_mean(points[:, start:stop], own))
        start = stop
    return np.column_stack(found)


def score_of(weights: HealthWeights, parts: F64) -> F64:
    """Score of parts, shape (n,)."""
    return _mean(parts, np.array([part.weight for part in weights.parts]))


def _mean(points: F64, weight: F64) -> F64:
    """Weighted mean of what is known; NaN where nothing with a weight is.

    Summed column by column, so that a lead's score is the same to the last bit in any company.
    """
    total, mass = np.zeros(len(points)), np.zeros(len(points))
    for column, own in zip(points.T, weight, strict=True):
        known = ~np.isnan(column)
        total += np.where(known, column, 0.0) * own
        mass += known * own
    mean = np.divide(total, mass, out=np.full(len(points), np.nan), where=mass > 0)
    return np.asarray(np.clip(mean, 0.0, 100.0), np.float64)


def _place(score: F64, cuts: tuple[float, ...]) -> I64:
    place = np.searchsorted(np.array(cuts), score, side="right")
    return np.where(np.isnan(score), -1, place).astype(np.int64)


def _built(log: EventLog, at_us: int | None, weights: HealthWeights, tz: str) -> FeatureTable:
    if not len(log):
        raise EmptyInput("there is nobody to assess", where="lead", got="0 events")
    moment = log.at_us.max() if at_us is None else at_us
    return build(log, health_features(weights, tz), np.array([moment], np.int64))


def _check(
    table: FeatureTable, at_us: int | None, weights: HealthWeights, chance: Chances | None
) -> None:
    if not set(table.names) & set(weights.features):
        raise BadInput(
            "the table has no feature that health reads",
            where="lead",
            got=", ".join(table.names[:3]),
            expected="rows of leadlab.features.catalogue",
        )
    if at_us is not None and (table.as_of_us != at_us).any():
        other = int(table.as_of_us[table.as_of_us != at_us][0])
        raise BadInput(
            "rows of another moment",
            where="as_of",
            got=f"{np.datetime64(other, 's')}",
            expected=f"{np.datetime64(at_us, 's')}",
            hint="Build the table as of the moment that is asked for.",
        )
    if chance is not None and len(chance.probability) != len(table):
        got, expected = len(chance.probability), len(table)
        raise BadInput("one chance a row", where="chance", got=got, expected=expected)

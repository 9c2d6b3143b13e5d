"""How well it stands with leads: 0 to 100, five parts, six levels, from what was known then.

A part is the weighted mean of its known measures, the score the weighted mean of the known parts::

    part_p = sum(u_m points_m) / sum(u_m)      over the measures m of p that are known
    score  = sum(w_p part_p)   / sum(w_p)      over the parts p that are known

What is unknown leaves the mean and is said to be unknown. The chance of converting is the model's,
beside the score and no part of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlab.errors import BadInput, EmptyInput
from leadlab.features.batch import build
from leadlab.features.catalogue import catalogue
from leadlab.features.feature_set import FeatureSet
from leadlab.features.moments import as_micros
from leadlab.features.table import FeatureTable
from leadlab.models.health.measures import Measure
from leadlab.models.health.weights import LEVELS, PARTS, HealthWeights
from leadlab.schema.log import EventLog

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
UNKNOWN = "unknown"
MOMENTA = ("declining", "steady", "accelerating")
NOTHING_KNOWN = "nothing is known of this lead yet, so it is not assessed"


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


@dataclass(frozen=True, slots=True)
class MeasureHealth:
    """One measure of one lead.

    Attributes
    ----------
    measure : Measure
    value : float
        Of the feature; NaN where it is unknown or has not happened.
    points : float
        0 to 100; NaN where unknown.
    room : float
        Points of the score that the measure would add at 100; 0 where unknown.
    """

    measure: Measure
    value: float
    points: float
    room: float


@dataclass(frozen=True, slots=True)
class PartHealth:
    """One part of one lead.

    Attributes
    ----------
    name, what : str
    points : float
        0 to 100; NaN where nothing of it is known.
    share : float
        Of the score: 0 where the part is unknown; all shares add up to 1.
    measures : tuple of MeasureHealth
    """

    name: str
    what: str
    points: float
    share: float
    measures: tuple[MeasureHealth, ...]


@dataclass(frozen=True, slots=True)
class Health:
    """How well it stands with one lead.

    Attributes
    ----------
    tenant, lead : str
    as_of_us : int
    score : float
        0 to 100; NaN where nothing is known.
    level : str
        One of `LEVELS`, or "unknown".
    momentum : str
        "declining", "steady", "accelerating" or "unknown".
    parts : tuple of PartHealth
    probability, low, high : float
        The model's, with its interval for `of` such leads; NaN where none was given.
    of : int
    level_rate : float
        Share of this level that converted where the weights were learned; NaN where they were not.
    note : str
        What stands in the way of an assessment; empty where nothing does.
    """

    tenant: str
    lead: str
    as_of_us: int
    score: float
    level: str
    momentum: str
    parts: tuple[PartHealth, ...]
    probability: float
    low: float
    high: float
    of: int
    level_rate: float
    note: str = ""


@dataclass(frozen=True, eq=False)
class Healths:
    """How well it stands with n leads, in columns.

    Attributes
    ----------
    table : FeatureTable
        What was known.
    weights : HealthWeights
    score : float array, shape (n,)
    parts : float array, shape (n, 5)
        By `PARTS`; NaN where unknown.
    points : float array, shape (n, k)
        Of every measure, part after part; NaN where unknown.
    level, momentum : int array, shape (n,)
        Position in `LEVELS` and `MOMENTA`, -1 where unknown.
    probability, low, high : float array, shape (n,)
    of : int
    """

    table: FeatureTable
    weights: HealthWeights
    score: F64
    parts: F64
    points: F64
    level: I64
    momentum: I64
    probability: F64
    low: F64
    high: F64
    of: int

    def __len__(self) -> int:
        return len(self.score)

    def __getitem__(self, row: int) -> Health:
        shares = part_shares(self.weights, self.parts[row : row + 1])[0]
        told, start = [], 0
        for p, part in enumerate(self.weights.parts):
            stop = start + len(part.measures)
            points = self.points[row, start:stop]
            known = np.array([m.weight for m in part.measures]) * ~np.isnan(points)
            room = shares[p] * known / max(known.sum(), 1e-300) * (100 - np.nan_to_num(points))
            values = [_value(self.table, m, row) for m in part.measures]
            measures = map(MeasureHealth, part.measures, values, points.tolist(), room.tolist())
            point = float(self.parts[row, p])
            told.append(PartHealth(part.name, part.what, point, float(shares[p]), tuple(measures)))
            start = stop
        level, momentum = int(self.level[row]), int(self.momentum[row])
        rates = self.weights.rates
        return Health(
            str(self.table.tenant.values()[row]),
            str(self.table.lead.values()[row]),
            int(self.table.as_of_us[row]),
            float(self.score[row]),
            LEVELS[level] if level >= 0 else UNKNOWN,
            MOMENTA[momentum] if momentum >= 0 else UNKNOWN,
            tuple(told),
            float(self.probability[row]),
            float(self.low[row]),
            float(self.high[row]),
            self.of,
            rates[level] if rates and level >= 0 else float("nan"),
            "" if level >= 0 else NOTHING_KNOWN,
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a lead: keys, score, level, momentum, the parts, the chance."""
        keys = self.table.take(np.arange(len(self))).to_frame()[["tenant", "lead", "as_of"]]
        names = np.array([*LEVELS, UNKNOWN], dtype=object)
        momenta = np.array([*MOMENTA, UNKNOWN], dtype=object)
        return keys.assign(
            score=self.score,
            level=names[self.level],
            momentum_is=momenta[self.momentum],
            **{name: self.parts[:, p] for p, name in enumerate(PARTS)},
            probability=self.probability,
            low=self.low,
            high=self.high,
        )


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


def part_shares(weights: HealthWeights, parts: F64) -> F64:
    """Share that each known part has in the score, shape (n, 5)."""
    mass = ~np.isnan(parts) * np.array([part.weight for part in weights.parts])
    total = mass.sum(axis=1, keepdims=True)
    return np.divide(mass, total, out=np.zeros_like(mass), where=total > 0)


def _mean(points: F64, weight: F64) -> F64:
    """Weighted mean of what is known; NaN where nothing with a weight is."""
    mass = ~np.isnan(points) @ weight
    total = np.nan_to_num(points) @ weight
    mean = np.divide(total, mass, out=np.full(len(points), np.nan), where=mass > 0)
    within: F64 = np.clip(mean, 0.0, 100.0)
    return within


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


def _value(table: FeatureTable, measure: Measure, row: int) -> float:
    if measure.feature not in table.names:
        return float("nan")
    return float(table.column(measure.feature)[row])

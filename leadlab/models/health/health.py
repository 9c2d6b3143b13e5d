"""What an assessment says of one lead, and of many in columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlab.features.table import FeatureTable
from leadlab.models.health.measures import Measure
from leadlab.models.health.weights import LEVELS, PARTS, HealthWeights

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
UNKNOWN = "unknown"
MOMENTA = ("declining", "steady", "accelerating")
NOTHING_KNOWN = "nothing is known of this lead yet, so it is not assessed"


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
    known : float
        Share of all weights that rests on something known, 0 to 1.
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
    known: float
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
            self._known(row),
            "" if level >= 0 else NOTHING_KNOWN,
        )

    def _known(self, row: int) -> float:
        weights = np.concatenate(
            [part.weight * np.array(part.shares) for part in self.weights.parts]
        )
        return float(weights[~np.isnan(self.points[row])].sum() / weights.sum())

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


def part_shares(weights: HealthWeights, parts: F64) -> F64:
    """Share that each known part has in the score, shape (n, 5)."""
    mass = ~np.isnan(parts) * np.array([part.weight for part in weights.parts])
    total = mass.sum(axis=1, keepdims=True)
    shares: F64 = np.divide(mass, total, out=np.zeros_like(mass), where=total > 0)
    return shares


def _value(table: FeatureTable, measure: Measure, row: int) -> float:
    if measure.feature not in table.names:
        return float("nan")
    return float(table.column(measure.feature)[row])

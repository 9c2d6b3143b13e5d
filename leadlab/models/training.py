"""From an event log to a judged model: features, landmarks, a temporal split, a fit, a report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from leadlab.features.automatic import automatic
from leadlab.features.batch import build
from leadlab.features.feature_set import FeatureSet
from leadlab.features.moments import At
from leadlab.features.table import FeatureTable
from leadlab.models.baselines import BaseRate, LastEventRule, Logistic
from leadlab.models.conversion import ConversionModel
from leadlab.models.files.model_file import About, fingerprint, save_model
from leadlab.models.landmarks import Landmarks, label_landmarks
from leadlab.models.matrix import matrix
from leadlab.models.report import Fitted, Report, evaluate
from leadlab.models.splits import Split, temporal_split
from leadlab.schema.log import EventLog

Told = Callable[[str], None]
MOST_LOGISTIC_ROWS = 40_000
"""The logistic baseline learns from at most so many rows, evenly spread over time."""

RESAMPLES = 100
"""Of the bootstrap over leads."""


@dataclass(frozen=True)
class Study:
    """What is to be foreseen, and how it is judged.

    Attributes
    ----------
    converted, ended : tuple of str
        Kinds that mean success, and kinds that mean any other ending.
    horizon_days : float
        How far ahead.
    at : "each event", "daily" or times
        Landmarks.
    validation, test : float
        Shares of leads; the test side are the latest, and should last longer than leads usually
        take to convert.
    capacity : float
        Share of leads that the team can work on; for lift.
    seed : int
        Of training and of the bootstrap.
    """

    converted: tuple[str, ...]
    ended: tuple[str, ...] = ()
    horizon_days: float = 30.0
    at: At = "each event"
    validation: float = 0.15
    test: float = 0.2
    capacity: float = 0.1
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Trained:
    """A model, what it was trained on, and what it is worth.

    Attributes
    ----------
    model : ConversionModel
    table : FeatureTable
        All landmarks with a known label.
    label : int array, shape (len(table),)
        1 converted within the horizon, else 0.
    landmarks : Landmarks
        All landmarks, with the counts of those left out.
    split : Split
        Rows of `table` on each side.
    report : Report
        On the test side, beside the baselines.
    about : About
        What the model's file will say.
    """

    model: ConversionModel
    table: FeatureTable
    label: NDArray[np.int64]
    landmarks: Landmarks
    split: Split
    report: Report
    about: About

    def save(self, path: str | Path) -> Path:
        """Write the model with its features, figures and origin to one file."""
        return save_model(path, self.model, self.about)


def train(
    log: EventLog,
    study: Study,
    *,
    features: FeatureSet | None = None,
    model: ConversionModel | None = None,
    trained_at: str = "",
    tell: Told = lambda step: None,
) -> Trained:
    """Train on the earlier leads, some of them held out to stop by, and judge on the later ones.

    Parameters
    ----------
    log : EventLog
        With outcomes of the kinds that `study` names.
    study : Study
        What to foresee.
    features : FeatureSet, optional
        `leadlab.features.automatic` of the log without its outcomes when not given.
    model : ConversionModel, optional
        Unfitted settings; the defaults with the study's seed when not given.
    trained_at : str
        ISO 8601 moment for the model's file.
    tell : callable
        Called with a few words at each step, for progress bars.

    Raises
    ------
    EmptyInput, UnknownName, BadInput
        If there are no events, an outcome kind does not occur, or a side of the split has no
        lead or one class only.
    """
    tell("declare features")
    chosen = features or automatic(log, skip=(*study.converted, *study.ended))
    tell(f"build {len(chosen)} features")
    table = build(log, chosen, study.at)
    tell("label landmarks")
    landmarks = label_landmarks(
        table,
        log,
        converted=study.converted,
        ended=study.ended,
        horizon_days=study.horizon_days,
    )
    rows = landmarks.usable
    table, label = table.take(rows), landmarks.label[rows].astype(np.int64)
    split = temporal_split(
        table.as_of_us,
        landmarks.lead[rows],
        label,
        window_end_us=landmarks.window_end_us[rows],
        validation=study.validation,
        test=study.test,
    )
    train_rows, held_out = table.take(split.train), table.take(split.validation)
    tell(f"train on {len(train_rows):,} landmarks")
    fitted = (model or ConversionModel(seed=study.seed)).fit(
        train_rows, label[split.train], validation=(held_out, label[split.validation])
    )
    fitted.calibrate(
        held_out, label[split.validation], groups=landmarks.lead[rows][split.validation]
    )
    tell("fit baselines")
    baselines = baselines_of(train_rows, label[split.train])
    tell(f"evaluate on {len(split.test):,} landmarks")
    report = evaluate(
        fitted,
        baselines,
        table.take(split.test),
        label[split.test],
        groups=landmarks.lead[rows][split.test],
        capacity=study.capacity,
        resamples=RESAMPLES,
        seed=study.seed,
        name="gradient-boosted trees",
    )
    origin = fingerprint(matrix(train_rows), label[split.train])
    about = _about(study, chosen, landmarks, split, report, origin, trained_at)
    return Trained(fitted, table, label, landmarks, split, report, about)


def _about(
    study: Study,
    features: FeatureSet,
    landmarks: Landmarks,
    split: Split,
    report: Report,
    origin: str,
    trained_at: str,
) -> About:
    """What the model's file will say."""
    return About(
        features=features.to_json(),
        converted=study.converted,
        ended=study.ended,
        horizon_days=study.horizon_days,
        seed=study.seed,
        fingerprint=origin,
        metrics={name: found.value for name, found in report.metrics.items()},
        trained_at=trained_at,
        notes={"test_start_us": split.test_start_us, "landmarks": landmarks.counts},
    )


def baselines_of(table: FeatureTable, label: NDArray[np.int64]) -> dict[str, Fitted]:
    """What every model must beat, fitted on the same side."""
    found: dict[str, Fitted] = {"base rate": BaseRate().fit(table, label)}
    if any(name.startswith("kind_is_") for name in table.names):
        found["last-event rule"] = LastEventRule().fit(table, label)
    every = max(1, -(-len(table) // MOST_LOGISTIC_ROWS))
    some = np.arange(0, len(table), every)
    if 0 < label[some].sum() < len(some):
        found["logistic regression"] = Logistic(max_iter=200).fit(table.take(some), label[some])
    return found

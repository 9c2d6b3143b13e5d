"""The simulated brokerage: how near a model comes to the truth that was planted.

No model can know a lead's hidden intent; the planted truth does. Its own figures are the ceiling
that the simulation leaves, and the model's are given as a share of them. All of it is SIMULATED.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple
from typing import Protocol as Shape

import numpy as np
from numpy.typing import NDArray

from leadlab.features import FeatureTable, Moments, build, catalogue
from leadlab.models.conversion import ConversionModel
from leadlab.models.held_out import held_out_figures
from leadlab.models.landmarks import label_landmarks
from leadlab.models.protocols.evaluation import Evaluation, best_of
from leadlab.models.splits import Split, temporal_split
from leadlab.models.training import baselines_of
from leadlab.schema.log import EventLog

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
OUTCOME = "Offer Accepted"
ENDED = ("Closed", "Lost")
HORIZON_DAYS = 30.0
EVERY = 5
"""Every fifth event of each lead is a landmark: neighbours say nearly the same."""
PROTOCOL = (
    f"SIMULATED leads; '{OUTCOME}' within {HORIZON_DAYS:g} days, asked after every fifth event; "
    "the latest 20% of leads are the test side, landmarks whose window reaches it are purged; "
    "every fifth earlier lead stops the training, chooses the calibration and sizes the interval; "
    "'truth' is the chance given the hidden intent."
)


class Truth(Shape):
    """What was planted."""

    def probability(
        self, lead: NDArray[np.generic], at_us: I64, horizon_days: float, outcome: str
    ) -> F64:
        """Chance of the outcome in ``(at, at + horizon]`` given the hidden intent."""


class Brokerage(Shape):
    """A simulated brokerage: see `leadlab.data.brokerage`."""

    @property
    def log(self) -> EventLog:
        """What happened."""

    @property
    def truth(self) -> Truth:
        """Why."""


class _Landmarks(NamedTuple):
    """Rows with a known label."""

    table: FeatureTable
    label: I64
    lead: I64
    split: Split


def evaluate_brokerage(
    brokerage: Brokerage, *, seed: int = 0, tell: Callable[[str], None] = lambda step: None
) -> Evaluation:
    """Run the protocol.

    Parameters
    ----------
    brokerage : Brokerage
        From `leadlab.data.brokerage.simulate`.
    seed : int
        Of the training.
    tell : callable
        Called with a few words at each step, for progress bars.

    Returns
    -------
    Evaluation
        The held-out figures, those of the truth as ``truth_...``, ``pr_auc_of_truth`` (the model's
        over the truth's), and ``gap_to_truth`` (mean distance of the two probabilities).
    """
    tell("build features")
    asked = _landmarks(brokerage.log)
    split, label = asked.split, asked.label
    tell(f"train on {len(split.train):,} landmarks")
    train, later = asked.table.take(split.train), asked.table.take(split.validation)
    model = ConversionModel(seed=seed).fit(
        train, label[split.train], validation=(later, label[split.validation])
    )
    model.calibrate(later, label[split.validation], groups=asked.lead[split.validation])
    tell("fit baselines")
    baselines = baselines_of(train, label[split.train])
    tell(f"judge on {len(split.test):,} landmarks")
    test, y, who = asked.table.take(split.test), label[split.test], asked.lead[split.test]
    p = model.predict_proba(test)[:, 1]
    truth = brokerage.truth.probability(
        np.asarray(test.lead.values()), test.as_of_us, HORIZON_DAYS, OUTCOME
    )
    figures = held_out_figures(y, p, interval=model.interval_, groups=who)
    simple = {
        name: held_out_figures(y, one.predict_proba(test)[:, 1], groups=who)
        for name, one in baselines.items()
    }
    figures |= _against_truth(y, p, truth, who, figures["pr_auc"])
    counts = {
        "events": len(brokerage.log),
        "leads": len(brokerage.log.lead.names),
        "train": len(split.train),
        "validation": len(split.validation),
        "test": len(split.test),
        "test_leads": len(np.unique(who)),
        "converted": int(y.sum()),
    }
    return Evaluation("brokerage", PROTOCOL, seed, figures, best_of(simple), simple, counts)


def _landmarks(log: EventLog) -> _Landmarks:
    rows = _every(log.lead.codes)
    asked = Moments(log.tenant.take(rows), log.lead.take(rows), log.at_us[rows])
    table = build(log, catalogue(), asked)
    found = label_landmarks(
        table, log, converted=(OUTCOME,), ended=ENDED, horizon_days=HORIZON_DAYS
    )
    rows = found.usable
    label = found.label[rows].astype(np.int64)
    split = temporal_split(
        found.as_of_us[rows],
        found.lead[rows],
        label,
        window_end_us=found.window_end_us[rows],
        validation=0.2,
        test=0.2,
    )
    return _Landmarks(table.take(rows), label, found.lead[rows], split)


def _every(lead: NDArray[np.generic]) -> I64:
    """Rows of each lead's first, sixth, eleventh ... event, in order."""
    order = np.argsort(lead, kind="stable")
    starts = np.flatnonzero(np.append(True, np.diff(lead[order]) != 0))
    nth = np.arange(len(lead)) - np.repeat(starts, np.diff(np.append(starts, len(lead))))
    return np.sort(order[nth % EVERY == 0])


def _against_truth(y: I64, p: F64, truth: F64, who: I64, pr_auc: float) -> Mapping[str, float]:
    own = held_out_figures(y, truth, groups=who)
    named = ("roc_auc", "pr_auc", "brier", "brier_skill", "log_loss", "ece")
    return {
        **{f"truth_{name}": own[name] for name in named},
        "pr_auc_of_truth": pr_auc / own["pr_auc"],
        "gap_to_truth": float(np.abs(p - truth).mean()),
    }

"""The simulated brokerage: leads that fall silent, judged beside what was planted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from leadlab.errors import BadInput
from leadlab.features import FeatureTable, build, catalogue
from leadlab.models.churn.figures import beside, compared, flat, judge
from leadlab.models.churn.model import ChurnModel
from leadlab.models.churn.nights import nights
from leadlab.models.churn.silence import Silence, label_silence, outcomes_of
from leadlab.models.landmarks import leads_of
from leadlab.models.protocols.evaluation import Evaluation
from leadlab.schema.kinds import Direction, kinds
from leadlab.schema.log import EventLog

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Tell = Callable[[str], None]
TRAIN_SHARE = 0.6
"""Of leads by arrival."""
NIGHTS = 80_000
"""So many landmarks at most, evenly over leads and time."""
TRUTH = ("roc_auc", "pr_auc", "brier_skill", "log_loss", "ece")
PROTOCOL = (
    "SIMULATED leads. Each lead is asked about at midnights (every k-th, so that 80,000 remain) "
    "from its first event until its last has left every window, silent days included: will no sign "
    "of life (any event of its own) come within 7, 14 and 30 days? First 60% by arrival train, on "
    "windows that were over when the first test lead came; test leads on windows over at "
    "the end of the log. truth_*: the same figures of the planted probability, which knows the "
    "hidden state; gap_to_truth_*: mean distance to it. Settings are the model's own. Baselines, "
    "each horizon fitted on its own: base rate, rate by days since the last sign, logistic "
    "regression."
)


class Planted(Protocol):
    """What was planted."""

    def silence(self, lead: Any, at_us: I64, horizon_days: float) -> F64:
        """P(no sign of life) of each lead in ``(at, at + horizon]``."""


class Brokerage(Protocol):
    """A simulated log with its truth; see `leadlab.data.brokerage`."""

    @property
    def log(self) -> EventLog:
        """What happened."""

    @property
    def truth(self) -> Planted:
        """Why."""


def evaluate_brokerage_churn(
    brokerage: Brokerage, *, seed: int = 0, tell: Tell = lambda step: None
) -> Evaluation:
    """Run the protocol.

    Parameters
    ----------
    brokerage : Brokerage
        At least some months of it.
    seed : int
        The same seed gives the same figures.
    tell : callable
        Called with a few words at each step, for progress bars.

    Returns
    -------
    Evaluation
        Figures as `held_out_figures` names them with ``_7d``, ``_14d`` or ``_30d``; some of them
        for the truth; ``gap_to_truth_*``.

    Raises
    ------
    BadInput
        If the log is too short or holds too few leads.
    """
    log, features = brokerage.log, catalogue()
    tell("find landmarks")
    asked = nights(log, features, most=NIGHTS)
    if not len(asked):
        raise BadInput("too few leads to split", where="log", got=f"{len(log)} events")
    lead, _ = leads_of(asked, log)
    _, first, who = np.unique(lead, return_index=True, return_inverse=True)
    starts = np.sort(asked.as_of_us[first])
    split_us = int(starts[int(TRAIN_SHARE * len(starts))])
    later = asked.as_of_us[first][who] >= split_us
    tell(f"build {len(features)} features of {len(asked):,} nights")
    table = build(log, features, asked)
    train = table.take(np.flatnonzero(~later & (asked.as_of_us < split_us)))
    test = table.take(np.flatnonzero(later))
    if not len(train) or not len(test):
        raise BadInput("too few leads to split", where="log", got=f"{len(starts)} leads")
    known, truth = _labels(train, log, split_us), _labels(test, log, int(log.at_us[-1]))
    train, known = train.take(known.alive), known.take(known.alive)
    test, truth = test.take(truth.alive), truth.take(truth.alive)
    tell(f"train on {len(train):,} nights")
    model = ChurnModel(seed=seed).fit(train, known)
    tell("fit baselines")
    others = beside(train, known, test, curve="activity_recency")
    tell(f"judge {len(test):,} nights")
    ours, best, theirs = compared(model, test, truth, others, seed=seed)
    ours |= _beside_truth(brokerage.truth, model.silence(test), test, truth, seed)
    counts = {"leads": len(starts), "train_nights": len(train), "test_nights": len(test)}
    return Evaluation("brokerage_churn", PROTOCOL, seed, ours, best, theirs, counts)


def _labels(table: FeatureTable, log: EventLog, end_us: int) -> Silence:
    """Signs are all that a lead does, as the truth has it; an outcome of either sort ends it."""
    signs = tuple(k for k in kinds(direction=Direction.FROM_LEAD) if k in log.kind.index)
    won, lost = outcomes_of(log)
    return label_silence(table, log, signs=signs, ended=(*won, *lost), end_us=end_us)


def _beside_truth(
    planted: Planted, chance: F64, test: FeatureTable, found: Silence, seed: int
) -> dict[str, float]:
    names = test.lead.values()
    true = np.column_stack(
        [planted.silence(names, test.as_of_us, days) for days in found.horizons_days]
    )
    figures = []
    for k, one in enumerate(judge(true, found, seed=seed)):
        over = found.known[:, k] >= 0
        gap = float(np.abs(true - chance)[over, k].mean())
        figures.append({f"truth_{n}": one[n] for n in TRUTH} | {"gap_to_truth": gap})
    return flat(found.horizons_days, figures)

"""The simulated brokerage: whether health ranks leads by what comes of them, level by level.

Leads are asked about at midnights, silent days included, as somebody looks at a list of all of
them and not only of those who have just done something. All of it is SIMULATED.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from leadlab.errors import BadInput
from leadlab.features import FeatureTable, build, catalogue
from leadlab.models.baselines import BaseRate
from leadlab.models.calibration.choice import choose_calibration
from leadlab.models.churn.nights import nights
from leadlab.models.conversion import ConversionModel
from leadlab.models.estimator import LeadClassifier
from leadlab.models.health.assess import assess_health
from leadlab.models.health.learn import learn_weights
from leadlab.models.health.weights import LEVELS, PARTS, HealthWeights
from leadlab.models.held_out import held_out_figures
from leadlab.models.landmarks import label_landmarks
from leadlab.models.protocols.brokerage import ENDED, HORIZON_DAYS, OUTCOME, Brokerage
from leadlab.models.protocols.curve import FeatureCurve
from leadlab.models.protocols.evaluation import Evaluation, best_of
from leadlab.models.splits import Split, temporal_split
from leadlab.schema.log import EventLog

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Tell = Callable[[str], None]
NIGHTS = 200_000
"""So many landmarks at most, evenly over leads and time."""
PROTOCOL = (
    f"SIMULATED leads; '{OUTCOME}' within {HORIZON_DAYS:g} days, asked at midnights (every k-th, "
    "so that 200,000 remain) from a lead's first event until its last has left every window, "
    "silent days included. The latest 20% of leads are the test side, landmarks whose window "
    "reaches it are purged. Weights are learned on the earlier leads, and levels begin where the "
    "odds there are 1/4, 1, 3, 8 and 20 times those of all; every fifth of the earlier leads is "
    "kept to map the score to a probability. Figures without a name are those of the learned "
    "weights; 'default weights' are those of the package, with a map of their own. Beside them, as "
    "no baselines: 'conversion model', boosted trees on the catalogue, and 'truth', the chance "
    "given the hidden intent. rate_*: share of a level that converted on the test side; "
    "expected_*: on the training side."
)


_OF_LEVELS = ("rate_", "expected_", "share_", "rows_", "levels_")


class _Asked(NamedTuple):
    """Rows with a known label."""

    table: FeatureTable
    label: I64
    lead: I64
    split: Split


def evaluate_brokerage_health(
    brokerage: Brokerage, *, seed: int = 0, tell: Tell = lambda step: None
) -> Evaluation:
    """Run the protocol.

    Parameters
    ----------
    brokerage : Brokerage
        From `leadlab.data.brokerage.simulate`, at least some months of it.
    seed : int
        The same seed gives the same figures.
    tell : callable
        Called with a few words at each step, for progress bars.

    Returns
    -------
    Evaluation
        Held-out figures of the score through its map; ``rate_*``, ``expected_*``, ``share_*`` and
        ``rows_*`` of each level; ``levels_rise`` (1 where each level converts more often than the
        one below); ``rank_correlation_with_truth`` (Spearman); ``weight_*`` of the parts.

    Raises
    ------
    BadInput
        If the log is too short or holds too few leads.
    """
    tell("build features")
    asked = _landmarks(brokerage.log)
    split, label = asked.split, asked.label
    train = asked.table.take(split.train)
    tell(f"learn weights on {len(split.train):,} nights")
    learned = learn_weights(
        train,
        label[split.train],
        groups=asked.lead[split.train],
        origin="the simulated brokerage",
        seed=seed,
    )
    tell("fit the conversion model")
    later, test = asked.table.take(split.validation), asked.table.take(split.test)
    model = ConversionModel(seed=seed).fit(
        train, label[split.train], validation=(later, label[split.validation])
    )
    model.calibrate(later, label[split.validation], groups=asked.lead[split.validation])
    tell(f"judge on {len(split.test):,} nights")
    truth = brokerage.truth.probability(
        np.asarray(test.lead.values()), test.as_of_us, HORIZON_DAYS, OUTCOME
    )
    figures = _judged(learned, asked, truth, seed)
    usual = _judged(HealthWeights.default(), asked, truth, seed)
    y, who = label[split.test], asked.lead[split.test]
    own = model.predict_proba(test)[:, 1]
    simple = {"default weights": usual, **_rules(train, label[split.train], test, y, who)}
    beside = {
        "conversion model": held_out_figures(y, own, groups=who)
        | {"rank_correlation_with_truth": _rank(own, truth)},
        "truth": held_out_figures(y, truth, groups=who),
    }
    counts = {
        "leads": len(brokerage.log.lead.names),
        "train": len(split.train),
        "validation": len(split.validation),
        "test": len(split.test),
        "test_leads": len(np.unique(who)),
        "converted": int(y.sum()),
    }
    shares = _part_weights(learned, "weight_") | _part_weights(
        HealthWeights.default(), "default_weight_"
    )
    return Evaluation(
        "brokerage_health",
        PROTOCOL,
        seed,
        figures | shares,
        best_of({name: _common(found) for name, found in simple.items()}),
        simple | beside,
        counts,
    )


def _landmarks(log: EventLog) -> _Asked:
    features = catalogue()
    asked = nights(log, features, most=NIGHTS)
    if not len(asked):
        raise BadInput("too few leads to split", where="log", got=f"{len(log)} events")
    table = build(log, features, asked)
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
    return _Asked(table.take(rows), label, found.lead[rows], split)


def _judged(weights: HealthWeights, asked: _Asked, truth: F64, seed: int) -> dict[str, float]:
    """Figures of one set of weights on the test side, its map fitted on the validation side."""
    split, label = asked.split, asked.label
    found = assess_health(asked.table, weights=weights)
    held, test = split.validation, split.test
    mapped = choose_calibration(
        found.score[held] / 100, label[held], groups=asked.lead[held], seed=seed
    )
    y, who, score = label[test], asked.lead[test], found.score[test]
    figures = held_out_figures(y, mapped.apply(score / 100), groups=who)
    ranks = held_out_figures(y, score / 100, groups=who)
    figures |= {name: ranks[name] for name in ("roc_auc", "pr_auc", "lift")}
    figures["rank_correlation_with_truth"] = _rank(score, truth)
    observed = _rates(found.level[test], y)
    expected = _rates(found.level[split.train], label[split.train])
    share = np.bincount(found.level[test], minlength=len(LEVELS)) / len(test)
    for k, level in enumerate(LEVELS):
        name = level.replace(" ", "_")
        figures |= {f"rate_{name}": observed[k], f"expected_{name}": expected[k]}
        figures |= {f"share_{name}": float(share[k]), f"rows_{name}": float(share[k] * len(test))}
    there = observed[~np.isnan(observed)]
    figures["levels_rise"] = float(len(there) == len(LEVELS) and (np.diff(there) > 0).all())
    return figures


def _rules(
    train: FeatureTable, known: I64, test: FeatureTable, y: I64, who: I64
) -> dict[str, dict[str, float]]:
    """Figures of what a list on paper could do."""
    rules: dict[str, LeadClassifier] = {
        "days since last activity": FeatureCurve(column="activity_recency"),
        "base rate": BaseRate(),
    }
    return {
        name: held_out_figures(y, rule.fit(train, known).predict_proba(test)[:, 1], groups=who)
        for name, rule in rules.items()
    }


def _common(figures: dict[str, float]) -> dict[str, float]:
    """Without what each level shows: of those figures none is better or worse."""
    return {n: v for n, v in figures.items() if not n.startswith(_OF_LEVELS)}


def _rates(level: I64, y: I64) -> F64:
    rows = np.bincount(level, minlength=len(LEVELS))
    won = np.bincount(level, weights=y, minlength=len(LEVELS))
    rate: F64 = np.divide(won, rows, out=np.full(len(LEVELS), np.nan), where=rows > 0)
    return rate


def _rank(score: F64, truth: F64) -> float:
    return float(spearmanr(score, truth).statistic)


def _part_weights(weights: HealthWeights, prefix: str) -> dict[str, float]:
    total = sum(part.weight for part in weights.parts)
    return {
        f"{prefix}{name}": part.weight / total
        for name, part in zip(PARTS, weights.parts, strict=True)
    }

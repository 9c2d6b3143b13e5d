"""Protocols of lead tables without times: X Education and the telco customers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlab.models.calibration.calibrated import Calibrated
from leadlab.models.folds import Folds, grouped_folds
from leadlab.models.protocols.evaluation import Evaluation, best_of
from leadlab.models.protocols.held_out_folds import (
    Sides,
    Tell,
    held_out_sides,
    judged,
    spread,
    summary,
)
from leadlab.models.tables.leaks import check_leaks
from leadlab.models.tables.model import TableModel
from leadlab.models.tables.splits import repeated_holdout

I64 = NDArray[np.int64]
ARRIVAL = "arrival"
SHARED = (
    "Model: leadlab.models.tables.model.TableModel with its usual settings, in Calibrated "
    "(calibration chosen and interval set on five folds inside each training side). Figures are "
    "means over held-out sides (*_sd: their standard deviation); ece and ece_floor are those of "
    "all held-out rows together (ece_mean: mean over sides). Baselines see the same rows and "
    "columns: base rate; logistic regression on imputed, scaled and one-hot columns. "
)
X_EDUCATION = (
    "Five shuffled folds of like base rate, rows equal but for the ids in one fold. Columns that "
    "the data set's description calls leaks are left out, and constant ones. 'arrival' is the "
    "number that each lead got on entry; it rises with time and is known at once. "
    "without_arrival_roc_auc: the same without it. "
)
TELCO = (
    "80/20 splits of like base rate, one a seed ({repeats} seeds from {seed}), customers equal but "
    "for the id on one side. Rows held out by several seeds count each time. "
)


class Table(Protocol):
    """What a protocol needs to know of a table; `leadlab.data.LeadTable` has it."""

    name: str
    frame: pd.DataFrame
    target: str
    ids: tuple[str, ...]
    leaky: tuple[str, ...]
    constant: tuple[str, ...]
    groups: NDArray[np.int64]

    @property
    def features(self) -> list[str]:
        """Columns that a model may see."""


def evaluate_x_education(
    table: Table, *, seed: int = 0, folds: int = 5, tell: Tell = lambda step: None
) -> Evaluation:
    """Five group-aware folds without the leak columns.

    Parameters
    ----------
    table : LeadTable
        From `leadlab.data.x_education`.
    seed : int
        The same seed gives the same figures.
    folds : int
        How many of the five are run; fewer for a quick look.
    tell : callable
        Called with a few words at each step.

    Returns
    -------
    Evaluation
    """
    y = table.frame[table.target].to_numpy(np.int64)
    plain = table.frame[table.features]
    X = plain.assign(**{ARRIVAL: table.frame["Lead Number"].to_numpy(np.float64)})
    sides = grouped_folds(y, table.groups, 5, seed)[:folds]
    own, others = judged(_model(seed), X, y, sides, groups=table.groups, tell=tell)
    tell("without arrival")
    bare = summary(held_out_sides(TableModel(seed=seed), plain, y, sides, groups=table.groups))
    more = {"without_arrival_roc_auc": bare["roc_auc"]}
    return _evaluation(table, X_EDUCATION, seed, own, others, sides, X, more)


def evaluate_telco(
    table: Table, *, seed: int = 0, repeats: int = 10, tell: Tell = lambda step: None
) -> Evaluation:
    """80/20 over ten seeds.

    Parameters
    ----------
    table : LeadTable
        From `leadlab.data.telco`.
    seed : int
        The first of the seeds.
    repeats : int
        How many seeds.
    tell : callable
        Called with a few words at each step.

    Returns
    -------
    Evaluation
    """
    y = table.frame[table.target].to_numpy(np.int64)
    X = table.frame[table.features]
    sides = repeated_holdout(y, groups=table.groups, share=0.2, repeats=repeats, seed=seed)
    own, others = judged(_model(seed), X, y, sides, groups=table.groups, tell=tell)
    words = TELCO.format(repeats=repeats, seed=seed)
    return _evaluation(table, words, seed, own, others, sides, X, {})


def _model(seed: int) -> Calibrated:
    return Calibrated(TableModel(seed=seed), seed=seed)


def leak_words(table: Table, X: pd.DataFrame, y: I64) -> str:
    """What the leak check says of all columns, which of them the model saw, and who decided."""
    every = table.frame.drop(columns=[table.target, *table.ids])
    report = check_leaks(every, y)
    dropped = [name for name in report.flagged if name not in X.columns]
    return report.decide(dropped, by="the data set's description").say()


def _evaluation(
    table: Table,
    words: str,
    seed: int,
    own: Sides,
    others: Mapping[str, Sides],
    sides: Folds,
    X: pd.DataFrame,
    more: Mapping[str, float],
) -> Evaluation:
    y = table.frame[table.target].to_numpy(np.int64)
    simple = {name: summary(found) for name, found in others.items()}
    chosen = ", ".join(f"{m} {own.methods.count(m)}" for m in sorted(set(own.methods)))
    text = f"{words}{SHARED}Calibrations chosen: {chosen}. {leak_words(table, X, y)}"
    metrics = {**summary(own), **spread(own), **more}
    counts = {
        "rows": len(y),
        "columns": X.shape[1],
        "sides": len(sides),
        "held_out_rows": len(own.y),
        "copies": len(y) - len(np.unique(table.groups)),
    }
    return Evaluation(table.name, text, seed, metrics, best_of(simple), simple, counts)

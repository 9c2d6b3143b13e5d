"""Protocols of lead tables in order of time: the bank's calls and Olist's funnel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression

from leadlab.models.metrics import roc_auc
from leadlab.models.protocols.evaluation import Evaluation, best_of
from leadlab.models.protocols.held_out_folds import Tell
from leadlab.models.protocols.shuffled import Table, leak_words
from leadlab.models.protocols.walk_forward import InTime, walk_forward
from leadlab.models.tables.model import TableModel
from leadlab.models.tables.splits import ordered_split

SHARE = 0.2
WARM_UP = 0.75
"""Share of the training side that only trains; the rest is scored in order, for calibration."""
RETRAIN, RECALIBRATE = 1000, 25
FIXED = "fixed_"
RULE = (
    "Rows in order of time, the last fifth judged. Model: "
    "leadlab.models.tables.model.TableModel with its usual settings. Scores of the last quarter of "
    "the training side, each given by a model of earlier rows, set calibration "
    "(leadlab.models.calibration.recent) and interval; no row is scored by anything that was "
    "fitted on it or on later ones. The rules of walking, recalibrating and weighing were drawn up "
    "with figures of these very rows in sight, so other data must judge them. "
)
BANK = (
    "Column 'duration' left out. Main figures: walked forward. An outcome is known when its call "
    "is over, so each row is scored by what was known before it: the model is trained anew every "
    "{retrain} rows, the calibration every {recalibrate}. fixed_*: trained and calibrated once, "
    "at the split, when the rate was a fifth of that of the judged rows. Baselines see the same "
    "rows at the same moments: base rate; recent rate (the base rate, recalibrated in the same "
    "way); logistic regression on imputed, scaled and one-hot columns. "
)
OLIST = (
    "Won within 90 days of the first contact; columns of the deals left out, and the date: every "
    "judged row lies beyond the dates of training. Main figures: trained once, at the split. "
    "Outcomes take up to 90 days: a row counts as won if it was by the split, and one that may "
    "still win weighs by the share of wins that come by its age (see delays.py). No row "
    "of the last quarter was settled by then, so scores are not recalibrated. known_roc_auc: "
    "trained only on rows that were settled by the split. walked_*: trained anew every "
    "{retrain} rows. Baselines are trained on the same rows: base rate; logistic regression on "
    "one-hot columns. "
)


def evaluate_bank_marketing(
    table: Table, *, seed: int = 0, retrain: int = RETRAIN, tell: Tell = lambda step: None
) -> Evaluation:
    """The last fifth of the calls, in order.

    Parameters
    ----------
    table : LeadTable
        From `leadlab.data.bank_marketing`.
    seed : int
        The same seed gives the same figures.
    retrain : int
        Rows after which the model is trained anew; more for a quick look.
    tell : callable
        Called with a few words at each step.

    Returns
    -------
    Evaluation
    """
    data = in_time(table, ())
    plan: dict[str, Any] = {**_plan(data), "retrain": retrain, "recalibrate": RECALIBRATE}
    rate = TableModel(learner=DummyClassifier(strategy="prior"))
    tell("model, walked forward")
    own = walk_forward(TableModel(seed=seed), data, **plan).figures(data.y)
    tell("model, fixed at the split")
    once = walk_forward(TableModel(seed=seed), data, frozen=True, **plan).figures(data.y)
    tell("base rate")
    constant = walk_forward(rate, data, **plan)
    tell("logistic regression")
    logistic = walk_forward(_logistic(), data, **plan)
    fixed_logistic = walk_forward(_logistic(), data, frozen=True, **plan)
    simple = {
        "base rate": constant.figures(data.y, calibrated=False),
        "recent rate": constant.figures(data.y),
        "logistic regression": {
            **logistic.figures(data.y, calibrated=False),
            **_named(FIXED, fixed_logistic.figures(data.y, calibrated=False)),
        },
    }
    words = BANK.format(retrain=retrain, recalibrate=RECALIBRATE)
    return _evaluation(table, words, seed, {**own, **_named(FIXED, once)}, simple, data, plan)


def evaluate_olist_funnel(
    table: Table, *, seed: int = 0, retrain: int = RETRAIN // 5, tell: Tell = lambda step: None
) -> Evaluation:
    """The last fifth of the leads, in order of contact.

    Parameters
    ----------
    table : LeadTable
        From `leadlab.data.olist_funnel`.
    seed : int
        The same seed gives the same figures.
    retrain : int
        Rows after which the model is trained anew; more for a quick look.
    tell : callable
        Called with a few words at each step.

    Returns
    -------
    Evaluation
    """
    data = in_time(table, ("first_contact_date",))
    plan: dict[str, Any] = {**_plan(data), "retrain": retrain, "recalibrate": RECALIBRATE}
    tell("model, fixed at the split")
    own = walk_forward(TableModel(seed=seed), data, frozen=True, **plan).figures(data.y)
    tell("model, walked forward")
    walked = walk_forward(TableModel(seed=seed), data, **plan).figures(data.y, calibrated=False)
    tell("model of settled rows")
    known = _settled_only(data, plan["start"], seed)
    simple = {}
    rate = TableModel(learner=DummyClassifier(strategy="prior"))
    for name, learner in (("base rate", rate), ("logistic regression", _logistic())):
        tell(name)
        walk = walk_forward(learner, data, frozen=True, **plan)
        simple[name] = walk.figures(data.y, calibrated=False)
    words = OLIST.format(retrain=retrain)
    more = {**_named("walked_", walked), "known_roc_auc": known}
    return _evaluation(table, words, seed, {**own, **more}, simple, data, plan)


def in_time(table: Any, without: tuple[str, ...]) -> InTime:
    """A table's rows in order of time, without some columns."""
    order = np.argsort(table.at, kind="stable")
    columns = [name for name in table.features if name not in without]
    known = None if table.known_at is None else table.known_at[order]
    y = table.frame[table.target].to_numpy(np.int64)[order]
    return InTime(table.frame[columns].iloc[order], y, table.at[order], known)


def _plan(data: InTime) -> dict[str, Any]:
    start = int(ordered_split(data.at, share=SHARE).test[0])
    return {"start": start, "warm_up": int(start * WARM_UP)}


def _logistic() -> TableModel:
    return TableModel(learner=LogisticRegression(C=1.0, max_iter=2000))


def _settled_only(data: InTime, start: int, seed: int) -> float:
    """ROC-AUC of a model of rows whose age had settled them all by the split."""
    rows: NDArray[np.int64] = data.settled(start)
    fitted = TableModel(seed=seed).fit(data.X.iloc[rows], data.y[rows])
    return roc_auc(data.y[start:], fitted.predict_proba(data.X.iloc[start:])[:, 1])


def _named(prefix: str, figures: Mapping[str, float]) -> dict[str, float]:
    return {f"{prefix}{name}": value for name, value in figures.items()}


def _evaluation(
    table: Any,
    words: str,
    seed: int,
    metrics: Mapping[str, float],
    simple: Mapping[str, Mapping[str, float]],
    data: InTime,
    plan: Mapping[str, Any],
) -> Evaluation:
    y = table.frame[table.target].to_numpy(np.int64)
    text = f"{RULE}{words}{leak_words(table, data.X, y)}"
    counts = {
        "rows": len(data.y),
        "columns": data.X.shape[1],
        "train_rows": plan["start"],
        "held_out_rows": len(data.y) - plan["start"],
    }
    plain = {
        name: {k: v for k, v in found.items() if not k.startswith(FIXED)}
        for name, found in simple.items()
    }
    return Evaluation(table.name, text, seed, metrics, best_of(plain), simple, counts)

"""CraigslistBargain: will they come to terms, judged from the first half of the dialogue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from leadlab.errors import BadInput
from leadlab.models.conversation.acts import ActClassifier
from leadlab.models.conversation.first_half import LENGTH, described, first_half
from leadlab.models.conversation.reader import ConversationReader
from leadlab.models.held_out import held_out_figures
from leadlab.models.metrics import roc_auc
from leadlab.models.protocols.evaluation import Evaluation, best_of

F64 = NDArray[np.float64]
Tell = Callable[[str], None]
PENALTIES = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1)
FOLDS = 5
PROTOCOL = (
    "A deal is outcome_reward 1: one side made an offer and the other accepted it. Of each "
    "dialogue the first half of its events (rounded down) is read; train split to dev split. "
    "Known: list price, category, roles, actions, words and times of that half. Not used: "
    "outcome_reward, final_price, both sides' targets, anything of the second half. Features: "
    "what ConversationReader says (trained on texts of leadlab's own), acts by ActClassifier "
    "(trained on dialogues that are in neither split), prices named as multiples of the list "
    "price, counts. Model: logistic regression, its penalty chosen by five folds of the training "
    "split. Half of the events can be told only once all are over: its length gives away that of "
    "the whole, so without_length_roc_auc is the figure of a model that is not shown it. "
    "Baselines: base rate; list price only (logistic regression on its logarithm and the square "
    "of that)."
)


class Turns(Protocol):
    """Tables of `leadlab.data.craigslist`."""

    @property
    def turns(self) -> pd.DataFrame:
        """Turns of the negotiations."""

    @property
    def acts(self) -> pd.DataFrame:
        """Utterances with their acts."""


def evaluate_craigslist_deals(
    data: Turns, *, texts: pd.DataFrame, seed: int = 0, tell: Tell = lambda step: None
) -> Evaluation:
    """Run the protocol.

    Parameters
    ----------
    data : Negotiations
        From `leadlab.data.craigslist`.
    texts : DataFrame
        Labelled texts for the reader; see `ConversationReader.fit`.
    seed : int
        The same seed gives the same figures.
    tell : callable
        Called with a few words at each step.

    Returns
    -------
    Evaluation

    Raises
    ------
    BadInput
        If either split is missing.
    """
    dev = data.turns["split"] == "dev"
    if dev.all() or not dev.any():
        raise BadInput("a split is missing", where="split", expected="train and dev")
    tell("train the reader on texts of our own")
    reader = ConversationReader(seed=seed).fit(texts)
    tell("learn acts from dialogues of neither split")
    X, y, held = deal_rows(data, reader, seed)
    tell("deal or not")
    p, penalty = _chances(X[~held], y[~held], X[held], seed)
    short = X.drop(columns=list(LENGTH))
    without, _ = _chances(short[~held], y[~held], short[held], seed)
    price = X[["list_price_log"]].assign(square=X["list_price_log"] ** 2)
    line = _model(1.0).fit(price[~held], y[~held])
    rate = np.full(held.sum(), y[~held].mean())
    simple = {
        "base rate": held_out_figures(y[held], rate),
        "list price only": held_out_figures(y[held], line.predict_proba(price[held])[:, 1]),
    }
    ours = {
        **held_out_figures(y[held], p),
        "without_length_roc_auc": roc_auc(y[held], without),
        "length_only_roc_auc": _length_only(X, y, held),
        "penalty_c": penalty,
    }
    counts = {"train": int((~held).sum()), "test": int(held.sum()), "columns": X.shape[1]}
    counts["test_deals"] = int(y[held].sum())
    return Evaluation("craigslist_deals", PROTOCOL, seed, ours, best_of(simple), simple, counts)


def deal_rows(
    data: Turns, reader: ConversationReader, seed: int
) -> tuple[pd.DataFrame, NDArray[np.int64], NDArray[np.bool_]]:
    """Features of each first half, whether the dialogue ended in a deal, whether it is held out."""
    others = data.acts[data.acts["matched_split"].isna()]
    acts = ActClassifier(seed=seed).fit(
        [int(name) for name in others["dialogue_no"]],
        [str(text) for text in others["utterance"]],
        others["intent"].to_numpy(str),
    )
    X = described(first_half(data.turns), reader, acts)
    ends = data.turns.groupby("dialogue_id")[["outcome_reward", "split"]].first().loc[X.index]
    return X, ends["outcome_reward"].to_numpy(np.int64), (ends["split"] == "dev").to_numpy()


def _model(c: float) -> Pipeline:
    return make_pipeline(
        SimpleImputer(add_indicator=True, keep_empty_features=True),
        StandardScaler(),
        LogisticRegression(C=c, max_iter=2000),
    )


def _chances(
    X: pd.DataFrame, y: NDArray[np.int64], later: pd.DataFrame, seed: int
) -> tuple[F64, float]:
    """Probabilities of later rows, and the penalty that ranked the training rows' folds best."""
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)

    def ranked(c: float) -> float:
        held: Any = cross_val_predict(_model(c), X, y, cv=folds, method="predict_proba")
        return roc_auc(y, held[:, 1])

    best = max(PENALTIES, key=ranked)
    found: F64 = _model(best).fit(X, y).predict_proba(later)[:, 1]
    return found, best


def _length_only(X: pd.DataFrame, y: NDArray[np.int64], held: NDArray[np.bool_]) -> float:
    """What the length of the half alone gives away."""
    columns = X[list(LENGTH)]
    line = _model(1.0).fit(columns[~held], y[~held])
    return roc_auc(y[held], line.predict_proba(columns[held])[:, 1])

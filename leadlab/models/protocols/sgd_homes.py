"""SGD Homes: what a user is after at each turn, and how far texts of our own carry there."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold

from leadlab.errors import BadInput
from leadlab.models.conversation.ngrams import NGrams
from leadlab.models.conversation.text_classifier import TextClassifier
from leadlab.models.conversation.text_figures import simple_texts, text_figures
from leadlab.models.protocols.evaluation import Evaluation, best_of

F64 = NDArray[np.float64]
Tell = Callable[[str], None]
SERVICE = "Homes_1"
FIND, VISIT, NONE = "FindApartment", "ScheduleVisit", "NONE"
INTENTS = (FIND, NONE, VISIT)
SAME = {"scheduling": VISIT, "thanks/closing": NONE, "other/out of scope": NONE}
"""What intents of our own texts are in SGD; every other one is `FIND`."""
PENALTIES, FOLDS = (1.0, 10.0, 100.0), 4
PROTOCOL = (
    "User turns that concern the homes service (frames of Homes_1), train to dev; the intent is "
    "the frame's active_intent (FindApartment, ScheduleVisit, NONE). A dialogue is known by split "
    "and id. Used: the words of this turn, of the assistant's turn before it, and of all its "
    "earlier turns, each as n-grams of their own. Not used: intents, states, acts, slots, service "
    "calls, other users' dialogues, or anything later. Model: logistic regression, its penalty by "
    "four folds of the training dialogues (log-loss). own_turn: the user's words alone, by "
    "TextClassifier. transfer: no row of SGD trains anything; TextClassifier on labelled texts of "
    "leadlab's own, their intents read as scheduling: ScheduleVisit; thanks/closing and other/out "
    "of scope: NONE; every other: FindApartment. transfer_with_turn_before: the same model on the "
    "assistant's turn before and the user's, as one text. Baselines: the most frequent intent, and "
    "naive Bayes on counts of the user's words."
)


class Asked(NamedTuple):
    """User turns of one split.

    Attributes
    ----------
    said, before, earlier : list of str
        Words of the turn, of the assistant's turn before it ("" where none), and of all the
        assistant's turns before that.
    y, dialogue : array of str
    """

    said: list[str]
    before: list[str]
    earlier: list[str]
    y: NDArray[np.str_]
    dialogue: NDArray[np.str_]


def asked_of(frame: pd.DataFrame, split: str) -> Asked:
    """User turns about homes, each with what the assistant had said until then.

    Parameters
    ----------
    frame : DataFrame
        From `leadlab.data.sgd_homes`, in any order.
    split : str

    Raises
    ------
    BadInput
        If the split holds none.

    Examples
    --------
    >>> frame = pd.DataFrame({
    ...     "split": "dev", "dialogue_id": "1", "turn": [0, 1, 2], "service": "Homes_1",
    ...     "speaker": ["USER", "SYSTEM", "USER"], "utterance": ["A flat?", "Where?", "Here."],
    ...     "active_intent": ["FindApartment", None, "FindApartment"]})
    >>> asked_of(frame, "dev").before
    ['', 'Where?']
    """
    rows = frame[frame["split"] == split]
    turns = rows.drop_duplicates(["dialogue_id", "turn"]).sort_values(["dialogue_id", "turn"])
    heard: dict[tuple[str, int], tuple[str, str]] = {}
    known: list[str] = []
    dialogue = None
    for name, turn, speaker, words in zip(
        turns["dialogue_id"], turns["turn"], turns["speaker"], turns["utterance"], strict=True
    ):
        if name != dialogue:
            dialogue, known = name, []
        heard[name, turn] = (known[-1] if known else "", "\n".join(known[:-1]))
        if speaker == "SYSTEM":
            known.append(words)
    mine = rows[(rows["speaker"] == "USER") & (rows["service"] == SERVICE)]
    if not len(mine):
        raise BadInput("a split without user turns about homes", where="split", expected=split)
    before = [heard[key] for key in zip(mine["dialogue_id"], mine["turn"], strict=True)]
    return Asked(
        mine["utterance"].tolist(),
        [one[0] for one in before],
        [one[1] for one in before],
        mine["active_intent"].to_numpy(str),
        mine["dialogue_id"].to_numpy(str),
    )


def evaluate_sgd_homes(
    frame: pd.DataFrame,
    *,
    texts: pd.DataFrame,
    seed: int = 0,
    tell: Tell = lambda step: None,
) -> Evaluation:
    """Run the protocol.

    Parameters
    ----------
    frame : DataFrame
        From `leadlab.data.sgd_homes`.
    texts : DataFrame
        Labelled texts of leadlab's own: ``text``, ``intent``.
    seed : int
        The same seed gives the same figures.
    tell : callable
        Called with a few words at each step.

    Returns
    -------
    Evaluation
        Figures as `leadlab.models.conversation.text_figures.text_figures` names them, and
        ``own_turn_accuracy``, ``transfer_accuracy``, ``transfer_macro_f1``,
        ``transfer_with_turn_before_accuracy``, ``transfer_with_turn_before_macro_f1``.

    Raises
    ------
    BadInput
        If a split holds no user turn about homes.
    """
    train, dev = asked_of(frame, "train"), asked_of(frame, "dev")
    tell("train on the training dialogues")
    penalty = _penalty(train, seed)
    chance, classes = _judged(train, dev, penalty)
    ours = text_figures(dev.y, chance, classes) | {"penalty_chosen": penalty}
    tell("the user's words alone")
    alone = TextClassifier(seed=seed).fit(train.said, train.y, groups=train.dialogue)
    ours["own_turn_accuracy"] = float((alone.predict(dev.said) == dev.y).mean())
    tell("texts of our own")
    ours |= _transferred(texts, dev, seed)
    tell("baselines")
    others = simple_texts(train.said, train.y, dev.said, dev.y)
    counts = {"train": len(train.y), "dev": len(dev.y), "own_texts": len(texts)}
    counts["dev_dialogues"] = len(np.unique(dev.dialogue))
    return Evaluation("sgd_homes", PROTOCOL, seed, ours, best_of(others), others, counts)


def _rows(train: Asked, other: Asked) -> tuple[csr_matrix, csr_matrix]:
    """n-grams of each of the three texts, side by side, of both sides; learnt from the first."""
    left, right = [], []
    for mine, theirs in zip(train[:3], other[:3], strict=True):
        ngrams = NGrams().fit(mine)
        left.append(ngrams.transform(mine))
        right.append(ngrams.transform(theirs))
    return hstack(left).tocsr(), hstack(right).tocsr()


def _judged(train: Asked, other: Asked, penalty: float) -> tuple[F64, NDArray[np.str_]]:
    X, Z = _rows(train, other)
    line = LogisticRegression(C=penalty, max_iter=2000).fit(X.astype(np.float64), train.y)
    return line.predict_proba(Z.astype(np.float64)), line.classes_


def _penalty(train: Asked, seed: int) -> float:
    """The one with the least log-loss on held-out dialogues."""
    sides = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    loss = dict.fromkeys(PENALTIES, 0.0)
    for kept, held in sides.split(train.y, train.y, train.dialogue):
        mine, theirs = _part(train, kept), _part(train, held)
        for penalty in PENALTIES:
            figures = text_figures(theirs.y, *_judged(mine, theirs, penalty))
            loss[penalty] += figures["log_loss"] * len(held)
    return min(loss, key=loss.__getitem__)


def _part(asked: Asked, rows: NDArray[np.int64]) -> Asked:
    said, before, earlier = ([one[i] for i in rows] for one in asked[:3])
    return Asked(said, before, earlier, asked.y[rows], asked.dialogue[rows])


def _transferred(texts: pd.DataFrame, dev: Asked, seed: int) -> dict[str, float]:
    """Figures of a model that saw no row of SGD."""
    intent = np.array([SAME.get(name, FIND) for name in texts["intent"]])
    model = TextClassifier(seed=seed).fit(texts["text"].tolist(), intent)
    both = [f"{a} {b}" for a, b in zip(dev.before, dev.said, strict=True)]
    found: dict[str, float] = {}
    for name, asked in (("transfer", dev.said), ("transfer_with_turn_before", both)):
        figures = text_figures(dev.y, model.predict_proba(asked), model.classes_)
        found |= {f"{name}_{key}": figures[key] for key in ("accuracy", "macro_f1")}
    return found

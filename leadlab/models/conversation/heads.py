"""The models that read: one linear classifier a question, all over one set of n-grams."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlab.errors import BadInput
from leadlab.models.calibration.choice import Calibration, choose_calibration
from leadlab.models.calibration.classes import MulticlassCalibration, choose_multiclass
from leadlab.models.conversation.many_targets import ManyTargets
from leadlab.models.conversation.ngrams import NGrams
from leadlab.models.conversation.rules import key_words
from leadlab.models.conversation.scores import Scores
from leadlab.models.conversation.text_classifier import TextClassifier
from leadlab.models.conversation.topics import INTENTS, OBJECTIONS

F64 = NDArray[np.float64]
Map = Calibration | MulticlassCalibration
TONES = ("cold", "even", "warm")
CLEAR = 0.2
"""A sentiment beyond it is warm, below its negative cold."""
PRESSING = 0.65
"""An urgency above it presses."""
TARGETS = ("intent", "tone", "pressing", *(f"objection {name}" for name in OBJECTIONS))
PENALTY = 0.5
"""Between 0.1 and 2, held-out log-loss moves by a hundredth; settled on one half of the wording."""


def labels_of(frame: pd.DataFrame, target: str) -> NDArray[Any]:
    """What the rows say about a target: an object array, None where they say nothing.

    Examples
    --------
    >>> rows = pd.DataFrame({"sentiment": [0.5, None], "objections": ["price,trust", ""]})
    >>> labels_of(rows, "tone").tolist(), labels_of(rows, "objection trust").tolist()
    (['warm', None], [True, False])
    """
    if target == "intent":
        column: pd.Series[Any] = frame["intent"]
        said: Any = column
    elif target == "tone":
        column = frame["sentiment"]
        side = (column > CLEAR).to_numpy(int) - (column < -CLEAR).to_numpy(int) + 1
        said = np.array(TONES, dtype=object)[side]
    elif target == "pressing":
        column = frame["urgency"]
        said = column > PRESSING
    else:
        column = frame["objections"]
        name = target.removeprefix("objection ")
        said = [isinstance(o, str) and name in o.split(",") for o in column]
    found = np.empty(len(frame), dtype=object)
    found[:] = list(said)
    found[column.isna().to_numpy()] = None
    return found


class Heads:
    """Fitted classifiers with what makes their probabilities hold.

    Parameters
    ----------
    classifiers : mapping of str to TextClassifier
        By `TARGETS`, with one set of n-grams.
    maps : mapping of str to Calibration or MulticlassCalibration
        Of the same names.
    """

    def __init__(self, classifiers: Mapping[str, TextClassifier], maps: Mapping[str, Map]) -> None:
        self.many, self.maps = ManyTargets(classifiers), dict(maps)
        self.weights: Any = np.concatenate([c.weights_ for c in classifiers.values()], axis=1)
        sizes = [len(c.classes_) for c in classifiers.values()]
        self.first = dict(zip(classifiers, np.cumsum([0, *sizes[:-1]]).tolist(), strict=True))
        intents = classifiers["intent"].classes_.tolist()
        self._intents = [INTENTS.index(name) for name in intents]
        self._tones = [TONES.index(name) for name in classifiers["tone"].classes_.tolist()]

    def scores(self, texts: Sequence[str]) -> Scores:
        """Read texts, in one pass over their n-grams."""
        P = self.many.predict_proba(texts)
        n = len(texts)
        intent, tone = np.zeros((n, len(INTENTS))), np.zeros((n, len(TONES)))
        intent[:, self._intents] = self.maps["intent"].apply(P["intent"])
        tone[:, self._tones] = self.maps["tone"].apply(P["tone"])
        two = [self.maps[name].apply(P[name][:, 1]) for name in TARGETS[2:]]
        return Scores(
            intent, tone[:, 2] - tone[:, 0], tone.max(axis=1), two[0], np.column_stack(two[1:])
        )


def fit_heads(
    frame: pd.DataFrame, *, seed: int = 0, tell: Callable[[str], None] = lambda step: None
) -> Heads:
    """Train all classifiers.

    The rules' key words are taught as short texts of their own, so that no word of them has to
    occur in the training texts. Probabilities are set on rows whose wording the scoring model did
    not see (leave one part of the wording out), key words left aside.

    Parameters
    ----------
    frame : DataFrame
        Columns ``text``, ``intent``, ``sentiment``, ``urgency``, ``objections`` (labels may be
        missing) and ``wording``, whose groups are kept on one side of each fold.
    seed : int
    tell : callable
        Called with a few words before each target.

    Raises
    ------
    BadInput, EmptyInput
        If a column is missing, or a target has one class only or one group only.
    """
    lacking = {"text", "intent", "sentiment", "urgency", "objections", "wording"} - set(frame)
    if lacking:
        raise BadInput("columns are missing", where="frame", got=", ".join(sorted(lacking)))
    strange = set(frame["intent"].dropna()) - set(INTENTS)
    if strange:
        raise BadInput("no such intent", where="intent", got=strange, expected=", ".join(INTENTS))
    whole, own = _with_key_words(frame)
    tell("cut texts into n-grams")
    texts = whole["text"].tolist()
    ngrams = NGrams(idf=False).fit(texts)
    classifiers, maps = {}, {}
    for target in TARGETS:
        tell(f"learn: {target}")
        said = labels_of(whole, target)
        rows = np.flatnonzero([one is not None for one in said])
        groups = whole["wording"].to_numpy()[rows]
        label = np.array(said[rows].tolist())
        parts = len(np.unique(groups))
        one = TextClassifier(c=PENALTY, idf=False, folds=min(parts, 4), seed=seed)
        one.fit([texts[i] for i in rows], label, groups=groups, ngrams=ngrams)
        classifiers[target] = one
        maps[target] = _map(one, label, groups, own[rows], seed)
    return Heads(classifiers, maps)


def _with_key_words(frame: pd.DataFrame) -> tuple[pd.DataFrame, NDArray[np.bool_]]:
    """The rows with the rules' key words below them, in each part of the wording; and which own."""
    parts = frame["wording"].unique()
    words = pd.concat([key_words().assign(wording=part) for part in parts], ignore_index=True)
    whole = pd.concat([frame, words], ignore_index=True)
    return whole, np.arange(len(whole)) < len(frame)


def _map(
    one: TextClassifier, label: NDArray[Any], groups: NDArray[Any], own: NDArray[np.bool_],
    seed: int,
) -> Map:  # fmt: skip
    """Calibration of a classifier on what it said of own rows that it was not trained on."""
    P, y = one.held_out_[own], np.searchsorted(one.classes_, label[own])
    if len(one.classes_) == 2:
        return choose_calibration(
            P[:, 1], y, groups=groups[own], seed=seed, methods=("none", "beta")
        )
    methods = ("none", "temperature", "one_vs_rest")
    return choose_multiclass(P, y, groups=groups[own], seed=seed, methods=methods)

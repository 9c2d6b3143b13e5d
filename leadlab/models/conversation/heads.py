"""The models that read: one linear classifier a question, all over one set of n-grams."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlab.errors import BadInput
from leadlab.models.conversation.fused import Fused
from leadlab.models.conversation.many_targets import ManyTargets
from leadlab.models.conversation.ngrams import NGrams
from leadlab.models.conversation.rules import counted
from leadlab.models.conversation.scores import Scores
from leadlab.models.conversation.stack import Stack
from leadlab.models.conversation.text_classifier import TextClassifier
from leadlab.models.conversation.topics import INTENTS, OBJECTIONS

F64 = NDArray[np.float64]
TONES = ("cold", "even", "warm")
CLEAR = 0.2
"""A sentiment beyond it is warm, below its negative cold."""
PRESSING = 0.65
"""An urgency above it presses."""
MOST_FOLDS = 4
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
    stacks : mapping of str to Stack
        Of the same names.
    """

    def __init__(
        self, classifiers: Mapping[str, TextClassifier], stacks: Mapping[str, Stack]
    ) -> None:
        self.many, self.stacks = ManyTargets(classifiers), dict(stacks)
        self._fused = Fused(self.stacks)
        self._intents = [INTENTS.index(name) for name in self.classes("intent")]
        self._tones = [TONES.index(name) for name in self.classes("tone")]

    def classes(self, target: str) -> list[Any]:
        """Classes of a target, in the order of its scores."""
        found: list[Any] = self.many.classifiers[target].classes_.tolist()
        return found

    def scores(self, texts: Sequence[str]) -> Scores:
        """Read texts, in one pass over their n-grams and one over their words."""
        n, raw = len(texts), np.concatenate([*self.many.scores(texts).values()], axis=1)
        P, two = self._fused.probabilities(raw, counted(texts))
        intent, tone = np.zeros((n, len(INTENTS))), np.zeros((n, len(TONES)))
        intent[:, self._intents], tone[:, self._tones] = P["intent"], P["tone"]
        return Scores(intent, tone[:, 2] - tone[:, 0], tone.max(axis=1), two[:, 0], two[:, 1:])


def fit_heads(
    frame: pd.DataFrame, *, seed: int = 0, tell: Callable[[str], None] = lambda step: None
) -> Heads:
    """Train all classifiers.

    The counts of the rules' key words stand beside the linear scores (`Stack`), so that no key word
    has to occur in the training texts. How the two are weighed, and the calibration, are set on
    rows whose wording the scoring model did not see (one part of the wording left out at a time).

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
    tell("cut texts into n-grams")
    texts = frame["text"].tolist()
    ngrams, words = NGrams(idf=False).fit(texts), counted(texts)
    classifiers, stacks = {}, {}
    for target in TARGETS:
        tell(f"learn: {target}")
        said = labels_of(frame, target)
        rows = np.flatnonzero([one is not None for one in said])
        groups = frame["wording"].to_numpy()[rows]
        label = np.array(said[rows].tolist())
        folds = min(len(np.unique(groups)), MOST_FOLDS)
        one = TextClassifier(c=PENALTY, idf=False, folds=folds, seed=seed)
        one.fit([texts[i] for i in rows], label, groups=groups, ngrams=ngrams)
        place = np.searchsorted(one.classes_, label)
        scores = np.log(np.clip(one.held_out_, 1e-9, None))
        scores -= scores.mean(axis=1, keepdims=True)
        classifiers[target] = one
        stacks[target] = Stack.fit(scores, words[rows], place, groups, seed)
    return Heads(classifiers, stacks)

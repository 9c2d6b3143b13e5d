"""Acts of speech in a negotiation: the words, the words before them, and what is on the table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_matrix, hstack
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.svm import LinearSVC

from leadlab.errors import EmptyInput, NotFitted
from leadlab.models.conversation.negotiation import on_the_table
from leadlab.models.conversation.ngrams import NGrams
from leadlab.models.conversation.text_classifier import softmax

F64 = NDArray[np.float64]
BEFORE, TABLE = 0.5, 0.25
"""What the utterance before and what is on the table weigh beside the utterance itself."""


class ActClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """The act of each utterance, from what was said by then.

    A linear support vector machine, one act against the rest, over n-grams of the utterance, those
    of the one before it, and `negotiation.on_the_table`. Rare acts weigh as much as frequent ones.

    Parameters
    ----------
    c : float
        Inverse strength of the penalty.
    least : int
        Of `NGrams`.
    balanced : bool
        Whether each act weighs the same in sum.
    seed : int

    Attributes
    ----------
    classes_ : array, shape (k,)

    Examples
    --------
    >>> said = ["hi there", "will you take 50", "no , 80", "ok deal"] * 5
    >>> acts = ["intro", "init-price", "counter-price", "agree"] * 5
    >>> dialogue = np.repeat(np.arange(5), 4)
    >>> model = ActClassifier(least=1).fit(dialogue, said, acts)
    >>> model.predict([0, 0], ["hello hi", "take 30 ?"]).tolist()
    ['intro', 'init-price']
    """

    def __init__(
        self, *, c: float = 0.2, least: int = 2, balanced: bool = True, seed: int = 0
    ) -> None:
        self.c = c
        self.least = least
        self.balanced = balanced
        self.seed = seed

    def fit(self, dialogue: Sequence[int], utterances: Sequence[str], acts: ArrayLike) -> Self:
        """Learn from whole dialogues, rows of one standing together in order.

        Raises
        ------
        EmptyInput
            If there is nothing.
        """
        if not len(utterances):
            raise EmptyInput("no utterance to learn from", where="utterances")
        self.ngrams_ = NGrams(least=self.least, idf=False).fit(utterances)
        weight = "balanced" if self.balanced else None
        self.line_ = LinearSVC(C=self.c, class_weight=weight, random_state=self.seed)
        self.line_.fit(self._rows(dialogue, utterances), np.asarray(acts))
        self.classes_: NDArray[Any] = self.line_.classes_
        return self

    def _rows(self, dialogue: Sequence[int], utterances: Sequence[str]) -> csr_matrix:
        starts = np.diff(np.asarray(dialogue), prepend=-1) != 0
        before = ["" if new else utterances[i - 1] for i, new in enumerate(starts)]
        table = on_the_table(dialogue, utterances).to_numpy(np.float64)
        parts = [
            self.ngrams_.transform(utterances),
            BEFORE * self.ngrams_.transform(before),
            csr_matrix(TABLE * table),
        ]
        return hstack(parts, format="csr").astype(np.float64)

    def decision_function(self, dialogue: Sequence[int], utterances: Sequence[str]) -> F64:
        """One score an act, shape (n, k).

        Raises
        ------
        NotFitted
        """
        if not hasattr(self, "line_"):
            raise NotFitted("acts are not learnt yet", hint="Call fit.")
        found: F64 = self.line_.decision_function(self._rows(dialogue, utterances))
        return found

    def predict(self, dialogue: Sequence[int], utterances: Sequence[str]) -> NDArray[Any]:
        """The likeliest act of each utterance."""
        best = self.decision_function(dialogue, utterances).argmax(axis=1)
        found: NDArray[Any] = self.classes_[best]
        return found

    def shares(self, dialogue: Sequence[int], utterances: Sequence[str]) -> pd.DataFrame:
        """Softmax of twice the scores, one column an act: an order of acts, not probabilities."""
        raw = self.decision_function(dialogue, utterances)
        return pd.DataFrame(softmax(2 * raw), columns=list(self.classes_))

"""Several text classifiers over one set of n-grams: texts are cut once, scored for all at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from leadlab.errors import BadInput, EmptyInput
from leadlab.models.conversation.text_classifier import TextClassifier, softmax

F64 = NDArray[np.float64]


class ManyTargets:
    """Probabilities of several targets from one pass over the texts.

    Parameters
    ----------
    classifiers : mapping of str to TextClassifier
        Fitted, all with one `NGrams` (``fit(..., ngrams=shared)``).

    Raises
    ------
    EmptyInput, BadInput
        If there is none, or they do not share their n-grams.

    Examples
    --------
    >>> from leadlab.models.conversation.ngrams import NGrams
    >>> texts = ["call me today", "some day", "call now", "no hurry, some time"] * 3
    >>> shared = NGrams(least=1).fit(texts)
    >>> hurry = TextClassifier().fit(texts, [True, False, True, False] * 3, ngrams=shared)
    >>> phone = TextClassifier().fit(texts, ["yes", "no", "yes", "no"] * 3, ngrams=shared)
    >>> found = ManyTargets({"hurry": hurry, "phone": phone}).predict_proba(["call today"])
    >>> {name: p.shape for name, p in found.items()}
    {'hurry': (1, 2), 'phone': (1, 2)}
    """

    def __init__(self, classifiers: Mapping[str, TextClassifier]) -> None:
        if not classifiers:
            raise EmptyInput("no classifier to ask", where="classifiers")
        self.classifiers = dict(classifiers)
        first = next(iter(self.classifiers.values()))
        for name, one in self.classifiers.items():
            arrays, shared = one.ngrams_.to_arrays(), first.ngrams_.to_arrays()
            if not all(np.array_equal(arrays[key], shared[key]) for key in shared):
                raise BadInput("classifiers must share their n-grams", where=name)
        self.ngrams = first.ngrams_
        self._weights = np.concatenate([c.weights_ for c in self.classifiers.values()], axis=1)
        self._intercept = np.concatenate([c.intercept_ for c in self.classifiers.values()])
        sizes = [len(c.classes_) for c in self.classifiers.values()]
        self._cuts = np.cumsum(sizes)[:-1]

    def predict_proba(self, texts: Sequence[str]) -> dict[str, F64]:
        """Probabilities of each target, shape (n, its classes), in the order of its `classes_`."""
        return {name: softmax(scores) for name, scores in self.scores(texts).items()}

    def scores(self, texts: Sequence[str]) -> dict[str, F64]:
        """`TextClassifier.scores` of each target."""
        found = self.ngrams.transform(texts) @ self._weights + self._intercept
        parts = np.split(found, self._cuts, axis=1)
        return dict(zip(self.classifiers, parts, strict=True))

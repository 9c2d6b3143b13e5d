"""Sentence embeddings in place of n-grams, from any local encoder; nothing needs it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression

from leadlab.errors import BadInput, ConfigError, NotFitted

F64 = NDArray[np.float64]
Encode = Callable[[Sequence[str]], ArrayLike]


class EmbeddedClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Logistic regression on what an encoder makes of each text.

    Parameters
    ----------
    encode : callable
        Texts in, one row of k numbers each out.
    c : float
        Inverse strength of the penalty.

    Attributes
    ----------
    classes_ : array

    Examples
    --------
    >>> def length_and_marks(texts):
    ...     return [[len(text), text.count("?")] for text in texts]
    >>> texts = ["When can we see it?", "Thanks!", "Is it sold?", "Great, thank you."] * 5
    >>> model = EmbeddedClassifier(length_and_marks).fit(texts, ["question", "thanks"] * 10)
    >>> model.predict(["Where is it?"]).tolist()
    ['question']
    """

    def __init__(self, encode: Encode, *, c: float = 1.0) -> None:
        self.encode = encode
        self.c = c

    @classmethod
    def of_folder(cls, folder: str | Path, *, c: float = 1.0) -> Self:
        """Take a sentence-transformers model from a local folder; nothing is downloaded.

        Raises
        ------
        BadInput
            If there is no such folder.
        ConfigError
            If the package sentence-transformers is not installed.
        """
        if not Path(folder).is_dir():
            raise BadInput("no folder of an embedding model", where=str(folder))
        try:
            from sentence_transformers import SentenceTransformer  # noqa: PLC0415  (an extra)
        except ImportError as error:
            raise ConfigError(
                "sentence-transformers is not installed, which reads embedding models",
                hint="Install it, or give any function from texts to rows of numbers.",
            ) from error
        return cls(SentenceTransformer(str(folder), local_files_only=True).encode, c=c)

    def _rows(self, texts: Sequence[str]) -> F64:
        found = np.asarray(self.encode(texts), np.float64)
        if found.ndim != 2 or len(found) != len(texts) or not np.isfinite(found).all():
            raise BadInput(
                "the encoder must give one row of finite numbers a text",
                where="encode",
                got=found.shape,
                expected=(len(texts), "k"),
            )
        return found

    def fit(self, texts: Sequence[str], y: ArrayLike) -> Self:
        """Learn from texts and their labels.

        Raises
        ------
        BadInput
            If the encoder's rows cannot be used.
        """
        self._model: Any = LogisticRegression(C=self.c, max_iter=1000)
        self._model.fit(self._rows(texts), np.asarray(y))
        self.classes_ = self._model.classes_
        return self

    def predict_proba(self, texts: Sequence[str]) -> F64:
        """Probability of each class, shape (n, classes).

        Raises
        ------
        NotFitted
            Before `fit`.
        BadInput
            If the encoder's rows cannot be used.
        """
        if not hasattr(self, "classes_"):
            raise NotFitted("this EmbeddedClassifier is not trained yet", hint="Call fit.")
        return np.asarray(self._model.predict_proba(self._rows(texts)), np.float64)

    def predict(self, texts: Sequence[str]) -> NDArray[Any]:
        """The likeliest class of each text."""
        likeliest = self.predict_proba(texts).argmax(axis=1)
        found: NDArray[Any] = self.classes_[likeliest]
        return found

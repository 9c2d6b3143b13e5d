"""How good probabilities of text classes are, and what two simple rules reach beside them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics import f1_score
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import Pipeline, make_pipeline

from leadlab.errors import BadInput
from leadlab.models.metrics import CLIP, ece

F64 = NDArray[np.float64]
SURE = 0.8
"""Share of the texts, the surest first, of which ``accuracy_of_surest_80`` speaks."""


def text_figures(y: ArrayLike, P: ArrayLike, classes: ArrayLike) -> dict[str, float]:
    """Figures of class probabilities on texts that were held out.

    Parameters
    ----------
    y : array, shape (n,)
    P : array, shape (n, k)
        Rows of sum 1.
    classes : array, shape (k,)
        What the columns of P stand for; a class that is absent counts as missed.

    Returns
    -------
    dict of str to float
        accuracy, macro_f1, log_loss (nats), ece (of the likeliest class), accuracy_of_surest_80.

    Examples
    --------
    >>> text_figures(["a", "b"], [[0.9, 0.1], [0.4, 0.6]], ["a", "b"])["accuracy"]
    1.0
    """
    label, chance, names = np.asarray(y), np.asarray(P, np.float64), np.asarray(classes)
    if chance.shape != (len(label), len(names)) or not len(label):
        raise BadInput("one row a text and one column a class", where="P", got=chance.shape)
    place = {name: i for i, name in enumerate(names.tolist())}
    column = np.array([place.get(name, -1) for name in label.tolist()])
    said, sure = chance.argmax(axis=1), chance.max(axis=1)
    right = said == column
    true = np.where(column >= 0, chance[np.arange(len(label)), column], 0.0)
    surest = np.argsort(-sure, kind="stable")[: max(1, round(SURE * len(label)))]
    return {
        "accuracy": float(right.mean()),
        "macro_f1": float(f1_score(column, said, average="macro", zero_division=0)),
        "log_loss": float(-np.log(np.clip(true, CLIP, None)).mean()),
        "ece": ece(right, np.clip(sure, 0, 1)),
        "accuracy_of_surest_80": float(right[surest].mean()),
    }


def word_bayes(texts: Sequence[str], y: ArrayLike) -> Pipeline:
    """Multinomial naive Bayes on counts of words (parted by blanks), fitted.

    Examples
    --------
    >>> word_bayes(["how much", "see it"], [1, 0]).predict(["much to see", "much"]).tolist()
    [0, 1]
    """
    words = CountVectorizer(tokenizer=str.split, token_pattern=None)
    return make_pipeline(words, MultinomialNB()).fit(texts, y)


def simple_texts(
    train: Sequence[str], y: ArrayLike, test: Sequence[str], y_test: ArrayLike
) -> dict[str, dict[str, float]]:
    """Figures of the most frequent class, and of naive Bayes on counts of words.

    Parameters
    ----------
    train, test : list of str
    y, y_test : array
        Classes.

    Returns
    -------
    dict
        "majority" and "naive bayes", each as `text_figures`.

    Examples
    --------
    >>> found = simple_texts(["how much", "what price", "see it"], [1, 1, 0], ["the price"], [1])
    >>> found["majority"]["accuracy"], found["naive bayes"]["accuracy"]
    (1.0, 1.0)
    """
    classes, counts = np.unique(np.asarray(y), return_counts=True)
    bayes = word_bayes(train, y)
    rates = np.tile(counts / counts.sum(), (len(test), 1))
    chance = bayes.predict_proba(test)
    return {
        "majority": text_figures(y_test, rates, classes),
        "naive bayes": text_figures(y_test, chance, bayes.classes_),
    }

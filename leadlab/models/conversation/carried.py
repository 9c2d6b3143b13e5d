"""The words that carried what the models decided about one message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlab.models.conversation.heads import TONES, Heads
from leadlab.models.conversation.topics import INTENTS

F64 = NDArray[np.float64]
TOP = 3
"""Words shown for each decision."""


def carried(
    heads: Heads, text: str, intent: int, objections: Sequence[str]
) -> dict[str, tuple[tuple[str, float], ...]]:
    """Words and pairs of words that spoke for each decision, the strongest first.

    What a part of a word adds counts for its word. Effects are log-odds of the linear models: of an
    intent against the mean of all, of warm against cold, of pressing against not.

    Parameters
    ----------
    heads : Heads
    text : str
    intent : int
        Position in `topics.INTENTS`.
    objections : sequence of str
        Those to be explained.

    Returns
    -------
    mapping of str to tuple of (words, effect)
        "intent", "sentiment", "urgency" and "objection ...".
    """
    X = heads.many.ngrams.transform([text])
    words, columns, owners = heads.many.ngrams.owners(text)
    if not len(columns):
        return {}
    places = {column: i for i, column in enumerate(X.indices.tolist())}
    at = np.array([places[column] for column in columns.tolist()])
    often = np.bincount(at)
    share = X.data[at] / often[at]
    owner = np.where(owners >= 0, owners, len(words) - 1 - owners)
    found = {}
    for what, weight in _directions(heads, columns, intent, objections).items():
        effect = np.bincount(owner, share * weight, 2 * len(words) + 1)
        sign = -1.0 if what == "sentiment" and effect.sum() < 0 else 1.0
        best = [k for k in np.argsort(-sign * effect)[:TOP] if sign * effect[k] > 0]
        found[what] = tuple((_name(words, int(k)), float(effect[k])) for k in best)
    return found


def _directions(
    heads: Heads, columns: Any, intent: int, objections: Sequence[str]
) -> Mapping[str, Any]:
    """Weights of each decision, one an n-gram of the text."""
    W, classifiers = heads.weights[columns], heads.many.classifiers

    def column(target: str, label: Any) -> Any:
        place = np.flatnonzero(classifiers[target].classes_ == label)
        return W[:, heads.first[target] + int(place[0])]

    asked = {
        "intent": column("intent", INTENTS[intent]),
        "sentiment": column("tone", TONES[2]) - column("tone", TONES[0]),
        "urgency": 2 * column("pressing", True),
    }
    for name in objections:
        asked[f"objection {name}"] = 2 * column(f"objection {name}", True)
    return asked


def _name(words: Sequence[str], k: int) -> str:
    if k < len(words):
        return words[k]
    pair = k - len(words)
    return f"{words[pair - 1]} {words[pair]}"

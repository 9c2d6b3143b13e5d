"""The words that carried what the models decided about one message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlab.models.conversation.heads import TONES, Heads
from leadlab.models.conversation.rules import hits
from leadlab.models.conversation.topics import INTENTS

F64 = NDArray[np.float64]
TOP = 3
"""Words shown for each decision."""


def carried(
    heads: Heads, text: str, intent: int, objections: Sequence[str]
) -> dict[str, tuple[tuple[str, float], ...]]:
    """Words and pairs of words that spoke for each decision, the strongest first.

    What a part of a word adds counts for its word, and what a key word adds for itself. Effects are
    log-odds before calibration: of an intent against the mean of the others, of warm against cold,
    of pressing and of a doubt against not.

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
    names, ids, columns, share = _cut(heads, text)
    told = [(sort, names.setdefault(word, len(names))) for sort, word in hits(text)]
    spelt = list(names)
    found = {}
    for what, (target, way) in _wanted(heads, intent, objections).items():
        stack, k = heads.stacks[target], len(way)
        weights = heads.many.classifiers[target].weights_[columns] @ (stack.weights[:k] @ way)
        effect = np.bincount(ids, share * weights, len(spelt))
        key = stack.weights[k:] @ way
        for sort, place in told:
            effect[place] += key[sort]
        if what == "sentiment" and effect.sum() < 0:
            best = [i for i in np.argsort(effect)[:TOP] if effect[i] < 0]
        else:
            best = [i for i in np.argsort(-effect)[:TOP] if effect[i] > 0]
        found[what] = tuple((spelt[i], float(effect[i])) for i in best)
    return found


def _wanted(heads: Heads, intent: int, objections: Sequence[str]) -> Mapping[str, tuple[str, F64]]:
    """Of each decision its target, and what each class's score counts for it."""

    def place(target: str, label: Any) -> F64:
        return np.array([one == label for one in heads.classes(target)], float)

    chosen = place("intent", INTENTS[intent])
    found = {
        "intent": ("intent", chosen - (1 - chosen) / max(len(chosen) - 1, 1)),
        "sentiment": ("tone", place("tone", TONES[2]) - place("tone", TONES[0])),
        "urgency": ("pressing", np.array([-1.0, 1.0])),
    }
    for name in objections:
        found[f"objection {name}"] = (f"objection {name}", np.array([-1.0, 1.0]))
    return found


def _cut(heads: Heads, text: str) -> tuple[dict[str, int], Any, Any, Any]:
    """Words and pairs by number; of each known n-gram whose it is, its column, and its value."""
    X = heads.many.ngrams.transform([text])
    words, columns, owners = heads.many.ngrams.owners(text)
    names: dict[str, int] = {}
    single = [names.setdefault(word, len(names)) for word in words]
    pairs = [names.setdefault(f"{a} {b}", len(names)) for a, b in pairwise(words)]
    places = np.array([*single, 0, *pairs], np.int64)
    ids = places[np.where(owners >= 0, owners, len(words) - 1 - owners)]
    order = np.argsort(X.indices)
    at = order[np.searchsorted(X.indices, columns, sorter=order)] if len(columns) else columns
    share = X.data[at] / np.bincount(at)[at] if len(columns) else np.zeros(0)
    return names, ids, columns, share

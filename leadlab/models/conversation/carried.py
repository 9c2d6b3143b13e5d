"""The words that carried what the models decided about one message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    wanted = _wanted(heads, intent, objections)
    names, columns, share = _cut(heads, text)
    told = hits(text)
    found = {}
    for what, (target, way) in wanted.items():
        stack, k = heads.stacks[target], len(way)
        effects: dict[str, float] = {}
        if len(columns):
            weights = heads.many.classifiers[target].weights_[columns]
            each = share * (weights @ (stack.weights[:k] @ way))
            for name, effect in zip(names, each.tolist(), strict=True):
                effects[name] = effects.get(name, 0.0) + effect
        key = stack.weights[k:] @ way
        for sort, word in told:
            effects[word] = effects.get(word, 0.0) + float(key[sort])
        sign = -1.0 if what == "sentiment" and sum(effects.values()) < 0 else 1.0
        ranked = sorted(effects.items(), key=lambda one: (-sign * one[1], one[0]))
        found[what] = tuple((word, e) for word, e in ranked[:TOP] if sign * e > 0)
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


def _cut(heads: Heads, text: str) -> tuple[list[str], Any, Any]:
    """Of each known n-gram its word or words, its column, and its value."""
    X = heads.many.ngrams.transform([text])
    words, columns, owners = heads.many.ngrams.owners(text)
    if not len(columns):
        return [], columns, columns
    order = np.argsort(X.indices)
    at = order[np.searchsorted(X.indices, columns, sorter=order)]
    share = X.data[at] / np.bincount(at)[at]
    return [_name(words, owner) for owner in owners.tolist()], columns, share


def _name(words: Sequence[str], owner: int) -> str:
    return words[owner] if owner >= 0 else f"{words[-2 - owner]} {words[-1 - owner]}"

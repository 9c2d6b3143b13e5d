"""What a message can be about, and what each intent says of the wish to buy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
INTENTS = ("inquiry", "property question", "scheduling", "financing", "pricing/negotiation",
           "offer", "objection", "thanks/closing", "research", "other/out of scope")  # fmt: skip
OTHER = INTENTS[-1]
OBJECTIONS = ("price", "financing", "timing", "location", "condition", "trust", "competitor")
BUYING = {
    "inquiry": 0.45, "property question": 0.5, "scheduling": 0.75, "financing": 0.7,
    "pricing/negotiation": 0.75, "offer": 1.0, "objection": 0.35, "thanks/closing": 0.2,
    "research": 0.25, "other/out of scope": 0.05,
}  # fmt: skip
"""How far each intent is on the way to a purchase, set by hand."""
URGENT, WARM, DOUBT = 0.15, 0.1, 0.2
"""What urgency, sentiment and doubts add or take, set by hand."""


def buying_intent(intent: F64, urgency: F64, sentiment: F64, objections: F64) -> F64:
    """Wish to buy, 0 to 1: a declared formula, learned from nothing.

    ``sum(P(intent) BUYING) + 0.15 (urgency - 0.5) + 0.1 sentiment - 0.2 max P(objection)``, held
    within 0 and 1.

    Parameters
    ----------
    intent : array, shape (n, 10)
        Probabilities by `INTENTS`.
    urgency, sentiment : array, shape (n,)
    objections : array, shape (n, 7)

    Returns
    -------
    array, shape (n,)

    Examples
    --------
    >>> offer = np.eye(10)[[5]]
    >>> buying_intent(offer, np.array([0.5]), np.zeros(1), np.zeros((1, 7))).tolist()
    [1.0]
    """
    level = intent @ np.array([BUYING[name] for name in INTENTS])
    moved = URGENT * (urgency - 0.5) + WARM * sentiment - DOUBT * objections.max(axis=1)
    found: F64 = np.clip(level + moved, 0, 1)
    return found

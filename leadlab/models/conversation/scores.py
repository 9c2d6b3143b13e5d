"""Figures of many messages, in columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadlab.models.conversation.topics import buying_intent

F64 = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Scores:
    """What n messages say.

    Attributes
    ----------
    intent : array, shape (n, 10)
        Probabilities by `topics.INTENTS`; rows of sum 1.
    sentiment : array, shape (n,)
        -1 to 1: P(warm) - P(cold).
    confidence : array, shape (n,)
        Of the sentiment: the probability of its likeliest of cold, even and warm.
    urgency : array, shape (n,)
        0 to 1: the probability that it presses.
    objections : array, shape (n, 7)
        Probability of each, by `topics.OBJECTIONS`.

    Examples
    --------
    >>> one = Scores(np.eye(10)[[5]], np.zeros(1), np.ones(1), np.array([0.5]), np.zeros((1, 7)))
    >>> len(one), one.buying.tolist()
    (1, [1.0])
    """

    intent: F64
    sentiment: F64
    confidence: F64
    urgency: F64
    objections: F64

    def __len__(self) -> int:
        return len(self.intent)

    @property
    def buying(self) -> F64:
        """Buying intent, shape (n,); see `topics.buying_intent`."""
        return buying_intent(self.intent, self.urgency, self.sentiment, self.objections)

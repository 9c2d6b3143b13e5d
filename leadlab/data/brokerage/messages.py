"""What leads mean when they write: planted intent, sentiment, urgency and objections.

Drawn for each written message from its key and the state that the lead was in. The log carries
sentiment and urgency as some instrument would have measured them, with an error; the planted ones
are part of the truth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadlab.data.brokerage.draws import Keys, choose, lognormal, normal, uniform
from leadlab.data.brokerage.intent import mood

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
INTENTS = ("schedule showing", "ask price", "ask details", "availability", "financing",
           "make offer", "negotiate", "sell home", "neighbourhood", "paperwork", "send more",
           "stop")  # fmt: skip
OBJECTIONS = ("price", "timing", "financing", "competition", "trust", "condition", "location")
_STOP, _NEGOTIATE, _OFFER = INTENTS.index("stop"), INTENTS.index("negotiate"), 5
_MEANT = np.array(
    [  # show price details avail. finance offer negot. sell area paper more stop
        [0.2, 1.0, 1.0, 1.0, 0.6, 0.0, 0.0, 0.6, 0.8, 0.1, 1.2, 3.0],  # dormant
        [0.6, 2.0, 2.0, 1.6, 1.0, 0.1, 0.1, 0.8, 1.6, 0.1, 1.6, 0.8],  # browsing
        [2.0, 1.6, 2.0, 2.0, 1.8, 0.3, 0.3, 0.9, 1.6, 0.2, 1.4, 0.2],  # active
        [3.0, 1.2, 1.6, 1.8, 1.6, 1.2, 0.7, 0.8, 1.0, 0.4, 0.6, 0.1],  # ready
        [0.8, 0.6, 0.8, 0.8, 1.5, 2.4, 3.0, 0.4, 0.3, 2.0, 0.2, 0.1],  # offering
        [0.4, 0.2, 0.6, 0.2, 1.8, 0.2, 1.0, 0.5, 0.4, 4.0, 0.1, 0.1],  # under contract
        [1.0] * 12,  # closed
        [1.0] * 12,  # gone
    ]
)
_WARMTH = np.array([-0.15, 0.05, 0.20, 0.30, 0.20, 0.15, 0.0, 0.0])
_HURRY = np.array([-2.2, -1.4, -0.4, 0.6, 1.4, 0.5, -1.0, -1.0])
_DOUBT = np.array([1.0, 1.0, 1.2, 0.0, 0.0, 0.0, 0.0])
"""How much likelier each objection is early than late; the others are as likely throughout."""
_USUAL = np.array([0.14, 0.10, 0.09, 0.07, 0.06, 0.09, 0.08])


@dataclass(frozen=True, eq=False)
class Meant:
    """What n messages mean.

    Attributes
    ----------
    intent : int array, shape (n,)
        Position in `INTENTS`.
    sentiment : float array, shape (n,)
        -1 to 1.
    urgency : float array, shape (n,)
        0 to 1.
    objections : bool array, shape (n, 7)
        By `OBJECTIONS`; two at most.
    """

    intent: I64
    sentiment: F64
    urgency: F64
    objections: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.intent)

    def objections_told(self) -> list[str]:
        """Objections of each message, "" where none, joined by a comma."""
        said = [""] * len(self)
        for row, column in zip(*np.nonzero(self.objections), strict=True):
            said[row] += ("," if said[row] else "") + OBJECTIONS[column]
        return said


def meant(key: Keys, state: I64) -> Meant:
    """Draw what messages mean.

    Examples
    --------
    >>> from leadlab.data.brokerage.draws import child, first_key
    >>> key = child(first_key(0, "messages"), np.arange(9))
    >>> found = meant(key, np.full(9, 3))
    >>> len(found), bool((abs(found.sentiment) <= 1).all())
    (9, True)
    """
    moods = mood(state)
    intent = choose(key, "intent", _MEANT[moods])
    shift = np.zeros(len(INTENTS))
    shift[_STOP], shift[_NEGOTIATE], shift[_OFFER] = -0.45, -0.12, 0.1
    warmth = _WARMTH[moods] + shift[intent] + 0.38 * normal(key, "sentiment")
    sentiment = np.clip(warmth, -1, 1)
    pressing = np.zeros(len(INTENTS))
    pressing[[0, 5, 6, 9]] = 0.7
    pressing[[10, 11]] = -0.8
    log_odds = _HURRY[moods] + pressing[intent] + 1.1 * normal(key, "urgency")
    chance = np.stack(
        [
            _USUAL[i] * (1.6 - 0.9 * sentiment) * (1 - 0.12 * _DOUBT[i] * moods)
            for i in range(len(OBJECTIONS))
        ],
        axis=1,
    )
    raised = np.stack(
        [uniform(key, f"objects to {name}") < chance[:, i] for i, name in enumerate(OBJECTIONS)],
        axis=1,
    )
    raised &= np.cumsum(raised, axis=1) <= 2
    return Meant(intent, sentiment, 1 / (1 + np.exp(-log_odds)), raised)


def measured(key: Keys, said: Meant) -> tuple[F64, F64, F64]:
    """Sentiment, urgency and length (characters) as an instrument would have them.

    Examples
    --------
    >>> key = np.arange(3, dtype=np.uint64)
    >>> [len(column) for column in measured(key, meant(key, np.zeros(3, np.int64)))]
    [3, 3, 3]
    """
    sentiment = np.clip(said.sentiment + 0.15 * normal(key, "sentiment measured"), -1, 1)
    urgency = np.clip(said.urgency + 0.10 * normal(key, "urgency measured"), 0, 1)
    more = 1 + 0.35 * said.objections.sum(axis=1)
    length = np.ceil(lognormal(key, "length", 75.0, 0.55) * more)
    return np.round(sentiment, 3), np.round(urgency, 3), length

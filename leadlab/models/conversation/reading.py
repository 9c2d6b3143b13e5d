"""What one message says, beside what it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from leadlab.models.conversation.facts import Fact
from leadlab.models.conversation.masking import Pii, masked

RAISED = 0.5
"""An objection of this probability or more counts as raised."""
Words = tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """One message, read.

    Attributes
    ----------
    intent : str
        The likeliest of `topics.INTENTS`.
    probability : float
        Of that intent.
    intents : mapping of str to float
        Probability of each; they sum to 1.
    sentiment : float
        -1 (cold) to 1 (warm).
    confidence : float
        Of the sentiment, 0 to 1.
    urgency, buying_intent : float
        0 to 1.
    objections : mapping of str to float
        Probability that each of `topics.OBJECTIONS` is raised.
    facts : tuple of Fact
        Empty also where they were not asked for.
    pii : tuple of Pii
        Places to be masked.
    words : mapping of str to tuple of (words, effect)
        By decision ("intent", "sentiment", "urgency", "objection price"): what carried it, with
        its log-odds before calibration; key words with 1.0 where rules decided.
    language : str
        "en", "unknown", or "none" where there is no word.
    method : str
        "model", "rules", or "none" where nothing can be said.
    because : str
        Why it was not the model; "" where it was.
    notes : tuple of str
        What else one should know, such as that the text commands a machine.
    """

    intent: str
    probability: float
    intents: Mapping[str, float]
    sentiment: float
    confidence: float
    urgency: float
    buying_intent: float
    objections: Mapping[str, float]
    facts: tuple[Fact, ...]
    pii: tuple[Pii, ...]
    words: Mapping[str, Words]
    language: str
    method: str
    because: str = ""
    notes: tuple[str, ...] = ()

    @property
    def raised(self) -> tuple[str, ...]:
        """Objections that count as raised, the likeliest first."""
        ranked = sorted(self.objections.items(), key=lambda one: -one[1])
        return tuple(kind for kind, chance in ranked if chance >= RAISED)

    def to_json(self, text: str, role: str = "analyst") -> dict[str, Any]:
        """Plain values, with nothing in them that the role may not see.

        Parameters
        ----------
        text : str
            The message that was read.
        role : str
            See `masking.masked`.
        """
        shown = {name: getattr(self, name) for name in _PLAIN}
        hidden = {m for p in self.pii if (m := text[p.start : p.end]) and masked(m, role) != m}
        facts = [
            {
                "name": fact.name,
                "text": masked(text[fact.start : fact.end], role),
                "value": _shown(fact.value, role),
                "unit": fact.unit,
                "low": fact.low,
                "high": fact.high,
                "start": fact.start,
                "end": fact.end,
            }
            for fact in self.facts
        ]
        secret = " ".join(hidden).lower()
        words = {
            what: [[w, effect] for w, effect in carried if not _within(w, secret)]
            for what, carried in self.words.items()
        }
        pii = [{"kind": p.kind, "start": p.start, "end": p.end} for p in self.pii]
        return {"text": masked(text, role), **shown, "facts": facts, "pii": pii, "words": words}


_PLAIN = ("intent", "probability", "intents", "sentiment", "confidence", "urgency",
          "buying_intent", "objections", "language", "method", "because", "notes")  # fmt: skip


def _shown(value: float | str | bool, role: str) -> float | str | bool:
    return masked(value, role) if isinstance(value, str) else value


def _within(words: str, secret: str) -> bool:
    return any(len(word) > 1 and word in secret for word in words.split())

"""Reads what leads write: intent, mood, haste, doubts, facts, and what must be masked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Self

import numpy as np
import pandas as pd

from leadlab.errors import NotFitted
from leadlab.models.conversation.carried import carried
from leadlab.models.conversation.facts import Fact, find_facts
from leadlab.models.conversation.heads import Heads, fit_heads
from leadlab.models.conversation.language import commands_a_machine, language, readable
from leadlab.models.conversation.masking import Pii, find_pii
from leadlab.models.conversation.ngrams import checked_texts
from leadlab.models.conversation.reading import RAISED, Reading, Words
from leadlab.models.conversation.rules import by_rules, words_of_rules
from leadlab.models.conversation.scores import Scores
from leadlab.models.conversation.so_far import ConversationState, state_of
from leadlab.models.conversation.topics import INTENTS, OBJECTIONS, OTHER
from leadlab.schema.message import Message

_BREAKS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
UNTRAINED = "no model is trained"
Why = tuple[str, str]


class ConversationReader:
    """Reads messages one by one, many at once, and conversations as they stand.

    Linear models over words and parts of words answer all questions from one pass; each
    probability is calibrated on wording that the model had not seen. Without a model, or where it
    breaks, visible rules answer: `Reading.method` and `Reading.because` say so. What no model here
    can read (no words, another language) is left unread, and said.

    Parameters
    ----------
    seed : int
        Of the folds.
    without : str, optional
        Why there is no model, for `Reading.because`, where one was to be had and could not be read.

    Attributes
    ----------
    heads_ : Heads
    trained_on_ : mapping of str to int
        Texts by source.

    Examples
    --------
    >>> reading = ConversationReader().read("Can we schedule a tour on Friday? 3 beds, up to $400k")
    >>> reading.intent, reading.method, reading.because
    ('scheduling', 'rules', 'no model is trained')
    >>> [(fact.name, fact.value) for fact in reading.facts]
    [('beds', 3.0), ('budget', 400000.0)]
    >>> ConversationReader().read("Queremos comprar una casa grande").because
    'language unknown: the models know English only'
    """

    kind: ClassVar[str] = "conversation"

    def __init__(self, *, seed: int = 0, without: str = UNTRAINED) -> None:
        self.seed = seed
        self.without = without

    def fit(self, frame: pd.DataFrame, tell: Callable[[str], None] = lambda step: None) -> Self:
        """Learn from labelled texts.

        Parameters
        ----------
        frame : DataFrame
            See `heads.fit_heads`; ``source``, where there is one, is kept for the card.
        tell : callable
            Called with a few words before each step.

        Raises
        ------
        BadInput, EmptyInput
            As `heads.fit_heads`.
        """
        self.heads_: Heads = fit_heads(frame, seed=self.seed, tell=tell)
        sources = frame["source"] if "source" in frame else pd.Series(["given"] * len(frame))
        self.trained_on_: Mapping[str, int] = {
            str(name): int(n) for name, n in sources.value_counts().sort_index().items()
        }
        return self

    def card(self) -> str:
        """Say which texts the model was trained on, and what it cannot do.

        Raises
        ------
        NotFitted
            Before `fit`.
        """
        if not hasattr(self, "heads_"):
            raise NotFitted("the reader is not trained yet", hint="Call fit.")
        told = ", ".join(f"{n:,} of '{name}'" for name, n in self.trained_on_.items())
        own = "'simulated' and 'talk' are texts put together from phrases written for leadlab."
        return (
            f"Trained on {told} texts; the rules' key words are counted beside. {own} "
            "English only. Probabilities were set on wording that the models had not seen; buying "
            "intent is a formula set by hand."
        )

    def scores(self, texts: Sequence[str]) -> Scores:
        """Figures of many texts in columns, by the models alone: what they cost is one pass.

        Raises
        ------
        NotFitted, BadInput
        """
        if not hasattr(self, "heads_"):
            raise NotFitted("the reader is not trained yet", hint="Call fit.")
        return self.heads_.scores([readable(text) for text in checked_texts(texts)])

    def read(self, text: str, *, facts: bool = True) -> Reading:
        """Read one message, with the words that carried each decision.

        Parameters
        ----------
        text : str
            Mark-up and control characters are passed over; places refer to the text as given.
        facts : bool
            Whether to look for facts and for what must be masked.

        Raises
        ------
        BadInput
            If it is no str.
        """
        return self._read(checked_texts([text]), facts, words=True)[0]

    def read_many(
        self, texts: Sequence[str], *, facts: bool = True, words: bool = False
    ) -> list[Reading]:
        """Read messages, all models in one pass; words are told where asked for."""
        return self._read(checked_texts(texts), facts, words)

    def so_far(self, messages: Sequence[Message]) -> ConversationState:
        """Read a conversation, in whatever order its messages come.

        Parameters
        ----------
        messages : sequence of Message
            Of one lead.
        """
        ordered = sorted(messages, key=lambda message: message.at)
        return state_of(ordered, self.read_many([message.text for message in ordered]))

    def to_files(self) -> dict[str, bytes]:
        """Contents by file name: arrays without pickle, and JSON.

        Raises
        ------
        NotFitted
            Before `fit`.
        """
        from leadlab.models.conversation.reader_files import to_files  # noqa: PLC0415  (cycle)

        return to_files(self)

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """What `to_files` gave.

        Raises
        ------
        BrokenFile
        """
        from leadlab.models.conversation.reader_files import from_files  # noqa: PLC0415  (cycle)

        return from_files(cls, files)

    def _read(self, texts: list[str], facts: bool, words: bool) -> list[Reading]:
        plain = [readable(text) for text in texts]
        spoken = [language(text) for text in plain]
        found, method, because = self._scored(plain)
        columns = zip(
            found.intent.argmax(axis=1).tolist(), found.intent.tolist(), found.sentiment.tolist(),
            found.confidence.tolist(), found.urgency.tolist(), found.buying.tolist(),
            found.objections.tolist(), strict=True,
        )  # fmt: skip
        readings = []
        for text, tongue, row in zip(plain, spoken, columns, strict=True):
            best, intents, mood, sure, haste, buying, doubts = row
            notes = ("it commands a machine; it was only read",) if commands_a_machine(text) else ()
            told = find_facts(text) if facts else ()
            pii = find_pii(text) if facts else ()
            if tongue != "en":
                readings.append(_unread(text, tongue, told, pii, notes))
                continue
            why = self._words(text, best, doubts, method) if words else {}
            readings.append(
                Reading(
                    INTENTS[best],
                    intents[best],
                    dict(zip(INTENTS, intents, strict=True)),
                    mood,
                    sure,
                    haste,
                    buying,
                    dict(zip(OBJECTIONS, doubts, strict=True)),
                    told,
                    pii,
                    why,
                    tongue,
                    method,
                    because,
                    notes,
                )
            )
        return readings

    def _scored(self, plain: list[str]) -> tuple[Scores, str, str]:
        """Scores, by which method, and why not by the model."""
        if not hasattr(self, "heads_"):
            return by_rules(plain), "rules", self.without
        try:
            found = self.heads_.scores(plain)
        except _BREAKS as error:
            because = f"the model failed: {type(error).__name__}: {str(error)[:100]}"
            return by_rules(plain), "rules", because
        if not all(np.isfinite(part).all() for part in (found.intent, found.sentiment)):
            return by_rules(plain), "rules", "the model failed: it gave no number"
        return found, "model", ""

    def _words(self, text: str, intent: int, doubts: list[float], method: str) -> dict[str, Words]:
        raised = [k for k, chance in zip(OBJECTIONS, doubts, strict=True) if chance >= RAISED]
        if method == "model":
            return carried(self.heads_, text, intent, raised)
        told = words_of_rules(text, INTENTS[intent], raised)
        return {what: tuple((word, 1.0) for word in some) for what, some in told.items()}


def _unread(
    text: str, tongue: str, facts: tuple[Fact, ...], pii: tuple[Pii, ...], notes: tuple[str, ...]
) -> Reading:
    """What is said of a text that cannot be read: all intents alike, nothing else."""
    if tongue == "unknown":
        because = "language unknown: the models know English only"
    else:
        because = "there are no words in it" if text.strip() else "it is empty"
    even = dict.fromkeys(INTENTS, 1 / len(INTENTS))
    none = dict.fromkeys(OBJECTIONS, 0.0)
    return Reading(
        OTHER, even[OTHER], even, 0.0, 0.0, 0.0, 0.0, none, facts, pii, {}, tongue, "none",
        because, notes,
    )  # fmt: skip

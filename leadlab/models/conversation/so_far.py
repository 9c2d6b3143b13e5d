"""A conversation as it stands: mood, doubts and questions left open, facts, and who waits."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from leadlab.models.conversation.facts import Fact, newest
from leadlab.models.conversation.reading import Reading
from leadlab.models.conversation.topics import BUYING
from leadlab.schema.kinds import Direction
from leadlab.schema.message import Message

HALF_LIFE = 2.0
"""Messages of the lead after which one counts half for the buying intent."""
_SENTENCE = re.compile(r"[^.!?\n]{2,400}[.!?\n]?")
_ASKS = re.compile(
    r"\s*(?:and |but |so |also |hi |hello |hey )?(?:what|when|where|which|who|why|how|is|are|can|"
    r"could|would|will|do|does|did|has|have|any chance)\s+(?:\w+\s+)?"
    r"(?:i|you|we|they|it|the|there|this|that|much|many|long|old|big|far|is|are|about|price)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ConversationState:
    """What a conversation amounts to by now.

    Attributes
    ----------
    messages, from_lead : int
        How many, and how many of them the lead's.
    sentiment_last, sentiment_mean : float
        Of the lead's messages; NaN where there is none.
    sentiment_trend : float
        Slope of a straight line through the lead's sentiments, a message; 0 for fewer than two.
    open_objections : mapping of str to float
        Raised by the lead and not followed by any message of the agent; with their probability.
    unanswered : tuple of str
        The lead's questions that no later message of the agent follows, the oldest first.
    buying_intent : float
        Mean of the lead's messages, each counting half of the one two later; 0 for none.
    strongest_intent : str
        Of all likely intents of the lead's messages the one nearest to a purchase; "" for none.
    facts : mapping of str to Fact
        The newest of each; `Fact.start` is a place in the message `facts_from` names.
    facts_from : mapping of str to str
        Id of the message that said it.
    answer_gaps_s : tuple of float
        Seconds from the lead's first unanswered message to the agent's next one.
    lead_gaps_s : tuple of float
        Seconds from the agent's first to the lead's next one.
    waiting_s : float
        Seconds that the lead has been waiting for at the last message; 0 if the agent had the last
        word.
    methods : tuple of str
        How the lead's messages were read.
    """

    messages: int
    from_lead: int
    sentiment_last: float
    sentiment_mean: float
    sentiment_trend: float
    open_objections: Mapping[str, float]
    unanswered: tuple[str, ...]
    buying_intent: float
    strongest_intent: str
    facts: Mapping[str, Fact]
    facts_from: Mapping[str, str]
    answer_gaps_s: tuple[float, ...]
    lead_gaps_s: tuple[float, ...]
    waiting_s: float
    methods: tuple[str, ...]


def questions(text: str) -> tuple[str, ...]:
    r"""Sentences that ask something, with or without their question mark.

    Examples
    --------
    >>> questions("Hi. Is it free? how big is the garden\nWe like it.")
    ('Is it free?', 'how big is the garden')
    """
    parts = [part.strip() for part in _SENTENCE.findall(text)]
    return tuple(part for part in parts if part.endswith("?") or _ASKS.match(part))


def state_of(messages: Sequence[Message], readings: Sequence[Reading]) -> ConversationState:
    """Put the readings of one conversation together.

    Parameters
    ----------
    messages : sequence of Message
        In order of time.
    readings : sequence of Reading
        Of the same messages; those of the agent's count for nothing but the time.

    Returns
    -------
    ConversationState
    """
    pairs = list(zip(messages, readings, strict=True))
    lead = [(m, r) for m, r in pairs if m.direction is Direction.FROM_LEAD]
    last_answer = max(
        (i for i, (m, _) in enumerate(pairs) if m.direction is Direction.FROM_TEAM), default=-1
    )
    after = pairs[last_answer + 1 :]
    doubts: dict[str, float] = {}
    for _, reading in after:
        doubts.update({kind: reading.objections[kind] for kind in reading.raised})
    mood = np.array([r.sentiment for _, r in lead])
    age = np.arange(len(lead))[::-1]
    weight = 0.5 ** (age / HALF_LIFE)
    buying = float(weight @ [r.buying_intent for _, r in lead] / weight.sum()) if lead else 0.0
    said = [{f.name: m.id for f in r.facts} for m, r in lead]
    answers, replies, waiting = _gaps(messages)
    return ConversationState(
        messages=len(pairs),
        from_lead=len(lead),
        sentiment_last=float(mood[-1]) if len(mood) else float("nan"),
        sentiment_mean=float(mood.mean()) if len(mood) else float("nan"),
        sentiment_trend=float(np.polyfit(-age, mood, 1)[0]) if len(mood) > 1 else 0.0,
        open_objections=doubts,
        unanswered=tuple(q for m, _ in after for q in questions(m.text)),
        buying_intent=buying,
        strongest_intent=max(
            (r.intent for _, r in lead if r.method != "none"), key=BUYING.__getitem__, default=""
        ),
        facts=newest([r.facts for _, r in lead]),
        facts_from={name: id for one in said for name, id in one.items()},
        answer_gaps_s=answers,
        lead_gaps_s=replies,
        waiting_s=waiting,
        methods=tuple(r.method for _, r in lead),
    )


def _gaps(messages: Sequence[Message]) -> tuple[tuple[float, ...], tuple[float, ...], float]:
    """Seconds from the first message of one side to the next one of the other, and the wait now."""
    gaps: dict[Direction, list[float]] = {Direction.FROM_LEAD: [], Direction.FROM_TEAM: []}
    since = None
    for message in messages:
        if since is None or message.direction is not since.direction:
            if since is not None:
                gaps[message.direction].append((message.at - since.at).total_seconds())
            since = message
    waits = since is not None and since.direction is Direction.FROM_LEAD
    waiting = (messages[-1].at - since.at).total_seconds() if since is not None and waits else 0.0
    return tuple(gaps[Direction.FROM_TEAM]), tuple(gaps[Direction.FROM_LEAD]), waiting

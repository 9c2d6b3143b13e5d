"""What the engine tells those who watch: small messages, the same on every way out."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Topic = Literal["scores", "churn", "matches", "conversations", "activity", "performance", "alerts"]
TOPICS: tuple[Topic, ...] = (
    "scores", "churn", "matches", "conversations", "activity", "performance", "alerts",
)  # fmt: skip


class Message(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One message on one topic, of one tenant.

    Attributes
    ----------
    topic : str
        One of `TOPICS`.
    tenant : str
        Whose; nobody else may see it.
    at_us : int
        Moment that it holds as of, microseconds UTC.
    key : str
        Messages of one topic, tenant and key replace one another: the lead for ``scores``,
        ``churn`` and ``matches``, the event's id for ``activity`` and ``conversations``, the
        alert's id for ``alerts``, "" for ``performance``.
    lead, agent, tier, event : str or None
        About whom, who acts for the team, "hot", "warm" or "cold", and the id of the event behind
        it; what filters look at.
    body : dict
        What is said, plain JSON values.

    Examples
    --------
    >>> one = Message(topic="scores", tenant="default", at_us=1, key="ann", lead="ann",
    ...               body={"probability": 0.2})
    >>> msgspec.json.decode(msgspec.json.encode(one), type=Message) == one
    True
    """

    topic: Topic
    tenant: str
    at_us: int
    key: str = ""
    lead: str | None = None
    agent: str | None = None
    tier: str | None = None
    event: str | None = None
    body: dict[str, Any] = {}

"""Which messages a client asked for, and which it may have at all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import msgspec

from leadlab.api.backlog import Entry
from leadlab.api.identity import Principal
from leadlab.errors import BadInput, UnknownName
from leadlab.schema.fields import MAX_TEXT
from leadlab.stream.message import Topic

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TEXT)]
Names = Annotated[list[Name], msgspec.Meta(max_length=1_000)]
PLURAL = {"topic": "topics", "tier": "tiers", "agent": "agents", "lead": "leads"}
"""Query parameters, each of which may be given several times, and the fields they fill."""
_ELSE = ("cursor", "ticket")


class Wanted(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What a client asks for; an empty list asks for everything.

    Attributes
    ----------
    topics, tiers, agents, leads : list of str
        Messages that fit one of each. A message that names no lead, agent or tier fits none.
    cursor : str or None
        Where to go on from; None for now.
    """

    topics: Annotated[list[Topic], msgspec.Meta(max_length=50)] = []
    tiers: Annotated[list[Literal["cold", "warm", "hot"]], msgspec.Meta(max_length=50)] = []
    agents: Names = []
    leads: Names = []
    cursor: Annotated[str, msgspec.Meta(max_length=100)] | None = None


@dataclass(frozen=True)
class Filters:
    """What passes: clients with equal filters share every frame.

    Attributes
    ----------
    topics, tiers, agents, leads : frozenset of str
        Empty sets let everything pass. A lead that leaves a tier passes once more, so that those
        who watch the tier learn of it.
    own : frozenset of str or None
        Agents outside whose leads nothing passes, whatever was asked for; None sets no bound.

    Examples
    --------
    >>> from leadlab.stream.message import Message
    >>> hot = Filters(tiers=frozenset({"hot"}))
    >>> score = Message(topic="scores", tenant="t", at_us=0, key="ann", lead="ann", tier="hot")
    >>> hot.passes(Entry(1, score), 0), Filters(own=frozenset()).passes(Entry(1, score), 0)
    (True, False)
    """

    topics: frozenset[str] = frozenset()
    tiers: frozenset[str] = frozenset()
    agents: frozenset[str] = frozenset()
    leads: frozenset[str] = frozenset()
    own: frozenset[str] | None = None

    def passes(self, entry: Entry, since: int) -> bool:
        """Whether a reader that has seen everything up to number `since` gets `entry`."""
        message = entry.message
        if self.own is not None and message.agent not in self.own:
            return False
        if self.topics and message.topic not in self.topics:
            return False
        if self.leads and message.lead not in self.leads:
            return False
        if self.agents and message.agent not in self.agents:
            return False
        if not self.tiers or message.tier in self.tiers:
            return True
        return any(entry.left.get(tier, 0) > since for tier in self.tiers)

    def within(self, principal: Principal) -> Filters:
        """These filters, held to what `principal` may see of its tenant."""
        if principal.role != "agent":
            return self
        own = frozenset() if principal.agent is None else frozenset({principal.agent})
        return replace(self, own=own)


def filters_of(wanted: Wanted) -> Filters:
    """Filters that let pass what is wanted."""
    names = (wanted.topics, wanted.tiers, wanted.agents, wanted.leads)
    return Filters(*(frozenset(some) for some in names))


def wanted_from_query(items: Iterable[tuple[str, str]]) -> Wanted:
    """Read ``topic=scores&topic=churn&tier=hot&agent=...&lead=...&cursor=...``.

    Raises
    ------
    UnknownName
        For a parameter that is none of these.
    BadInput
        For a value that cannot be used.

    Examples
    --------
    >>> wanted_from_query([("topic", "scores"), ("topic", "churn")]).topics
    ['scores', 'churn']
    >>> wanted_from_query([("tier", "tepid")])
    Traceback (most recent call last):
    ...
    leadlab.errors.BadInput: Invalid enum value 'tepid' - at `$.tiers[0]` (where: query)
    """
    given: dict[str, list[str] | str] = {}
    for name, value in items:
        if name in PLURAL:
            values = given.setdefault(PLURAL[name], [])
            assert isinstance(values, list)
            values.append(value)
        elif name == "cursor":
            given[name] = value
        elif name not in _ELSE:
            raise UnknownName("query parameter", name, (*PLURAL, *_ELSE), where="query")
    try:
        return msgspec.convert(given, Wanted)
    except msgspec.ValidationError as error:
        raise BadInput(str(error), where="query") from error

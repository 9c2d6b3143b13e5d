"""Kinds of events: the vocabulary of lead events, and what a brokerage adds on the team's side.

The names of lead events follow Follow Up Boss. Any other kind may occur in a log; it is then of
neither direction and of no channel until someone says more about it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Direction(StrEnum):
    """Who did it."""

    FROM_LEAD = "from lead"
    FROM_TEAM = "from team"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of event.

    Attributes
    ----------
    name : str
    direction : Direction
    channel : str or None
        "web", "message", "call", "email", "in person" or "form".
    known : bool
        False for a kind outside the vocabulary.
    """

    name: str
    direction: Direction
    channel: str | None = None
    known: bool = True


CONVERTED = "Closed"
LOST = "Lost"
_VOCABULARY = {
    (Direction.FROM_LEAD, "form"): (
        "Registration",
        "Inquiry",
        "Seller Inquiry",
        "Property Inquiry",
        "General Inquiry",
    ),
    (Direction.FROM_LEAD, "web"): (
        "Viewed Property",
        "Saved Property",
        "Discarded Property",
        "Visited Website",
        "Property Search",
        "Saved Property Search",
        "Viewed Page",
    ),
    (Direction.FROM_LEAD, "in person"): ("Visited Open House", "Showing Completed"),
    (Direction.FROM_LEAD, "call"): ("Incoming Call",),
    (Direction.FROM_LEAD, "message"): ("Incoming Message",),
    (Direction.FROM_LEAD, "email"): (
        "Incoming Email",
        "Email Opened",
        "Email Clicked",
        "Unsubscribed",
    ),
    (Direction.FROM_LEAD, None): ("Showing Requested", "Showing Cancelled", "Offer Submitted"),
    (Direction.FROM_TEAM, "call"): ("Outgoing Call",),
    (Direction.FROM_TEAM, "message"): ("Outgoing Message",),
    (Direction.FROM_TEAM, "email"): ("Outgoing Email",),
    (Direction.FROM_TEAM, None): (
        "Agent Assigned",
        "Note Added",
        "Task Completed",
        "Listing Recommended",
        "Showing Scheduled",
    ),
    (Direction.NEITHER, None): (
        "Stage Changed",
        "Offer Accepted",
        "Offer Rejected",
        "Contract Cancelled",
        CONVERTED,
        LOST,
    ),
}
KINDS = MappingProxyType(
    {
        name: Kind(name, direction, channel)
        for (direction, channel), names in _VOCABULARY.items()
        for name in names
    }
)
"""The vocabulary by name."""
INQUIRIES = ("Registration", "Inquiry", "Seller Inquiry", "Property Inquiry", "General Inquiry")
"""The kinds that set off a first answer."""


def kind_of(name: str) -> Kind:
    """Look up a kind; one outside the vocabulary is said to be unknown, not refused.

    Examples
    --------
    >>> kind_of("Outgoing Call").direction.value, kind_of("Outgoing Call").channel
    ('from team', 'call')
    >>> kind_of("Quiz Taken")
    Kind(name='Quiz Taken', direction=<Direction.NEITHER: 'neither'>, channel=None, known=False)
    """
    return KINDS.get(name) or Kind(name, Direction.NEITHER, known=False)


def kinds(*, direction: Direction | str | None = None, channel: str | None = None) -> list[str]:
    """List the vocabulary's names, all or those of a direction or a channel.

    Examples
    --------
    >>> kinds(direction="from team", channel="call")
    ['Outgoing Call']
    """
    return [
        kind.name
        for kind in KINDS.values()
        if direction in (None, kind.direction) and channel in (None, kind.channel)
    ]

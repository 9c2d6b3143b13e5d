"""A message between a lead and the team."""

from __future__ import annotations

from typing import Literal

from leadlab.schema.event import Event
from leadlab.schema.fields import DEFAULT_TENANT, MaybeName, Moment, Name, Number, Record, Text
from leadlab.schema.kinds import Direction

Channel = Literal["message", "email", "call"]
_NOUN = {"message": "Message", "email": "Email", "call": "Call"}


class Message(Record):
    """Something said, and in which direction.

    Attributes
    ----------
    id, tenant, lead : str
    at : datetime
        UTC.
    direction : Direction
        "from lead" or "from team".
    channel : "message", "email" or "call"
    text : str
        What was said; "" for a call without a transcript.
    agent : str, optional
    sentiment : float, optional
        -1 (negative) to 1 (positive), if something measured it.

    Examples
    --------
    >>> said = Message(id="m1", lead="ann", at="2026-03-01T10:00Z", direction="from lead",
    ...                channel="message", text="Is it still free?")
    >>> said.event().kind, said.event().data
    ('Incoming Message', {'channel': 'message', 'length': 17})
    """

    id: Name
    tenant: Name = DEFAULT_TENANT
    lead: Name
    at: Moment
    direction: Literal[Direction.FROM_LEAD, Direction.FROM_TEAM]
    channel: Channel
    text: Text = ""
    agent: MaybeName = None
    sentiment: Number = None

    def event(self) -> Event:
        """Say it as an event; the text itself stays here."""
        way = "Incoming" if self.direction is Direction.FROM_LEAD else "Outgoing"
        data = {"channel": self.channel, "length": len(self.text)}
        known = {} if self.sentiment is None else {"sentiment": self.sentiment}
        return Event(
            id=self.id,
            tenant=self.tenant,
            lead=self.lead,
            kind=f"{way} {_NOUN[self.channel]}",
            at=self.at,
            agent=self.agent,
            data={**data, **known},
        )

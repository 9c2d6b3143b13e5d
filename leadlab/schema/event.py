"""One event: what happened to which lead, and when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationError

from leadlab.errors import BadInput
from leadlab.schema.fields import (
    DEFAULT_TENANT,
    LARGEST_FURTHER,
    MAX_TEXT,
    RESERVED,
    MaybeName,
    Moment,
    Name,
    Number,
    Record,
)


def _further(data: dict[str, Any]) -> dict[str, Any]:
    for name, value in data.items():
        if not name.strip():
            raise ValueError("a further field has no name")
        if name in RESERVED:
            raise ValueError(f"'{name}' is an event's own field")
        if isinstance(value, str) and len(value) > MAX_TEXT:
            raise ValueError(f"'{name}' is longer than {MAX_TEXT} characters")
        if isinstance(value, float) and value in (float("inf"), float("-inf")):
            raise ValueError(f"'{name}' is infinite")
        if isinstance(value, float | int) and abs(value) > LARGEST_FURTHER:
            raise ValueError(f"'{name}' is too large")
    return data


class Event(Record):
    """What happened, to whom, and when.

    Attributes
    ----------
    id : str
        Unique within the tenant: the same id is the same event.
    tenant : str
    lead : str
        About whom.
    kind : str
        What happened, e.g. "Viewed Property" (`leadlab.schema.kinds`); open to any other.
    at : datetime
        When, in UTC. A time without a zone is refused.
    value : float, optional
        The event's main number, e.g. a price.
    agent : str, optional
        Who acted for the team.
    source : str, optional
        Through what the event came.
    data : dict
        Further fields.

    Examples
    --------
    >>> event = Event(id="e1", lead="ann", kind="Inquiry", at="2026-03-01T10:00:00-07:00")
    >>> event.at.isoformat(), event.tenant
    ('2026-03-01T17:00:00+00:00', 'default')
    """

    id: Name
    tenant: Name = DEFAULT_TENANT
    lead: Name
    kind: Name
    at: Moment
    value: Number = None
    agent: MaybeName = None
    source: MaybeName = None
    data: Annotated[dict[str, Any], AfterValidator(_further)] = Field(default_factory=dict)


def event_from(fields: Mapping[str, Any]) -> Event:
    """Check `fields` and make an `Event` of them.

    Raises
    ------
    BadInput
        Naming the first field that cannot be used.

    Examples
    --------
    >>> event_from({"id": "e1", "lead": "ann", "kind": "Inquiry", "at": "2026-03-01"})
    Traceback (most recent call last):
    leadlab.errors.BadInput: ...
    """
    try:
        return Event.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "event"
        raise BadInput(
            f"not an event: {first['msg']}", where=where, got=repr(first["input"])[:200]
        ) from error

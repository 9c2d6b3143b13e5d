"""An agent: who acts for the team."""

from __future__ import annotations

from pydantic import Field

from leadlab.schema.fields import DEFAULT_TENANT, MaybeName, Name, Record, Text


class Agent(Record):
    """A member of the team.

    Attributes
    ----------
    id, tenant : str
    name, office : str, optional
    email, phone : str, optional
    time_zone : str
        IANA zone in which the agent works.
    cities, languages : tuple of str
        Where the agent works, and the languages spoken with clients.
    capacity_leads : int, optional
        How many active leads the agent takes at once.
    active, automated : bool
        An automated agent is a program that acts in the team's name.

    Examples
    --------
    >>> Agent(id="kim", capacity_leads=40).active
    True
    """

    id: Name
    tenant: Name = DEFAULT_TENANT
    name: MaybeName = None
    office: MaybeName = None
    email: Text | None = None
    phone: Text | None = None
    time_zone: Name = "UTC"
    cities: tuple[Name, ...] = ()
    languages: tuple[Name, ...] = ()
    capacity_leads: int | None = Field(default=None, ge=0)
    active: bool = True
    automated: bool = False

"""Who asks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from leadlab.schema.fields import has_control, tidy

Role = Literal["admin", "manager", "agent", "viewer"]
LONGEST_NAME = 200
"""Characters of a tenant's, subject's or agent's name."""


def is_name(text: object) -> bool:
    """Tell whether `text` can name a tenant, a subject or an agent.

    Examples
    --------
    >>> is_name("acme"), is_name(" acme"), is_name("ac" + chr(10) + "me"), is_name(None)
    (True, False, False, False)
    """
    return (
        isinstance(text, str)
        and 0 < len(text) <= LONGEST_NAME
        and tidy(text) == text
        and not has_control(text)
        and not any("\ud800" <= c <= "\udfff" for c in text)
    )


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who proved who they are, and what they may.

    Attributes
    ----------
    tenant : str
        Whose data they may see; every query is held to it.
    subject : str
        Who, for the audit: a person's or a program's id.
    role : {"admin", "manager", "agent", "viewer"}
    scopes : frozenset of str
        What they may do, of `leadlab.api.roles.SCOPES`.
    agent : str or None
        With role "agent": the agent whose leads they may see, and no others.
    key_id : str
        The API key or the token's subject that requests are counted by.
    until_s : float
        When the proof expires, seconds since 1970 UTC; what is open then is ended.

    Examples
    --------
    >>> ann = Principal("acme", "ann", "viewer", frozenset({"leads:read"}), None, "jwt:ann")
    >>> ann.may("leads:read"), ann.may("events:write")
    (True, False)
    """

    tenant: str
    subject: str
    role: Role
    scopes: frozenset[str]
    agent: str | None
    key_id: str
    until_s: float = math.inf

    def may(self, scope: str) -> bool:
        """Tell whether `scope` was granted."""
        return scope in self.scopes

"""Who asks: the result of checking a token or a key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Role = Literal["admin", "manager", "agent", "viewer"]


@dataclass(frozen=True)
class Principal:
    """Somebody who may ask, and what for.

    Attributes
    ----------
    tenant : str
        The only one whose rows may be seen.
    subject : str
    role : {"admin", "manager", "agent", "viewer"}
    scopes : frozenset of str
    agent : str or None
        The agent that an agent's token speaks for.
    key_id : str
        Of the key that was shown.
    """

    tenant: str
    subject: str
    role: Role
    scopes: frozenset[str]
    agent: str | None
    key_id: str

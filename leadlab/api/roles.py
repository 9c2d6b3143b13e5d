"""What each role may do, and whose leads it sees."""

from __future__ import annotations

from collections.abc import Iterable

from leadlab.api.identity import Principal, Role
from leadlab.errors import BadInput, NotAllowed, UnknownName

SCOPES = frozenset(
    {
        "events:write", "leads:read", "score:read", "alerts:read", "alerts:write", "models:read",
        "metrics:read", "stream:read", "audit:read", "admin",
    }
)  # fmt: skip
_WATCH = frozenset({"leads:read", "score:read", "alerts:read", "stream:read"})
ROLES: dict[Role, frozenset[str]] = {
    "admin": SCOPES,
    "manager": SCOPES - {"admin"},
    "agent": _WATCH | {"alerts:write"},
    "viewer": _WATCH | {"models:read", "metrics:read"},
}


def role_named(name: str) -> Role:
    """The role of that name.

    Raises
    ------
    UnknownName
        If there is none.
    """
    if name not in ROLES:
        raise UnknownName("role", name, ROLES)
    return name


def granted(role: Role, asked: Iterable[str] | None = None) -> frozenset[str]:
    """Scopes that `role` gives; of those only `asked`, where given: asking narrows, never widens.

    Examples
    --------
    >>> sorted(granted("viewer", ["leads:read", "admin"]))
    ['leads:read']
    """
    return ROLES[role] if asked is None else ROLES[role] & frozenset(asked)


def checked_grant(role: Role, asked: Iterable[str] | None, agent: str | None) -> frozenset[str]:
    """Scopes for a new token or key; strict, so that nobody gets less than they think.

    Raises
    ------
    UnknownName
        If a scope is not one of `SCOPES`.
    BadInput
        If the role does not give a scope, or role and agent do not belong together.
    """
    scopes = None if asked is None else frozenset(asked)
    for scope in sorted((scopes or frozenset()) - SCOPES):
        raise UnknownName("scope", scope, SCOPES)
    beyond = (scopes or frozenset()) - ROLES[role]
    if beyond:
        raise BadInput(
            f"role '{role}' does not give that",
            got=", ".join(sorted(beyond)),
            expected=", ".join(sorted(ROLES[role])),
        )
    if (role == "agent") != (agent is not None):
        raise BadInput(
            "role 'agent' needs the agent whose leads it sees, and no other role has one",
            got=f"role '{role}', agent {agent!r}",
        )
    return granted(role, scopes)


def need(principal: Principal, scope: str) -> None:
    """Refuse who was not granted `scope`.

    Raises
    ------
    NotAllowed
    """
    if not principal.may(scope):
        raise NotAllowed(
            f"this needs the scope '{scope}'", hint=f"Role '{principal.role}' was given others."
        )


def may_see(principal: Principal, tenant: str, agent: str | None) -> bool:
    """Tell whether `principal` may see a lead of `tenant` whom `agent` looks after.

    Examples
    --------
    >>> bea = Principal("acme", "bea", "agent", ROLES["agent"], "bea", "jwt:bea")
    >>> may_see(bea, "acme", "bea"), may_see(bea, "acme", None), may_see(bea, "other", "bea")
    (True, False, False)
    """
    if tenant != principal.tenant:
        return False
    return principal.role != "agent" or (agent is not None and agent == principal.agent)

"""An alert, and how it is told to those who watch."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

import msgspec

from leadlab.stream.alerts.severity import Severity
from leadlab.stream.message import Message


class Plan(msgspec.Struct, frozen=True, omit_defaults=True):
    """What happens when nobody acknowledges; see `leadlab.stream.alerts.rule.Escalation`."""

    after_us: int
    severity: Severity
    routes: tuple[str, ...] = ()


class Alert(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One alert.

    Attributes
    ----------
    id : str
        Hash of rule, tenant, key and of what set it off: the same events raise the same alert.
    rule, tenant, severity : str
    key : str
        What alerts are the same by within a rule and tenant: a lead, or "".
    at_us : int
        Stream time.
    message : str
    lead, agent, event, kind : str or None
        Of the event that set it off.
    value : float or None
        The field that the rule looks at.
    routes : tuple of str
    action : str or None
    due_us : int or None
        Not sent before; never sent where None, for quiet hours dropped it.
    plan : Plan or None

    Examples
    --------
    >>> one = Alert(id="a1", rule="became-hot", tenant="default", severity="info", key="ann",
    ...             at_us=5, message="ann became hot", lead="ann", due_us=5)
    >>> alert_message(one).key
    'a1'
    """

    id: str
    rule: str
    tenant: str
    severity: Severity
    key: str
    at_us: int
    message: str
    lead: str | None = None
    agent: str | None = None
    event: str | None = None
    kind: str | None = None
    value: float | None = None
    routes: tuple[str, ...] = ()
    action: str | None = None
    due_us: int | None
    plan: Plan | None = None


def alert_id(rule: str, tenant: str, key: str, mark: str) -> str:
    """32 hexadecimal digits that name an alert.

    Parameters
    ----------
    rule, tenant, key : str
    mark : str
        What set it off: the event's offset, a deadline, the window's bucket.

    Examples
    --------
    >>> alert_id("r", "t", "", "o1") == alert_id("r", "t", "", "o1") != alert_id("r", "t", "o", "1")
    True
    """
    content = msgspec.json.encode([rule, tenant, key, mark])
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def alert_message(alert: Alert, state: str = "open") -> Message:
    """What those who watch the topic ``alerts`` are told."""
    body: dict[str, Any] = {
        "id": alert.id,
        "rule": alert.rule,
        "severity": alert.severity,
        "state": state,
        "message": alert.message,
    }
    if alert.value is not None:
        body["value"] = alert.value
    if alert.kind is not None:
        body["kind"] = alert.kind
    return Message(
        topic="alerts",
        tenant=alert.tenant,
        at_us=alert.at_us,
        key=alert.id,
        lead=alert.lead,
        agent=alert.agent,
        event=alert.event,
        body=body,
    )


def moment(at_us: int) -> str:
    """A moment as ISO 8601 in UTC, to the second.

    Examples
    --------
    >>> moment(0)
    '1970-01-01T00:00:00Z'
    """
    return dt.datetime.fromtimestamp(at_us // 1_000_000, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

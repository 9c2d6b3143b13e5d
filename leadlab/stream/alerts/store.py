"""Alerts that were raised, what became of them, and who decided so; every query is one tenant's."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import msgspec

from leadlab.errors import BadInput, UnknownName
from leadlab.stream.alerts.alert import Alert
from leadlab.stream.alerts.alert_file import AlertFile
from leadlab.stream.alerts.history import Step, note

State = Literal["open", "snoozed", "acknowledged", "resolved"]
STATES: tuple[State, ...] = ("open", "snoozed", "acknowledged", "resolved")
RAISED, ESCALATED = "raised", "escalated"
_DECODER = msgspec.json.Decoder(Alert)
_COLUMNS = "body, state, snoozed_until_us"
_STATE = {
    "open": "state = 'open' AND snoozed_until_us <= :now",
    "snoozed": "state = 'open' AND snoozed_until_us > :now",
    "acknowledged": "state = 'acknowledged'",
    "resolved": "state = 'resolved'",
}
ACTION = "action:"
"""What precedes an action's name where a route's name stands."""


class Kept(msgspec.Struct, frozen=True):
    """An alert as it stands now.

    Attributes
    ----------
    alert : Alert
    state : str
        One of `STATES`.
    snoozed_until_us : int
        0 for never.
    """

    alert: Alert
    state: State
    snoozed_until_us: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """Some alerts, newest first, and where to go on.

    Attributes
    ----------
    alerts : list of Kept
    next : str or None
        For `before`; None at the end.
    """

    alerts: list[Kept]
    next: str | None


class AlertStore:
    """Keeps alerts; any thread may use it.

    Parameters
    ----------
    path : Path
        SQLite file.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> alert = Alert(id="a1", rule="r", tenant="acme", severity="info", key="ann", at_us=5,
    ...               message="ann became hot", lead="ann", due_us=5)
    >>> with TemporaryDirectory() as folder, AlertStore(Path(folder) / "alerts.db") as store:
    ...     store.add([alert]), store.add([alert])
    ...     done = store.acknowledge("acme", "a1", who="bo", at_us=9)
    ...     done.state, [step.what for step in store.history("acme", "a1")]
    (1, 0)
    ('acknowledged', ['raised', 'acknowledged'])
    """

    def __init__(self, path: Path) -> None:
        self.file = AlertFile(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self.file.close()

    # -- what the engine does ----------------------------------------------------------------------

    def add(self, alerts: Sequence[Alert]) -> int:
        """Keep alerts and what is to be delivered of them; known ids change nothing.

        Returns
        -------
        int
            Alerts that were new.
        """
        if not alerts:
            return 0
        with self.file.writing() as db:
            return sum(_insert(db, alert) for alert in alerts)

    def overdue(self, now_us: int) -> list[Alert]:
        """Alerts of all tenants that are to be escalated now; for the engine only."""
        with self.file.reading() as db:
            rows = db.execute(
                "SELECT body FROM alerts WHERE escalate_us <= ? AND state = 'open'"
                " AND snoozed_until_us <= ? ORDER BY escalate_us, id",
                (now_us, now_us),
            ).fetchall()
        return [_DECODER.decode(body) for (body,) in rows]

    def escalate(self, alert: Alert, at_us: int, due_us: int | None) -> Alert:
        """Raise the severity and tell more routes, as the plan says; gives the alert as it is."""
        plan = alert.plan
        if plan is None:
            raise BadInput("an alert without a plan", got=alert.id)
        graver = msgspec.structs.replace(alert, severity=plan.severity)
        with self.file.writing() as db:
            done = db.execute(
                "UPDATE alerts SET escalate_us = NULL, severity = ?, body = ?"
                " WHERE id = ? AND state = 'open' AND escalate_us IS NOT NULL",
                (graver.severity, msgspec.json.encode(graver), alert.id),
            ).rowcount
            if done:
                note(db, alert.id, at_us, ESCALATED, None, f"{alert.severity} to {plan.severity}")
                for route in dict.fromkeys((*alert.routes, *plan.routes)):
                    _post(db, graver, route, ESCALATED, due_us)
        return graver

    # -- what people do ----------------------------------------------------------------------------

    def acknowledge(self, tenant: str, alert: str, *, who: str, at_us: int) -> Kept:
        """Somebody has seen it: it is not escalated any more.

        Raises
        ------
        UnknownName
            If the tenant has no such alert.
        """
        with self.file.writing() as db:
            kept = _one(db, tenant, alert, at_us)
            if kept.state in ("open", "snoozed"):
                db.execute(
                    "UPDATE alerts SET state = 'acknowledged', snoozed_until_us = 0,"
                    " escalate_us = NULL WHERE id = ?",
                    (alert,),
                )
                note(db, alert, at_us, "acknowledged", who)
            return _one(db, tenant, alert, at_us)

    def snooze(self, tenant: str, alert: str, *, until_us: int, who: str, at_us: int) -> Kept:
        """Hear no more of it until a moment: nor of later ones of the same rule and key.

        Raises
        ------
        UnknownName
            If the tenant has no such alert.
        BadInput
            If it is resolved, or the moment has passed.
        """
        if until_us <= at_us:
            raise BadInput("that moment has passed", where="until", got=until_us, expected=at_us)
        with self.file.writing() as db:
            kept = _one(db, tenant, alert, at_us)
            if kept.state == "resolved":
                raise BadInput("the alert is resolved", where=alert)
            db.execute(
                "UPDATE alerts SET state = 'open', snoozed_until_us = ? WHERE id = ?",
                (until_us, alert),
            )
            db.execute(
                "UPDATE outbox SET next_try_us = max(next_try_us, ?)"
                " WHERE alert = ? AND state = 'waiting'",
                (until_us, alert),
            )
            note(db, alert, at_us, "snoozed", who, f"until {until_us}")
            return _one(db, tenant, alert, at_us)

    def resolve(self, tenant: str, alert: str, *, who: str, at_us: int) -> Kept:
        """It is over: what was not delivered yet will not be.

        Raises
        ------
        UnknownName
            If the tenant has no such alert.
        """
        with self.file.writing() as db:
            if _one(db, tenant, alert, at_us).state != "resolved":
                db.execute(
                    "UPDATE alerts SET state = 'resolved', snoozed_until_us = 0,"
                    " escalate_us = NULL WHERE id = ?",
                    (alert,),
                )
                db.execute(
                    "UPDATE outbox SET state = 'cancelled' WHERE alert = ? AND state = 'waiting'",
                    (alert,),
                )
                note(db, alert, at_us, "resolved", who)
            return _one(db, tenant, alert, at_us)

    # -- what is asked -----------------------------------------------------------------------------

    def get(self, tenant: str, alert: str, *, now_us: int) -> Kept:
        """One alert as it stands.

        Raises
        ------
        UnknownName
            If the tenant has no such alert.
        """
        with self.file.reading() as db:
            return _one(db, tenant, alert, now_us)

    def find(
        self,
        tenant: str,
        *,
        now_us: int,
        state: str | None = None,
        severity: str | None = None,
        rule: str | None = None,
        lead: str | None = None,
        agent: str | None = None,
        before: str | None = None,
        most: int = 50,
    ) -> Page:
        """A tenant's alerts, newest first.

        Parameters
        ----------
        tenant : str
        now_us : int
            Decides what is snoozed.
        state, severity, rule, lead, agent : str, optional
        before : str, optional
            `Page.next` of the page before.
        most : int
            From 1 to 1,000.
        """
        if not 1 <= most <= 1000:
            raise BadInput("unusable size of a page", got=most, expected="1 to 1000")
        where = ["tenant = :tenant"]
        given: dict[str, Any] = {"tenant": tenant, "now": now_us, "most": most + 1}
        if state is not None:
            if state not in STATES:
                raise UnknownName("state", state, STATES)
            where.append(_STATE[state])
        equal = {"severity": severity, "rule": rule, "lead": lead, "agent": agent}
        for name, value in equal.items():
            if value is not None:
                where.append(f"{name} = :{name}")
                given[name] = value
        if before is not None:
            given["at"], given["id"] = _cursor(before)
            where.append("(at_us, id) < (:at, :id)")
        query = (
            f"SELECT {_COLUMNS} FROM alerts WHERE {' AND '.join(where)}"  # noqa: S608  (own names)
            " ORDER BY at_us DESC, id DESC LIMIT :most"
        )
        with self.file.reading() as db:
            rows = db.execute(query, given).fetchall()
        found = [_kept(row, now_us) for row in rows[:most]]
        last = found[-1].alert if found else None
        more = len(rows) > most and last is not None
        return Page(found, f"{last.at_us}:{last.id}" if more and last else None)

    def history(self, tenant: str, alert: str) -> list[Step]:
        """What happened to an alert, oldest first.

        Raises
        ------
        UnknownName
            If the tenant has no such alert.
        """
        with self.file.reading() as db:
            _one(db, tenant, alert, 0)
            rows = db.execute(
                "SELECT at_us, what, who, note FROM history WHERE alert = ? ORDER BY n", (alert,)
            ).fetchall()
        return [Step(*row) for row in rows]


def _insert(db: sqlite3.Connection, alert: Alert) -> bool:
    """Keep one alert; False where its id is known."""
    plan = alert.plan
    escalate_us = alert.due_us + plan.after_us if plan and alert.due_us is not None else None
    new = db.execute(
        "INSERT OR IGNORE INTO alerts VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'open', 0, ?, ?)",
        (
            alert.id, alert.tenant, alert.rule, alert.key, alert.lead, alert.agent, alert.severity,
            alert.at_us, escalate_us, msgspec.json.encode(alert),
        ),
    ).rowcount  # fmt: skip
    if not new:
        return False
    note(db, alert.id, alert.at_us, RAISED, None)
    if alert.due_us is None:
        note(db, alert.id, alert.at_us, "dropped", None, "quiet hours")
    actions = (ACTION + alert.action,) if alert.action else ()
    for route in (*alert.routes, *actions):
        _post(db, alert, route, RAISED, alert.due_us)
    return True


def _post(db: sqlite3.Connection, alert: Alert, route: str, step: str, due_us: int | None) -> None:
    """Put a delivery into the outbox, behind any snooze of the same rule and key."""
    if due_us is None:
        return
    snoozed = db.execute(
        "SELECT max(snoozed_until_us) FROM alerts WHERE tenant = ? AND rule = ? AND key = ?",
        (alert.tenant, alert.rule, alert.key),
    ).fetchone()[0]
    db.execute(
        "INSERT OR IGNORE INTO outbox VALUES (?, ?, ?, 'waiting', ?, 0)",
        (alert.id, route, step, max(due_us, snoozed or 0)),
    )


def _one(db: sqlite3.Connection, tenant: str, alert: str, now_us: int) -> Kept:
    row = db.execute(
        f"SELECT {_COLUMNS} FROM alerts WHERE id = ? AND tenant = ?",  # noqa: S608  (own names)
        (alert, tenant),
    ).fetchone()
    if row is None:
        raise UnknownName("alert", alert, ())
    return _kept(row, now_us)


def _kept(row: tuple[bytes, State, int], now_us: int) -> Kept:
    body, state, snoozed_until_us = row
    if state == "open" and snoozed_until_us > now_us:
        state = "snoozed"
    return Kept(_DECODER.decode(body), state, snoozed_until_us)


def _cursor(text: str) -> tuple[int, str]:
    at, _, alert = text.partition(":")
    if not at.isdecimal() or len(at) > 18 or not alert:
        raise BadInput("not a place to go on from", where="before", got=text[:60])
    return int(at), alert

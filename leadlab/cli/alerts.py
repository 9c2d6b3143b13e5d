"""``leadlab alerts``: rules checked, alerts listed, acknowledged, snoozed, resolved."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from leadlab.cli.console import out, print_json, table
from leadlab.config import Settings
from leadlab.errors import BadInput
from leadlab.schema.fields import DEFAULT_TENANT
from leadlab.stream.alerts import AlertStore, Kept, Rule, default_rules, read_rules
from leadlab.stream.alerts.alert import moment
from leadlab.stream.alerts.span import span_us

app = typer.Typer(
    help="Alerts: checking rules, seeing what was raised, saying that it is taken care of.",
    no_args_is_help=True,
)
EXAMPLE = "\n\nExample: `leadlab alerts {}`"
FILE = "alerts.db"
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Store = Annotated[
    Path | None, typer.Option(help=f"File of alerts; {FILE} in LEADLAB_HOME when not given.")
]
Tenant = Annotated[str, typer.Option(help="Whose alerts.")]
Id = Annotated[str, typer.Argument(metavar="ALERT", help="Id of the alert.")]
Who = Annotated[str, typer.Option(help="Who decides, for the history.")]


def _now_us() -> int:
    return time.time_ns() // 1000


def _open(path: Path | None) -> AlertStore:
    place = path or Settings.from_environment().home / FILE
    if not place.is_file():
        raise BadInput("no such file of alerts", where=str(place), hint="Name it with --store.")
    return AlertStore(place)


@app.command(help="Check a file of rules and show them." + EXAMPLE.format("check rules.yaml"))
def check(
    file: Annotated[
        Path | None, typer.Argument(help="YAML file; the rules that leadlab brings along if none.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Read, check, show; exit code 3 or 4 where something cannot be used."""
    found = default_rules() if file is None else read_rules(file)
    if as_json:
        print_json(found.model_dump(mode="json", by_alias=True))
        return
    rows = [[r.name, r.when.type, r.severity, _told(r), r.message] for r in found.rules]
    name = "the rules of leadlab" if file is None else str(file)
    table(f"{len(rows)} rules in {name}", ["rule", "when", "severity", "tells", "message"], rows)


def _told(rule: Rule) -> str:
    names = [*rule.routes, *([f"action {rule.action}"] if rule.action else [])]
    return "combinations only" if rule.silent else ", ".join(names) or "nobody"


@app.command("list", help="List alerts, newest first." + EXAMPLE.format("list --state open"))
def list_alerts(
    tenant: Tenant = DEFAULT_TENANT,
    state: Annotated[
        str | None, typer.Option(help="open, snoozed, acknowledged or resolved.")
    ] = None,
    severity: Annotated[str | None, typer.Option(help="info, warning or critical.")] = None,
    rule: Annotated[str | None, typer.Option(help="Name of a rule.")] = None,
    lead: Annotated[str | None, typer.Option(help="Id of a lead.")] = None,
    before: Annotated[str | None, typer.Option(help="Where the page before ended.")] = None,
    most: Annotated[int, typer.Option(help="Rows to show.")] = 50,
    store: Store = None,
    as_json: AsJson = False,
) -> None:
    """One tenant's alerts, page by page."""
    with _open(store) as alerts:
        page = alerts.find(
            tenant, now_us=_now_us(), state=state, severity=severity, rule=rule, lead=lead,
            before=before, most=most,
        )  # fmt: skip
    if as_json:
        print_json({"alerts": [_line(kept) for kept in page.alerts], "next": page.next})
        return
    columns = ["id", "at", "severity", "state", "rule", "message"]
    lines = [_line(kept) for kept in page.alerts]
    note = f"More: --before {page.next}" if page.next else ""
    rows = [[escape(line[name]) for name in columns] for line in lines]
    table(f"Alerts of {tenant}", columns, rows, note)


def _line(kept: Kept) -> dict[str, Any]:
    alert = kept.alert
    return {
        "id": alert.id, "at": moment(alert.at_us), "rule": alert.rule, "severity": alert.severity,
        "state": kept.state, "message": alert.message, "lead": alert.lead, "agent": alert.agent,
        "event": alert.event, "kind": alert.kind, "value": alert.value,
    }  # fmt: skip


@app.command(help="Show an alert's history." + EXAMPLE.format("show 0f3c..."))
def show(
    alert: Id, tenant: Tenant = DEFAULT_TENANT, store: Store = None, as_json: AsJson = False
) -> None:
    """What happened to it, when, by whom."""
    with _open(store) as alerts:
        kept, steps = alerts.get(tenant, alert, now_us=_now_us()), alerts.history(tenant, alert)
    told = [[moment(s.at_us), s.what, s.who or "-", s.note] for s in steps]
    if as_json:
        names = ("at", "what", "who", "note")
        history = [dict(zip(names, step, strict=True)) for step in told]
        print_json({**_line(kept), "history": history})
        return
    rows = [[escape(text) for text in step] for step in told]
    out.print(kept.alert.message, markup=False, highlight=False)
    table(f"{kept.alert.severity}, {kept.state}", ["at", "what", "who", "note"], rows)


@app.command(help="Say that you have seen it." + EXAMPLE.format("ack 0f3c... --who ann"))
def ack(
    alert: Id,
    who: Who,
    tenant: Tenant = DEFAULT_TENANT,
    store: Store = None,
    as_json: AsJson = False,
) -> None:
    """It is not escalated any more."""
    with _open(store) as alerts:
        _done(alerts.acknowledge(tenant, alert, who=who, at_us=_now_us()), as_json)


@app.command(help="Hear no more of it for a while." + EXAMPLE.format("snooze 0f3c... 2h --who ann"))
def snooze(
    alert: Id,
    span: Annotated[str, typer.Argument(help="How long: 15m, 2h, 1d.")],
    who: Who,
    tenant: Tenant = DEFAULT_TENANT,
    store: Store = None,
    as_json: AsJson = False,
) -> None:
    """Neither of it nor of later ones of the same rule and key."""
    try:
        length_us = span_us(span)
    except ValueError as error:
        raise BadInput(str(error), where="SPAN", got=span) from error
    now_us = _now_us()
    with _open(store) as alerts:
        kept = alerts.snooze(tenant, alert, until_us=now_us + length_us, who=who, at_us=now_us)
        _done(kept, as_json)


@app.command(help="Say that it is over." + EXAMPLE.format("resolve 0f3c... --who ann"))
def resolve(
    alert: Id,
    who: Who,
    tenant: Tenant = DEFAULT_TENANT,
    store: Store = None,
    as_json: AsJson = False,
) -> None:
    """What was not delivered yet will not be."""
    with _open(store) as alerts:
        _done(alerts.resolve(tenant, alert, who=who, at_us=_now_us()), as_json)


def _done(kept: Kept, as_json: bool) -> None:
    if as_json:
        print_json(_line(kept))
        return
    until = f" until {moment(kept.snoozed_until_us)}" if kept.state == "snoozed" else ""
    out.print(f"{kept.alert.id} is {kept.state}{until}.", markup=False, highlight=False)

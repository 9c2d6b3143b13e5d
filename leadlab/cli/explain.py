"""``leadlab explain``: why one lead is scored as it is, and what moved the score."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import numpy as np
import typer

from leadlab.cli import source
from leadlab.cli.console import out, print_json, steps, table
from leadlab.cli.options import AsJson, Kind, Lead, Value, When
from leadlab.cli.score import AsOf, Model, check_kinds, scorer_of
from leadlab.config import Settings
from leadlab.errors import BadInput, UnknownName
from leadlab.explain import changes, insights, reasons
from leadlab.features import Moments, build
from leadlab.features.moments import as_micros
from leadlab.schema import Coded, EventLog

HELP = """Say why a lead is scored as it is: reasons for and against, and what moved the score last.

Example: `leadlab explain 173688 --log bpic2012 --as-of 2011-10-05`
"""


def explain(
    name: Annotated[str, typer.Argument(metavar="LEAD", help="The lead.")],
    log: Annotated[
        str | None,
        typer.Option(help=source.HELP + " The log that `leadlab demo` left when not given."),
    ] = None,
    model: Model = None,
    as_of: AsOf = None,
    tenant: Annotated[str | None, typer.Option(help="Whose lead; the log's first tenant.")] = None,
    top: Annotated[int, typer.Option(help="Reasons to show.")] = 8,
    lead: Lead = "lead",
    kind: Kind = "kind",
    at: When = "at",
    value: Value = None,
    as_json: AsJson = False,
) -> None:
    """Read, score, explain."""
    with steps(3, quiet=as_json) as tell:
        tell("load the model")
        scorer = scorer_of(model)
        tell("read the log")
        place = Settings.from_environment().home / "hub.parquet"
        events = source.event_log(log or str(place), lead, kind, at, value)
        tell("score and explain")
        check_kinds(events, scorer)
        own, until_us = events_until(events, name, tenant, as_of)
        before_us = int(own.at_us[-2]) if len(own) > 1 else int(own.at_us[-1])
        asked = Moments(
            Coded.constant(str(own.tenant.values()[0]), 2),
            Coded.constant(name, 2),
            np.array([before_us, until_us]),
        )
        scores = scorer.score(build(events, scorer.features, asked))
    before, now = (scores.take(np.array([i])) for i in (0, 1))
    why = reasons(now, 0, top)
    moved = changes(before, now, 0, own)
    added = insights(now, 0, events=own)
    told = {
        "lead": name,
        "as_of": str(np.datetime64(until_us, "us")) + "Z",
        "probability": float(now.probability[0]),
        "low": float(now.low[0]),
        "high": float(now.high[0]),
        "of": now.of,
        "calibration": now.calibration,
        "before": float(before.probability[0]),
        "base": now.base,
        "margin": float(now.margin[0]),
        "method": now.method,
        "model": now.model_version,
        "reasons": [{"text": r.text, "family": r.family, "effect": r.effect} for r in why],
        "changes": [asdict(c) for c in moved],
        "insights": [asdict(i) for i in added.found],
        "refused_insights": [str(error) for error in added.refused],
    }
    if as_json:
        print_json(told)
    else:
        _show(told)


def events_until(
    log: EventLog, name: str, tenant: str | None, as_of: str | None
) -> tuple[EventLog, int]:
    """The lead's events up to the moment, and the moment; the log's last event by default."""
    until_us = int(log.at_us[-1]) if as_of is None and len(log) else 0
    if as_of is not None:
        until_us = int(as_micros([as_of])[0])
    own = log.for_leads([name])
    whose = tenant or (str(log.tenant.names[0]) if len(log.tenant.names) else "default")
    own = own.take(own.tenant.codes == own.tenant.index.get(whose, -2))
    if len(own) == 0:
        raise UnknownName("lead", name, map(str, log.lead.names), where=f"tenant {whose}")
    own = own.take(own.at_us <= until_us)
    if len(own) == 0:
        first_us = int(log.for_leads([name]).at_us[0])
        raise BadInput(
            "nothing was known of the lead yet",
            where="--as-of",
            got=as_of,
            expected=f"{np.datetime64(first_us, 's')} UTC or later",
        )
    return own, until_us


def _show(told: dict[str, Any]) -> None:
    out.print(
        f"\n[bold]Lead {told['lead']}[/bold]: chance [bold]{told['probability']:.1%}[/bold] as of "
        f"{told['as_of'][:16]} UTC, {told['before']:.1%} at the event before the last"
    )
    if told["of"]:
        low, high = (round(told["of"] * told[end]) for end in ("low", "high"))
        out.print(f"Of {told['of']} leads like this, {low} to {high} convert (90% interval).")
    rows = [[r["family"], r["effect"], _bar(r["effect"]), r["text"]] for r in told["reasons"]]
    note = (
        f"Effects in log-odds; all of them and the base of {told['base']:.3f} add up to "
        f"{told['margin']:.3f} ({told['method']}, model {told['model']}); calibration on held-out "
        f"leads: {told['calibration']}."
    )
    table("Because", ["about", "effect", "", "reason"], rows, note)
    if told["changes"]:
        moved = [[c["effect"], c["event"] or "time passing", c["text"]] for c in told["changes"]]
        table("\nWhat moved it", ["effect", "by", "change"], moved)
    for one in told["insights"]:
        out.print(f"{one['kind']}: {one['text']} ({one['package']})", markup=False)
    for refused in told["refused_insights"]:
        out.print(f"Refused: {refused}", markup=False)


def _bar(effect: float) -> str:
    size = min(12, max(1, round(abs(effect) * 6)))
    return f"[green]{'+' * size}[/green]" if effect > 0 else f"[red]{'-' * size}[/red]"


explain.__doc__ = HELP

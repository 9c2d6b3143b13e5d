"""``leadlab next``: what to do about one lead now, ranked, with what may not be done and why."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from leadlab.cli import source
from leadlab.cli.console import out, print_json, steps, table
from leadlab.cli.explain import events_until
from leadlab.cli.options import AsJson, Kind, Lead, Log, Value, When
from leadlab.cli.score import AsOf, Model, check_kinds, scorer_of
from leadlab.explain import Scorer, reasons
from leadlab.features import Moments, build
from leadlab.features import catalogue as features_of_leads
from leadlab.models.actions import recommendation
from leadlab.models.actions.beliefs import Beliefs, learn
from leadlab.models.actions.catalogue import Catalogue, catalogue, read_catalogue
from leadlab.models.actions.eligibility import Contact
from leadlab.models.actions.policy import recommend
from leadlab.models.actions.quiet_hours import Place
from leadlab.models.actions.ranked import ranked
from leadlab.schema import EventLog

HELP = """Rank what to do about a lead, and draw one recommendation.

By expected uplift less cost, for the actions that are open: each channel needs its own consent, the
hours are those where the lead is, who unsubscribed is left alone. Until recommendations have been
logged (`--log`) and their outcomes are known, the ranking rests on declared priors, and says so.

Example: `leadlab next lead-000003 simulated --consent email --consent call --zone America/Denver
--state CO --log next.jsonl`
"""
CAUTION = (
    "Uplift: expected change of P({outcome} within {days:g} days) against waiting, with a 90% "
    "interval. 'prior' is declared, not measured; effects are learned from logged recommendations "
    "only. The model's chance is what such leads do, not what an action changes."
)
Words = list[str] | None


def next_action(
    name: Annotated[str, typer.Argument(metavar="LEAD", help="The lead.")],
    log: Log,
    model: Model = None,
    as_of: AsOf = None,
    consent: Annotated[
        Words, typer.Option(help="Channel with consent on record: call, sms, email; repeated.")
    ] = None,
    refused: Annotated[
        Words, typer.Option(help="Channel that the lead refused; may be repeated.")
    ] = None,
    zone: Annotated[
        Words, typer.Option(help="IANA time zone where the lead may be; may be repeated.")
    ] = None,
    state: Annotated[
        Words, typer.Option(help="State of the USA where the lead may be; may be repeated.")
    ] = None,
    actions: Annotated[
        Path | None, typer.Option(help="Catalogue of actions of one's own (TOML).")
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option("--log", help="JSON Lines file to learn from and to append the record to."),
    ] = None,
    tenant: Annotated[str | None, typer.Option(help="Whose lead; the log's first tenant.")] = None,
    seed: int = 0,
    lead: Lead = "lead",
    kind: Kind = "kind",
    at: When = "at",
    value: Value = None,
    as_json: AsJson = False,
) -> None:
    """Read, score, rank, draw, log."""
    with steps(4, quiet=as_json) as tell:
        tell("load the model")
        scorer = scorer_of(model)
        offered = catalogue() if actions is None else read_catalogue(actions)
        tell("read the log")
        events = source.event_log(log, lead, kind, at, value)
        check_kinds(events, scorer)
        own, until_us = events_until(events, name, tenant, as_of)
        moment = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=until_us)
        tell("learn from what was recommended")
        beliefs = _beliefs(offered, to, events, moment)
        tell("rank")
        scored = _scored(events, scorer, own, until_us)
        given = {**dict.fromkeys(consent or (), True), **dict.fromkeys(refused or (), False)}
        place = Place(tuple(zone or ()), tuple(state or ()))
        options, record = recommend(
            beliefs, name, moment,
            known=_known(events, own, until_us),
            contact=Contact(given, place, unsubscribed="Unsubscribed" in set(own.kind.values())),
            reasons=scored["reasons"], model=scorer.version,
            tenant=str(own.tenant.values()[0]), seed=seed,
        )  # fmt: skip
    if to is not None:
        recommendation.append(to, record)
    told = ranked(options, record, scored, offered)
    print_json(told) if as_json else _show(told, offered, to)


def _beliefs(offered: Catalogue, place: Path | None, events: EventLog, at: dt.datetime) -> Beliefs:
    """Priors, and what earlier recommendations of the file taught by now."""
    if place is None:
        return Beliefs(offered)
    earlier = recommendation.read(place)
    return learn(offered, recommendation.settled(earlier, events, offered.terms, at))


def _asked(own: EventLog, until_us: int) -> Moments:
    return Moments(own.tenant.take(np.array([0])), own.lead.take(np.array([0])),
                   np.array([until_us]))  # fmt: skip


def _known(events: EventLog, own: EventLog, until_us: int) -> dict[str, float]:
    """Behaviour that situations and preconditions look at, whatever the model looks at."""
    rows = build(events, features_of_leads(), _asked(own, until_us))
    return dict(zip(rows.names, rows.values[0].astype(float).tolist(), strict=True))


def _scored(events: EventLog, scorer: Scorer, own: EventLog, until_us: int) -> dict[str, Any]:
    scores = scorer.score(build(events, scorer.features, _asked(own, until_us)))
    return {
        "chance": float(scores.probability[0]),
        "reasons": [reason.text for reason in reasons(scores, 0, 3)],
    }


def _show(told: dict[str, Any], offered: Catalogue, to: Path | None) -> None:
    drawn = told["recommended"]
    out.print(
        f"\n[bold]Lead {told['lead']}[/bold] as of {told['as_of'][:16]} UTC: {told['situation']}; "
        f"chance {told['chance']:.1%} (model {told['model']})"
    )
    for reason in told["reasons"]:
        out.print(f"  {reason}", markup=False)
    rows = [
        [
            ("> " if a["action"] == drawn["action"] else "  ") + a["action"],
            a["channel"],
            f"{a['uplift']:+.1%} ({a['low']:+.0%} to {a['high']:+.0%})",
            f"{a['cost_usd']:.2f}",
            f"{a['net_usd']:+.2f}",
            f"{a['propensity']:.0%}",
            a["basis"],
            a["words"],
        ]
        for a in told["actions"]
    ]
    terms = offered.terms
    note = CAUTION.format(outcome=terms.outcome, days=terms.horizon_days)
    heads = ["action", "channel", "uplift", "cost $", "net $", "drawn with", "basis", "what"]
    table(f"Open actions; > is drawn (${terms.worth_usd:g} an outcome)", heads, rows, note)
    if told["refused"]:
        rows = [[r["action"], "; ".join(r["why"]), r["until"] or "-"] for r in told["refused"]]
        table("\nNot open", ["action", "why", "until (UTC)"], rows)
    if to is not None:
        out.print(f"Logged as {drawn['id']}: {to}", markup=False)


next_action.__doc__ = HELP

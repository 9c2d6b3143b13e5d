"""``leadlab health``: how well it stands with leads, why, and what would raise it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.markup import escape

from leadlab.cli import source
from leadlab.cli.churn import loaded
from leadlab.cli.console import out, print_json, steps, table
from leadlab.cli.health_conversation import conversation_of
from leadlab.cli.health_weights import learned
from leadlab.cli.options import AsJson, Kind, Lead, Value, When
from leadlab.cli.score import AsOf, Model, scorer_of, scores_at
from leadlab.cli.train import tell_refused
from leadlab.errors import BadInput, UnknownName
from leadlab.explain import Scorer, Scores, insights
from leadlab.explain.health import part_reasons
from leadlab.features import build
from leadlab.models.health.assess import assess_health, health_features
from leadlab.models.health.health import NOTHING_KNOWN, UNKNOWN, Healths
from leadlab.models.health.raising import what_raises
from leadlab.models.health.weights import LEVELS, PARTS, HealthWeights
from leadlab.schema import EventLog

HELP = """Assess leads from 0 to 100: five parts, six levels, momentum, and the model's chance.

With a LEAD: its whole assessment, what would raise it, and insights with the events they rest on.

Example: `leadlab health simulated --model model.leadlab --top 10`
"""
COLOURS = dict(zip(LEVELS, ("blue", "cyan", "green", "yellow", "red", "bold red"), strict=True))
SHOWN = {"engagement": "engag.", "qualification": "qualif.", "responsiveness": "resp."}


def health(
    names: Annotated[
        list[str], typer.Argument(metavar="[LEAD] LOG", help="One lead, perhaps. " + source.HELP)
    ],
    model: Model = None,
    as_of: AsOf = None,
    tenant: Annotated[str | None, typer.Option(help="Whose lead; the log's first tenant.")] = None,
    top: Annotated[int, typer.Option(help="Rows to show.")] = 20,
    weights: Annotated[
        Path | None, typer.Option(help="JSON file of weights; the package's own when not given.")
    ] = None,
    learn: Annotated[
        Path | None,
        typer.Option(help="Learn weights from this log's past up to the moment, and keep them."),
    ] = None,
    churn: Annotated[
        Path | None, typer.Option(help="Model file of `leadlab churn --out`, for churn risk.")
    ] = None,
    lead: Lead = "lead",
    kind: Kind = "kind",
    at: When = "at",
    value: Value = None,
    as_json: AsJson = False,
) -> None:
    """Read, score, assess, show."""
    if len(names) > 2:
        raise BadInput("too many arguments", got=" ".join(names), expected="[LEAD] LOG")
    if weights is not None and learn is not None:
        raise BadInput("weights are read or learned", where="--weights", got="--learn as well")
    with steps(4, quiet=as_json) as tell:
        tell("load the model")
        scorer = scorer_of(model)
        tell("read the log")
        events = source.event_log(names[-1], lead, kind, at, value)
        tell("weights")
        chosen = HealthWeights.default() if weights is None else HealthWeights.read(weights)
        if learn is not None:
            chosen = learned(events, scorer, as_of)
            chosen.write(learn)
        tell("score and assess")
        scores = scores_at(events, scorer, as_of)
        found = _assessed(events, scores, scorer, chosen)
    if len(names) == 2:
        told = _one(names[0], tenant, events, scores, found, churn)
        print_json(told) if as_json else _show_one(told)
        return
    over = _over(events, scores, scorer)
    order = np.argsort(-np.nan_to_num(found.score, nan=-1.0), kind="stable")
    shown = [_row(found, int(i)) for i in order[~over[order]][:top]]
    if as_json:
        print_json({"model": scores.model_version, "weights": _shares(chosen), "leads": shown})
        return
    tell_refused(events)
    _show(shown, scores, int(over.sum()), chosen)


def _assessed(log: EventLog, scores: Scores, scorer: Scorer, weights: HealthWeights) -> Healths:
    """Health of the rows that were scored; what the model does not look at is built for it."""
    rows = scores.table
    wanted = health_features(weights, scorer.features.tz)
    if set(wanted.kinds).isdisjoint(log.kind.names):
        raise BadInput(
            "the log holds no kind of event that health looks at",
            got=", ".join(map(str, log.kind.names[:4])),
            expected=", ".join(sorted(wanted.kinds)[:4]) + ", ...",
            hint="Health reads real-estate events; see leadlab.schema.kinds.",
        )
    if any(name not in scorer.features.names or scorer.features[name] != wanted[name]
           for name in wanted.names):  # fmt: skip
        rows = build(log, wanted, rows.as_of_us[:1])
    return assess_health(rows, chance=scores, weights=weights)


def _over(log: EventLog, scores: Scores, scorer: Scorer) -> np.ndarray:
    """Rows of leads that have had their outcome by the moment."""
    about = scorer.about
    kinds = () if about is None else (*about.converted, *about.ended)
    if not len(scores):
        return np.zeros(0, np.bool_)
    done = np.isin(log.kind.codes, [log.kind.index[k] for k in kinds if k in log.kind.index])
    done &= log.at_us <= scores.table.as_of_us[0]
    closed = set(zip(log.tenant.values()[done], log.lead.values()[done], strict=True))
    keys = zip(scores.table.tenant.values(), scores.table.lead.values(), strict=True)
    return np.array([key in closed for key in keys])


def _row(found: Healths, i: int) -> dict[str, Any]:
    one = found[i]
    return {
        "tenant": one.tenant,
        "lead": one.lead,
        "score": one.score,
        "level": one.level,
        "momentum": one.momentum,
        "parts": {part.name: part.points for part in one.parts},
        "probability": one.probability,
        "low": one.low,
        "high": one.high,
        "of": one.of,
        "level_rate": one.level_rate,
        "known": one.known,
        "note": one.note,
    }


def _shares(weights: HealthWeights) -> dict[str, Any]:
    total = sum(part.weight for part in weights.parts)
    return {
        "origin": weights.origin,
        "parts": {part.name: part.weight / total for part in weights.parts},
        "cuts": dict(zip(LEVELS[1:], weights.cuts, strict=True)),
        "rates": dict(zip(LEVELS, weights.rates, strict=False)),
    }


def _one(
    name: str,
    tenant: str | None,
    log: EventLog,
    scores: Scores,
    found: Healths,
    churn: Path | None,
) -> dict[str, Any]:
    """All there is to say of one lead."""
    if name not in log.lead.index:
        raise UnknownName("lead", name, map(str, log.lead.names))
    whose = tenant or str(log.tenant.names[0])
    if whose not in log.tenant.index:
        raise UnknownName("tenant", whose, map(str, log.tenant.names))
    own_row = (scores.table.lead.values() == name) & (scores.table.tenant.values() == whose)
    if not own_row.any():
        return {"tenant": whose, "lead": name, "score": None, "level": UNKNOWN,
                "note": NOTHING_KNOWN}  # fmt: skip
    row = int(np.flatnonzero(own_row)[0])
    at_us = int(scores.table.as_of_us[row])
    moment = str(np.datetime64(at_us, "us"))
    own = log.for_leads([name])
    own = own.take(own.tenant.codes == own.tenant.index[whose])
    talk = conversation_of(own, at_us)
    silence = _silence(churn, log, row, found)
    added = insights(scores, row, health=found, events=own, silence=silence, conversation=talk)
    return {
        **_row(found, row),
        "as_of": moment + "Z",
        "model": scores.model_version,
        "weights": _shares(found.weights),
        "parts": [asdict(part) for part in part_reasons(found, row)],
        "measures": [
            {"part": part.name, "feature": one.measure.feature, "value": one.value,
             "points": one.points, "room": one.room}
            for part in found[row].parts for one in part.measures
        ],
        "raises": [asdict(one) for one in what_raises(
            own, at_us, weights=found.weights, tz=found.table.features.tz)],
        "insights": [
            {**asdict(one), "evidence": [
                {"id": e.id, "kind": e.kind, "at": str(np.datetime64(e.at_us, "us")) + "Z"}
                for e in one.evidence]}
            for one in added.found
        ],
        "conversation_read_by": [] if talk is None else sorted(set(talk.methods)),
        "refused_insights": [str(error) for error in added.refused],
    }  # fmt: skip


def _silence(
    path: Path | None, log: EventLog, row: int, found: Healths
) -> dict[str, float | str] | None:
    if path is None:
        return None
    scorer = loaded(path)
    rows = build(log, scorer.features, found.table.as_of_us[:1])
    forecast = scorer.model.predict(rows.take(np.array([row]))).iloc[0]
    return {str(k): v if isinstance(v, str) else float(v) for k, v in forecast.items()}


def _show(shown: list[dict[str, Any]], scores: Scores, over: int, weights: HealthWeights) -> None:
    when = "-"
    if len(scores):
        when = str(np.datetime64(int(scores.table.as_of_us[0]), "us").astype("datetime64[s]"))
    rows = [
        [
            one["lead"],
            _points(one["score"]),
            *(_points(one["parts"][name]) for name in PARTS),
            f"[{COLOURS.get(one['level'], 'dim')}]{one['level']}[/]",
            one["momentum"],
            f"{one['probability']:.1%}",
            "-" if np.isnan(one["low"]) else f"{one['low']:.0%} to {one['high']:.0%}",
        ]
        for one in shown
    ]
    span = f"90% of {scores.of}" if scores.of else "interval"
    heads = ["lead", "health", *(SHOWN.get(name, name) for name in PARTS), "level", "momentum is",
             "chance", span]  # fmt: skip
    note = f"Weights: {weights.origin}. {over:,} leads that had their outcome are left out."
    table(f"{len(scores) - over:,} open leads as of {when} UTC", heads, rows, note)


def _points(x: float | None) -> str:
    return "-" if x is None or np.isnan(x) else f"{x:.0f}"


def _show_one(told: dict[str, Any]) -> None:
    if told["score"] is None or np.isnan(told["score"]):
        out.print(f"Lead {told['lead']}: {told['note']}.", markup=False)
        return
    out.print(
        f"\n[bold]Lead {told['lead']}[/bold]: health [bold]{told['score']:.0f}[/bold] of 100, "
        f"[{COLOURS[told['level']]}]{told['level']}[/], momentum {told['momentum']}; chance "
        f"{told['probability']:.1%} as of {told['as_of'][:16]} UTC"
    )
    if told["of"]:
        low, high = (round(told["of"] * told[end]) for end in ("low", "high"))
        out.print(f"Of {told['of']} leads like this, {low} to {high} convert (90% interval).")
    rows = [
        [part["name"], _points(part["points"]), f"{part['share']:.0%}", part["reason"],
         ", ".join(part["unknown"]) or "-"]
        for part in told["parts"]
    ]  # fmt: skip
    note = (
        f"Weights: {told['weights']['origin']}. {told['known']:.0%} of them rest on known things."
    )
    table("\nParts", ["part", "points", "share", "because", "unknown"], rows, note)
    rows = [[one["text"], f"+{one['gain']:.1f}", _points(one["score"]), one["level"]]
            for one in told["raises"]]  # fmt: skip
    if rows:
        note = "Each as if it happened now, through the same features; not what it would cause."
        table("\nWhat would raise it", ["if this comes next", "gain", "to", "level"], rows, note)
    if told["insights"]:
        rows = [
            [
                f"{one['priority']:.0f}",
                escape(one["kind"]),
                escape(one["text"]),
                _sure(one["confidence"]),
                escape(one["focus"]) or "-",
                _grounds(one["evidence"]),
            ]
            for one in told["insights"]
        ]
        heads = ["priority", "what", "insight", "sure", "do", "rests on"]
        table("\nInsights", heads, rows)
    for refused in told["refused_insights"]:
        out.print(f"Refused: {refused}", markup=False)


def _sure(confidence: float) -> str:
    return "-" if np.isnan(confidence) else f"{confidence:.0%}"


def _grounds(evidence: list[dict[str, str]]) -> str:
    told = "\n".join(f"{e['kind']} {e['at'][:16]} ({e['id']})" for e in evidence)
    return escape(told) or "-"


health.__doc__ = HELP

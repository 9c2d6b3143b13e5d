"""``leadlab churn``: which leads are about to fall silent, why, and what to do about it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from leadlab.cli import source
from leadlab.cli.console import out, print_json, steps, table
from leadlab.cli.options import AsJson, Kind, Lead, Log, Value, When
from leadlab.cli.score import AsOf
from leadlab.cli.train import tell_refused
from leadlab.errors import BadInput, EmptyInput, UnknownName
from leadlab.explain import reasons
from leadlab.explain.churn import ChurnScorer, Forecasts
from leadlab.features import FeatureSet, automatic, build, catalogue
from leadlab.features.moments import as_micros
from leadlab.models.churn.interventions import propose
from leadlab.models.churn.model import ChurnModel
from leadlab.models.churn.nights import nights
from leadlab.models.churn.silence import label_silence, outcomes_of, signs_of
from leadlab.models.files.model_file import About, fingerprint, read_model, save_model
from leadlab.models.landmarks import leads_of
from leadlab.models.matrix import matrix
from leadlab.models.training import Told
from leadlab.schema import EventLog

NIGHTS = 40_000
HELP = """List the leads that may fall silent, and what to do about it.

For each the chance of no sign of life within 7, 14 and 30 days, expected days to the next sign,
level, reason and proposed interventions. Trains on the log's own past, or takes a model.

Example: `leadlab churn simulated --top 10`
"""
COLOURS = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "green"}
Kinds = list[str] | None


def churn(
    log: Log,
    sign: Annotated[
        Kinds, typer.Option(help="Kind that is a sign of life; may be repeated.")
    ] = None,
    converted: Annotated[Kinds, typer.Option(help="Kind that means success.")] = None,
    ended: Annotated[Kinds, typer.Option(help="Kind that means another ending.")] = None,
    who: Annotated[str | None, typer.Option(help="One lead only.")] = None,
    active_days: Annotated[
        float, typer.Option(help="Leads without a sign for longer are taken as gone already.")
    ] = 14.0,
    as_of: AsOf = None,
    top: Annotated[int, typer.Option(help="Rows to show.")] = 20,
    model: Annotated[
        Path | None, typer.Option(help="Model file to use instead of training.")
    ] = None,
    to: Annotated[Path | None, typer.Option("--out", help="Also keep the trained model.")] = None,
    seed: int = 0,
    lead: Lead = "lead",
    kind: Kind = "kind",
    at: When = "at",
    value: Value = None,
    as_json: AsJson = False,
) -> None:
    """Train or load, foresee, propose, show."""
    with steps(4, quiet=as_json) as tell:
        tell("read the log")
        events = source.event_log(log, lead, kind, at, value)
        if not len(events):
            raise EmptyInput("there is nobody to foresee", got="0 events")
        at_us = int(events.at_us[-1]) if as_of is None else int(as_micros([as_of])[0])
        events = events.between(0, at_us + 1)
        kinds = _kinds(events, sign, converted, ended)
        scorer = _scorer(events, kinds, model, to, seed, tell)
        tell("foresee and explain")
        found = _foreseen(events, kinds, scorer, at_us, active_days, who)
    shown = [] if found is None else _rows(found, top)
    if as_json:
        told = {"model": scorer.version, "as_of": _when(at_us), "leads": shown}
        print_json(told)
        return
    tell_refused(events)
    _show(shown, 0 if found is None else len(found.frame), _when(at_us), active_days)


def _when(at_us: int) -> str:
    return str(np.datetime64(at_us, "us").astype("datetime64[s]")) + "Z"


def _kinds(log: EventLog, sign: Kinds, converted: Kinds, ended: Kinds) -> dict[str, Any]:
    """What counts as a sign and as an outcome: what was named, else the vocabulary's."""
    won, lost = outcomes_of(log)
    return {
        "signs": tuple(sign) if sign else signs_of(log),
        "converted": tuple(converted) if converted is not None else won,
        "ended": tuple(ended) if ended is not None else lost,
    }


def _scorer(
    log: EventLog,
    kinds: dict[str, Any],
    path: Path | None,
    to: Path | None,
    seed: int,
    tell: Told,
) -> ChurnScorer:
    if path is not None:
        tell("load the model")
        return loaded(path)
    outcomes = (*kinds["converted"], *kinds["ended"])
    known = not set(kinds["signs"]).isdisjoint(catalogue().kinds)
    features = catalogue() if known else automatic(log, skip=outcomes)
    tell(f"build {len(features)} features")
    rows = build(log, features, nights(log, features, most=NIGHTS))
    labels = label_silence(rows, log, **kinds)
    rows, labels = rows.take(labels.alive), labels.take(labels.alive)
    tell(f"train on {len(rows):,} nights")
    trained = ChurnModel(seed=seed).fit(rows, labels)
    about = About(
        features=features.to_json(),
        converted=kinds["converted"],
        ended=kinds["ended"],
        seed=seed,
        fingerprint=fingerprint(matrix(rows), labels.known[:, -1]),
        notes={"signs": list(kinds["signs"])},
    )
    if to is not None:
        save_model(to, trained, about)
    return ChurnScorer(trained, features, about.fingerprint[:12])


def loaded(path: Path) -> ChurnScorer:
    """Read a model file that foresees silence."""
    found, about = read_model(path)
    if not isinstance(found, ChurnModel) or about.features is None:
        raise BadInput(
            "this model does not foresee silence", where=str(path), got=type(found).__name__
        )
    return ChurnScorer(found, FeatureSet.from_json(about.features), about.fingerprint[:12])


def _foreseen(
    log: EventLog,
    kinds: dict[str, Any],
    scorer: ChurnScorer,
    at_us: int,
    active_days: float,
    who: str | None,
) -> Forecasts | None:
    """Leads with something to foresee; None where there is none."""
    if who is not None and who not in log.lead.index:
        raise UnknownName("lead", who, map(str, log.lead.names))
    features: FeatureSet = scorer.features
    rows = build(log, features, np.array([at_us]))
    alive = np.zeros(len(rows), np.bool_)
    alive[label_silence(rows, log, **kinds).alive] = True
    if who is not None:
        alive &= rows.lead.values() == who
    else:
        recent = log.at_us > at_us - round(active_days * 86_400_000_000)
        signs = np.isin(log.kind.codes, [log.kind.index[k] for k in kinds["signs"]])
        asked, own = leads_of(rows, log)
        alive &= np.isin(asked, own[recent & signs])
    return scorer.score(rows.take(np.flatnonzero(alive))) if alive.any() else None


def _rows(found: Forecasts, top: int) -> list[dict[str, Any]]:
    columns = [c for c in found.frame.columns if c.startswith("p_")]
    order = np.argsort(-found.scores.probability, kind="stable")[:top]
    shown = []
    names = found.scores.table.names
    for i in map(int, order):
        forecast = found.frame.iloc[i]
        why = [r for r in reasons(found.scores, i, 5) if r.effect > 0]
        known = dict(zip(names, found.scores.table.values[i].astype(float), strict=True))
        plans = propose(str(forecast["level"]), why, known=known)
        shown.append(
            {
                "tenant": found.scores.table.tenant.values()[i],
                "lead": found.scores.table.lead.values()[i],
                **{c: float(forecast[c]) for c in columns},
                "expected_days": float(forecast["expected_days"]),
                "level": str(forecast["level"]),
                "reasons": [{"text": r.text, "family": r.family, "effect": r.effect} for r in why],
                "interventions": [asdict(plan) for plan in plans],
            }
        )
    return shown


def _show(shown: list[dict[str, Any]], n: int, when: str, active_days: float) -> None:
    if not shown:
        out.print(
            f"Nobody to foresee as of {when}: no open lead gave a sign of life within "
            f"{active_days:g} days. Look further back with [bold]--active-days[/bold]."
        )
        return
    columns = [c for c in shown[0] if c.startswith("p_")]
    rows = []
    for one in shown:
        colour = COLOURS[one["level"]]
        plan = one["interventions"][0] if one["interventions"] else None
        rows.append(
            [
                one["lead"],
                *(f"{one[c]:.0%}" for c in columns),
                f"{one['expected_days']:.0f}",
                f"[{colour}]{one['level']}[/{colour}]",
                one["reasons"][0]["text"] if one["reasons"] else "-",
                _plan(plan),
            ]
        )
    heads = ["lead", *(c[2:] for c in columns), "days", "level", "because", "do"]
    note = (
        "Chance of no sign of life within each span; days: expected until the next sign, at most "
        "the longest span. No consent is on record here: check it before you write."
    )
    table(f"{n:,} open leads as of {when}", heads, rows, note)


def _plan(plan: dict[str, Any] | None) -> str:
    if plan is None:
        return "-"
    deadline = f" within {plan['within_hours']:g} h" if plan["within_hours"] else ""
    return f"[bold]{plan['channel']}[/bold]{deadline}: {plan['words']}"


churn.__doc__ = HELP

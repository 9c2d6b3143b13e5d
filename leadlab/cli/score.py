"""``leadlab score``: the leads of a log as a model sees them at a moment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer

from leadlab.cli import source
from leadlab.cli.console import out, print_json, steps, table
from leadlab.cli.options import AsJson, Kind, Lead, Log, Value, When
from leadlab.cli.train import tell_refused
from leadlab.config import Settings
from leadlab.errors import BadInput, EmptyInput
from leadlab.explain import Scorer, Scores, reasons
from leadlab.features import build
from leadlab.features.moments import as_micros
from leadlab.models.conversion import ConversionModel
from leadlab.registry import Registry
from leadlab.schema import EventLog

HELP = """Score every lead of a log as of a moment, hottest first, with the strongest reason.

Example: `leadlab score bpic2012 --model .leadlab/models/hub.leadlab --as-of 2012-02-01 --top 10`
"""
REGISTERED = "registry:"
Model = Annotated[
    str | None,
    typer.Option(
        metavar="FILE|registry:NAME[@VERSION]",
        help="Model file, or the champion of that name in the registry, or the version given; "
        "the file that `leadlab demo` left when not given.",
    ),
]
AsOf = Annotated[
    str | None, typer.Option(help="Moment, ISO 8601; the log's last event when not given.")
]


def scorer_of(model: str | None) -> Scorer:
    """Load the model that is asked for, or the demonstration's."""
    settings = Settings.from_environment()
    if model is None or not model.startswith(REGISTERED):
        return Scorer.load(model or settings.models / "hub.leadlab")
    name, _, which = model.removeprefix(REGISTERED).partition("@")
    return registered(Registry(settings.registry), name, which or "champion")


def registered(registry: Registry, name: str, which: str) -> Scorer:
    """Load a version that scores leads from the registry."""
    found = registry.load(name, which)
    if not isinstance(found.model, ConversionModel) or found.plan is None:
        raise BadInput(
            "this version cannot score a log by itself",
            where=found.version.name,
            got=f"a {found.version.kind} model",
            expected="a conversion model with its feature plan",
        )
    return Scorer(found.model, found.plan, found.version.name, found.about)


def scores_at(log: EventLog, scorer: Scorer, as_of: str | None) -> Scores:
    """Score all leads known at a moment."""
    if len(log) == 0:
        raise EmptyInput("there is nobody to score", got="0 events")
    check_kinds(log, scorer)
    at_us = log.at_us[-1:] if as_of is None else as_micros([as_of])
    return scorer.score(build(log, scorer.features, at_us))


def check_kinds(log: EventLog, scorer: Scorer) -> None:
    """Refuse a log that has nothing of what the model looks at: its scores would mean nothing."""
    known = scorer.features.kinds
    if known and known.isdisjoint(log.kind.names):
        raise BadInput(
            "the log holds no kind of event that the model looks at",
            where=f"model {scorer.version}",
            got=", ".join(map(str, log.kind.names[:4])),
            expected=", ".join(sorted(known)[:4]) + ", ...",
            hint="Name the model of this log with --model.",
        )


def score(
    log: Log,
    model: Model = None,
    as_of: AsOf = None,
    top: Annotated[int, typer.Option(help="Rows to show.")] = 20,
    to: Annotated[
        Path | None, typer.Option("--out", help="Also write all to .csv or .parquet.")
    ] = None,
    lead: Lead = "lead",
    kind: Kind = "kind",
    at: When = "at",
    value: Value = None,
    as_json: AsJson = False,
) -> None:
    """Score, sort, show."""
    with steps(3, quiet=as_json) as tell:
        tell("load the model")
        scorer = scorer_of(model)
        tell("read the log")
        events = source.event_log(log, lead, kind, at, value)
        tell("score and explain")
        scores = scores_at(events, scorer, as_of)
    order = np.argsort(-scores.probability, kind="stable")
    if to is not None:
        _write(_frame(scores, order), to)
    shown = [_row(scores, int(i)) for i in order[:top]]
    if as_json:
        print_json({"model": scores.model_version, "method": scores.method, "scores": shown})
        return
    tell_refused(events)
    rows = [[r["lead"], f"{r['probability']:.1%}", _span(r), r["reason"]] for r in shown]
    when = "-"
    if len(scores):
        when = str(np.datetime64(int(scores.table.as_of_us[0]), "us").astype("datetime64[s]"))
    table(
        f"{len(scores):,} leads as of {when} UTC",
        ["lead", "chance", _range(scores), "because"],
        rows,
    )
    if to is not None:
        out.print(f"All of them: {to}")


def _row(scores: Scores, i: int) -> dict[str, Any]:
    why = reasons(scores, i, 1)
    return {
        "tenant": scores.table.tenant.values()[i],
        "lead": scores.table.lead.values()[i],
        "probability": float(scores.probability[i]),
        "low": float(scores.low[i]),
        "high": float(scores.high[i]),
        "reason": why[0].text if why else "",
    }


def _range(scores: Scores) -> str:
    """Heading of the intervals."""
    return f"90% of {scores.of} such leads" if scores.of else "interval"


def _span(row: dict[str, Any]) -> str:
    return "-" if np.isnan(row["low"]) else f"{row['low']:.0%} to {row['high']:.0%}"


def _frame(scores: Scores, order: np.ndarray) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "tenant": scores.table.tenant.values(),
            "lead": scores.table.lead.values(),
            "as_of": pd.to_datetime(scores.table.as_of_us, unit="us", utc=True),
            "probability": scores.probability,
            "low": scores.low,
            "high": scores.high,
            "margin": scores.margin,
            "model": scores.model_version,
        }
    )
    return frame.iloc[order]


def _write(frame: pd.DataFrame, path: Path) -> None:
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    elif path.suffix == ".parquet":
        frame.to_parquet(path, index=False)
    else:
        raise BadInput(
            "no way to write this", where="--out", got=path.suffix, expected=".csv, .parquet"
        )


score.__doc__ = HELP

"""``leadlab train``: from an event log to a model file."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from leadlab.cli import source
from leadlab.cli.console import out, print_json, report_table, steps, table
from leadlab.cli.options import AsJson, Kind, Lead, Log, Value, When
from leadlab.errors import BadInput
from leadlab.features import FeatureSet, catalogue
from leadlab.models.training import Study, Trained
from leadlab.models.training import train as train_model
from leadlab.schema import EventLog

STEPS = 7
HELP = """Train a conversion model and judge it on later leads.

Features are built as they were known at each event; leads are split by time with a gap of the
horizon; the model is shown beside its baselines and written to one file.

Example: `leadlab train simulated --converted Closed --ended Lost --features catalogue`
"""


def train(
    log: Log,
    converted: Annotated[
        list[str], typer.Option(help="Kind that means success; may be given more than once.")
    ],
    ended: Annotated[
        list[str] | None, typer.Option(help="Kind that means another ending; may be repeated.")
    ] = None,
    horizon_days: Annotated[float, typer.Option(help="How far ahead to foresee.")] = 30.0,
    features: Annotated[
        str, typer.Option(help="'automatic' (any log) or 'catalogue' (real-estate leads).")
    ] = "automatic",
    tz: Annotated[str, typer.Option(help="Zone of hours and weekdays.")] = "UTC",
    to: Annotated[Path, typer.Option("--out", help="Model file.")] = Path("model.leadlab"),
    seed: int = 0,
    lead: Lead = "lead",
    kind: Kind = "kind",
    at: When = "at",
    value: Value = None,
    as_json: AsJson = False,
) -> None:
    """Train, judge, write."""
    study = Study(tuple(converted), tuple(ended or ()), horizon_days, seed=seed)
    with steps(STEPS, quiet=as_json) as tell:
        tell("read the log")
        events = source.event_log(log, lead, kind, at, value)
        if not as_json:
            tell_refused(events)
        trained = train_model(
            events,
            study,
            features=_features(features, tz, events, study),
            trained_at=datetime.now(UTC).isoformat(timespec="seconds"),
            tell=tell,
        )
        trained.save(to)
    if as_json:
        print_json({"model": str(to), "refused_rows": _refused(events), **summary(trained)})
        return
    show(trained)
    out.print(f"Model: [bold]{to}[/bold]. Next: leadlab score {log} --model {to}")


def _features(name: str, tz: str, log: EventLog, study: Study) -> FeatureSet | None:
    if name == "automatic":
        return None
    if name == "catalogue":
        return catalogue(tz)
    raise BadInput(
        "no such features", where="--features", got=name, expected="automatic, catalogue"
    )


def _refused(log: EventLog) -> int:
    return 0 if log.refused is None else len(log.refused)


def tell_refused(log: EventLog) -> None:
    """Say how many rows were kept apart, and the commonest reasons."""
    if log.refused is not None and len(log.refused):
        counts = log.refused["reason"].value_counts().head(5)
        rows = [[reason, int(n)] for reason, n in counts.items()]
        table(f"{len(log.refused):,} rows were refused", ["reason", "rows"], rows)


def show(trained: Trained) -> None:
    """The report, and what the landmarks were."""
    report_table(trained.report)
    counts = trained.landmarks.counts
    out.print(
        f"Landmarks: {counts['converted']:,} converted, {counts['not_converted']:,} did not; left "
        f"out: {counts['censored']:,} whose outcome is not known yet, {counts['resolved']:,} after "
        f"the outcome, {len(trained.split.purged):,} too close to the next side of the split.\n"
    )


def summary(trained: Trained) -> dict[str, object]:
    """The same for machines."""
    return {
        "report": trained.report.to_json(),
        "landmarks": trained.landmarks.counts,
        "features": len(trained.table.names),
        "fingerprint": trained.about.fingerprint,
    }


train.__doc__ = HELP

"""``leadlab validate``: all that can be said of a kept model on leads that it never saw."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from leadlab.cli import source
from leadlab.cli.console import out, print_json, report_table, steps, table
from leadlab.cli.options import AsJson, Kind, Lead, Log, Value, When
from leadlab.cli.score import Model, check_kinds, scorer_of
from leadlab.errors import BadInput
from leadlab.explain import Scorer
from leadlab.explain.importance import shapley_importance
from leadlab.models.training import Told, baselines_of
from leadlab.models.validation.later_leads import as_known, split_at_test
from leadlab.models.validation.segments import Segments
from leadlab.models.validation.validation import Validation
from leadlab.models.validation.validation import validate as judge
from leadlab.schema import EventLog

MOST_EXPLAINED = 10_000
"""Shapley values are averaged over at most so many landmarks, evenly spread."""
SHOWN = 10
HELP = """Judge a model on the leads of a log that came after its training.

Figures with intervals beside baselines, calibration, lift, segments, months, importance, drift
against the training leads, what would have been expected without outcomes, and exposure by group.

Examples: `leadlab validate bpic2012 --model .leadlab/models/hub.leadlab --html report.html` or
`leadlab validate mine.parquet --model mine.leadlab --segment lead_source --json`
"""
Resamples = Annotated[int, typer.Option(help="Of each bootstrap.")]


def validate(
    log: Log,
    model: Model = None,
    segment: Annotated[
        list[str] | None,
        typer.Option(help="Field of the log to judge by, such as source; may be repeated."),
    ] = None,
    sensitive: Annotated[
        list[str] | None,
        typer.Option(help="Field to audit exposure by, never a feature; may be repeated."),
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Also write one HTML file.")] = None,
    capacity: Annotated[float, typer.Option(help="Share that the team can work on.")] = 0.1,
    resamples: Resamples = 100,
    seed: int = 0,
    lead: Lead = "lead",
    kind: Kind = "kind",
    at: When = "at",
    value: Value = None,
    as_json: AsJson = False,
) -> None:
    """Read, judge, show."""
    if html is not None and html.suffix not in (".html", ".htm"):
        raise BadInput("no way to write this", where="--html", got=html.suffix, expected=".html")
    ask = Asked(tuple(segment or ()), tuple(sensitive or ()), capacity, resamples, seed)
    with steps(6 if html else 5, quiet=as_json) as tell:
        tell("load the model")
        scorer = scorer_of(model)
        tell("read the log")
        events = source.event_log(log, lead, kind, at, value)
        check_kinds(events, scorer)
        found = validated(events, scorer, ask, tell)
        if html is not None:
            tell("write the page")
            write_page(found, html, f"validation of model {scorer.version}")
    if as_json:
        print_json({"model": scorer.version, **found.to_json()})
        return
    show(found)
    if html is not None:
        out.print(f"Drawn: [bold]{html}[/bold]")


@dataclass(frozen=True)
class Asked:
    """How to judge.

    Attributes
    ----------
    segments, sensitive : tuple of str
        Fields of the log.
    capacity : float
    resamples, seed : int
    """

    segments: tuple[str, ...]
    sensitive: tuple[str, ...]
    capacity: float
    resamples: int
    seed: int


def validated(events: EventLog, scorer: Scorer, ask: Asked, tell: Told) -> Validation:
    """Judge on the leads after the model's test began, beside baselines of those before."""
    if scorer.about is None:
        raise BadInput("the model's file says nothing of itself", where="--model")
    fields = {name: as_known(events, name) for name in (*ask.segments, *ask.sensitive)}
    tell("build features and labels")
    before, after = split_at_test(events, scorer.features, scorer.about)
    tell(f"explain, fit baselines on {len(before.label):,} rows")
    rows = np.arange(0, len(after.table), -(-len(after.table) // MOST_EXPLAINED))
    explained = shapley_importance(
        scorer.score(after.table.take(rows)),
        groups=after.lead[rows],
        resamples=ask.resamples,
        seed=ask.seed,
    )
    others = baselines_of(before.table, before.label)
    tell(f"judge on {len(after.label):,} landmarks")
    return judge(
        scorer.model,
        after.table,
        after.label,
        baselines=others,
        groups=after.lead,
        segments={name: fields[name][after.event] for name in ask.segments},
        sensitive={name: fields[name][after.event] for name in ask.sensitive},
        reference=before.table,
        reference_groups=before.lead,
        shapley=explained,
        capacity=ask.capacity,
        resamples=ask.resamples,
        seed=ask.seed,
        name="gradient-boosted trees",
    )


def write_page(found: Validation, to: Path, title: str) -> None:
    """Draw a validation into one HTML file; needs the extra `app`."""
    try:
        # Only who wants pictures should wait for, or need, the libraries that draw them.
        from leadlab.ui.validation import save_page  # noqa: PLC0415
    except ModuleNotFoundError as missing:
        raise BadInput(
            "a page cannot be drawn here",
            where="--html",
            got=f"no module {missing.name!r}",
            hint="Install leadlab[app].",
        ) from missing
    save_page(found, to, title)


def show(found: Validation) -> None:
    """The parts as tables."""
    report_table(found.report)
    own = found.report.name
    error, floor = found.reliability.ece[own], found.reliability.floor[own]
    out.print(
        f"\nCalibration error {error.value:.4f} ({error.low:.4f} to {error.high:.4f}); "
        f"perfect probabilities would show {floor:.4f} on as few rows.\n"
    )
    for part in (found.segments, found.periods):
        if part is not None:
            _segments(part)
    for one in (found.importance, found.shapley):
        if one is not None:
            top = one.figures.head(SHOWN)
            rows = [[r["name"], r["value"], _span(r)] for r in top.to_dict("records")]
            rows = [[name, f"{value:.4f}", span] for name, value, span in rows]
            table(f"Importance: {one.method}", ["family", one.unit, "95%"], rows)
    if found.drift is not None:
        out.print(f"\nDrift: {found.drift.verdict}")
    rows = [
        [r["metric"], float(r["expected"]), _span(r), float(r["realised"]), _word(r["within"])]
        for r in found.label_free.figures.to_dict("records")
    ]
    table("\nExpected without outcomes", ["figure", "expected", "95%", "realised", ""], rows,
          found.label_free.assumption)  # fmt: skip
    if found.exposure is not None:
        columns = ["field", "group", "leads", "selection_rate", "ratio", "verdict"]
        rows = [[r[c] for c in columns] for r in found.exposure.figures.to_dict("records")]
        table("\nExposure by group", columns, rows)
    for name, why in found.absent.items():
        out.print(f"No {name}: {why}.")


def _segments(part: Segments) -> None:
    keys = ["field", "segment", "leads", "converted"]
    wide = part.figures.pivot(index=keys, columns="metric", values="value")
    flat = wide.reindex(columns=list(COLUMNS)).reset_index().to_dict("records")
    rows = [
        [r["field"], r["segment"], int(r["leads"]), int(r["converted"]),
         *(float(r[name]) for name in COLUMNS)]
        for r in flat
    ]  # fmt: skip
    note = f"A dash: fewer than {part.least_groups} leads, or {part.least_outcomes} of an outcome."
    table("By segment and over time", [*keys, *COLUMNS], rows,
          note)  # fmt: skip


COLUMNS = ("roc_auc", "base_rate", "predicted", "brier")


def _span(row: dict[Any, Any]) -> str:
    return f"{row['low']:.4f} to {row['high']:.4f}"


def _word(within: object) -> str:
    return {True: "inside", False: "outside"}.get(bool(within), "") if within is not None else ""


validate.__doc__ = HELP

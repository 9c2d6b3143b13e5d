"""``leadlab validate``: all that can be said of a kept model on leads that it never saw."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from leadlab.cli import source
from leadlab.cli.console import out, print_json, report_table, steps, table
from leadlab.cli.score import Model, check_kinds, scorer_of
from leadlab.cli.train import AsJson, Kind, Lead, Log, Value, When
from leadlab.errors import BadInput
from leadlab.explain.importance import shapley_importance
from leadlab.models.segments import Segments
from leadlab.models.test_side import as_known, split_at_test
from leadlab.models.training import baselines_of
from leadlab.models.validation import Validation, leads_of
from leadlab.models.validation import validate as judge

MOST_EXPLAINED = 10_000
"""Shapley values are averaged over at most so many landmarks, evenly spread."""
SHOWN = 10
HELP = """Judge a model on the leads of a log that came after its training.

Figures with intervals beside baselines, calibration, lift, segments, months, importance, drift
against the training leads, what would have been expected without outcomes, and exposure by group.

Examples: `leadlab validate bpic2012 --model .leadlab/models/hub.leadlab --html report.html` or
`leadlab validate mine.parquet --model mine.leadlab --segment source --json`
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
    with steps(6 if html else 5, quiet=as_json) as tell:
        tell("load the model")
        scorer = scorer_of(model)
        if scorer.about is None:
            raise BadInput("the model's file says nothing of itself", where="--model")
        tell("read the log")
        events = source.event_log(log, lead, kind, at, value)
        check_kinds(events, scorer)
        fields = {name: as_known(events, name) for name in (*(segment or ()), *(sensitive or ()))}
        tell("build features and labels")
        before, after = split_at_test(events, scorer.features, scorer.about)
        tell(f"explain, fit baselines on {len(before.label):,} landmarks")
        rows = np.arange(0, len(after.table), -(-len(after.table) // MOST_EXPLAINED))
        some = after.table.take(rows)
        contributions = shapley_importance(
            scorer.score(some), groups=after.lead[rows], resamples=resamples, seed=seed
        )
        others = baselines_of(before.table, before.label)
        tell(f"judge on {len(after.label):,} landmarks")
        found = judge(
            scorer.model,
            after.table,
            after.label,
            baselines=others,
            groups=after.lead,
            segments={name: fields[name][after.event] for name in segment or ()},
            sensitive={name: fields[name][after.event] for name in sensitive or ()},
            reference=before.table,
            reference_groups=leads_of(before.table),
            shapley=contributions,
            capacity=capacity,
            resamples=resamples,
            seed=seed,
            name="gradient-boosted trees",
        )
        if html is not None:
            tell("write the page")
            write_page(found, html, f"validation of model {scorer.version}")
    if as_json:
        print_json({"model": scorer.version, **found.to_json()})
        return
    show(found)
    if html is not None:
        out.print(f"Drawn: [bold]{html}[/bold]")


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
    wide = part.figures.pivot(index=["field", "segment"], columns="metric", values="value")
    sizes = part.figures.groupby(["field", "segment"], sort=False)[["leads", "converted"]].first()
    rows = [
        [field, segment, int(size["leads"]), int(size["converted"]),
         *(float(wide.loc[(field, segment), name]) for name in COLUMNS)]
        for (field, segment), size in sizes.iterrows()
    ]  # fmt: skip
    note = f"A dash: fewer than {part.least_groups} leads, or {part.least_outcomes} of an outcome."
    table("By segment and over time", ["field", "segment", "leads", "converted", *COLUMNS], rows,
          note)  # fmt: skip


COLUMNS = ("roc_auc", "base_rate", "predicted", "brier")


def _span(row: dict[Any, Any]) -> str:
    return f"{row['low']:.4f} to {row['high']:.4f}"


def _word(within: object) -> str:
    return {True: "inside", False: "outside"}.get(bool(within), "") if within is not None else ""


validate.__doc__ = HELP

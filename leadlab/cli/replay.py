"""``leadlab replay``: recorded hours scored again by another model, beside what was scored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from leadlab.cli.console import err, out, print_json, table
from leadlab.cli.options import AsJson
from leadlab.cli.score import scorer_of
from leadlab.config import Settings
from leadlab.errors import BadInput
from leadlab.features.moments import as_micros
from leadlab.stream.alert_watch import alert_watch
from leadlab.stream.alerts import Rule, read_rules
from leadlab.stream.journal import Journal
from leadlab.stream.plan import Plan
from leadlab.stream.score_diff import SHOWN, Moved, ScoreDiff, score_diff
from leadlab.stream.time_travel import (
    Scored,
    Stretch,
    Told,
    recorded,
    rerun,
    strayed,
    stretch_of,
)

HELP = """Score a recorded stretch of the journal again by another model, and show what differs.

The journal is only read; a service may go on writing it. By default the comparison is with what was
recorded at the time; `--against` names another model instead. Where recorded rows are of the same
model version they must be equal to the last bit.

Example: `leadlab replay --from 2026-03-01T10:00Z --to 2026-03-01T14:00Z --model registry:hub@2`
"""
RECORDED = "recorded"


def replay(
    start: Annotated[str, typer.Option("--from", help="Arrived from then on, ISO 8601.")],
    end: Annotated[str, typer.Option("--to", help="Arrived before then.")],
    model: Annotated[
        str, typer.Option(metavar="FILE|registry:NAME[@VERSION]", help="Model to score with.")
    ],
    against: Annotated[
        str, typer.Option(metavar="recorded|FILE|registry:...", help="What to compare with.")
    ] = RECORDED,
    home: Annotated[
        Path | None, typer.Option(help="Folder of journal and state; live/ in LEADLAB_HOME.")
    ] = None,
    rules: Annotated[
        Path | None, typer.Option("--alerts", help="Rules, YAML: compare the alerts they raise.")
    ] = None,
    top: Annotated[int, typer.Option(help="Leads to show.")] = 10,
    to: Annotated[
        Path | None, typer.Option("--out", help="Also write every event to .csv or .parquet.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Read the journal, score, compare."""
    if to is not None and to.suffix not in (".csv", ".parquet"):
        raise BadInput(
            "no way to write this", where="--out", got=to.suffix, expected=".csv, .parquet"
        )
    if rules is not None and against == RECORDED:
        raise BadInput(
            "recorded rows do not say what raises alerts",
            where="--alerts",
            hint="Name the model of then with --against.",
        )
    raising = None if rules is None else read_rules(rules).rules
    place = home or Settings.from_environment().home / "live"
    start_us, end_us = (int(as_micros([moment])[0]) for moment in (start, end))
    plan = Plan.of(scorer_of(model))
    with Journal(place / "journal.db", read_only=True) as journal, _bar(as_json) as tell:
        stretch = stretch_of(journal, start_us, end_us)
        if against == RECORDED:
            before = recorded(place, stretch)
        else:
            before = _rerun(place, journal, stretch, Plan.of(scorer_of(against)), tell, raising)
        after = _rerun(place, journal, stretch, plan, tell, raising)
    alike, differing = strayed(before, after)
    diff = score_diff(before, after, top)
    if to is not None:
        _write(diff.frame, to)
    if as_json:
        print_json(_told(diff, plan.version, before.models, alike, differing))
    else:
        _show(diff, plan.version, against, alike, differing)


def _rerun(
    home: Path, journal: Journal, stretch: Stretch, plan: Plan, tell: Told,
    rules: Sequence[Rule] | None,
) -> Scored:  # fmt: skip
    watching = nullcontext(None) if rules is None else alert_watch(rules, plan)
    with watching as watch:
        return rerun(home, journal, stretch, plan, tell=tell, watch=watch)


@contextmanager
def _bar(quiet: bool) -> Iterator[Told]:
    columns = (
        TextColumn("{task.description:<38}"),
        BarColumn(bar_width=30),
        TextColumn("{task.completed:,}/{task.total:,} events"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, disable=quiet, transient=True) as bar:
        task = bar.add_task("read", total=1)
        yield lambda step, done, of: bar.update(task, description=step, completed=done, total=of)


def _told(
    diff: ScoreDiff, version: str, models: list[str], alike: int, differing: int
) -> dict[str, Any]:
    return {
        "model": version,
        "against": models,
        **diff.figures(),
        "same_version": alike,
        "same_version_differing": differing,
        "tiers": {
            name: dict(zip(SHOWN, row.tolist(), strict=True))
            for name, row in zip(SHOWN, diff.tiers, strict=True)
        },
        "alerts_raised": list(diff.raised),
        "alerts_silent": list(diff.silent),
        "moved": [
            {
                "tenant": one.tenant,
                "lead": one.lead,
                "event": one.event,
                "kind": one.kind,
                "as_of_us": one.as_of_us,
                "before": one.before,
                "after": one.after,
                "tier_before": one.tier_before,
                "tier_after": one.tier_after,
                "reasons": [{"family": f, "effect": x} for f, x in one.reasons],
            }
            for one in diff.moved
        ],
    }


def _show(diff: ScoreDiff, version: str, against: str, alike: int, differing: int) -> None:
    figures = diff.figures()
    out.print(
        f"{figures['events']:,} events by {version} beside {against}: {figures['changed']:,} "
        f"scores differ, by {figures['mean']:.4f} on average, {figures['median']:.4f} in the "
        f"middle and {figures['max']:.4f} at most."
    )
    if diff.alone:
        out.print(f"{diff.alone:,} events have a result on one side only.")
    if alike:
        verdict = "all equal" if not differing else f"{differing:,} DIFFER, which must not be"
        out.print(f"{alike:,} rows of the same version on both sides: {verdict}.")
    used = [k for k in range(len(SHOWN)) if diff.tiers[k].any() or diff.tiers[:, k].any()]
    rows = [[SHOWN[i], *(int(diff.tiers[i, k]) for k in used)] for i in used]
    table("Tiers before (rows) and after", ["", *(SHOWN[k] for k in used)], rows)
    for word, names in (("only now", diff.raised), ("no longer", diff.silent)):
        if names:
            table(f"Alerts {word}: {len(names):,}", ["alert"], [[name] for name in names[:20]])
    if diff.moved:
        columns = ["lead", "event", "before", "after", "tier", "because"]
        table("Leads most moved", columns, [_row(one) for one in diff.moved])


def _row(one: Moved) -> list[str]:
    tier = one.tier_after
    if one.tier_before != one.tier_after:
        tier = f"{one.tier_before} to {one.tier_after}"
    why = ", ".join(f"{family} {effect:+.2f}" for family, effect in one.reasons)
    before, after = (f"{x:.1%}" if not np.isnan(x) else "-" for x in (one.before, one.after))
    return [one.lead, one.kind, before, after, tier, why]


def _write(frame: pd.DataFrame, path: Path) -> None:
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path, index=False)


replay.__doc__ = HELP

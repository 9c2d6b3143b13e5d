"""What people see: tables and progress bars on a terminal; and plain JSON for machines."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

if TYPE_CHECKING:  # commands that train nothing need no estimators
    from leadlab.models.report import Report
    from leadlab.models.training import Told

WIDTH = 110
"""Columns where there is no terminal to ask."""
out = Console(width=None if sys.stdout.isatty() else WIDTH)
err = Console(stderr=True)
FIGURES = ("pr_auc", "roc_auc", "brier", "log_loss", "ece", "lift")


def print_json(content: Any) -> None:
    """One JSON object on standard output; NaN becomes null."""
    out.file.write(json.dumps(plain(content), indent=1) + "\n")


def plain(content: Any) -> Any:
    """The same content in JSON's own types.

    Examples
    --------
    >>> plain({"a": (1, float("nan"))})
    {'a': [1, None]}
    """
    if isinstance(content, dict):
        return {str(k): plain(v) for k, v in content.items()}
    if isinstance(content, (list, tuple, np.ndarray)):
        return [plain(v) for v in content]
    if isinstance(content, np.generic):
        return plain(content.item())
    if isinstance(content, float) and not math.isfinite(content):
        return None
    return content


@contextmanager
def steps(total: int, quiet: bool = False) -> Iterator[Told]:
    """A progress bar over named steps, on standard error; yields what announces the next one."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:<38}"),
        BarColumn(bar_width=30),
        TextColumn("{task.completed}/{task.total}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, disable=quiet, transient=not err.is_terminal) as bar:
        task = bar.add_task("start", total=total, completed=-1)

        def tell(step: str) -> None:
            bar.update(task, advance=1, description=step)
            if not err.is_terminal and not quiet:
                err.print(f"- {step}")

        yield tell
        bar.update(task, completed=total, description="done")


def table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], note: str = ""
) -> None:
    """A table on standard output; numbers to the right."""
    drawn = Table(title=title, title_justify="left", title_style="bold", caption=note or None,
                  caption_justify="left", header_style="dim", box=None, pad_edge=False)  # fmt: skip
    for i, name in enumerate(columns):
        number = all(isinstance(row[i], (int, float)) for row in rows) and bool(rows)
        drawn.add_column(name, justify="right" if number else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(_cell(value) for value in row))
    out.print(drawn)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "-" if math.isnan(value) else f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def report_table(report: Report) -> None:
    """A model's figures beside its baselines'."""
    models = {report.name: report.metrics, **report.baselines}
    rows = []
    for name, metrics in models.items():
        rows.append([name, *(f"{metrics[figure].value:.3f}" for figure in FIGURES)])
        if name == report.name:
            spans = (f"{metrics[f].low:.3f}-{metrics[f].high:.3f}" for f in FIGURES)
            rows.append(["  95% interval", *spans])
    note = (
        f"Test: {report.rows:,} landmarks of {report.leads:,} later leads, "
        f"{report.converted:,} converted. 95% intervals from a bootstrap over leads. Brier, "
        f"log-loss and calibration error (ECE): lower is better. Lift is that of the top "
        f"{report.capacity:.0%}."
    )
    table("What the model is worth", ["model", *FIGURES], rows, note)

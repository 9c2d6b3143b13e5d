"""The figures of a model beside its baselines'."""

from __future__ import annotations

from typing import Any

from leadlab.models.report import LOWER_IS_BETTER, Report
from leadlab.ui.theme import card
from leadlab.ui.validation.drawing import number, spanned, table, told
from leadlab.ui.wording import safe

NAMES = {
    "roc_auc": "ROC-AUC",
    "pr_auc": "PR-AUC",
    "brier": "Brier score",
    "log_loss": "Log-loss, nats",
    "ece": "Calibration error",
    "lift": "Lift at capacity",
    "precision": "Precision at capacity",
    "base_rate": "Base rate",
}


def figures_view(report: Report) -> Any:
    """A table: one line a figure, one column a model, 95% intervals below."""
    models = {report.name: report.metrics, **report.baselines}
    rows = []
    for metric, name in NAMES.items():
        better = " (lower is better)" if metric in LOWER_IS_BETTER else ""
        cells = [f"{safe(name)}<small>{better.strip()}</small>" if better else safe(name)]
        for place, found in enumerate(models.values()):
            one = found[metric]
            cells.append(("" if place else "*") + spanned(one.value, one.low, one.high))
        rows.append(cells)
    capacity = report.capacity
    room = f"{capacity:.0%} of rows" if isinstance(capacity, float) else f"{capacity:,} rows"
    size = (
        f"{report.rows:,} rows of {report.leads:,} leads that the model never saw, "
        f"{report.converted:,} of them converted. 95% intervals from a bootstrap over leads; "
        f"capacity is {room}."
    )
    why = f'<p class="say loud">{safe(report.why)}</p>' if report.why else ""
    head = f"<h2>{safe(report.name)}: what it is worth</h2>"
    line = f'<p class="say">{safe(_verdict(report))}</p><p class="note">{safe(size)}</p>'
    return card(told(head + line + why + table(["", *models], rows)))


def _verdict(report: Report) -> str:
    """Which baselines the model is ahead of, in a sentence."""
    beaten = report.beats("log_loss")
    if not beaten:
        return "No baseline was given: nothing says whether these figures are any good."
    loss = report.metrics["log_loss"].value
    ahead = [name for name, better in beaten.items() if better]
    behind = [name for name, better in beaten.items() if not better]
    parts = [f"better than {', '.join(ahead)}"] if ahead else []
    parts += [f"no better than {', '.join(behind)}"] if behind else []
    return f"By log-loss ({number(loss)}) it is {' but '.join(parts)}."

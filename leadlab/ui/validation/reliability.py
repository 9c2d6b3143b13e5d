"""Predicted against observed rates."""

from __future__ import annotations

from typing import Any

import holoviews as hv
import pandas as pd

from leadlab.models.validation.reliability import Reliability
from leadlab.ui.chart import log_odds
from leadlab.ui.theme import QUIET
from leadlab.ui.validation.drawing import drawn, empty, ink, key, number, section, table, told
from leadlab.ui.wording import safe

TITLE = "Whether 30% means 30 in 100"
HOVER = ["n", "predicted", "observed", "low", "high"]
MARKS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97, 0.99, 0.997, 0.999)


def reliability_view(part: Reliability) -> Any:
    """Bins with intervals against the diagonal; the calibration error beside what is noise."""
    if not len(part.bins):
        return empty(TITLE, "there are no bins")
    own = next(iter(part.ece))
    error, floor = part.ece[own], part.floor[own]
    say = f"Calibration error {number(error.value)} ({number(error.low)} to {number(error.high)}). "
    say += f"Perfect probabilities would show {number(floor)} on as few rows: the error is "
    say += "within that noise." if error.value <= floor else "more than that noise."
    rows = [
        [("" if i else "*") + safe(name), number(one.value), number(part.floor[name])]
        for i, (name, one) in enumerate(part.ece.items())
    ]
    figures = told(table(["model", "calibration error", "noise floor"], rows))
    marks = [(name, *ink(i)) for i, name in enumerate(part.ece)]
    marks.append(("95% interval of the observed rate", ink(0)[0], "solid"))
    return section(TITLE, say, _chart(part.bins), figures, legend=key(marks))


def _chart(bins: pd.DataFrame) -> Any:
    """Predicted against observed in log-odds, so that rates of a few percent lie apart."""
    names = ("predicted", "observed", "low", "high")
    bins = bins.assign(**{f"{name}_at": log_odds(bins[name]) for name in names})
    top = float(bins[[f"{name}_at" for name in names]].max().max()) + 0.3
    ends = (float(log_odds(0.0)) - 0.3, top)
    diagonal = hv.Curve([(end, end) for end in ends])
    parts = [diagonal.opts(color=QUIET, line_width=1, line_dash="dotted")]
    models = list(enumerate(bins.groupby("model", sort=False)))
    for place, (model, rows) in reversed(models):  # the judged model is drawn above the others
        parts += _bins(str(model), rows, place)
    return drawn(
        hv.Overlay(parts), "Predicted chance (mean of bin), log-odds scale",
        "Observed rate, log-odds scale",
        height=340, xlim=ends, ylim=ends, xticks=ticks(*ends, every=2), yticks=ticks(*ends),
    )  # fmt: skip


def _bins(model: str, rows: pd.DataFrame, place: int) -> list[Any]:
    colour, dash = ink(place)
    line = hv.Curve((rows["predicted_at"], rows["observed_at"]))
    dots = hv.Points(rows, ["predicted_at", "observed_at"], HOVER, label=model)
    found = [
        line.opts(color=colour, line_dash=dash, line_width=1.2 if place else 2),
        dots.opts(color=colour, size=5 if place else 8, line_color=None, tools=["hover"],
                  hover_tooltips=HOVER),
    ]  # fmt: skip
    if place:
        return found
    spans = rows[["predicted_at", "low_at", "predicted_at", "high_at"]].dropna().to_numpy()
    across = hv.Segments(spans, ["x0", "y0", "x1", "y1"])
    return [*found, across.opts(color=colour, line_width=2)]


def ticks(low: float, high: float, every: int = 1) -> list[tuple[float, str]]:
    """Where an axis in log-odds says a percentage."""
    places = [(float(log_odds(p)), f"{100 * p:.3g}%") for p in MARKS[::every]]
    return [(at, label) for at, label in places if low <= at <= high]

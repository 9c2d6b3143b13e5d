"""Predicted against observed rates."""

from __future__ import annotations

from typing import Any

import holoviews as hv

from leadlab.models.reliability import Reliability
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
    bins = part.bins.assign(
        **{f"{name}_at": log_odds(part.bins[name]) for name in ("predicted", "observed")},
        low_at=log_odds(part.bins["low"]),
        high_at=log_odds(part.bins["high"]),
    )
    ends = (
        float(log_odds(0.0)) - 0.3,
        float(bins["high_at"].fillna(bins["observed_at"]).max()) + 0.5,
    )
    ends = (ends[0], max(ends[1], float(bins["predicted_at"].max()) + 0.3))
    diagonal = hv.Curve([(ends[0], ends[0]), (ends[1], ends[1])]).opts(
        color=QUIET, line_width=1, line_dash="dotted"
    )
    parts = [diagonal]
    entries = []
    for place, (model, rows) in reversed(list(enumerate(bins.groupby("model", sort=False)))):
        colour, dash = ink(place)
        line = hv.Curve((rows["predicted_at"], rows["observed_at"]))
        line = line.opts(color=colour, line_dash=dash, line_width=1.2 if place else 2)
        dots = hv.Points(rows, ["predicted_at", "observed_at"], HOVER, label=str(model)).opts(
            color=colour,
            size=5 if place else 8,
            line_color=None,
            tools=["hover"],
            hover_tooltips=HOVER,
        )
        parts += [line, dots]
        if not place:
            spans = rows[["predicted_at", "low_at", "predicted_at", "high_at"]].dropna().to_numpy()
            parts.append(
                hv.Segments(spans, ["x0", "y0", "x1", "y1"]).opts(color=colour, line_width=2)
            )
        entries.append((str(model), colour, dash))
    chart = drawn(
        hv.Overlay(parts), "Predicted chance (mean of bin), log-odds scale",
        "Observed rate, log-odds scale",
        height=340, xlim=ends, ylim=ends, xticks=ticks(*ends, every=2), yticks=ticks(*ends),
    )  # fmt: skip
    own = next(iter(part.ece))
    error, floor = part.ece[own], part.floor[own]
    within = error.value <= floor
    say = f"Calibration error {number(error.value)} ({number(error.low)} to {number(error.high)}). "
    say += f"Perfect probabilities would show {number(floor)} on as few rows: "
    say += "the error is within that noise." if within else "the error is more than that noise."
    rows = [
        [("" if i else "*") + safe(name), number(one.value), number(part.floor[name])]
        for i, (name, one) in enumerate(part.ece.items())
    ]
    figures = told(table(["model", "calibration error", "noise floor"], rows))
    marks = [*reversed(entries), ("95% interval of the observed rate", ink(0)[0], "solid")]
    return section(TITLE, say, chart, figures, legend=key(marks))


def ticks(low: float, high: float, every: int = 1) -> list[tuple[float, str]]:
    """Where an axis in log-odds says a percentage."""
    places = [(float(log_odds(p)), f"{100 * p:.3g}%") for p in MARKS[::every]]
    return [(at, label) for at, label in places if low <= at <= high]

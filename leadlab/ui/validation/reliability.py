"""Predicted against observed rates."""

from __future__ import annotations

from typing import Any

import holoviews as hv

from leadlab.models.reliability import Reliability
from leadlab.ui.theme import QUIET
from leadlab.ui.validation.drawing import drawn, empty, ink, key, number, section, table, told
from leadlab.ui.wording import safe

TITLE = "Whether 30% means 30 in 100"


def reliability_view(part: Reliability) -> Any:
    """Bins with intervals against the diagonal; the calibration error beside what is noise."""
    if not len(part.bins):
        return empty(TITLE, "there are no bins")
    most = min(1.0, 1.08 * float(part.bins[["predicted", "observed", "high"]].max().max()))
    diagonal = hv.Curve([(0, 0), (most, most)]).opts(color=QUIET, line_width=1, line_dash="dotted")
    parts = [diagonal]
    entries = []
    for place, (model, rows) in reversed(
        list(enumerate(part.bins.groupby("model", sort=False)))
    ):
        colour, dash = ink(place)
        line = hv.Curve((rows["predicted"], rows["observed"]))
        line = line.opts(color=colour, line_dash=dash, line_width=1.2 if place else 2)
        dots = hv.Points(
            rows, ["predicted", "observed"], ["n", "low", "high"], label=str(model)
        ).opts(color=colour, size=5 if place else 8, line_color=None, tools=["hover"])
        parts += [line, dots]
        if not place:
            spans = rows[["predicted", "low", "predicted", "high"]].dropna().to_numpy()
            parts.append(
                hv.Segments(spans, ["x0", "y0", "x1", "y1"]).opts(color=colour, line_width=2)
            )
        entries.append((str(model), colour, dash))
    chart = drawn(
        hv.Overlay(parts), "Predicted chance (mean of bin)", "Observed rate",
        percent="xy", height=340, xlim=(0, most), ylim=(0, most),
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

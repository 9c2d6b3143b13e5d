"""Partial dependence with the spread of individual curves, and where the data lie."""

from __future__ import annotations

from typing import Any

import holoviews as hv
import pandas as pd
from bokeh.models import NumeralTickFormatter

from leadlab.models.validation.dependence import MISSING, Dependence
from leadlab.ui.theme import HOT
from leadlab.ui.validation.drawing import (
    INKS,
    LOUD,
    drawn,
    empty,
    key,
    ranked,
    ranked_axes,
    section,
    side_by_side,
)

TITLE = "How the chance moves with one column"
RUG = INKS[1]


def dependence_view(part: Dependence) -> Any:
    """One small drawing a column."""
    if not len(part.curves):
        return empty(TITLE, "no column was asked for")
    charts = [
        _chart(str(name), rows, part.rug[part.rug["feature"] == name])
        for name, rows in part.curves.groupby("feature", sort=False)
    ]
    say = f"The column is set to each value in {part.rows:,} rows, all else stays. Where hardly any"
    say += " data lie the curve is extrapolation: its points are hollow."
    legend = key(
        [
            ("mean chance", HOT, "solid"),
            ("10% to 90% of rows", HOT, "band"),
            ("deciles of the data", RUG, "solid"),
            ("when missing", LOUD, "dashed"),
        ]
    )
    return section(TITLE, say, side_by_side(*charts), legend=legend)


def _chart(name: str, rows: pd.DataFrame, rug: pd.DataFrame) -> Any:
    known = rows[rows["x"].notna()]
    if not len(known):
        labels = [str(one) for one in rows["label"]]
        spans = [rows[one].tolist() for one in ("mean", "low", "high")]
        return drawn(ranked(labels, *spans), f"Chance, by {name}", "", percent="x",
                     **ranked_axes(labels))  # fmt: skip
    band = hv.Area((known["x"], known["low"], known["high"]), vdims=["low", "high"])
    line = hv.Curve((known["x"], known["mean"]))
    backed, thin = known[~known["extrapolates"]], known[known["extrapolates"]]
    parts = [
        band.opts(color=HOT, alpha=0.18, line_alpha=0),
        line.opts(color=HOT, line_width=2.2),
        hv.Points((backed["x"], backed["mean"])).opts(color=HOT, size=6, line_color=None),
        hv.Points((thin["x"], thin["mean"])).opts(color="white", line_color=HOT, size=6),
        hv.Spikes(rug["x"].tolist(), label="rug").opts(
            color=RUG, line_width=1.5, spike_length=0.04 * float(rows["high"].max() or 1.0),
            position=0,
        ),
    ]  # fmt: skip
    missing = rows[rows["label"] == MISSING]
    if len(missing):
        at = float(missing["mean"].iloc[0])
        parts.append(hv.HLine(at).opts(color=LOUD, line_dash="dashed", line_width=1.5))
    ends = (
        {}
        if known["x"].abs().max() < 1000
        else {"xformatter": NumeralTickFormatter(format="0.[0]a")}
    )
    return drawn(hv.Overlay(parts), name, "Chance", percent="y", height=230, ylim=(0, None), **ends)

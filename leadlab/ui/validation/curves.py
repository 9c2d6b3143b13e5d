"""ROC, precision-recall, gain and lift as curves with bands, baselines beside."""

from __future__ import annotations

from typing import Any

import holoviews as hv
import pandas as pd

from leadlab.models.validation.discrimination import Discrimination
from leadlab.models.validation.gain import Gain
from leadlab.ui.theme import QUIET
from leadlab.ui.validation.drawing import INKS, drawn, empty, ink, key, section, side_by_side

ROC_TITLE = "Telling apart who converts"
GAIN_TITLE = "What the team's time catches"


def discrimination_view(part: Discrimination) -> Any:
    """ROC and precision-recall curves; the band is the model's 95% interval."""
    if part.why:
        return empty(ROC_TITLE, part.why)
    chance = hv.Curve([(0, 0), (1, 1)]).opts(color=QUIET, line_width=1, line_dash="dotted")
    rate = hv.HLine(part.base_rate).opts(color=QUIET, line_width=1, line_dash="dotted")
    roc = drawn(
        lines(part.curves, "roc") * chance,
        "False-positive rate (share of the others taken)",
        "True-positive rate (share found)",
        percent="xy", xlim=(0, 1), ylim=(0, 1.02),
    )  # fmt: skip
    precision = drawn(
        lines(part.curves, "precision_recall") * rate,
        "Recall (share of conversions found)",
        "Precision (share that converts)",
        percent="xy", xlim=(0, 1), ylim=(0, 1.02),
    )  # fmt: skip
    say = "Left: the further above the diagonal, the better. Right: the dotted line is the base "
    say += f"rate of {part.base_rate:.1%}, what picking blindly gives."
    return section(ROC_TITLE, say, side_by_side(roc, precision), legend=legend(part.curves))


def gain_view(part: Gain) -> Any:
    """Gain and lift by share of rows worked on; the upright line is the team's capacity."""
    if part.why:
        return empty(GAIN_TITLE, part.why)
    line = hv.VLine(part.capacity).opts(color=QUIET, line_width=1, line_dash="dashed")
    chance = hv.Curve([(0, 0), (1, 1)]).opts(color=QUIET, line_width=1, line_dash="dotted")
    one = hv.HLine(1).opts(color=QUIET, line_width=1, line_dash="dotted")
    caught = drawn(
        lines(part.curves, "gain") * chance * line,
        "Share of rows worked on", "Share of conversions caught",
        percent="xy", xlim=(0, 1), ylim=(0, 1.02),
    )  # fmt: skip
    times = drawn(
        lines(part.curves, "lift") * one * line,
        "Share of rows worked on", "Lift (times better than chance)",
        percent="x", xlim=(0, 1), ylim=(0, None),
    )  # fmt: skip
    own = part.curves[part.curves["model"] == part.curves["model"].iloc[0]]
    own = own[own["x"] == part.capacity].set_index("curve")
    found, lift = own.loc["gain"], own.loc["lift"]
    say = (
        f"Working on the top {part.capacity:.1%} catches {found['y']:.0%} of the conversions "
        f"({found['low']:.0%} to {found['high']:.0%}), {lift['y']:.1f} times what blind picks do."
    )
    return section(GAIN_TITLE, say, side_by_side(caught, times), legend=legend(part.curves))


def lines(curves: pd.DataFrame, which: str) -> Any:
    """One line a model, the first with its band."""
    shown = curves[curves["curve"] == which]
    parts = []
    there = shown.dropna(subset=["y"])
    for place, (model, rows) in enumerate(there.groupby("model", sort=False)):
        colour, dash = ink(place)
        if not place:
            edges = (rows["x"], rows["low"], rows["high"])
            band = hv.Area(edges, vdims=["low", "high"]).opts(color=colour, alpha=0.2, line_alpha=0)
            parts.append(band)
        width = 1.6 if place else 2.4
        line = hv.Curve((rows["x"], rows["y"]), label=str(model))
        parts.append(line.opts(color=colour, line_dash=dash, line_width=width))
    return hv.Overlay([*parts[2:], *parts[:2]])


def legend(curves: pd.DataFrame) -> str:
    """Which line is whose."""
    entries = [(str(name), *ink(i)) for i, name in enumerate(curves["model"].unique())]
    return key([*entries, ("95% interval", INKS[0], "band")])

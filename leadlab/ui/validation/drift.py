"""Drift of inputs and scores."""

from __future__ import annotations

from typing import Any

import holoviews as hv
import numpy as np

from leadlab.models.validation.drift import Drift
from leadlab.ui.theme import HOT
from leadlab.ui.validation.drawing import (
    INKS,
    LOUD,
    drawn,
    empty,
    key,
    number,
    ranked_axes,
    section,
    table,
    told,
)
from leadlab.ui.wording import safe

TITLE = "Whether it still sees what it was trained on"
SHOWN = 15
WIDEST = 0.6
"""One column that has moved altogether would leave no room to see the others."""
QUIET_WORDS = ("steady", "small shift", "within noise")


def drift_view(part: Drift | None, why: str = "no reference rows were given") -> Any:
    """PSI of each column beside the conventional lines and its own noise floor."""
    if part is None or not len(part.figures):
        return empty(TITLE, why)
    top = part.figures.head(SHOWN)
    names = [str(name) for name in top["name"]]
    inks = [HOT if word in QUIET_WORDS else LOUD for word in top["verdict"]]
    places = range(len(names))
    bars = hv.Segments(
        [(0.0, i, max(x, 0.0), i, c) for i, x, c in zip(places, top["psi"], inks, strict=True)],
        ["x0", "y0", "x1", "y1"], "ink",
    ).opts(color="ink", line_width=9)  # fmt: skip
    floors = hv.Points(list(zip(top["floor"], places, strict=True))).opts(
        marker="dash", angle=90, size=14, color=INKS[4], line_width=2
    )
    marks = [
        hv.VLine(at).opts(color=INKS[4], line_dash=dash, line_width=1)
        for at, dash in ((part.moderate, "dotted"), (part.large, "dashed"))
    ]
    highest = 1.1 * float(np.nanmax([*top["psi"], *top["floor"], part.large]))
    most = min(highest, WIDEST)
    beyond = f"; bars at the edge go on beyond {WIDEST:g}" if highest > WIDEST else ""
    chart = drawn(
        hv.Overlay([*marks, bars, floors]), f"PSI (population stability index){beyond}", "",
        xlim=(0, most), **ranked_axes(names),
    )  # fmt: skip
    legend = key(
        [
            ("PSI", HOT, "solid"),
            ("to be looked at", LOUD, "solid"),
            (f"{part.moderate:g}: moderate by convention", INKS[4], "dotted"),
            (f"{part.large:g}: large", INKS[4], "dashed"),
            ("short stroke: what chance alone reaches, 95%", INKS[4], "solid"),
        ]
    )
    size = f"{part.rows_before:,} rows of {part.leads_before:,} leads before, {part.rows_after:,} "
    size += f"of {part.leads_after:,} after."
    loud = bool((~part.figures["verdict"].isin(QUIET_WORDS)).any())
    return section(TITLE, f"{part.verdict} {size}", chart, told(_table(part)), loud=loud,
                   legend=legend)  # fmt: skip


def _table(part: Drift) -> str:
    rows = []
    for one in part.figures.head(SHOWN).to_dict("records"):
        word = str(one["verdict"])
        gaps = [f"{100 * one[name]:.1f}%" for name in ("missing_before", "missing_after")]
        rows.append(
            [
                safe(one["name"]),
                ("" if word in QUIET_WORDS else "!") + safe(word),
                number(one["psi"]),
                number(one["floor"]),
                f"{number(one['statistic'], 2)}<small>{safe(one['test'])}</small>",
                number(one["psi_p_adjusted"]),
                number(one["p_adjusted"]),
                " → ".join(gaps),
            ]
        )
    columns = ["column", "verdict", "PSI", "noise", "test", "PSI p", "test p", "missing"]
    rest = len(part.figures) - SHOWN
    more = f'<p class="note">{rest} columns with less drift are not shown.</p>' if rest > 0 else ""
    return table(columns, rows, words=(1,)) + more

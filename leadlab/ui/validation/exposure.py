"""Selection by sensitive group."""

from __future__ import annotations

from typing import Any

import holoviews as hv

from leadlab.models.validation.exposure import ALARM, MAYBE, Exposure
from leadlab.ui.theme import HOT
from leadlab.ui.validation.drawing import (
    INKS,
    LOUD,
    drawn,
    empty,
    key,
    number,
    ranked,
    ranked_axes,
    section,
    spanned,
    table,
    told,
)
from leadlab.ui.wording import safe

TITLE = "Who gets the team's attention"


def exposure_view(part: Exposure | None, why: str = "no sensitive fields were given") -> Any:
    """Ratio of each group's selection rate to the highest, beside four fifths."""
    if part is None or not len(part.figures):
        return empty(TITLE, why)
    shown = part.figures[part.figures["ratio"].notna()]
    views: list[Any] = []
    if len(shown):
        names = [f"{a}: {b}" for a, b in zip(shown["field"], shown["group"], strict=True)]
        inks = [LOUD if word in (ALARM, MAYBE) else HOT for word in shown["verdict"]]
        spans = [shown[one].tolist() for one in ("ratio", "low", "high")]
        line = hv.VLine(part.line).opts(color=LOUD, line_dash="dashed", line_width=1.5)
        views.append(
            drawn(
                line * ranked(names, *spans, colours=inks, unit="ratio"),
                "Selection rate over the highest group's", "",
                **{**ranked_axes(names), "xlim": (0, None)},
            )
        )  # fmt: skip
    say = f"The top {part.capacity:.1%} by score are selected. "
    if part.alarms:
        say += f"Below four fifths of the highest rate: {', '.join(part.alarms)}."
    else:
        say += "No group that can be judged is below four fifths of the highest rate."
    say += " Groups are as people gave them; they are never inferred and never a feature."
    legend = key(
        [("ratio with 95% interval", HOT, "dot"), ("0.80: four fifths", LOUD, "dashed"),
         ("other groups are too few", INKS[4], "dot")]
    )  # fmt: skip
    views.append(told(_table(part)))
    return section(TITLE, say, *views, loud=bool(part.alarms), legend=legend)


def _table(part: Exposure) -> str:
    rows = []
    for one in part.figures.to_dict("records"):
        word = str(one["verdict"])
        rows.append(
            [
                f"{safe(one['field'])}: {safe(one['group'])}",
                ("!" if word in (ALARM, MAYBE) else "") + safe(word),
                f"{one['leads']:,}",
                f"{100 * one['selection_rate']:.1f}%",
                spanned(one["ratio"], one["low"], one["high"], 2),
                number(one["mean_score"]),
                number(one["true_positive_rate"], 2),
            ]
        )
    columns = [
        "group",
        "verdict",
        "leads",
        "selected",
        "ratio",
        "mean score",
        "found of converting",
    ]
    return table(columns, rows, words=(1,))

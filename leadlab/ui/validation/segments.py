"""Figures by segment and over time."""

from __future__ import annotations

from typing import Any

import holoviews as hv
import pandas as pd

from leadlab.models.validation.segments import Segments
from leadlab.ui.theme import HOT
from leadlab.ui.validation.drawing import (
    INKS,
    dates,
    drawn,
    empty,
    key,
    number,
    ranked,
    ranked_axes,
    section,
    side_by_side,
    spanned,
    table,
    told,
)
from leadlab.ui.wording import safe

TITLE, OVER_TIME = "By segment", "Over time"
OBSERVED = INKS[1]


def segments_view(part: Segments | None, why: str = "no segments were given") -> Any:
    """ROC-AUC and rates of each segment, one block a field; small segments are named."""
    if part is None or not len(part.figures):
        return empty(TITLE, why)
    blocks: list[Any] = []
    for field, rows in part.figures.groupby("field", sort=False):
        wide = _wide(rows)
        judged = wide[wide["value", "base_rate"].notna()]
        blocks.append(told(f"<h3>{safe(field)}</h3>"))
        if len(judged):
            blocks.append(side_by_side(_auc(judged), _rates(judged)))
        blocks.append(told(_table(wide, str(field))))
    say = f"A segment with fewer than {part.least_groups} leads is not judged; ranking needs "
    say += f"{part.least_outcomes} leads of either outcome."
    return section(TITLE, say, *blocks, legend=_key())


def periods_view(part: Segments | None, why: str = "no moments were given") -> Any:
    """ROC-AUC, and predicted beside observed rate, in each week or month."""
    if part is None or not len(part.figures):
        return empty(OVER_TIME, why)
    field = str(part.figures["field"].iloc[0])
    wide = _wide(part.figures)
    if not wide["value", "base_rate"].notna().any():
        return empty(OVER_TIME, f"no {field} has {part.least_groups} leads")
    days = pd.to_datetime(wide.index)
    auc = drawn(
        hv.HLine(0.5).opts(color=INKS[4], line_dash="dotted", line_width=1)
        * _line(days, wide, "roc_auc", HOT),
        f"First day of the {field} (UTC)", "ROC-AUC", xformatter=dates(),
    )  # fmt: skip
    rates = drawn(
        _line(days, wide, "base_rate", OBSERVED) * _line(days, wide, "predicted", HOT, "dashed"),
        f"First day of the {field} (UTC)", "Rate of conversion",
        percent="y", xformatter=dates(),
    )  # fmt: skip
    few = int(wide["value", "roc_auc"].isna().sum())
    say = f"Each {field} by itself. A fall on the left is a model that ages; lines that part on the"
    say += " right are probabilities that no longer fit."
    if few:
        say += f" {few} of {len(wide)} have too few leads to rank."
    return section(OVER_TIME, say, side_by_side(auc, rates), told(_table(wide, field)),
                   legend=_key("dashed"))  # fmt: skip


def _wide(rows: pd.DataFrame) -> pd.DataFrame:
    """One row a segment: value, low, high and why of each metric."""
    order = rows["segment"].drop_duplicates()
    sizes = rows.groupby("segment")[["rows", "leads", "converted"]].first()
    wide = rows.pivot(index="segment", columns="metric", values=["value", "low", "high", "why"])
    for name in sizes:
        wide["size", name] = sizes[name]
    numbers = [column for column in wide.columns if column[0] in ("value", "low", "high")]
    return wide.astype(dict.fromkeys(numbers, float)).loc[order]


def _auc(wide: pd.DataFrame) -> Any:
    names = [str(name) for name in wide.index]
    spans = [wide[part, "roc_auc"].tolist() for part in ("value", "low", "high")]
    half = hv.VLine(0.5).opts(color=INKS[4], line_dash="dotted", line_width=1)
    least = min([0.5, *(x for part in spans for x in part if x == x)])
    return drawn(
        half * ranked(names, *spans, unit="ROC-AUC"), "ROC-AUC (dotted: chance)", "",
        xlim=(least - 0.02, 1.02), **ranked_axes(names),
    )  # fmt: skip


def _rates(wide: pd.DataFrame) -> Any:
    names = [str(name) for name in wide.index]
    spans = [wide[part, "base_rate"].tolist() for part in ("value", "low", "high")]
    said = [(p, i) for i, p in enumerate(wide["value", "predicted"])]
    marks = hv.Points(said).opts(marker="diamond", size=10, color=HOT, line_color=None)
    return drawn(
        ranked(names, *spans, colours=OBSERVED, unit="observed rate") * marks,
        "Rate of conversion", "", percent="x", **ranked_axes(names),
    )  # fmt: skip


def _line(days: Any, wide: pd.DataFrame, metric: str, colour: str, dash: str = "solid") -> Any:
    frame = pd.DataFrame({"day": days, **{p: wide[p, metric].to_numpy() for p in _PARTS}})
    there = frame.dropna(subset=["value"])
    spans = there.dropna(subset=["low", "high"])
    across = hv.Segments(
        list(zip(spans["day"], spans["low"], spans["day"], spans["high"], strict=True)),
        ["x0", "y0", "x1", "y1"],
    ).opts(color=colour, line_width=1.5, alpha=0.7)
    line = hv.Curve(there, "day", "value").opts(color=colour, line_dash=dash, line_width=2)
    dots = hv.Points(there, ["day", "value"], label=metric).opts(
        color=colour, size=6, line_color=None, tools=["hover"]
    )
    return across * line * dots


_PARTS = ("value", "low", "high")
PERIODS = ("week", "month")


def _key(predicted: str = "dot") -> str:
    return key(
        [
            ("ROC-AUC, and predicted rate (mean chance)", HOT, predicted),
            ("observed rate", OBSERVED, "dot"),
            ("95% interval", INKS[4], "solid"),
        ]
    )


def _table(wide: pd.DataFrame, field: str) -> str:
    rows = []
    for name, one in wide.iterrows():
        sizes = [f"{int(one['size', part]):,}" for part in ("leads", "converted")]
        label = safe(name).replace("-", "\u2011") if field in PERIODS else safe(name)
        rows.append([label, *sizes, *_cells(one)])
    return table([field, "leads", "converted rows", "ROC-AUC", "observed", "predicted", "Brier"],
                 rows)  # fmt: skip


def _cells(one: pd.Series[Any]) -> list[str]:
    value, low, high = (float(one[part, "roc_auc"]) for part in _PARTS)
    auc = spanned(value, low, high)
    why = one["why", "roc_auc"]
    if auc == "–" and why:
        auc = f'–<small class="why">{safe(why)}</small>'
    rates = [number(100 * float(one["value", m]), 1) for m in ("base_rate", "predicted")]
    percents = [rate if rate == "–" else f"{rate}%" for rate in rates]
    return [auc, *percents, number(float(one["value", "brier"]))]

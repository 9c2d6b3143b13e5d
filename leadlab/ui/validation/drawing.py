"""What all drawings of a validation share: inks, axes, keys, tables, and the empty state.

Inks are from a set that colour-blind people tell apart, stand out on light and on dark, and come
with a dash of their own, so that colour is never all that tells two lines apart.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import holoviews as hv
import panel as pn
from bokeh.models import DatetimeTickFormatter, NumeralTickFormatter
from holoviews.plotting import bokeh as _bokeh

from leadlab.ui.theme import FAINT, HOT, MS, QUIET, card, sheets
from leadlab.ui.wording import safe

INKS = (HOT, MS, "#2f9e83", "#c0609a", "#8a94a6")
DASHES = ("solid", "dashed", "dotted", "dashdot", "dotdash")
LOUD = "#d0652b"
"""What has to be looked at."""
HEIGHT = 280
NARROW = {"flex": "1 1 320px", "min-width": "0"}
"""Two drawings side by side where there is room for 320 px each."""
LONGEST_LABEL = 24
_FONT = "Inter, Segoe UI, Roboto, Helvetica Neue, Arial, sans-serif"

if not hv.Store.current_backend:
    hv.Store.set_current_backend(_bokeh.BokehRenderer.backend)


def ink(place: int) -> tuple[str, str]:
    """Colour and dash of the model at a place; the judged model is the first."""
    return INKS[place % len(INKS)], DASHES[place % len(DASHES)]


def drawn(
    plot: Any, x: str, y: str, *, height: int = HEIGHT, percent: str = "", **options: Any
) -> Any:
    """An overlay with its axes labelled, as a pane that takes the width it gets.

    Parameters
    ----------
    plot : HoloViews overlay
    x, y : str
        What the axes are, with the unit.
    height : int
        Pixels.
    percent : str
        Axes that are shares: "x", "y" or "xy".
    """
    told = {f"{axis}formatter": NumeralTickFormatter(format="0.[0]%") for axis in percent}
    whole = hv.Overlay([plot]) if not isinstance(plot, hv.Overlay) else plot
    whole = whole.opts(
        xlabel=x,
        ylabel=y,
        responsive=True,
        height=height,
        show_legend=False,
        toolbar=None,
        show_grid=True,
        hooks=[_quieten],
        **told,
        **options,
    )
    return pn.pane.HoloViews(
        whole, sizing_mode="stretch_width", height=height, margin=0, backend="bokeh",
        linked_axes=False,
    )  # fmt: skip


def key(entries: Iterable[tuple[str, str, str]]) -> str:
    """HTML that says what is drawn how: name, colour, and a dash or "dot" or "band"."""
    borders = {"dashdot": "dashed", "dotdash": "dotted"}
    parts = []
    for name, colour, form in entries:
        if form == "dot":
            sign = f'<i style="background:{colour}"></i>'
        elif form == "band":
            sign = f'<i style="background:{colour};opacity:.3;border-radius:2px;width:16px"></i>'
        else:
            line = borders.get(form, form)
            sign = f'<i class="line" style="border-top:2px {line} {colour}"></i>'
        parts.append(f"<span>{sign}{safe(name)}</span>")
    return f'<div class="key">{"".join(parts)}</div>'


def told(html: str) -> Any:
    """Text and tables."""
    return pn.pane.HTML(
        html, margin=0, sizing_mode="stretch_width", stylesheets=sheets("text", "table")
    )


def section(title: str, say: str, *views: Any, loud: bool = False, legend: str = "") -> Any:
    """A card with a heading, what it says in a sentence, and its drawings."""
    mood = " loud" if loud else ""
    head = f'<h2>{safe(title)}</h2><p class="say{mood}">{safe(say)}</p>{legend}'
    return card(told(head), *views)


def side_by_side(*views: Any) -> Any:
    """Drawings in a row, below each other where there is no room."""
    for one in views:
        one.styles = NARROW
    return pn.Row(
        *views, margin=0, sizing_mode="stretch_width", stylesheets=sheets("row"),
        styles={"align-items": "flex-start"},
    )  # fmt: skip


def empty(title: str, why: str) -> Any:
    """The card of a part that is not there, or has nothing to draw."""
    line = safe(why[:1].upper() + why[1:])
    return card(told(f'<h2>{safe(title)}</h2><p class="note">Nothing to show: {line}.</p>'))


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], words: Iterable[int] = ()) -> str:
    """An HTML table; cells are HTML already, columns in `words` are aligned to the left.

    A cell that begins with "!" is set loud, one that begins with "*" is the model's own.
    """
    left = set(words)

    def tag(name: str, place: int, cell: str) -> str:
        kinds = ["words"] if place in left else []
        moods = {"!": "loud", "*": "own"}
        if cell[:1] in moods:
            kinds.append(moods[cell[0]])
            cell = cell[1:]
        attribute = f' class="{" ".join(kinds)}"' if kinds else ""
        return f"<{name}{attribute}>{cell}</{name}>"

    head = "".join(tag("th", i, safe(one)) for i, one in enumerate(columns))
    body = "".join(
        "<tr>" + "".join(tag("td", i, cell) for i, cell in enumerate(row)) + "</tr>" for row in rows
    )
    return f'<div class="scroll"><table class="told"><tr>{head}</tr>{body}</table></div>'


def number(value: float, digits: int = 3) -> str:
    """A figure, or a dash where there is none.

    Examples
    --------
    >>> number(0.12345), number(float("nan"))
    ('0.123', '–')
    """
    return "–" if value is None or not math.isfinite(value) else f"{value:.{digits}f}"


def spanned(value: float, low: float, high: float, digits: int = 3) -> str:
    """A figure with its interval below it, as HTML."""
    if not math.isfinite(value):
        return "–"
    span = ""
    if math.isfinite(low) and math.isfinite(high):
        span = f"<small>{number(low, digits)} to {number(high, digits)}</small>"
    return f"{number(value, digits)}{span}"


def short(name: str) -> str:
    """A label that leaves room for the drawing.

    Examples
    --------
    >>> short("a name that is far too long")
    'a name that…far too long'
    """
    if len(name) <= LONGEST_LABEL:
        return name
    end = LONGEST_LABEL // 2
    return f"{name[: LONGEST_LABEL - end - 1]}…{name[-end:]}"


def ranked(
    names: Sequence[str],
    values: Sequence[float],
    low: Sequence[float],
    high: Sequence[float],
    *,
    colours: Sequence[str] | str = HOT,
    unit: str = "",
) -> Any:
    """Dots with intervals, one line a name, the first at the top."""
    places = list(range(len(names)))
    inks = [colours] * len(names) if isinstance(colours, str) else list(colours)
    spans = [(a, i, b, i, c) for a, b, i, c in zip(low, high, places, inks, strict=True) if a == a]
    dots = list(zip(values, places, inks, names, strict=True))
    across = hv.Segments(spans, ["x0", "y0", "x1", "y1"], "ink").opts(color="ink", line_width=2)
    points = hv.Points(dots, [unit or "value", "place"], ["ink", "name"]).opts(
        color="ink", size=8, line_color=None, tools=["hover"],
        hover_tooltips=[("", "@name"), (unit or "value", f"@{{{unit or 'value'}}}{{0.0000}}")],
    )  # fmt: skip
    return across * points


def dates() -> Any:
    """Days and months on a narrow axis; the year once below."""
    year = DatetimeTickFormatter(days="%Y", months="%Y", years="%Y", hide_repeats=True)
    return DatetimeTickFormatter(days="%-d %b", months="%b", years="%b", context=year)


def ranked_axes(names: Sequence[str]) -> dict[str, Any]:
    """Options that put names on the upright axis of `ranked`."""
    return {
        "yticks": [(i, short(name)) for i, name in enumerate(names)],
        "ylim": (len(names) - 0.4, -0.6),
        "height": 70 + 26 * max(len(names), 2),
    }


def _quieten(plot: Any, element: Any) -> None:
    """Axes and grid that stay behind the data."""
    fig = plot.state
    fig.background_fill_alpha = fig.border_fill_alpha = 0
    fig.outline_line_color = None
    fig.min_border_right = 16
    fig.grid.grid_line_color = FAINT
    for axis in fig.axis:
        axis.axis_line_color = axis.minor_tick_line_color = None
        axis.major_tick_line_color = FAINT
        axis.major_label_text_color = axis.axis_label_text_color = QUIET
        axis.major_label_text_font_size = axis.axis_label_text_font_size = "12px"
        axis.major_label_text_font = axis.axis_label_text_font = _FONT
        axis.axis_label_text_font_style = "normal"
        axis.axis_label_standoff = 8
    for axis in fig.xaxis:
        if hasattr(axis.ticker, "desired_num_ticks"):
            axis.ticker.desired_num_ticks = 5

"""Each score as it is made, and how long it took.

Scores are drawn in log-odds, the scale on which the model adds up reasons: among leads that rarely
convert, 1% and 3% lie as far apart as 97% and 99%. Labels are probabilities.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import panel as pn
from bokeh.models import (
    ColumnDataSource,
    DatetimeTickFormatter,
    FixedTicker,
    HoverTool,
    LinearAxis,
    Range1d,
    Span,
)
from bokeh.plotting import figure

from leadlab.stream import Results
from leadlab.stream.results import processing_ms
from leadlab.ui.picture import HOT_SHARE, Picture
from leadlab.ui.theme import COLD, FAINT, HOT, MS, QUIET, card, text
from leadlab.ui.wording import percent, safe

KEPT = 400
"""Scores on screen."""
_TICKS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97, 0.99, 0.997, 0.999)
_FLOOR = 0.0005
"""Scores are drawn no closer to 0 and 1."""
_MS_ROOM = 3.0
"""The axis of processing times ends so many times above all but the longest 5%."""
_TOOLTIP = """
<div style="font:13px/1.5 var(--ll-font,sans-serif);color:var(--ll-ink,#15181e);padding:2px 4px">
<b>@lead</b><br>@kind<br>@score{0.0%}, in @ms{0.00} ms</div>
"""


class ScoreChart:
    """Scores against stream time, with processing time on a second axis.

    Attributes
    ----------
    source : bokeh ColumnDataSource
        ``at`` (ms since 1970), ``score``, ``odds`` (its log-odds), ``ms``, ``ink``, ``lead``,
        ``kind``; the newest last.
    """

    def __init__(self) -> None:
        self.source = ColumnDataSource(_columns(None, 0.0), syncable=False)
        self._generation = -1
        self.hot = Span(dimension="width", location=0, line_color=HOT, line_dash="dashed")
        self.hot.visible = False
        self.heading = text(_heading(None))
        self.figure = _figure(self.source, self.hot)
        pane = pn.pane.Bokeh(self.figure, sizing_mode="stretch_width", margin=0)
        self.view = card(self.heading, pane)

    def show(self, picture: Picture, results: Results) -> None:
        """Take a new picture, and the results since the last."""
        board, progress = picture.board, picture.progress
        if board is None or progress is None:
            return
        if board.n_active:
            self.hot.location, self.hot.visible = float(log_odds(board.hot)), True
        rows = _columns(results[-KEPT:], board.hot)
        if progress.generation != self._generation:
            self._generation = progress.generation
            self.source.data = rows
        elif len(results):
            self.source.stream(rows, rollover=KEPT)
        waiting = not len(self.source.data["at"])
        heading = _heading(board.hot if board.n_active else None, waiting)
        if heading != self.heading.object:
            self.heading.object = heading
        if waiting:
            now_ms = progress.stream_us / 1e3
            self.figure.x_range.update(start=now_ms - 3_600e3, end=now_ms)
        else:
            self._fit(float(self.hot.location))

    def _fit(self, hot: float) -> None:
        """Let the axes span what is drawn; they move in steps, so that labels stand still."""
        at, odds, ms = (np.asarray(self.source.data[name]) for name in ("at", "odds", "ms"))
        x, y, right = self.figure.x_range, self.figure.y_range, self.figure.extra_y_ranges["ms"]
        margin_ms = max(1_000.0, 0.01 * (at[-1] - at[0]))
        x.update(start=at[0] - margin_ms, end=at[-1] + margin_ms)
        low, high = min(odds.min(), hot), max(odds.max(), hot)
        y.update(start=np.floor(low - 0.3), end=np.ceil(high + 0.3))
        right.end = _round_up(_MS_ROOM * np.quantile(ms, 0.95))


def log_odds(probability: Any) -> Any:
    """Where a probability is drawn.

    Examples
    --------
    >>> log_odds(np.array([0.5, 0.0])).round(2).tolist()
    [0.0, -7.6]
    """
    p = np.clip(probability, _FLOOR, 1 - _FLOOR)
    return np.log(p / (1 - p))


def _round_up(x: float) -> float:
    """The next of 1, 2, 5, 10, 20, ..."""
    size = 10.0 ** np.floor(np.log10(max(x, 1e-3)))
    return float(next(size * step for step in (1, 2, 5, 10) if size * step >= x))


def _columns(results: Results | None, hot: float) -> dict[str, Any]:
    if results is None:
        return {name: [] for name in ("at", "score", "odds", "ms", "ink", "lead", "kind")}
    return {
        "at": results["as_of_us"] / 1e3,
        "score": results["probability"],
        "odds": log_odds(results["probability"]),
        "ms": processing_ms(results),
        "ink": [HOT if p >= hot else COLD for p in results["probability"]],
        "lead": results["lead"].tolist(),
        "kind": results["kind"].tolist(),
    }


def _heading(hot: float | None, waiting: bool = True) -> str:
    line = "" if hot is None else f": {percent(hot)}"
    share = safe(f"top {HOT_SHARE:.0%} of the active leads{line}")
    empty = '<p class="note">Empty: no event has been replayed yet.</p>' if waiting else ""
    return (
        f"<h2>Scores as events arrive</h2>{empty}"
        f'<div class="key"><span><i></i>score of a lead after an event</span>'
        f'<span><i class="hot"></i>hot</span>'
        f'<span><i class="bar"></i>{share}</span>'
        f'<span><i class="ms"></i>processing, ms (right)</span></div>'
    )


def _figure(source: Any, hot: Any) -> Any:
    """Dots for scores, sticks for processing times."""
    own = {"syncable": False}
    fig = figure(
        height=270,
        sizing_mode="stretch_width",
        x_axis_type="datetime",
        x_range=Range1d(0, 1, **own),
        y_range=Range1d(-7, 3, **own),
        toolbar_location=None,
        tools="",
        background_fill_alpha=0,
        border_fill_alpha=0,
        outline_line_color=None,
        min_border_left=56,  # room for the longest label, so that nothing shifts
        min_border_right=48,
    )
    fig.extra_y_ranges = {"ms": Range1d(0, 10, **own)}
    fig.segment(
        "at", 0, "at", "ms", source=source, y_range_name="ms", color=MS, alpha=0.6, line_width=1.5
    )
    dots = fig.scatter(
        "at", "odds", source=source, size=6, fill_color="ink", fill_alpha=0.8, line_color=None
    )
    right = LinearAxis(y_range_name="ms", tags=["own ink"], major_label_text_color=MS)
    fig.add_layout(right, "right")
    fig.add_layout(hot)
    fig.add_tools(HoverTool(renderers=[dots], tooltips=_TOOLTIP, point_policy="snap_to_data"))
    _quieten(fig)
    return fig


def _quieten(fig: Any) -> None:
    """Axes and grid that stay behind the data."""
    days = {"hours": "%H:%M", "hourmin": "%H:%M", "minutes": "%H:%M", "days": "%-d %b"}
    fig.xaxis.formatter = DatetimeTickFormatter(**days, months="%b %Y")
    fig.xaxis.ticker.desired_num_ticks = 5
    places = [float(log_odds(p)) for p in _TICKS]
    fig.yaxis[0].ticker = fig.ygrid.ticker = FixedTicker(ticks=places)
    fig.yaxis[0].major_label_overrides = {
        at: f"{100 * p:.3g}%" for at, p in zip(places, _TICKS, strict=True)
    }
    fig.xgrid.visible = False
    fig.ygrid.grid_line_color = FAINT
    for axis in fig.axis:
        axis.axis_line_color = axis.minor_tick_line_color = None
        axis.major_tick_line_color = FAINT
        axis.major_label_text_font_size = "12px"
        axis.major_label_text_font = "Inter, Segoe UI, Roboto, Helvetica Neue, Arial, sans-serif"
        axis.major_label_standoff = 8
    for axis in (*fig.xaxis, fig.yaxis[0]):
        axis.major_label_text_color = QUIET

"""Where the events come from, what time it is in the stream, and how the pipeline fares."""

from __future__ import annotations

import panel as pn

from leadlab.ui.picture import HOT_SHARE, Facts, Picture
from leadlab.ui.theme import text
from leadlab.ui.wording import milliseconds, moment, percent, rate, safe


class Status:
    """The line that says what is being looked at, and five figures.

    Attributes
    ----------
    clock, figures : panel panes
        The two halves; `view` has both.
    """

    def __init__(self) -> None:
        self.clock = text(sizing_mode=None, styles={"flex": "1 1 320px"})
        self.figures = text(css_classes=["measured"])
        self.view = pn.Column(self.clock, self.figures, sizing_mode="stretch_width")

    def show(self, picture: Picture) -> None:
        """Take a new picture."""
        if picture.facts is not None and picture.progress is not None:
            self.clock.object = clock_html(picture)
            self.figures.object = figures_html(picture)


def origin(facts: Facts) -> str:
    """Whether the events were invented, in a word."""
    return "Simulated" if facts.simulated else "Replayed"


def clock_html(picture: Picture) -> str:
    """Data set, origin, stream time and how much of the log is done."""
    facts, progress = picture.facts, picture.progress
    if facts is None or progress is None:
        return ""
    said = "invented events, about nobody" if facts.simulated else "a recorded log, not live people"
    standing = "" if progress.playing else " · paused"
    standing = " · finished" if progress.finished else standing
    return (
        f'<div class="source"><span class="origin">{origin(facts)}</span>'
        f'<span class="title">{safe(facts.title)}</span><span class="note">{said}</span></div>'
        f'<div class="clock"><span data-figure="stream-time">{moment(progress.stream_us)}</span> '
        f"<small>UTC, stream time{standing}</small></div>"
    )


def figures_html(picture: Picture) -> str:
    """How much of the log is done, and the five figures."""
    facts, progress, board = picture.facts, picture.progress, picture.board
    if facts is None or progress is None:
        return ""
    hot, active = (board.n_hot, board.n_active) if board else (0, 0)
    bar = f"at {percent(board.hot)} or more" if board and active else "none active yet"
    figures = (
        ("done", "Events", f"{progress.done:,}", f"of {progress.total:,}"),
        ("rate", "Events a second", rate(progress.events_per_s), "taken and scored"),
        ("hot", f"Hot: top {HOT_SHARE:.0%}", f"{hot:,}", f"of {active:,} active leads; {bar}"),
        (
            "processing",
            "Processing",
            milliseconds(progress.mean_ms),
            f"mean; p99 {milliseconds(progress.p99_ms)}",
        ),
        ("model", "Model", safe(facts.model), f"{facts.n_features} features"),
    )
    cells = "".join(
        f'<div><dt>{name}</dt><dd data-figure="{key}">{value}</dd><dd class="of">{of}</dd></div>'
        for key, name, value, of in figures
    )
    share = progress.done / progress.total if progress.total else 1.0
    return (
        f'<div class="track"><i style="width:{100 * share:.2f}%"></i></div>'
        f'<dl class="figures">{cells}</dl>'
    )

"""The scoreboard: the leads that stand highest now."""

from __future__ import annotations

import math
from collections.abc import Callable
from time import monotonic
from typing import Any

import numpy as np
import pandas as pd
import panel as pn

from leadlab.ui.picture import ACTIVE_DAYS, HOT_SHARE, Key, Picture
from leadlab.ui.theme import card, sheets, text
from leadlab.ui.wording import ago, percent, points, safe

REORDER_S = 2.0
"""Values change at once, places at most this often, so that a row can be read and clicked."""
AIM_S = 0.4
"""A click so soon after rows changed places was aimed at the row that stood there before."""
_TITLES = {
    "lead": "Lead",
    "chance": "Probability",
    "change": "Change",
    "event": "Last event",
    "when": "When",
}


class Scoreboard:
    """Top leads with their probability, what the last event changed, and when it was.

    Parameters
    ----------
    pick : callable
        Told the (lead, tenant) of a row that is clicked.

    Attributes
    ----------
    table : panel Tabulator
    """

    def __init__(self, pick: Callable[[Key], None], clock: Callable[[], float] = monotonic) -> None:
        self._pick = pick
        self._clock = clock
        self._shown: list[Key] = []
        self._before: list[Key] = []
        self._moved_s = -REORDER_S
        self.heading = text("<h2>Scoreboard</h2>")
        self.empty = text()
        self.table = pn.widgets.Tabulator(
            board_frame([], 0, 0.0, None),
            titles=_TITLES,
            formatters={name: {"type": "html"} for name in _TITLES},
            show_index=False,
            selectable=False,
            disabled=True,
            layout="fit_columns",
            theme="simple",
            sizing_mode="stretch_width",
            margin=0,
            configuration={
                "columnDefaults": {"headerSort": False, "resizable": False, "headerTooltip": False},
            },
            stylesheets=sheets("board"),
            on_click=self._clicked,
        )
        self.view = card(self.heading, self.empty, self.table)

    def show(self, picture: Picture, picked: Key | None) -> None:
        """Take a new picture; `picked` is the lead whose reasons are shown."""
        board, progress, facts = picture.board, picture.progress, picture.facts
        if board is None or progress is None or facts is None:
            return
        self._order(board.places)
        at = {(p["lead"], p["tenant"]): p for p in board.places}
        rows = [at[key] for key in self._shown]
        self._write(board_frame(rows, progress.stream_us, board.hot, picked))
        within = "" if facts.horizon_days is None else f" within {facts.horizon_days:g} days"
        self.heading.object = (
            f"<h2>Scoreboard</h2><p class='note'>Probability: {safe(facts.outcome)}{within}. Open"
            f" leads with an event in the last {ACTIVE_DAYS} days; blue bars are hot, the top"
            f" {HOT_SHARE:.0%}.{_range(facts.of)} Change: points since just before the last event."
            " Click a lead for its reasons.</p>"
        )
        self.table.visible = bool(rows)
        self.empty.object = "" if rows else EMPTY

    def _order(self, places: Any) -> None:
        """Keep rows in place for a while; a lead that left the board makes way at once."""
        wanted = [(p["lead"], p["tenant"]) for p in places]
        now_s = self._clock()
        if set(wanted) == set(self._shown) and now_s - self._moved_s < REORDER_S:
            return
        if wanted != self._shown:
            self._before, self._shown, self._moved_s = self._shown, wanted, now_s

    def _write(self, frame: pd.DataFrame) -> None:
        """Send only the cells that differ."""
        old = self.table.value
        if len(old) != len(frame):
            self.table.value = frame
            return
        patch = {}
        for name in frame.columns:
            rows = np.flatnonzero(old[name].to_numpy() != frame[name].to_numpy())
            if len(rows):
                patch[name] = [(int(row), frame[name].iloc[row]) for row in rows]
        if patch:
            self.table.patch(patch)

    def _clicked(self, event: Any) -> None:
        soon = self._clock() - self._moved_s < AIM_S
        rows = self._before if soon and len(self._before) == len(self._shown) else self._shown
        if event.row < len(rows):
            self._pick(rows[event.row])


EMPTY = (
    f'<p class="empty"><strong>No lead is active.</strong>In the last {ACTIVE_DAYS} days of the'
    " stream no open lead had an event; the next event brings one.</p>"
)


def board_frame(places: Any, stream_us: int, hot: float, picked: Key | None) -> pd.DataFrame:
    """Rows of the scoreboard as HTML.

    Examples
    --------
    >>> board_frame([], 0, 0.0, None).columns.tolist()
    ['lead', 'chance', 'change', 'event', 'when']
    """
    rows = [_row(place, stream_us, hot, picked) for place in places]
    return pd.DataFrame(rows, columns=list(_TITLES), dtype=object)


def _range(of: int) -> str:
    """What the pale band of a bar says."""
    return (
        f" Pale band: 9 times in 10, the share that converts of {of} leads like it." if of else ""
    )


def _band(low: float, high: float) -> str:
    """Interval of a bar; nothing where the model has none."""
    if math.isnan(low):
        return ""
    return f'<s style="left:{100 * low:.1f}%;width:{100 * (high - low):.1f}%"></s>'


def _row(place: Any, stream_us: int, hot: float, picked: Key | None) -> list[str]:
    p, change = float(place["probability"]), float(place["probability"] - place["before"])
    mark = "picked" if (place["lead"], place["tenant"]) == picked else "name"
    side = "up" if change >= 0.0005 else "down" if change <= -0.0005 else "soft"
    kind, when = safe(place["kind"]), ago(int(place["event_us"]), stream_us)
    return [
        f'<span class="{mark}">{safe(place["lead"])}</span>'
        f'<span class="brief">{when} · {kind}</span>',
        f'<span class="chance{" hot" if p >= hot else ""}"><b>{percent(p)}</b>'
        f'<i>{_band(place["low"], place["high"])}<u style="width:{100 * p:.1f}%"></u></i></span>',
        f'<span class="{side}">{points(change) or "–"}</span>',
        kind,
        f'<span class="soft">{when}</span>',
    ]

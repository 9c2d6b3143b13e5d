"""The live page: views put together, one callback a session."""

from __future__ import annotations

from typing import Any

import panel as pn
from panel.io.callbacks import PeriodicCallback

from leadlab.ui.board import Scoreboard
from leadlab.ui.chart import KEPT, ScoreChart
from leadlab.ui.controls import Controls
from leadlab.ui.hub import Hub
from leadlab.ui.picture import Key, Picture
from leadlab.ui.status import Status
from leadlab.ui.theme import card, look, row, text
from leadlab.ui.why import Why
from leadlab.ui.wording import safe

PERIOD_MS = 250
FOOT = (
    '<p class="note foot">Every figure here came out of one pipeline that ran on the events of the'
    " log: features as of each moment, one model, exact Shapley values. Spells without events are"
    " skipped after a moment. Play, speed and restart act for everybody who has this page open.</p>"
)


class HubPage:
    """Everything one session sees; it only reads from the hub.

    Parameters
    ----------
    hub : Hub
        Shared by all sessions.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._version = -1
        self._seq = 0
        self._generation = 0
        self.picked: Key | None = None
        self.status, self.controls, self.chart = Status(), Controls(hub), ScoreChart()
        self.board, self.why = Scoreboard(self.pick), Why(hub, self.pick)
        self.notice = text(notice_html(hub.picture))
        head = row(self.status.clock, self.controls.view)
        self.head = card(head, self.status.figures)
        foot = text(FOOT)
        self._live = (self.head, self.chart.view, self.board.view, self.why.view, foot)
        for view in self._live:
            view.visible = False

    def template(self) -> Any:
        """The page to serve."""
        page = pn.Template(look("page.html"))
        roots = zip(("status", "chart", "board", "why", "foot"), self._live, strict=True)
        for name, view in (("notice", self.notice), *roots):
            page.add_panel(name, view)
        page.add_variable("tokens", look("tokens.css"))
        page.add_variable("script", look("page.js"))
        return page

    @property
    def view(self) -> Any:
        """The page as a column, for a notebook cell."""
        return pn.Column(self.notice, *self._live, sizing_mode="stretch_width")

    def start(self) -> None:
        """Start the hub and follow it; call when the session is loaded."""
        self._hub.start()
        self.update()
        follow = PeriodicCallback(
            callback=self.update, period=PERIOD_MS, background=True, log=False
        )
        follow.start()
        # Else what Panel keeps of a session that is gone would keep the page too.
        pn.state.on_session_destroyed(lambda _: follow.stop())

    def pick(self, key: Key) -> None:
        """Show the reasons of a lead."""
        self.picked = key
        with pn.io.hold():
            self.board.show(self._hub.picture, key)
            self.why.show(self._hub.picture, key)

    def update(self) -> None:
        """Take what is new; nothing is sent where nothing is."""
        picture = self._hub.picture
        if picture.version == self._version:
            return
        with pn.io.hold():
            self._show(picture)
        self._version = picture.version

    def _show(self, picture: Picture) -> None:
        live = picture.state == "live" and picture.board is not None
        self.notice.visible = not live
        for view in self._live:
            view.visible = live
        if picture.progress is None or picture.board is None or not live:
            self.notice.object = notice_html(picture)
            return
        if picture.progress.generation != self._generation:
            self._generation, self._seq = picture.progress.generation, 0
        results = self._hub.since(self._seq, KEPT)
        if results is not None:
            self._seq = int(results["seq"][-1]) if len(results) else self._seq
            self.chart.show(picture, results)
        if self.picked is None and len(picture.board.places):
            first = picture.board.places[0]
            self.picked = (first["lead"], first["tenant"])
        self.status.show(picture)
        self.controls.show(picture)
        self.board.show(picture, self.picked)
        self.why.show(picture, self.picked)


def notice_html(picture: Picture) -> str:
    """What people are told where there is nothing live to see.

    Examples
    --------
    >>> "Nothing to replay yet" in notice_html(Picture(state="nothing", message="no model"))
    True
    """
    heading, message = {
        "idle": ("Starting", "The replay starts with the first page that is opened."),
        "loading": ("Loading", f"{picture.message}."),
        "live": ("Loading", "Scoring the leads that were active before the replay starts."),
        "nothing": ("Nothing to replay yet", f"{picture.message}."),
        "failed": ("This cannot be shown", f"{picture.message}."),
    }[picture.state]
    hint = f'<p class="hint">{_with_code(picture.hint)}</p>' if picture.hint else ""
    said = safe(message[:1].upper() + message[1:])
    return f'<div class="notice"><h2>{heading}</h2><p>{said}</p>{hint}</div>'


def _with_code(hint: str) -> str:
    """Escaped text, with what stands between backticks as code."""
    parts = safe(hint).split("`")
    return "".join(f"<code>{p}</code>" if i % 2 else p for i, p in enumerate(parts))

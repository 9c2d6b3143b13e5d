"""Play, pause, speed, restart: wishes that the hub grants, for everybody who looks on."""

from __future__ import annotations

from typing import Any

import panel as pn

from leadlab.ui.hub import SPEEDS, Hub
from leadlab.ui.picture import Picture
from leadlab.ui.theme import row, sheets
from leadlab.ui.wording import pace


class Controls:
    """Three controls in a row.

    Parameters
    ----------
    hub : Hub
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._playing = True
        self._speed = float(SPEEDS[2])  # as the hub last said, or was last told
        look = {"stylesheets": sheets("controls"), "margin": 0}
        self.play = pn.widgets.Button(
            label="Pause", width=78, css_classes=["solid-button"], on_click=self._toggle, **look
        )
        self.speed = pn.widgets.Select(
            options={f"×{speed:,} · {pace(speed)}": float(speed) for speed in SPEEDS},
            value=float(SPEEDS[2]),
            sizing_mode="stretch_width",
            css_classes=["flexible"],
            **look,
        )
        self.again = pn.widgets.Button(
            label="Restart", width=78, on_click=lambda _: hub.restart(), **look
        )
        self.speed.param.watch(self._changed, "value")
        self.view = row(self.play, self.speed, self.again, css_classes=["together"])

    def show(self, picture: Picture) -> None:
        """Take a new picture."""
        progress = picture.progress
        if progress is None:
            return
        self._playing = progress.playing
        self.play.label = "Pause" if progress.playing else "Play"
        self.play.disabled = progress.finished
        if progress.speed != self._speed:
            self._speed = progress.speed
            self.speed.value = progress.speed

    def _toggle(self, _: Any) -> None:
        if self._playing:
            self._hub.pause()
        else:
            self._hub.resume()

    def _changed(self, event: Any) -> None:
        if event.new != self._speed:
            self._speed = event.new
            self._hub.set_speed(event.new)

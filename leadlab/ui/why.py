"""Why one lead stands where it stands, and what its last event changed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import panel as pn

from leadlab.errors import UnknownName
from leadlab.explain.scorer import sigmoid
from leadlab.stream import Board, Explanation
from leadlab.ui.hub import Hub
from leadlab.ui.picture import Key, Picture
from leadlab.ui.theme import card, sheets, text
from leadlab.ui.wording import ago, moment, percent, points, safe, times


class Why:
    """Reasons of the lead that was picked, in sentences with signed bars.

    Parameters
    ----------
    hub : Hub
        Answers, and finds leads by name.
    pick : callable
        Told the (lead, tenant) whose name was typed.
    """

    def __init__(self, hub: Hub, pick: Callable[[Key], None]) -> None:
        self._hub = hub
        self._pick = pick
        self._board: Board | None = None
        self._picked: Key | None = None
        self.field = pn.widgets.TextInput(
            label="Find a lead by its name",
            placeholder="Type a name, then Enter",
            sizing_mode="stretch_width",
            stylesheets=sheets("controls"),
            margin=0,
        )
        self.field.param.watch(self._typed, "value")
        self.unknown = text()
        self.body = text(NOBODY)
        self.view = card(self.field, self.unknown, self.body)

    def _typed(self, event: Any) -> None:
        if not event.new.strip():
            self.unknown.object = ""
            return
        try:
            found = self._hub.find(event.new)
        except UnknownName as error:
            self.unknown.object = f'<p class="note">{safe(error)}</p>'
            return
        self.unknown.object = ""
        self._pick(found)

    def show(self, picture: Picture, picked: Key | None) -> None:
        """Take the reasons of the picked lead as of the scoreboard's moment."""
        board = picture.board
        if board is None or (board is self._board and picked == self._picked):
            return
        self._board, self._picked = board, picked
        if picked is None:
            self.body.object = NOBODY
            return
        try:
            explanation = self._hub.explain(*picked)
        except UnknownName:
            self.body.object = _gone(picked[0])
            return
        if explanation is not None:
            self.body.object = why_html(explanation)


NOBODY = (
    '<p class="empty"><strong>No lead is picked.</strong>Click a row of the scoreboard, or type a'
    " name above, to see what raises and what lowers its score.</p>"
)


def _gone(lead: str) -> str:
    return (
        f'<p class="empty"><strong>{safe(lead)} is not known yet.</strong>The replay started over,'
        " and no event has named this lead so far.</p>"
    )


def why_html(one: Explanation) -> str:
    """Score, reasons and the last change of one lead, as HTML."""
    said = {reason.family for reason in one.reasons}
    rest = one.scores.margin[0] - one.scores.base - sum(r.effect for r in one.reasons)
    widest = max([abs(r.effect) for r in one.reasons] + [abs(rest), 1e-9])
    rows = "".join(_reason(r.text, r.family, r.effect, widest) for r in one.reasons)
    if abs(rest) > 1e-6 and said:
        rows += _reason("Everything else together", "", rest, widest)
    ended = "" if one.ended is None else f"<p class='note'>Ended: {safe(one.ended)}.</p>"
    return (
        f'<div class="lead"><div><div class="name" data-figure="lead">{safe(one.lead)}</div>'
        f'<p class="note">as of {moment(one.as_of_us)}</p></div>'
        f'<div><div class="p" data-figure="probability">{percent(one.probability)}</div>'
        f"{_interval(one)}</div></div>{ended}"
        f"{_last_event(one)}"
        f"<h3>Why {percent(one.probability)}</h3>"
        f'<p class="note">The model starts every lead at {percent(one.base_probability)}. Each line'
        f" multiplies those odds; together they give {_sum(one)}.</p>"
        f'<ol class="why">{rows}</ol>'
    )


def _interval(one: Explanation) -> str:
    """How many of the next leads like it convert."""
    of = one.scores.of
    if not of:
        return ""
    low, high = round(of * one.scores.low[0]), round(of * one.scores.high[0])
    said = f"{low} to {high}" if low < high else str(low)
    return f'<p class="note" data-figure="interval">of {of} such leads, {said} (90%)</p>'


def _sum(one: Explanation) -> str:
    """What the lines add up to, and what calibration makes of it."""
    if one.scores.calibration == "none":
        return "the score exactly"
    raw = float(sigmoid(one.scores.margin)[0])
    method = one.scores.calibration.replace("venn_abers", "Venn-Abers")
    return (
        f"{percent(raw)} exactly, which calibration on held-out leads ({method}) turns into"
        f" {percent(one.probability)}"
    )


def _reason(say: str, family: str, effect: float, widest: float) -> str:
    side = "up" if effect >= 0 else "down"
    width = 50 * min(1.0, abs(effect) / widest)
    named = family.removesuffix(" events").removesuffix("s").lower() in say.lower()
    about = "" if named else f"<small>{safe(family)}</small>"
    word = "raises" if effect >= 0 else "lowers"
    return (
        f'<li><div class="say">{safe(say)}{about}</div>'
        f'<div class="by {side}" title="{word} the score: {effect:+.3f} log-odds">{times(effect)}'
        f'</div><div class="bar"><i class="{side}" style="width:{width:.1f}%"></i></div></li>'
    )


def _last_event(one: Explanation) -> str:
    """What happened last, and what it changed."""
    when = f'<span class="note">{ago(one.event_us, one.as_of_us)}</span>'
    head = f'<h3>Since the last event</h3><p class="step"><b>{safe(one.event_kind)}</b> {when}</p>'
    if one.before_probability is None:
        return head + '<p class="note">No score before it to compare with.</p>'
    change = one.probability - one.before_probability
    side = "up" if change >= 0.0005 else "down" if change <= -0.0005 else "note"
    step = (
        f'<p class="step">{percent(one.before_probability)} → {percent(one.probability)}'
        f' <span class="{side}">{points(change)} points</span></p>'
    )
    widest = max([abs(c.effect) for c in one.changes] + [1e-9])
    rows = "".join(
        _reason(c.text[:1].upper() + c.text[1:], _cause(c.event), c.effect, widest)
        for c in one.changes
        if not math.isclose(c.effect, 0.0, abs_tol=5e-4)
    )
    return head + step + (f'<ol class="why">{rows}</ol>' if rows else "")


def _cause(event: str | None) -> str:
    return "as time passed" if event is None else f"through: {event}"

"""What leads write: sentences with slots, put together so that no single word gives it away.

A text is made of an opener, small talk, the sentence of its intent, objections, a sentence of
tone, one of hurry, an aside that speaks of other things (often to say that it is *not* about them),
the sentence of another intent that is reported or taken back, and a closer. Most of these may be
absent; the order varies. Some writers use short forms, lower
case, no stops, or swap letters. Phrases are in ``phrases.toml``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlab.data.brokerage.draws import Keys, child, uniform
from leadlab.data.brokerage.messages import INTENTS, OBJECTIONS, Meant
from leadlab.errors import BadInput

F64 = NDArray[np.float64]
TONES = ("awful", "bad", "even", "good", "lovely")
_TONE_BOUNDS = (-0.45, -0.12, 0.18, 0.5)
_SLOT = re.compile(r"\{(\w+)\}")
_DRAWS = 40


@cache
def phrases() -> Mapping[str, Any]:
    """Read the phrases.

    Examples
    --------
    >>> len(phrases()["intent"])
    12
    """
    text = files("leadlab.data.brokerage").joinpath("phrases.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def compose(key: Keys, said: Meant, half: int | None = None, halves: int = 2) -> list[str]:
    """Write messages that mean what was planted.

    Parameters
    ----------
    key : uint64 array, shape (n,)
    said : Meant
        n messages.
    half : int, optional
        Use only this half of all sentences and fillers: 0 or 1.
    halves : int
        Into how many parts they are cut, if not into two; at most 4.

    Returns
    -------
    list of str

    Examples
    --------
    >>> from leadlab.data.brokerage.draws import first_key
    >>> from leadlab.data.brokerage.messages import meant
    >>> key = child(first_key(0, "messages"), np.arange(2))
    >>> len(compose(key, meant(key, np.full(2, 3))))
    2
    """
    if halves not in (2, 3, 4) or half not in (None, *range(halves)):
        expected = f"0 to {halves - 1}, None"
        raise BadInput("which half of the phrases?", where="half", got=half, expected=expected)
    known = _cut(half, halves)
    tone = np.searchsorted(_TONE_BOUNDS, said.sentiment)
    draws = [uniform(child(key, k, "text"), "text").tolist() for k in range(_DRAWS)]
    rows = zip(
        said.intent.tolist(), tone.tolist(), said.urgency.tolist(), said.objections.tolist(),
        zip(*draws, strict=True), strict=True,
    )  # fmt: skip
    return [_written(known, *row) for row in rows]


@cache
def _cut(half: int | None, halves: int) -> Mapping[str, Any]:
    """All lists of phrases by "section" or "section.name", cut to one part."""
    found: dict[str, Any] = {}
    for section, content in phrases().items():
        for name, entry in content.items():
            lines: Any = entry["all"] if isinstance(entry, dict) else entry
            full = section if name == "all" else f"{section}.{name}"
            found[full] = lines if half is None or isinstance(lines, str) else lines[half::halves]
    return found


class _Dice:
    """One text's draws, used up in turn."""

    def __init__(self, draws: Sequence[float]) -> None:
        self._draws, self._at = draws, 0

    def next(self) -> float:
        self._at += 1
        return self._draws[(self._at - 1) % _DRAWS]

    def of(self, lines: Sequence[str]) -> str:
        return lines[int(self.next() * len(lines))]


def _written(
    known: Mapping[str, Any],
    intent: int,
    tone: int,
    urgency: float,
    objections: Sequence[bool],
    draws: Sequence[float],
) -> str:
    dice = _Dice(draws)
    register = dice.next()
    body = [dice.of(known[f"intent.{INTENTS[intent]}"])]
    body += [
        dice.of(known[f"objection.{name}"])
        for name, raised in zip(OBJECTIONS, objections, strict=True)
        if raised
    ]
    if dice.next() < (0.35 if tone == 2 else 0.8):
        body.append(dice.of(known[f"tone.{TONES[tone]}"]))
    if urgency > 0.65 and dice.next() < 0.75:
        body.append(dice.of(known["hurry.high"]))
    elif urgency < 0.3 and dice.next() < 0.4:
        body.append(dice.of(known["hurry.low"]))
    for section, chance in (("small_talk", 0.3), ("aside", 0.35)):
        if dice.next() < chance:
            body.insert(int(dice.next() * (len(body) + 1)), dice.of(known[section]))
    if dice.next() < 0.3:
        other = dice.of(known[f"intent.{dice.of(INTENTS)}"])
        frame = dice.of(known["reported"]).replace("{said}", other)
        body.insert(int(dice.next() * (len(body) + 1)), frame)
    if dice.next() < 0.25:
        body.append(body.pop(0))
    text = " ".join(body)
    if dice.next() < 0.5:
        text = f"{dice.of(known['opener'])}, {text}"
    if dice.next() < 0.45:
        text = f"{text} {dice.of(known['closer'])}."
    filled = _SLOT.sub(lambda slot: dice.of(known[f"slots.{slot[1]}"]), text)
    return _in_register(filled[0].upper() + filled[1:], register, dice, known)


def _in_register(text: str, register: float, dice: _Dice, known: Mapping[str, Any]) -> str:
    """Careful, careless, or in short forms; sometimes with a slip of the fingers."""
    if register < 0.15:
        words = text.lower().split(" ")
        text = " ".join(known.get(f"short.{word}", word) for word in words)
    elif register < 0.4:
        text = text.lower().replace(".", "").replace("'", "")
    for _ in range(2 if register < 0.4 else 1):
        if dice.next() < 0.3:
            at = int(dice.next() * (len(text) - 2))
            if text[at].isalpha() and text[at + 1].isalpha():
                text = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text

"""Labelled texts of the project's own: the simulated leads' and others, for models that read.

Half of the texts are what simulated leads write (`leadlab.data.brokerage.texts`), half are put
together from ``talk.toml``, which holds what those leads have no reason to say: thanks, idle
questions, doubts as the whole message, things that are none of a brokerage's business. Everything
is cut into `PARTS` of its wording, so that no sentence of one part occurs in another.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd

from leadlab.data.brokerage.draws import child, first_key
from leadlab.data.brokerage.messages import INTENTS as SIMULATED
from leadlab.data.brokerage.messages import OBJECTIONS as RAISED
from leadlab.data.brokerage.messages import meant
from leadlab.data.brokerage.texts import TONES, compose, phrases
from leadlab.errors import BadInput

PARTS = 4
"""Parts of the wording; 0 and 2 make one half, 1 and 3 the other."""
INTENTS = ("inquiry", "property question", "scheduling", "financing", "pricing/negotiation",
           "offer", "objection", "thanks/closing", "research", "other/out of scope")  # fmt: skip
OBJECTIONS = ("price", "financing", "timing", "location", "condition", "trust", "competitor")
SAME = {
    "schedule showing": "scheduling", "ask price": "pricing/negotiation",
    "ask details": "property question", "availability": "inquiry", "financing": "financing",
    "make offer": "offer", "negotiate": "pricing/negotiation", "sell home": "inquiry",
    "neighbourhood": "property question", "paperwork": "other/out of scope",
    "send more": "research", "stop": "thanks/closing",
}  # fmt: skip
"""What the simulated leads' intents are among `INTENTS`."""
COLUMNS = ("text", "intent", "sentiment", "urgency", "objections", "wording", "source")
_SENTIMENT = {"awful": -0.8, "bad": -0.35, "even": 0.0, "good": 0.4, "lovely": 0.8}
_URGENCY = {"high": 0.85, "low": 0.1}
_SLOT = re.compile(r"\{(\w+)\}")
_KIND = {"competition": "competitor"}
_ALONE = ("other/out of scope", "thanks/closing")
"""Intents that are written without doubts beside them."""


def labelled_texts(
    n: int, seed: int = 0, parts: Sequence[int] = tuple(range(PARTS))
) -> pd.DataFrame:
    """Texts with what they mean.

    Parameters
    ----------
    n : int
        Texts.
    seed : int
    parts : sequence of int
        Which of the wording to use, each text keeping to one part.

    Returns
    -------
    DataFrame, n rows
        ``text``; ``intent``, one of `INTENTS`; ``sentiment``, -1 to 1; ``urgency``, 0 to 1;
        ``objections``, of `OBJECTIONS`, joined by a comma; ``wording``, its part; ``source``,
        "simulated" or "talk".

    Raises
    ------
    BadInput
        If there is no such part.

    Examples
    --------
    >>> found = labelled_texts(400, seed=0, parts=(1, 3))
    >>> len(found), sorted(found["wording"].unique().tolist())
    (400, [1, 3])
    >>> sorted(found["intent"].unique()) == sorted(INTENTS)
    True
    """
    if not parts or not set(parts) <= set(range(PARTS)):
        got, expected = list(parts), f"some of 0 to {PARTS - 1}"
        raise BadInput("no such part of the wording", where="parts", got=got, expected=expected)
    shares = np.array_split(np.arange(n), 2 * len(parts))
    frames = [
        (_simulated if k % 2 else _talk)(len(rows), seed, parts[k // 2])
        for k, rows in enumerate(shares)
    ]
    whole = pd.concat(frames, ignore_index=True)
    order = np.random.default_rng(seed).permutation(len(whole))
    return whole.iloc[order].reset_index(drop=True)


def _simulated(n: int, seed: int, part: int) -> pd.DataFrame:
    key = child(first_key(seed, f"labelled texts, part {part}"), np.arange(n))
    said = meant(key, np.arange(n) % 6)
    told = [
        ",".join(_KIND.get(o, o) for o, raised in zip(RAISED, row, strict=True) if raised)
        for row in said.objections.tolist()
    ]
    return _frame(
        {
            "text": compose(key, said, part, PARTS),
            "intent": [SAME[SIMULATED[i]] for i in said.intent],
            "sentiment": said.sentiment,
            "urgency": said.urgency,
            "objections": told,
        },
        part,
        "simulated",
    )


def _frame(columns: Mapping[str, Any], part: int, source: str) -> pd.DataFrame:
    return pd.DataFrame({**columns, "wording": part, "source": source})[list(COLUMNS)]


@cache
def _cut(part: int) -> Mapping[str, Any]:
    """All lists by "section" or "section.name", those of ``talk.toml`` and the shared ones."""
    text = files("leadlab.data.phrases").joinpath("talk.toml").read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    for content in (tomllib.loads(text), phrases()):
        for section in ("slots", "opener", "closer", "small_talk", "intent", "objection", "tone",
                        "hurry"):  # fmt: skip
            for name, entry in content.get(section, {}).items():
                if section == "intent" and name in SIMULATED and name not in INTENTS:
                    continue
                lines = entry["all"] if isinstance(entry, dict) else entry
                full = section if name == "all" else f"{section}.{_KIND.get(name, name)}"
                found.setdefault(full, []).extend(lines[part::PARTS])
    return found


def _talk(n: int, seed: int, part: int) -> pd.DataFrame:
    rng = np.random.default_rng([seed, part])
    rows = [_one(_cut(part), rng, INTENTS[i % len(INTENTS)]) for i in range(n)]
    names = ("text", "intent", "sentiment", "urgency", "objections")
    return _frame(dict(zip(names, zip(*rows, strict=True), strict=True)) if rows else
                  {name: [] for name in names}, part, "talk")  # fmt: skip


def _one(
    known: Mapping[str, Any], rng: np.random.Generator, intent: str
) -> tuple[str, str, float, float, str]:
    """Write one text, and say what it means."""

    def of(name: str) -> str:
        lines = known[name]
        return str(lines[rng.integers(len(lines))])

    alone = intent in _ALONE
    many = int(rng.integers(1, 3)) if intent == "objection" else int(rng.random() < 0.2)
    raised = [] if alone else [str(o) for o in rng.choice(OBJECTIONS, many, replace=False)]
    body = [of(f"objection.{kind}") for kind in raised]
    if intent != "objection":
        body.insert(int(rng.integers(len(body) + 1)), of(f"intent.{intent}"))
    tone = str(rng.choice(TONES, p=[0.15, 0.15, 0.4, 0.15, 0.15]))
    sentiment = _SENTIMENT[tone] - 0.15 * len(raised)
    if intent == "other/out of scope" and rng.random() < 0.8:
        sentiment = 0.0
    elif tone != "even" or rng.random() < 0.3:
        body.insert(int(rng.integers(len(body) + 1)), of(f"tone.{tone}"))
    hurry = "" if alone else str(rng.choice(["", "high", "low"], p=[0.55, 0.25, 0.2]))
    if hurry:
        body.append(of(f"hurry.{hurry}"))
    if rng.random() < 0.15:
        body.insert(0, of("small_talk"))
    text = " ".join(body)
    if rng.random() < 0.35:
        text = f"{of('opener')}, {text[0].lower()}{text[1:]}"
    if rng.random() < 0.25:
        text = f"{text} {of('closer')}."
    text = _SLOT.sub(lambda slot: of(f"slots.{slot[1]}"), text)
    manner = rng.random()
    if manner < 0.25:
        text = text.lower()
    if manner < 0.12:
        text = re.sub(r"[.,'!]", "", text)
    pressing = _URGENCY.get(hurry, 0.4)
    return text, intent, float(np.clip(sentiment, -1, 1)), pressing, ",".join(raised)

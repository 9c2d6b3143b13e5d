"""What may be lost: a lead about to fall silent, one that cools, one that wants no more mail."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from leadlab.explain.finding import Finding
from leadlab.explain.known import US_PER_DAY, Known
from leadlab.features.catalogue import ACTIVITY, MESSAGES_IN

LASTING = ("critical", "high")
DISMAY = -0.3
"""Measured sentiment of a message from which it counts as displeased."""


def churn_risk(known: Known) -> Iterator[Finding]:
    """The forecast of silence calls the level high or critical."""
    told = known.silence
    if told is None or told.get("level") not in LASTING:
        return
    longest = max((n for n in told if n.startswith("p_")), key=lambda n: float(n[2:-1]))
    chance = float(told[longest])
    yield Finding(
        "churn risk",
        f"No sign of life within {longest[2:-1]} days at {chance:.0%} ({told['level']}).",
        known.weighed(100 * chance),
        chance,
        known.last(ACTIVITY.kinds, most=1),
        "One personal word from the agent, with one question.",
    )


def cooling(known: Known) -> Iterator[Finding]:
    """Momentum is declining: the lead does less than in the week before."""
    health = known.health
    if health is None or health.momentum != "declining":
        return
    momentum = next(part for part in health.parts if part.name == "momentum")
    text = known.phrase("activity_trend_7d")
    yield Finding(
        "cooling",
        f"{text[:1].upper()}{text[1:]}; momentum {momentum.points:.0f} of 100.",
        known.weighed(40 + 0.5 * (50 - momentum.points)),
        1.0,
        known.last(ACTIVITY.kinds, days=14, most=3),
        "Ask what has changed, and send what fits best of what is new.",
    )


def displeased(known: Known) -> Iterator[Finding]:
    """The latest message of the last two weeks was read as displeased."""
    moods = known.numbers("sentiment")
    if moods is None or known.events is None:
        return
    written = np.isin(known.events.kind.values(), MESSAGES_IN.kinds)
    recent = known.events.at_us >= known.as_of_us - 14 * US_PER_DAY
    rows = np.flatnonzero(written & recent & ~np.isnan(moods))
    if not len(rows) or moods[rows[-1]] > DISMAY:
        return
    mood = float(moods[rows[-1]])
    yield Finding(
        "displeased",
        f"The latest message reads displeased (sentiment {mood:.2f} of -1 to 1).",
        known.weighed(50 + 40 * min(-mood, 1.0)),
        min(-mood, 1.0),
        known.evidence(rows[-1:]),
        "Listen first: call, and ask what went wrong.",
    )


def no_mail(known: Known) -> Iterator[Finding]:
    """The lead unsubscribed."""
    left = known.last(["Unsubscribed"], most=1)
    if not left and not known.value("unsubscription_count") > 0:
        return
    yield Finding(
        "no consent",
        "The lead unsubscribed from e-mail.",
        90.0,
        1.0,
        left,
        "Send no e-mail; use only what the lead still agrees to.",
    )

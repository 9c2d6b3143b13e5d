"""What cannot wait: an open request, a hurry in the messages, an offer, a lead that is ready."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from leadlab.explain.finding import Finding
from leadlab.explain.known import US_PER_DAY, Known
from leadlab.features.catalogue import REACHES, TOUCHES
from leadlab.models.health.weights import LEVELS

HURRY = 0.7
"""Urgency of a message from which it counts as pressing."""
RECENT_DAYS = 3.0
READY = LEVELS[4:]


def urgency(known: Known) -> Iterator[Finding]:
    """A request waits for an answer; or a message of the last three days is pressing.

    The priority of a waiting request halves its upper 40 points each day: the chance of reaching
    somebody falls steeply after the first minutes.
    """
    hours = known.value("request_waiting")
    if not np.isnan(hours):
        text = known.phrase("request_waiting")
        yield Finding(
            "urgency",
            f"{text[:1].upper()}{text[1:]}.",
            known.weighed(60 + 40 * 0.5 ** (hours / 24)),
            1.0,
            known.unanswered_since(REACHES.kinds, TOUCHES.kinds),
            "Answer now, by telephone if there is consent.",
        )
    hurry = known.numbers("urgency")
    if hurry is None or known.events is None:
        return
    recent = known.events.at_us >= known.as_of_us - RECENT_DAYS * US_PER_DAY
    rows = np.flatnonzero((np.nan_to_num(hurry) >= HURRY) & recent)
    if len(rows):
        most = float(hurry[rows].max())
        yield Finding(
            "urgency",
            f"{len(rows)} pressing {'message' if len(rows) == 1 else 'messages'} in 3 days "
            f"(urgency up to {most:.2f}).",
            known.weighed(100 * most * 0.8),
            min(most, 1.0),
            known.evidence(rows[::-1][:5]),
            "Ask by when the lead needs what it asks for.",
        )


def offer_waiting(known: Known) -> Iterator[Finding]:
    """An offer is out and not decided."""
    hours = known.value("offer_waiting")
    if np.isnan(hours):
        return
    text = known.phrase("offer_waiting")
    yield Finding(
        "offer waiting",
        f"{text[:1].upper()}{text[1:]}.",
        known.weighed(95.0),
        1.0,
        known.last(["Offer Submitted"], most=1),
        "Press the other side for a decision, and tell the lead where it stands.",
    )


def hot_opportunity(known: Known) -> Iterator[Finding]:
    """Health is at one of its two highest levels; as sure as much of it is known."""
    health = known.health
    if health is None or health.level not in READY:
        return
    chance = "" if np.isnan(health.probability) else f", chance {health.probability:.0%}"
    steps = ["Showing Requested", "Showing Scheduled", "Showing Completed", "Offer Submitted"]
    yield Finding(
        "hot opportunity",
        f"Health {health.score:.0f} of 100, {health.level}{chance}.",
        70 + 0.3 * health.score,
        health.known,
        known.last(steps, days=30),
        "Take the next step towards an offer with this lead first.",
    )

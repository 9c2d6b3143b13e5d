"""What the last step calls for: after a showing, after a cancelled one, by where a lead is from."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from leadlab.explain.finding import Finding
from leadlab.explain.known import US_PER_HOUR, Known
from leadlab.features.catalogue import SHOWINGS, TOUCHES
from leadlab.schema.kinds import CONVERTED
from leadlab.schema.log import Coded

FOLLOW_DAYS = 7.0
REFERRAL = "referral"


def showing_follow_up(known: Known) -> Iterator[Finding]:
    """A home was shown in the last week and nobody spoke with the lead since."""
    shown = known.last(SHOWINGS.kinds, days=FOLLOW_DAYS, most=1)
    touched = known.last(TOUCHES.kinds, most=1)
    if not shown or (touched and touched[0].at_us > shown[0].at_us):
        return
    hours = (known.as_of_us - shown[0].at_us) / US_PER_HOUR
    ago = f"{hours:.0f} hours" if hours < 48 else f"{hours / 24:.0f} days"
    yield Finding(
        "showing follow-up",
        f"A home was shown {ago} ago, and nobody has asked how it went.",
        known.weighed(85 - 5 * hours / 24),
        1.0,
        shown,
        "Call, ask what was missing, and propose the next step.",
    )


def showing_cancelled(known: Known) -> Iterator[Finding]:
    """The latest word on showings is a cancellation of the last two weeks."""
    kinds = ["Showing Cancelled", "Showing Requested", "Showing Scheduled", *SHOWINGS.kinds]
    latest = known.last(kinds, days=14, most=1)
    if latest and latest[0].kind == "Showing Cancelled":
        yield Finding(
            "showing cancelled",
            "A showing was cancelled, and none was asked for since.",
            known.weighed(65.0),
            1.0,
            latest,
            "Propose two new times.",
        )


def referral(known: Known) -> Iterator[Finding]:
    """The lead came by referral; or it has closed and can be asked for one."""
    closed = known.last([CONVERTED], most=1)
    if closed:
        yield Finding(
            "referral",
            "The deal has closed.",
            50.0,
            1.0,
            closed,
            "Thank, and ask who else is thinking of moving.",
        )
        return
    source = None if known.events is None else known.events.data.get("lead_source")
    if isinstance(source, Coded) and known.events is not None:
        rows = np.flatnonzero(source.codes == source.index.get(REFERRAL, -2))[:1]
        if len(rows):
            yield Finding(
                "referral",
                "Came by referral: such leads close far more often than others.",
                known.weighed(55.0),
                1.0,
                known.evidence(rows),
                "Name who sent them, and thank that person.",
            )

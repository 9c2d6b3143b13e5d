"""Where every lead stands after its last event, by its place in the online store."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlab.stream.outcome import NO_TIER

NEVER = np.iinfo(np.int64).min
RECENT = 32
"""Offsets of events kept a lead, for its timeline."""

LEAD = np.dtype(
    [
        ("tenant", np.int32),  # code of the engine
        ("offset", np.int64),  # of the last event taken
        ("event_us", np.int64),  # time of the latest event
        ("arrived_us", np.int64),
        ("as_of_us", np.int64),  # of the score behind the last event
        ("probability", np.float64),
        ("low", np.float64),
        ("high", np.float64),
        ("previous", np.float64),  # of the result before
        ("previous_us", np.int64),
        ("churn", np.float64),
        ("tier", np.int8),
        ("model", np.int16),
        ("fallback", np.bool_),
        ("kind", np.int32),  # of the latest event
        ("agent", np.int32),  # who acted last; -1 for nobody
        ("ended", np.int32),  # kind that ended the lead; -1 while it is open
        ("events", np.int64),
        ("now", np.float64),  # probability when last read without an event
        ("now_churn", np.float64),
        ("now_us", np.int64),
    ]
)


def _blank(n: int) -> NDArray[Any]:
    rows = np.zeros(n, LEAD)
    for name in ("probability", "low", "high", "previous", "churn", "now", "now_churn"):
        rows[name] = np.nan
    for name in ("event_us", "as_of_us", "previous_us", "now_us"):
        rows[name] = NEVER
    rows["tier"] = NO_TIER
    rows["kind"] = rows["agent"] = rows["ended"] = -1
    return rows


class LeadBook:
    """Growing arrays, one row a lead.

    Parameters
    ----------
    families : int
        Feature families of the plan.

    Attributes
    ----------
    rows : structured array of `LEAD`, shape (room,)
    effects : float32 array, shape (room, families)
        What each family adds to the score, in log-odds, at the last event.
    seen : bool array, shape (room,)
        Whether the lead has a result.
    recent : int64 array, shape (room, RECENT)
        Offsets of the lead's events of late, in a ring; 0 where there is none.

    Examples
    --------
    >>> book = LeadBook(families=2)
    >>> book.reserve(3)
    >>> len(book.rows) >= 3, bool(book.seen.any())
    (True, False)
    """

    PARTS = ("rows", "effects", "seen", "recent")

    def __init__(self, families: int) -> None:
        self.rows = _blank(0)
        self.effects = np.zeros((0, families), np.float32)
        self.seen = np.zeros(0, np.bool_)
        self.recent = np.zeros((0, RECENT), np.int64)

    def reserve(self, leads: int) -> None:
        """Make room for so many leads."""
        lacking = leads - len(self.rows)
        if lacking <= 0:
            return
        more = max(lacking, len(self.rows) // 2, 64)
        self.rows = np.concatenate([self.rows, _blank(more)])
        width = self.effects.shape[1]
        self.effects = np.concatenate([self.effects, np.zeros((more, width), np.float32)])
        self.seen = np.concatenate([self.seen, np.zeros(more, np.bool_)])
        self.recent = np.concatenate([self.recent, np.zeros((more, RECENT), np.int64)])

    def note_offsets(self, places: NDArray[np.int32], offsets: NDArray[np.int64]) -> None:
        """Remember where events lie, before they are settled."""
        order = np.argsort(places, kind="stable")
        own = places[order]
        nth = np.arange(len(own)) - np.searchsorted(own, own, side="left")
        at = (self.rows["events"][own] + nth) % RECENT
        self.recent[own, at] = offsets[order]

    def timeline(self, place: int, most: int = RECENT) -> NDArray[np.int64]:
        """Offsets of a lead's events of late, newest first."""
        own = self.recent[place]
        own = np.sort(own[own > 0])[::-1]
        return own[:most]

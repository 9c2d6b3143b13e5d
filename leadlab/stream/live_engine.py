"""The live engine: each tenant's events go down the lane of its plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlab.stream.entries import Entries
from leadlab.stream.lane import Lane
from leadlab.stream.outcome import Outcome
from leadlab.stream.plan import Plan

DEFAULT = ""
"""Name of the lane of tenants without a plan of their own."""
STRIDE = 1 << 18
"""Entries after which events that no window reaches are let go of; always at the same offsets."""
LATENESS_US = 7 * 86_400_000_000
"""How much later than its time an event may come and still be put where it belongs."""


class LiveEngine:
    """Lanes of all plans, and how far the journal was taken.

    Parameters
    ----------
    plan : Plan
        Of tenants that have none of their own.
    own : mapping of str to Plan
        By tenant.

    Attributes
    ----------
    offset : int
        Last entry of the journal that was taken.

    Examples
    --------
    >>> from leadlab.schema.wire import WireEvent
    >>> engine = LiveEngine(Plan())
    >>> event = WireEvent("e1", "acme", "ann", "Inquiry", 5)
    >>> [len(o) for o in engine.take(Entries([event], np.array([1]), np.array([6])))]
    [1]
    >>> engine.offset
    1
    """

    def __init__(self, plan: Plan, own: Mapping[str, Plan] | None = None) -> None:
        self.lanes = {DEFAULT: Lane(plan)}
        self.lanes.update({tenant: Lane(mine) for tenant, mine in (own or {}).items()})
        self.offset = 0

    def lane_of(self, tenant: str) -> Lane:
        """The lane that a tenant's events go down."""
        return self.lanes.get(tenant, self.lanes[DEFAULT])

    @property
    def room(self) -> int:
        """Entries that may be taken at once: events are let go of at fixed offsets only."""
        return STRIDE - self.offset % STRIDE

    def take(self, entries: Entries) -> list[Outcome]:
        """Take entries, `room` of them at most; one outcome a lane that they touch."""
        if not len(entries):
            return []
        outcomes = [
            replace(self.lanes[name].take(part), lane=name) for name, part in self._by_lane(entries)
        ]
        self.offset = entries.last
        self._let_go(entries)
        return outcomes

    def _let_go(self, entries: Entries) -> None:
        if self.offset % STRIDE == 0:
            for lane in self.lanes.values():
                lane.store.evict(int(entries.stamps_us[-1]) - LATENESS_US)

    def learn(self, entries: Entries) -> None:
        """Take entries, `room` of them at most, without scoring them."""
        for name, part in self._by_lane(entries):
            self.lanes[name].learn(part)
        if len(entries):
            self.offset = entries.last
            self._let_go(entries)

    def _by_lane(self, entries: Entries) -> list[tuple[str, Entries]]:
        if len(self.lanes) == 1:
            return [(DEFAULT, entries)]
        names = [e.tenant if e.tenant in self.lanes else DEFAULT for e in entries.events]
        found = []
        for name in dict.fromkeys(names):
            rows = [i for i, own in enumerate(names) if own == name]
            events = [entries.events[i] for i in rows]
            keys = None if entries.keys is None else entries.keys[rows]
            part = Entries(events, entries.offsets[rows], entries.stamps_us[rows], keys)
            found.append((name, part))
        return found

    def silent(self, lane: Lane, before_us: int, active_us: int, most: int) -> NDArray[np.int64]:
        """Places of open, active leads last read before a moment, the stalest first.

        Parameters
        ----------
        lane : Lane
        before_us : int
            Read or scored before this.
        active_us : int
            A lead without an event since then is left alone.
        most : int
        """
        rows: NDArray[Any] = lane.book.rows[: len(lane.names)]
        wanted = (rows["ended"] < 0) & (rows["now_us"] < before_us) & lane.book.seen[: len(rows)]
        places = np.flatnonzero(wanted & (rows["event_us"] >= active_us))
        if len(places) > most:
            places = places[np.argpartition(rows["now_us"][places], most)[:most]]
        return places

"""What every bus promises: events in, durable and once; out to groups, in order, until committed.

A bus has one or more partitions. The events of one lead (or one tenant) share a partition and come
out in the order in which publishing them was acknowledged. Offsets count the events of a partition
from 1 without gaps. Each group of consumers reads everything; within a group, a partition has one
holder at a time, who loses it when it has not polled for the length of a lease. What was polled but
not committed is delivered again to the next holder. Whoever must count each event exactly once
appends it to a `Journal` before committing: the journal knows ids it has seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from leadlab.schema.wire import WireEvent
from leadlab.stream.entries import Entries

MOST_TRIES = 5
"""Deliveries without a commit after which events are looked at one by one."""


@dataclass(frozen=True, slots=True, eq=False)
class Published:
    """What became of published events.

    Attributes
    ----------
    fresh : bool array, shape (n,)
        Whether each was new; a repeated (tenant, id) changes nothing.
    spooled : bool
        They wait on this machine's disk for a bus that is away; which are new shows later.
    """

    fresh: NDArray[np.bool_]
    spooled: bool = False

    @property
    def new(self) -> int:
        """Events that were new."""
        return int(self.fresh.sum())


@dataclass(frozen=True, slots=True, eq=False)
class Delivery:
    """Consecutive events of one partition.

    Attributes
    ----------
    partition : int
        From 0.
    entries : Entries
        Offsets are those of the partition; stamps are when the bus took each event.
    tries : int
        How often they have been delivered, this time included.
    """

    partition: int
    entries: Entries
    tries: int = 1

    def __len__(self) -> int:
        return len(self.entries)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that a group gave up: delivered alone, again and again, and never committed."""

    partition: int
    offset: int
    tries: int
    event: WireEvent


class Consumer(Protocol):
    """One member of a group; for one thread at a time."""

    @property
    def held(self) -> frozenset[int]:
        """Partitions that this member holds."""

    def want(self, partitions: Iterable[int]) -> None:
        """Hold these as soon as they are free, and let go of all others."""

    def poll(self, most: int, wait_s: float) -> list[Delivery]:
        """Events not delivered yet, `most` a partition at most; none if none came in `wait_s`.

        A partition taken over begins with what its last holder left uncommitted. When that was
        delivered `MOST_TRIES` times already its events come one at a time, each once the one
        before is committed; one that is not committed in as many tries again becomes a dead letter.
        """

    def commit(self, deliveries: Sequence[Delivery]) -> None:
        """Done with these and with all before them in their partitions.

        Raises
        ------
        Overtaken
            If the lease of one lapsed and another member may hold it; it will come again there.
        """

    def close(self) -> None:
        """Let go of all partitions, for others to take at once."""


class Bus(Protocol):
    """Where events are published and consumed; see the module for what it promises."""

    @property
    def partitions(self) -> int:
        """How many there are."""

    def publish(self, events: Sequence[WireEvent]) -> Published:
        """Take events; they are on disk when this returns.

        Raises
        ------
        Overloaded
            If the slowest group is too far behind. A part may have been taken: publish all again.
        StoreFailed
            If the bus cannot be reached; whether events were taken is unknown: publish all again.
        """

    def consumer(self, group: str, name: str, partitions: Iterable[int] | None = None) -> Consumer:
        """Join a group, which begins at the oldest event kept; None wants all partitions."""

    def read(self, partition: int, after: int, most: int) -> Entries:
        """Replay: events behind an offset, oldest first, whoever has consumed them."""

    def offset_at(self, partition: int, stamp_us: int) -> int:
        """Offset of the first event kept that was taken then or later, or one past the last."""

    def last(self, partition: int) -> int:
        """Offset of the newest event; 0 before the first."""

    def lag(self, group: str) -> int:
        """Events that a group has not committed, over all partitions."""

    def dead(self, group: str) -> list[DeadLetter]:
        """Events that a group gave up, oldest first."""

    def trim(self, before_us: int) -> int:
        """Let go of events taken before a moment and committed by every group; gives how many."""

    def close(self) -> None:
        """Let go of connections and files that the bus opened itself."""

"""A worker: takes its share of a bus's partitions, and keeps each in a journal of its own.

An event is acknowledged to the bus once the partition's journal has it on disk. The journal knows
ids, so what the bus delivers twice counts once. What runs on the journal (the engine, snapshots,
sinks) is handed in as a callable.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, Protocol

from leadlab.errors import LeadlabError, Overloaded, Overtaken, StoreFailed
from leadlab.stream.backoff import Backoff
from leadlab.stream.bus import Delivery
from leadlab.stream.entries import Entries
from leadlab.stream.partition_home import PartitionHome, home_id
from leadlab.stream.redis_bus import RedisBus
from leadlab.stream.redis_members import RedisMembers
from leadlab.stream.service import wall_us

_TRIM_S = 30.0


class Keeper(Protocol):
    """What runs on one partition."""

    def keep(self, entries: Entries) -> None:
        """Take events; they are on disk when this returns, each once."""

    def close(self) -> None:
        """Finish, and let go of all files."""


@dataclass(slots=True)
class WorkerStatus:
    """How a worker stands.

    Attributes
    ----------
    state : "up" or "waiting"
        "waiting" while Redis or the disk fails, or the engine is too far behind; it keeps trying.
    held : tuple of int
        Partitions that it keeps.
    elsewhere : tuple of int
        Partitions that are at home in another place, and so not for this worker.
    taken : int
        Events delivered and kept, repeated ones included.
    failures : int
    error : str
        What went wrong last.
    """

    state: Literal["up", "waiting"] = "up"
    held: tuple[int, ...] = ()
    elsewhere: tuple[int, ...] = ()
    taken: int = 0
    failures: int = 0
    error: str = ""


class Worker:
    """One of those that share the partitions of a Redis bus; for one thread.

    Parameters
    ----------
    bus : RedisBus
    home : Path
        ``partitions/P/`` below it is for partition P alone. Workers on one machine share a home;
        on several machines each has its own, and `partitions` says who takes which.
    start : callable
        Gives the `Keeper` of a partition, from its number and folder.
    name : str
        Unique among workers.
    rng : random.Random
        For the waits between tries.
    partitions : iterable of int, optional
        Those it may take; None shares all of them among the workers of the home.
    group : str
    most : int
        Events taken at once from a partition.
    kept_s : float
        How long the bus keeps, for replays, what all have acknowledged.
    clock_us : callable
        Microseconds UTC.
    tell : callable
        Told when the state changes, or the partitions.
    """

    def __init__(
        self,
        bus: RedisBus,
        home: Path,
        start: Callable[[int, Path], Keeper],
        *,
        name: str,
        rng: random.Random,
        partitions: Iterable[int] | None = None,
        group: str = "engine",
        most: int = 4096,
        kept_s: float = 3600.0,
        clock_us: Callable[[], int] = wall_us,
        tell: Callable[[WorkerStatus], None] = lambda status: None,
    ) -> None:
        self.bus, self.home, self.start, self.most = bus, home, start, most
        self.status = WorkerStatus()
        self._own = None if partitions is None else sorted(set(partitions))
        self._members = RedisMembers(
            bus.client, bus.where, bus.prefix, home_id(home), name, bus.lease_s
        )
        self._consumer = bus.consumer(group, name, ())
        self._backoff = Backoff(rng)
        self._homes: dict[int, PartitionHome] = {}
        self._keepers: dict[int, Keeper] = {}
        self._undone: list[Delivery] = []
        self.kept_s, self.clock_us, self.tell = kept_s, clock_us, tell
        self._told: tuple[object, ...] = ()
        self._shared_s = self._trimmed_s = float("-inf")

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop, whatever fails; then leave all in order."""
        while not stop.is_set():
            try:
                self.step(wait_s=0.2)
                self.status.state = "up"
                self._backoff.reset()
            except (Overloaded, Overtaken, StoreFailed) as error:
                self._note(error)
                stop.wait(self._backoff.next_s())
            seen = (self.status.state, self.status.held, self.status.elsewhere)
            if seen != self._told:
                self._told = seen
                self.tell(self.status)
        self.close()

    def step(self, wait_s: float) -> int:
        """Take what comes within a time, keep it, acknowledge it; gives how many events."""
        now_s = time.monotonic()
        if now_s - self._shared_s >= self.bus.lease_s / 4:
            self._share_out()
            self._shared_s = now_s
        if now_s - self._trimmed_s >= _TRIM_S:
            self.bus.trim(self.clock_us() - int(self.kept_s * 1e6))
            self._trimmed_s = now_s
        if not self._undone:
            self._undone = self._consumer.poll(self.most, wait_s)
        self._open_keepers()
        for delivery in self._undone:
            self._keepers[delivery.partition].keep(delivery.entries)
        done, self._undone = self._undone, []
        taken = sum(map(len, done))
        self.status.taken += taken
        self._consumer.commit(done)
        return taken

    def close(self) -> None:
        """Finish what runs, and leave the partitions to others."""
        leaving: list[Callable[[], None]] = [partial(self._give_up, p) for p in self._homes]
        for leave in (*leaving, self._consumer.close, self._members.leave):
            try:
                leave()
            except StoreFailed as error:
                self._note(error)

    def _note(self, error: LeadlabError) -> None:
        self.status.state = "waiting"
        self.status.failures += 1
        self.status.error = str(error)

    # -- partitions --------------------------------------------------------------------------------

    def _share_out(self) -> None:
        """Give up what is above a fair share, and take what is free up to it."""
        among = self._own if self._own is not None else list(range(self.bus.partitions))
        fair = self._members.fair_share(len(among))
        if self._own is not None:
            fair = len(among)
        for partition in list(self._homes)[fair:]:
            self._give_up(partition)
        elsewhere = []
        for partition in among:
            if partition not in self._homes and len(self._homes) < fair:
                if not self._members.bind(partition):
                    elsewhere.append(partition)
                elif (home := PartitionHome.take(self.home, partition)) is not None:
                    self._homes[partition] = home
        self._consumer.want(self._homes)
        self.status.held, self.status.elsewhere = tuple(sorted(self._homes)), tuple(elsewhere)

    def _open_keepers(self) -> None:
        needed = self._consumer.held | {one.partition for one in self._undone}
        for partition in needed - self._keepers.keys():
            self._keepers[partition] = self.start(partition, self._homes[partition].folder)

    def _give_up(self, partition: int) -> None:
        """Finish with a partition; what was taken from it is acknowledged or comes again."""
        keeper = self._keepers.pop(partition, None)
        if keeper is not None:
            keeper.close()
        self._homes.pop(partition).close()
        self._undone = [one for one in self._undone if one.partition != partition]

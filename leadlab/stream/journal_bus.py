"""The bus inside one process: a journal, and how far each group has read it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from leadlab.errors import BadInput, Overloaded, Overtaken
from leadlab.schema.wire import WireEvent
from leadlab.stream.bus import DeadLetter, Delivery, Published
from leadlab.stream.entries import Entries
from leadlab.stream.group_state import GroupState
from leadlab.stream.hand_out import HandOut
from leadlab.stream.journal import Journal

FETCHED = 4096


@dataclass(frozen=True, slots=True)
class _Lease:
    holder: JournalConsumer
    until_s: float


class JournalBus:
    """Events through a journal: no service needed, one partition, any threads of this process.

    Parameters
    ----------
    folder : Path
        Of ``journal.db`` and ``groups.db``; made when missing.
    clock_us : callable
        Microseconds UTC; stamps events.
    bound : int
        Events that the slowest group may be behind before publishing is refused.
    lease_s : float
        A consumer that has not polled for so long loses its partition.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> bus = JournalBus(Path(folder.name), clock_us=lambda: 7)
    >>> event = WireEvent("e1", "default", "ann", "Inquiry", 5)
    >>> bus.publish([event]).new, bus.publish([event]).new
    (1, 0)
    >>> consumer = bus.consumer("engine", "one")
    >>> deliveries = consumer.poll(most=100, wait_s=0.0)
    >>> [e.lead for e in deliveries[0].entries.events], bus.lag("engine")
    (['ann'], 1)
    >>> consumer.commit(deliveries)
    >>> bus.lag("engine")
    0
    >>> bus.close(); folder.cleanup()
    """

    partitions = 1

    def __init__(
        self,
        folder: Path,
        *,
        clock_us: Callable[[], int],
        bound: int = 1_000_000,
        lease_s: float = 10.0,
    ) -> None:
        self.journal = Journal(folder / "journal.db")
        self.groups = GroupState(folder / "groups.db")
        self.clock_us, self.bound, self.lease_s = clock_us, bound, lease_s
        self._came = threading.Condition()
        self._leases: dict[str, _Lease] = {}

    def publish(self, events: Sequence[WireEvent]) -> Published:
        """See `Bus.publish`."""
        group, done = self.groups.slowest() or ("nobody yet", self.journal.first - 1)
        lag = self.journal.last - done
        if lag >= self.bound:
            raise Overloaded(
                "consumers are too far behind", where=f"group {group}", got=f"{lag:,} events",
                expected=f"under {self.bound:,}", hint="Try again later.",
            )  # fmt: skip
        appended = self.journal.append(events, self.clock_us())
        with self._came:
            self._came.notify_all()
        return Published(appended.offsets > 0)

    def consumer(
        self, group: str, name: str, partitions: Iterable[int] | None = None
    ) -> JournalConsumer:
        """See `Bus.consumer`."""
        self.groups.join(group, self.journal.first - 1)
        return JournalConsumer(self, group, name, (0,) if partitions is None else partitions)

    def read(self, partition: int, after: int, most: int) -> Entries:
        """See `Bus.read`."""
        _check((partition,))
        return self.journal.read(after, most)

    def offset_at(self, partition: int, stamp_us: int) -> int:
        """See `Bus.offset_at`."""
        _check((partition,))
        return self.journal.offset_at(stamp_us)

    def last(self, partition: int) -> int:
        """See `Bus.last`."""
        _check((partition,))
        return self.journal.last

    def lag(self, group: str) -> int:
        """See `Bus.lag`."""
        return self.journal.last - self.groups.standing(group).done

    def dead(self, group: str) -> list[DeadLetter]:
        """See `Bus.dead`."""
        return self.groups.dead(group)

    def trim(self, before_us: int) -> int:
        """See `Bus.trim`; the journal's last batch stays."""
        slowest = self.groups.slowest()
        if slowest is None:
            return 0
        before = self.journal.first
        keep = min(self.journal.offset_at(before_us), slowest[1] + 1)
        return self.journal.trim(keep) - before

    def close(self) -> None:
        """See `Bus.close`."""
        self.journal.close()
        self.groups.close()

    # -- for consumers -----------------------------------------------------------------------------

    def hold(self, consumer: JournalConsumer) -> bool:
        """Prolong a consumer's lease, or give it one where nobody has one."""
        now_s = time.monotonic()
        with self._came:
            lease = self._leases.get(consumer.group)
            if lease is not None and lease.holder is not consumer and lease.until_s > now_s:
                return False
            self._leases[consumer.group] = _Lease(consumer, now_s + self.lease_s)
            return True

    def holds(self, consumer: JournalConsumer) -> bool:
        """Whether a consumer's lease goes on: nobody took it over, and it has not lapsed."""
        with self._came:
            lease = self._leases.get(consumer.group)
        return lease is not None and lease.holder is consumer and lease.until_s > time.monotonic()

    def release(self, consumer: JournalConsumer) -> None:
        """End a consumer's lease, if it has one."""
        with self._came:
            lease = self._leases.get(consumer.group)
            if lease is not None and lease.holder is consumer:
                del self._leases[consumer.group]

    def wait(self, after: int, wait_s: float) -> None:
        """Wait until there is something behind an offset, or for so long."""
        with self._came:
            self._came.wait_for(lambda: self.journal.last > after, wait_s)


class JournalConsumer:
    """Made by `JournalBus.consumer`; see `leadlab.stream.bus.Consumer`."""

    def __init__(self, bus: JournalBus, group: str, name: str, partitions: Iterable[int]) -> None:
        self.bus, self.group, self.name = bus, group, name
        self._wanted = _check(partitions)
        self._share: HandOut | None = None
        self._old = 0  # offset up to which deliveries are repeated ones
        self._tries = 0

    @property
    def held(self) -> frozenset[int]:
        """See `Consumer.held`."""
        return frozenset() if self._share is None else frozenset((0,))

    def want(self, partitions: Iterable[int]) -> None:
        """See `Consumer.want`."""
        self._wanted = _check(partitions)
        if not self._wanted:
            self._share = None
            self.bus.release(self)

    def close(self) -> None:
        """See `Consumer.close`."""
        self.want(())

    def poll(self, most: int, wait_s: float) -> list[Delivery]:
        """See `Consumer.poll`."""
        if not self._wanted:
            return []
        kept = self.bus.holds(self)
        if not self.bus.hold(self):
            self._share = None
            time.sleep(min(wait_s, self.bus.lease_s / 4))
            return []
        if self._share is None or not kept:
            self._share = self._begin()
        if not self._fill(self._share):
            self.bus.wait(self._share.given, wait_s)
            self._fill(self._share)
        delivery = self._share.next(most, self._again, self._bury)
        return [] if delivery is None else [delivery]

    def _begin(self) -> HandOut:
        """Start behind what the group has committed."""
        standing = self.bus.groups.standing(self.group)
        self._old, self._tries = standing.given, standing.tries + 1
        if standing.given > standing.done:
            self.bus.groups.note(self.group, given=standing.given, tries=self._tries)
        return HandOut(0, standing.done, standing.done)

    def _fill(self, share: HandOut) -> bool:
        """Fetch what follows, once all that was fetched is handed out; whether there is any."""
        if share.waiting and share.waiting[-1][0].last > share.given:
            return True
        if share.given < self._old:
            entries = self.bus.journal.read(share.given, min(FETCHED, self._old - share.given))
            share.waiting.append((entries, self._tries))
            return True
        entries = self.bus.journal.read(share.given, FETCHED)
        if not len(entries):
            return False
        tries = 1 if share.done >= self._old else self._tries
        self.bus.groups.note(self.group, given=entries.last, tries=tries)
        share.waiting.append((entries, 1))
        return True

    def _again(self, _offset: int) -> int:
        return self.bus.groups.again(self.group)

    def _bury(self, letter: DeadLetter) -> None:
        self.bus.groups.bury(self.group, letter)
        self.bus.groups.commit(self.group, letter.offset)

    def commit(self, deliveries: Sequence[Delivery]) -> None:
        """See `Consumer.commit`."""
        if not deliveries:
            return
        if self._share is None or not self.bus.holds(self):
            self._share = None
            raise Overtaken(
                "the lease of a partition lapsed", where=f"group {self.group}", got=0,
                hint="What was not committed comes again, to whoever holds it now.",
            )  # fmt: skip
        reached = max(delivery.entries.last for delivery in deliveries)
        self.bus.groups.commit(self.group, reached)
        self._share.done = max(self._share.done, reached)


def _check(partitions: Iterable[int]) -> frozenset[int]:
    wanted = frozenset(partitions)
    if wanted - {0}:
        raise BadInput("no such partition", got=min(wanted - {0}), expected="0, the only one")
    return wanted

"""A service that follows a bus: what it takes is published there, and comes back to be scored.

It is a group of its own, so it holds every lead for those who read, beside the workers who share
the same events. Events are stamped as the bus took them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from random import Random

from leadlab.errors import Overloaded
from leadlab.schema.wire import WireEvent
from leadlab.stream.backoff import Backoff
from leadlab.stream.bus import Bus, Published
from leadlab.stream.service import Service
from leadlab.stream.sink import TROUBLE
from leadlab.stream.spool import SpoolingPublisher, SpoolStatus

POLL = 4096
WAIT_S = 0.5


class Follower:
    """Publishes to a bus, by way of a spool while it is away, and follows all of its partitions.

    Parameters
    ----------
    open_bus : callable
        Opens the bus; called again while it cannot be reached.
    service : Service
        Takes what comes.
    group : str
        Name that nobody else follows by; the same at each start.
    rng : random.Random
        For the waits between tries.
    most : int
        Events that may wait in the spool.
    """

    def __init__(
        self,
        open_bus: Callable[[], Bus],
        service: Service,
        *,
        group: str,
        rng: Random,
        most: int = 1_000_000,
    ) -> None:
        self._open_bus, self._service, self._group = open_bus, service, group
        self._rng, self._most = rng, most
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)

    def start(self) -> None:
        """Begin to follow; the service was started."""
        self._publisher = SpoolingPublisher(
            self._open_bus,
            self._service.home / "spool.db",
            clock_us=self._service.clock,
            rng=self._rng,
            most=self._most,
        )
        self._thread.start()

    def stop(self) -> None:
        """End; what waits in the spool stays on disk."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
            self._publisher.close()

    def publish(self, events: Sequence[WireEvent]) -> Published:
        """Take events; see `SpoolingPublisher.publish`."""
        return self._publisher.publish(events)

    def status(self) -> SpoolStatus:
        """How the way to the bus stands."""
        return self._publisher.status()

    def _run(self) -> None:
        waits = Backoff(self._rng)
        while not self._stop.is_set():
            try:
                self._follow(waits)
            except TROUBLE as error:
                self._service.status.trouble("bus", error)
                self._stop.wait(waits.next_s())

    def _follow(self, waits: Backoff) -> None:
        bus = self._open_bus()
        try:
            consumer = bus.consumer(self._group, self._group)
            while not self._stop.is_set():
                deliveries = consumer.poll(POLL, WAIT_S)
                for run in (run for one in deliveries for run in one.entries.runs()):
                    self._take(run.events, int(run.stamps_us[0]))
                self._service.behind = sum(map(len, deliveries)) >= POLL
                if deliveries:
                    consumer.commit(deliveries)
                    self._service.status.troubles.pop("bus", None)
                    waits.reset()
            consumer.close()
        finally:
            bus.close()

    def _take(self, events: Sequence[WireEvent], stamp_us: int) -> None:
        """Have events journalled; where the engine is behind, wait for it rather than lose them."""
        while True:
            try:
                self._service.submit(events, stamp_us=stamp_us)
                return
            except Overloaded:
                if self._stop.wait(0.05):
                    raise

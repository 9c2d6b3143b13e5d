"""Delivery: takes what is due from the outbox, sends it, tries again later where that may help."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from leadlab.errors import StoreFailed
from leadlab.stream.alerts.answer import Answer, Sender
from leadlab.stream.alerts.outbox import Due, Outbox
from leadlab.stream.breaker import Breaker, LeftAlone

_US = 1_000_000
Clock = Callable[[], int]
"""Microseconds UTC."""


class InVain(StoreFailed):
    """An attempt that failed and may succeed later; what a breaker counts."""

    def __init__(self, answer: Answer) -> None:
        super().__init__("not delivered", got=answer.note)
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a delivery that failed is tried again.

    Attributes
    ----------
    first_s, longest_s : float
        Waits double from the first to the longest; each is cut by up to half, at random.
    attempts : int
        In all.
    lease_s : float
        How long one worker keeps what it took; twice the longest attempt at least.
    shut_s : float
        Wait while the breaker is open.
    """

    first_s: float = 2.0
    longest_s: float = 900.0
    attempts: int = 12
    lease_s: float = 120.0
    shut_s: float = 5.0

    def wait_s(self, attempts: int, chance: float) -> float:
        """Wait after so many failed attempts.

        Parameters
        ----------
        attempts : int
            At least 1.
        chance : float
            From 0 to 1.

        Examples
        --------
        >>> Schedule().wait_s(1, 1.0), Schedule().wait_s(3, 0.0), Schedule().wait_s(99, 1.0)
        (2.0, 4.0, 900.0)
        """
        longest = min(self.longest_s, self.first_s * 2.0 ** min(attempts - 1, 60))
        return longest * (0.5 + 0.5 * chance)


DEFAULT = Schedule()


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of one run.

    Attributes
    ----------
    delivered, failed, given_up, postponed : int
    """

    delivered: int = 0
    failed: int = 0
    given_up: int = 0
    postponed: int = 0


class Delivery:
    """Delivers at least once; receivers know a repetition by its key.

    Parameters
    ----------
    outbox : Outbox
    senders : mapping of str to Sender
        By name of the route.
    rng : random.Random
        For the jitter.
    gates : mapping of str to Breaker
        Breakers by name of the route; none is needed.
    schedule : Schedule
    most : int
        Deliveries taken at once.
    """

    def __init__(
        self,
        outbox: Outbox,
        senders: Mapping[str, Sender],
        *,
        rng: random.Random,
        gates: Mapping[str, Breaker] | None = None,
        schedule: Schedule = DEFAULT,
        most: int = 10,
    ) -> None:
        self.outbox, self.senders, self.schedule = outbox, dict(senders), schedule
        self._gates, self._rng, self._most = dict(gates or {}), rng, most

    def run(self, route: str, clock: Clock) -> Ran:
        """Attempt what is due on one route."""
        if not self.outbox.is_due(route, clock()):
            return Ran()
        start_us, lease_us = clock(), int(self.schedule.lease_s * _US)
        ran = Ran()
        for due in self.outbox.claim(route, start_us, lease_us, self._most):
            if clock() - start_us > lease_us // 2:
                break  # the rest comes back when the lease ends
            what = self._attempt(due, clock)
            ran = replace(ran, **{what: getattr(ran, what) + 1})
        return ran

    def run_all(self, clock: Clock) -> dict[str, Ran]:
        """Attempt what is due on every route; what waits for no known route is given up."""
        for route in self.outbox.routes():
            if route not in self.senders:
                self._abandon(route, clock)
        return {route: self.run(route, clock) for route in self.senders}

    def _abandon(self, route: str, clock: Clock) -> None:
        now_us = clock()
        while stale := self.outbox.claim(route, now_us, _US, 100):
            for due in stale:
                self.outbox.settle(due, now_us, "given up", "no such route any more")

    def _attempt(self, due: Due, clock: Clock) -> str:
        gate = self._gates.get(due.route)
        try:
            answer = self._send(due) if gate is None else gate.call(lambda: self._send(due))
        except LeftAlone:
            self.outbox.postpone(due, clock() + int(self.schedule.shut_s * _US))
            return "postponed"
        except InVain as error:
            answer = error.answer
        now_us = clock()
        if answer.ok:
            self.outbox.settle(due, now_us, "delivered", answer.note)
            return "delivered"
        if not answer.again or due.attempts + 1 >= self.schedule.attempts:
            self.outbox.settle(due, now_us, "given up", answer.note)
            return "given_up"
        self.outbox.retry(due, now_us, now_us + self._wait_us(due, answer), answer.note)
        return "failed"

    def _send(self, due: Due) -> Answer:
        answer = self.senders[due.route](due.alert, due.key)
        if not answer.ok and answer.again:
            raise InVain(answer)
        return answer

    def _wait_us(self, due: Due, answer: Answer) -> int:
        own_s = self.schedule.wait_s(due.attempts + 1, self._rng.random())
        return int(max(own_s, min(answer.wait_s, self.schedule.longest_s)) * _US)


class DeliveryThreads:
    """One thread a route, so that a slow receiver holds up no other.

    Parameters
    ----------
    delivery : Delivery
    clock : callable
    poll_s : float
        How often the outbox is looked at when nobody calls.
    failed : callable
        Told of what the store could not do; the thread goes on.
    """

    def __init__(
        self,
        delivery: Delivery,
        clock: Clock,
        *,
        poll_s: float = 1.0,
        failed: Callable[[OSError], None],
    ) -> None:
        self._delivery, self._clock, self._poll_s, self._failed = delivery, clock, poll_s, failed
        self._stopping = threading.Event()
        self._calls = {route: threading.Event() for route in delivery.senders}
        self._threads = [
            threading.Thread(target=self._work, args=(route,), name=f"alerts to {route}")
            for route in delivery.senders
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def call(self) -> None:
        """Say that there may be something to deliver."""
        for call in self._calls.values():
            call.set()

    def stop(self, patience_s: float = 30.0) -> None:
        """End after the attempts that run now."""
        self._stopping.set()
        self.call()
        for thread in self._threads:
            thread.join(patience_s)

    def _work(self, route: str) -> None:
        call = self._calls[route]
        while not self._stopping.is_set():
            call.clear()
            try:
                ran = self._delivery.run(route, self._clock)
            except OSError as error:  # the store: `StoreFailed`
                self._failed(error)
                ran = Ran()
            if ran == Ran():
                call.wait(self._poll_s)

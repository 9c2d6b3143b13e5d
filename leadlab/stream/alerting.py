"""Alerts in the live service: rules held against what is scored, read again, and missed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from leadlab.schema.log import Coded, EventLog
from leadlab.stream.alerts import (
    Alert,
    AlertEngine,
    AlertStore,
    Delivery,
    DeliveryThreads,
    Kept,
    Outbox,
    RulesFile,
    alert_message,
    senders_of,
)
from leadlab.stream.breaker import Breaker
from leadlab.stream.lane import Lane
from leadlab.stream.message import Message
from leadlab.stream.outcome import OUTCOME, Outcome
from leadlab.stream.sink import Sink
from leadlab.stream.status import Status
from leadlab.stream.telling import Publish

BUCKET_US = 10_000_000
BEHIND_US = 1_000_000
"""A tick is held this far behind the clock, so that it never runs ahead of an event on its way."""
AgentOf = Callable[[str, str], str | None]
Figures = Mapping[str, Mapping[str, float]]


class Alerting:
    """Rules, their memory, the store of alerts, and the threads that deliver them.

    Parameters
    ----------
    rules : RulesFile
    path : Path
        The store.
    figures : callable
        From a moment to the figures of each tenant; asked once in 10 s of stream time.
    publish : callable
        Tells those who watch.
    environ : mapping
        Where the rules' routes find their secrets.
    status : Status
    agent_of : callable
        From (tenant, lead) to who looks after it now.
    seed : int
        For the waits between two tries of a delivery.
    """

    def __init__(
        self,
        rules: RulesFile,
        path: Path,
        figures: Callable[[int], Figures],
        publish: Publish,
        environ: Mapping[str, str],
        status: Status,
        agent_of: AgentOf,
        *,
        seed: int = 0,
    ) -> None:
        self.store = AlertStore(path)
        self._engine = AlertEngine(rules.rules, self.store)
        self._figures, self._bucket = figures, -1
        self._publish, self._agent_of = publish, agent_of
        senders = senders_of(rules, environ, self._tell, time.time)
        gates = {route: Breaker(route) for route in senders}
        delivery = Delivery(Outbox(self.store.file), senders, rng=Random(seed), gates=gates)
        self._threads = DeliveryThreads(
            delivery, _wall_us, failed=lambda error: status.trouble("alerts", error)
        )

    def sink(self) -> Sink:
        """What the service is to tell."""
        return Sink(
            "alerts", self._take, self._tick, self._reread, self._engine.state,
            self._engine.restore,
        )  # fmt: skip

    def start(self) -> None:
        """Begin to deliver."""
        self._threads.start()

    def stop(self) -> None:
        """End; what waits is delivered after the next start."""
        self._threads.stop()
        self.store.close()

    def tell(self, kept: Kept) -> None:
        """Tell those who watch how an alert stands."""
        self._tell(alert_message(kept.alert, kept.state))

    def _tell(self, message: Message) -> None:
        """To whoever looks after the lead now, not to who did when the alert was raised."""
        if message.lead is not None:
            agent = self._agent_of(message.tenant, message.lead)
            message = msgspec.structs.replace(message, agent=agent)
        self._publish([message])

    def _take(self, outcome: Outcome) -> None:
        """Rows of one span of `BUCKET_US`; the first of a span look at the figures before it."""
        if len(outcome):
            border_us = int(outcome.rows["arrived_us"][0]) // BUCKET_US * BUCKET_US
            self._raised(self._engine.take(outcome, self._due(border_us - 1)))

    def _tick(self, now_us: int) -> None:
        now_us -= BEHIND_US
        self._raised(self._engine.tick(now_us, self._due(now_us)))

    def _reread(self, lane: Lane, places: NDArray[np.int64], before: NDArray[Any]) -> None:
        self._raised(self._engine.take(silent_outcome(lane, places, before)))

    def _due(self, now_us: int) -> Figures:
        """Figures of all tenants where the moment is in another bucket than the last."""
        if now_us // BUCKET_US <= self._bucket:
            return {}
        self._bucket = now_us // BUCKET_US
        return self._figures(now_us)

    def _raised(self, alerts: list[Alert]) -> None:
        if alerts:
            self._threads.call()


def _wall_us() -> int:
    return time.time_ns() // 1000


def silent_outcome(lane: Lane, places: NDArray[np.int64], before: NDArray[Any]) -> Outcome:
    """Leads read again without an event, as rows with offset -1 and no kind.

    Parameters
    ----------
    lane : Lane
        After the reading.
    places : int64 array, shape (n,)
    before : structured array of `LEAD`, shape (n,)
        Their rows before it.
    """
    now = lane.book.rows[places]
    n = len(places)
    rows = np.zeros(n, OUTCOME)
    rows["offset"], rows["place"] = -1, places
    for name in ("at_us", "arrived_us", "as_of_us"):
        rows[name] = now["now_us"]
    rows["probability"], rows["previous"] = now["now"], before["now"]
    rows["low"], rows["high"], rows["churn"] = now["low"], now["high"], now["now_churn"]
    rows["tier"], rows["tier_before"] = lane.plan.tiers(now["now"]), lane.plan.tiers(before["now"])
    rows["agent"] = now["agent"] + 1
    rows["model"], rows["fallback"] = now["model"], now["fallback"]
    rows["reason"] = rows["mover"] = -1
    events = EventLog(
        id=np.full(n, "", dtype=object),
        tenant=Coded.of([lane.names[p][0] for p in places]),
        lead=Coded.of([lane.names[p][1] for p in places]),
        kind=Coded.constant(None, n),
        at_us=rows["at_us"].copy(),
        value=np.full(n, np.nan),
        agent=Coded.constant(None, n),
        source=Coded.constant(None, n),
    )
    return Outcome(rows, events, tuple(lane.models), lane.families, agents=lane.agents.listed)

"""Homes for buyers, and telling those who watch when a buyer moved.

Matching takes milliseconds, so it never waits on the event path: buyers who did something with a
home wait in a list, each once, and a thread of its own makes their matches anew.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from leadlab.errors import UnknownName
from leadlab.models.matching.catalogue import Catalogue
from leadlab.models.matching.match import match
from leadlab.models.matching.preferences import Preferences
from leadlab.models.matching.signals import WEIGHTS, deeds
from leadlab.models.matching.taste import Taste
from leadlab.schema.wire_columns import columns_of
from leadlab.stream.lead_view import read_lead
from leadlab.stream.message import Message
from leadlab.stream.outcome import Outcome
from leadlab.stream.sink import TROUBLE
from leadlab.stream.status import Status
from leadlab.stream.telling import Publish, Watched

if TYPE_CHECKING:
    from leadlab.stream.station import Station

AgentOf = Callable[[str, str], str | None]
WAITING = 10_000
"""Buyers that may wait; the one that waited longest makes room for a new one."""
TOLD = 5


def homes_for(
    station: Station, homes: Catalogue | None, tenant: str, lead: str, top: int
) -> dict[str, Any]:
    """Homes for a lead by what it did of late with homes of the catalogue.

    Raises
    ------
    UnknownName
        For a lead that is not known, or where there are no homes.
    """
    if homes is None:
        raise UnknownName("resource", "matches", None, where="the service was given no homes")
    with station.service.reading() as engine:
        read = read_lead(engine.lane_of(tenant), tenant, lead, station.now_us())
    happened = station.service.journal.events_at(read.offsets)
    log = columns_of(happened, {"listing": "text"})[0].canonical()
    done = deeds(log, homes)
    own = done.leads[done.lead] == lead
    taste = Taste.of(done.home[own], done.weight[own])
    found = match(homes, Preferences(), taste=taste, at_us=int(read.now.as_of_us[0]), top=top)
    return {"lead": lead, **found.to_json()}


class HomeMatcher:
    """A sink that matches buyers who did something with a home.

    Parameters
    ----------
    find : callable
        From (tenant, lead, how many) to matches as plain JSON values.
    publish, watched : callable
        See `leadlab.stream.telling.Teller`.
    status : Status
        Told what goes wrong.
    agent_of : callable
        From (tenant, lead) to who looks after it.

    Attributes
    ----------
    passed_over : int
        Buyers who had to make room before they were matched.
    """

    def __init__(
        self,
        find: Callable[[str, str, int], dict[str, Any]],
        publish: Publish,
        watched: Watched,
        status: Status,
        agent_of: AgentOf,
    ) -> None:
        self.passed_over = 0
        self._agent_of = agent_of
        self._find, self._publish, self._watched, self._status = find, publish, watched, status
        self._waiting: dict[tuple[str, str], tuple[int, str]] = {}
        self._news = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="matches", daemon=True)

    def start(self) -> None:
        """Begin to match."""
        self._thread.start()

    def stop(self) -> None:
        """End; buyers who wait are matched when they next move."""
        with self._news:
            self._ended = True
            self._news.notify()
        if self._thread.is_alive():
            self._thread.join()

    def take(self, outcome: Outcome) -> None:
        """Let the buyers of a batch wait for their matches."""
        if outcome.receipt.get("replayed"):
            return
        events, watched = outcome.events, self._watched()
        moving = np.array([name in WEIGHTS for name in events.kind.names], np.bool_)
        tenants, leads = events.tenant.values(), events.lead.values()
        with self._news:
            for row in np.flatnonzero(moving[events.kind.codes]):
                buyer = (tenants[row], leads[row])
                if watched is not None and buyer[0] not in watched:
                    continue
                self._waiting.pop(buyer, None)
                if len(self._waiting) >= WAITING:
                    del self._waiting[next(iter(self._waiting))]
                    self.passed_over += 1
                self._waiting[buyer] = (int(outcome.rows["as_of_us"][row]), events.id[row])
            self._news.notify()

    def _run(self) -> None:
        while True:
            with self._news:
                while not self._waiting and not self._ended:
                    self._news.wait()
                if self._ended:
                    return
                (tenant, lead), (at_us, event) = next(iter(self._waiting.items()))
                del self._waiting[tenant, lead]
            try:
                found = self._find(tenant, lead, TOLD)
            except TROUBLE as error:
                self._status.trouble("matches", error)
                continue
            self._publish([
                Message(
                    topic="matches", tenant=tenant, at_us=at_us, key=lead, lead=lead, event=event,
                    agent=self._agent_of(tenant, lead), body=found,
                )
            ])  # fmt: skip

"""What routes work with, held to the tenant and the agent of whoever asks.

Every read of a lead goes through here, so no route can forget whose it is; and each is on record
before it is answered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

from starlette.requests import HTTPConnection

from leadlab.api.audit import Entry, Trail
from leadlab.api.correlation import correlation_id
from leadlab.api.identity import Principal
from leadlab.api.roles import may_see
from leadlab.errors import UnknownName
from leadlab.stream.disk import LEAST_BYTES
from leadlab.stream.lead_list import Wanted
from leadlab.stream.station import Station

Got = TypeVar("Got")
THREADS = 16


@dataclass(frozen=True)
class Desk:
    """The station, and the record of who read what.

    Attributes
    ----------
    station : Station
    trail : Trail
    least_free_bytes : int
        Room on the disk that the service needs to call itself ready.
    """

    station: Station
    trail: Trail
    least_free_bytes: int = LEAST_BYTES
    pool: ThreadPoolExecutor = field(default_factory=partial(ThreadPoolExecutor, THREADS, "api"))

    async def aside(self, work: Callable[[], Got]) -> Got:
        """Do what waits for a disk or a lock in another thread."""
        return await asyncio.get_running_loop().run_in_executor(self.pool, work)

    async def note(
        self, who: Principal, action: str, *leads: str | None, model: str | None = None
    ) -> None:
        """Put on record that somebody did something with leads; on disk when this returns.

        Raises
        ------
        StoreFailed
            If it cannot be written; then nothing must be answered.
        """
        entries = [
            Entry(
                self.station.clock(), who.tenant, who.subject, action, lead, model, correlation_id()
            )
            for lead in leads or (None,)
        ]
        await asyncio.wrap_future(self.trail.record(*entries))

    def see(self, who: Principal, lead: str) -> None:
        """Make sure that somebody may see a lead.

        Raises
        ------
        UnknownName
            For a lead of another tenant or another agent, just as for one that does not exist.
        """
        if not self.sees(who, lead):
            raise UnknownName("lead", lead, None)

    def sees(self, who: Principal, lead: str) -> bool:
        """Tell whether there is such a lead, and somebody may see it."""
        with self.station.service.reading() as engine:
            lane = engine.lane_of(who.tenant)
            try:
                one = lane.book.rows[lane.place_of(who.tenant, lead)]
            except UnknownName:
                return False
            agent = lane.agents.named(int(one["agent"]))
        return may_see(who, who.tenant, agent)

    def version(self, tenant: str) -> str:
        """Model that scores a tenant's leads."""
        return self.station.service.engine.lane_of(tenant).plan.version

    async def lead(self, who: Principal, lead: str, timeline: int) -> bytes:
        """Everything of one lead, as JSON."""

        def read() -> bytes:
            self.see(who, lead)
            return self.station.lead(who.tenant, lead, timeline)

        body = await self.aside(read)
        await self.note(who, "lead.read", lead, model=self.version(who.tenant))
        return body

    async def leads(self, who: Principal, wanted: Wanted) -> dict[str, Any]:
        """A page of leads; an agent's own only."""
        if who.role == "agent":
            if wanted.agent not in (None, who.agent):
                return {"leads": [], "total": 0, "next": None}
            wanted = replace(wanted, agent=who.agent)
        page = await self.aside(lambda: self.station.leads(who.tenant, wanted))
        shown = [one["lead"] for one in page["leads"]]
        if shown:
            await self.note(who, "lead.list", *shown, model=self.version(who.tenant))
        return page


def desk_of(connection: HTTPConnection) -> Desk:
    """The application's desk."""
    desk = connection.app.state.desk
    assert isinstance(desk, Desk)
    return desk

"""One stream of messages to any number of clients, each tenant by itself.

The engine's thread hands messages over and goes on. They wait in one backlog a tenant, where newer
values have taken the place of older ones; every `flush_s` at the most the event loop releases them
to the audiences that they pass to. A client has no queue of its own, only a number in its
audience's, so that one who does not read costs nothing and gets the newest values when it does.
"""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from itertools import chain, groupby, islice
from time import monotonic

from leadlab.api.audience import Audience
from leadlab.api.backlog import Entry
from leadlab.api.channel import Channel
from leadlab.api.filters import Filters, Wanted, filters_of
from leadlab.api.frames import NOWHERE, Form, number_of
from leadlab.api.identity import Principal
from leadlab.api.subscription import GOING_AWAY, SLOW, Farewell, Subscription
from leadlab.errors import BadInput, TooMuch
from leadlab.stream.message import Message

Snapshot = Callable[[str, Filters], Iterable[Message]]
"""Gives the current state of a tenant, called in a thread of its own."""
AT_ONCE = 64
"""Clients that are sent to before the event loop looks after anything else."""
_log = logging.getLogger(__name__)


def nothing_yet(tenant: str, filters: Filters) -> Iterable[Message]:
    """Give the state of a service that keeps none."""
    return ()


MOST_STREAMS = 6_000
"""Streams that one proof may keep open."""
STATES = 2
"""States that are gathered at once, for those who cannot resume."""
UNPROVEN = 4401


class Broadcast:
    """Hands messages to subscriptions.

    Parameters
    ----------
    capacity : int
        Distinct keys a tenant that a client may resume from, and messages of a state at the most.
    snapshot : callable, optional
        State for clients that cannot resume; what a client may not see is left out here.
    queue : int
        Distinct keys that a client may be behind while it does not read.
    patience_s : float
        A client that takes longer over one frame is cut.
    grace_s : float
        Time that a cut client has for reading why.
    heartbeat_s : float
        A client hears something at least so often.
    flush_s : float
        Shortest time between two frames while messages keep coming.
    epoch : str, optional
        Start of every cursor, other at each start; drawn by default.
    clock : callable
        Seconds, never decreasing.

    Raises
    ------
    BadInput
        If a bound or a time is not positive.

    Examples
    --------
    >>> broadcast = Broadcast(100)
    >>> broadcast.publish([Message(topic="alerts", tenant="t", at_us=0, key="a")])
    >>> broadcast.clients
    0
    """

    def __init__(
        self,
        capacity: int = 10_000,
        *,
        snapshot: Snapshot = nothing_yet,
        queue: int = 2_000,
        patience_s: float = 20.0,
        grace_s: float = 2.0,
        heartbeat_s: float = 30.0,
        flush_s: float = 0.02,
        epoch: str | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        bounds = {"capacity": capacity, "queue": queue, "patience_s": patience_s}
        for name, value in {**bounds, "heartbeat_s": heartbeat_s}.items():
            if not value > 0:
                raise BadInput("a bound of the broadcast", where=name, got=value, expected="> 0")
        self.heartbeat_s = heartbeat_s
        self.grace_s = grace_s
        self._capacity, self._queue = capacity, queue
        self._snapshot = snapshot
        self._patience_s, self._flush_s = patience_s, flush_s
        self._epoch = secrets.token_hex(4) if epoch is None else epoch
        self._clock = clock
        self._lock = threading.Lock()
        self._gathering = threading.BoundedSemaphore(STATES)
        self._channels: dict[str, Channel] = {}
        self._with_news: set[Channel] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._due = False
        self._flushed_s = -math.inf
        self._ready: dict[Subscription, None] = {}

    # -- the engine's side -------------------------------------------------------------------------

    def publish(self, messages: Sequence[Message]) -> None:
        """Hand messages over, in any thread; of one topic, tenant and key the last one counts."""
        with self._lock:
            for tenant, some in groupby(messages, key=lambda message: message.tenant):
                channel = self._channel(tenant)
                channel.add(some)
                self._with_news.add(channel)
            if self._loop is not None and not self._due and self._with_news:
                self._due = True
                self._loop.call_soon_threadsafe(self._flush_soon)

    def _channel(self, tenant: str) -> Channel:
        found = self._channels.get(tenant)
        if found is None:
            found = self._channels[tenant] = Channel(self._capacity, self._queue, self._epoch)
        return found

    # -- the event loop's side ---------------------------------------------------------------------

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Serve clients in this event loop while the context is open; the application's lifespan.

        Raises
        ------
        BadInput
            If it is served already.
        """
        with self._lock:
            if self._loop is not None:
                raise BadInput("a broadcast is served by one event loop at a time")
            self._loop = asyncio.get_running_loop()
        keeper = asyncio.create_task(self._keep())
        try:
            yield
        finally:
            with self._lock:
                self._loop, self._due = None, False
            self._ready.clear()
            keeper.cancel()
            self.close()

    def close(self) -> None:
        """Tell every client to come back later, and cut it."""
        for member in self._members():
            member.end(Farewell(GOING_AWAY, "bye", "the service stops"))

    @property
    def tenants(self) -> frozenset[str]:
        """Tenants that anybody watched since the start; messages of others need not be made."""
        with self._lock:
            return frozenset(self._channels)

    @property
    def clients(self) -> int:
        """How many listen."""
        return sum(1 for _ in self._members())

    async def subscribe(self, principal: Principal, wanted: Wanted, form: Form) -> Subscription:
        """Let somebody listen to its tenant's messages, as far as it may.

        A client without a cursor hears what comes from now on; one with a cursor gets what it
        missed; where that is no longer known, it is reset and gets the state first.
        """
        nobody = Audience(Filters(), self._epoch, self._queue)
        mine = sum(one.principal.key_id == principal.key_id for one in self._members_of(principal))
        if mine >= MOST_STREAMS:
            raise TooMuch("too many streams are open by one proof", retry_after_s=30)
        member = Subscription(principal, form, nobody, self._epoch, self._clock)
        with ExitStack() as undo:
            undo.callback(self.leave, member)
            await self._start(member, wanted, wanted.cursor)
            undo.pop_all()
        return member

    async def change(self, member: Subscription, wanted: Wanted) -> None:
        """Let a client listen to something else, from its cursor unless `wanted` names one."""
        cursor = member.cursor if wanted.cursor is None else wanted.cursor
        await self._start(member, wanted, cursor)

    def leave(self, member: Subscription) -> None:
        """Forget a client."""
        self._channels[member.principal.tenant].leave(member)

    async def _start(self, member: Subscription, wanted: Wanted, cursor: str | None) -> None:
        tenant = member.principal.tenant
        filters = filters_of(wanted).within(member.principal)
        with self._lock:
            channel = self._channel(tenant)
            now = channel.newest()
            start = now if cursor is None else number_of(cursor, self._epoch)
            known = channel.recent.floor <= start <= now
            missed = channel.recent.since(start) if known else []
        channel.join(member, filters)
        if known:
            member.begin(start, now, [one for one in missed if filters.passes(one, start)])
            return
        member.hold()
        now, state = await member.audience.state(now, lambda: self._state(tenant, filters))
        member.begin(NOWHERE, now, state)

    def _state(self, tenant: str, filters: Filters) -> list[Entry]:
        with self._gathering:
            return self._gathered(tenant, filters)

    def _gathered(self, tenant: str, filters: Filters) -> list[Entry]:
        entries = (Entry(NOWHERE, message) for message in self._snapshot(tenant, filters))
        own = (one for one in entries if one.message.tenant == tenant and filters.passes(one, 0))
        return [*islice(own, self._capacity)]

    def _release(self, channel: Channel) -> None:
        with self._lock:
            number, entries, lost = channel.news()
            self._with_news.discard(channel)
        for audience in channel.release(number, entries):
            for member in audience.release(number):
                member.end(Farewell(SLOW, "slow", f"more than {self._queue} messages behind"))
            self._ready.update(dict.fromkeys(audience.members))
        if lost:
            _log.warning("more came than is kept before it was sent; all clients of one tenant cut")
            for member in channel.members():
                member.end(Farewell(SLOW, "slow", "messages were lost before they were sent"))

    def _flush_soon(self) -> None:
        """Release what waits now, or `flush_s` after the last time."""
        wait_s = self._flushed_s + self._flush_s - self._clock()
        if wait_s > 0:
            asyncio.get_running_loop().call_later(wait_s, self._flush)
        else:
            self._flush()

    def _flush(self) -> None:
        with self._lock:
            self._due = False
            channels = [*self._with_news]
        self._flushed_s = self._clock()
        idle = not self._ready
        for channel in channels:
            self._release(channel)
        if idle and self._ready:
            self._wake_some()

    def _wake_some(self) -> None:
        """Let those who have waited longest take what there is, and others do their work between.

        What is released meanwhile goes to those still waiting at once, and to the others when their
        turn comes again: in a long round nobody is two rounds old.
        """
        for member in [*islice(self._ready, AT_ONCE)]:
            del self._ready[member]
            member.wake()
        if self._ready:
            asyncio.get_running_loop().call_soon(self._wake_some)

    async def _keep(self) -> None:
        """Cut who does not read, tell the others that all is well, drop what all have seen."""
        pause_s = min(1.0, self.heartbeat_s / 4, self._patience_s / 4)
        while True:
            await asyncio.sleep(pause_s)
            for channel in self._all_channels():
                for member in channel.members():
                    member.advance(channel.released)
                    self._look_after(member, pause_s)
                channel.trim()

    def end_proofs(self, now_s: float, revoked: frozenset[str]) -> None:
        """End who listens by a proof that expired, or by a key that was taken back.

        Parameters
        ----------
        now_s : float
            Seconds since 1970 UTC.
        revoked : frozenset of str
            `Principal.key_id` of such keys.
        """
        for member in self._members():
            who = member.principal
            if who.until_s <= now_s or who.key_id in revoked:
                member.end(Farewell(UNPROVEN, "bye", "the proof of who asks no longer holds"))

    def _look_after(self, member: Subscription, pause_s: float) -> None:
        now_s = self._clock()
        if member.busy_for_s(now_s) > self._patience_s:
            member.end(Farewell(SLOW, "slow", f"nothing was read for {self._patience_s:g} s"))
        elif not member.busy and now_s - member.sent_s > self.heartbeat_s - pause_s:
            member.reply("heartbeat")

    def _members_of(self, principal: Principal) -> Iterator[Subscription]:
        with self._lock:
            channel = self._channels.get(principal.tenant)
        return iter(()) if channel is None else channel.members()

    def _all_channels(self) -> list[Channel]:
        with self._lock:
            return [*self._channels.values()]

    def _members(self) -> list[Subscription]:
        return [*chain.from_iterable(channel.members() for channel in self._all_channels())]

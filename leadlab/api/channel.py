"""What one tenant's clients share: the numbered messages and the audiences they go to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from leadlab.api.audience import Audience
from leadlab.api.backlog import Backlog, Entry
from leadlab.api.filters import Filters
from leadlab.api.subscription import Subscription
from leadlab.stream.message import Message

_Shelf = tuple[str, str | None]
_BROAD: _Shelf = ("", None)


class Channel:
    """One tenant's messages; numbers begin at 1 and tell nothing of other tenants.

    `add`, `newest` and `news` are called under the broadcast's lock, the rest in the event loop's
    thread.

    Parameters
    ----------
    capacity : int
        Distinct keys kept to resume from.
    queue : int
        Distinct keys that a client who does not read may be behind.
    epoch : str
    """

    def __init__(self, capacity: int, queue: int, epoch: str) -> None:
        self.recent = Backlog(capacity)
        self.number = 0
        self.released = 0
        self._queue = queue
        self._epoch = epoch
        self._audiences: dict[Filters, Audience] = {}
        self._shelves: dict[_Shelf, set[Audience]] = {}

    def add(self, messages: Iterable[Message]) -> None:
        """Number messages and keep them."""
        for message in messages:
            self.number += 1
            self.recent.add(message, self.number)

    def newest(self) -> int:
        """Newest number; where nobody listens, nothing up to it waits any longer."""
        if not self._audiences:
            self.released = self.number
        return self.number

    def news(self) -> tuple[int, list[Entry], bool]:
        """Newest number, the entries that were not released yet, and whether any was lost."""
        if not self._audiences:
            return self.number, [], False
        lost = self.recent.floor > self.released
        return self.number, self.recent.since(self.released), lost

    def release(self, number: int, entries: Iterable[Entry]) -> set[Audience]:
        """Give `entries`, which reach to `number`, to the audiences they pass to; says to which."""
        told: set[Audience] = set()
        for entry in entries:
            for audience in self._may_pass(entry.message):
                if audience.filters.passes(entry, self.released):
                    audience.backlog.put(entry)
                    told.add(audience)
        self.released = number
        return told

    def join(self, member: Subscription, filters: Filters) -> None:
        """Let `member` be in the audience with these filters, and no longer where it was."""
        audience = self._audiences.get(filters)
        if audience is None:
            audience = self._audiences[filters] = Audience(filters, self._epoch, self._queue)
            for shelf in _shelves(filters):
                self._shelves.setdefault(shelf, set()).add(audience)
        if audience is not member.audience:
            self.leave(member)
            member.audience = audience
            audience.members.add(member)

    def leave(self, member: Subscription) -> None:
        """Take a member out; an audience without members is dropped."""
        audience = member.audience
        audience.members.discard(member)
        if not audience.members and self._audiences.get(audience.filters) is audience:
            del self._audiences[audience.filters]
            for shelf in _shelves(audience.filters):
                self._shelves[shelf].discard(audience)
                if not self._shelves[shelf]:
                    del self._shelves[shelf]

    def members(self) -> Iterator[Subscription]:
        """Everybody who listens."""
        for audience in self._audiences.values():
            yield from audience.members

    def trim(self) -> None:
        """Drop what everybody has seen."""
        for audience in self._audiences.values():
            audience.trim()

    def _may_pass(self, message: Message) -> Iterator[Audience]:
        for shelf in (_BROAD, ("lead", message.lead), ("agent", message.agent)):
            yield from self._shelves.get(shelf, ())


def _shelves(filters: Filters) -> list[_Shelf]:
    """Where an audience stands, so that a message finds it by one of its names."""
    if filters.leads:
        return [("lead", lead) for lead in filters.leads]
    if filters.own is not None:
        return [("agent", agent) for agent in filters.own]
    return [("agent", agent) for agent in filters.agents] or [_BROAD]

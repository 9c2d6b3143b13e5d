"""Clients of one tenant that see the same messages: one queue and one encoding for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from leadlab.api.backlog import Backlog, Entry
from leadlab.api.filters import Filters
from leadlab.api.frames import Form, Payload

if TYPE_CHECKING:
    from leadlab.api.subscription import Subscription

FRAME_MESSAGES = 256
"""Messages in one frame at the most, so that what a connection buffers stays small."""
_FRAMES = 16
"""Frames kept for others at the same place: most stand where everybody does."""


class Audience:
    """Those with equal filters.

    Parameters
    ----------
    filters : Filters
    epoch : str
    queue : int
        Distinct keys that a client who does not read may be behind.
    """

    def __init__(self, filters: Filters, epoch: str, queue: int) -> None:
        self.filters = filters
        self.members: set[Subscription] = set()
        self.backlog = Backlog()
        self.newest = 0
        self.gathering: tuple[int, asyncio.Task[list[Entry]]] | None = None
        self._epoch = epoch
        self._queue = queue
        self._frames: dict[tuple[int, Form], tuple[int, Payload]] = {}

    def release(self, newest: int) -> list[Subscription]:
        """Let members take what the backlog holds up to `newest`; gives those too far behind."""
        self.newest = newest
        self._frames.clear()
        if len(self.backlog) <= self._queue:
            return []
        behind = [
            member
            for member in self.members
            if member.busy and len(self.backlog.since(member.seen)) > self._queue
        ]
        self.trim(set(behind))
        return behind

    def trim(self, leaving: set[Subscription] | None = None) -> None:
        """Drop what all members have seen, but for those who are `leaving`."""
        staying = self.members - leaving if leaving else self.members
        seen = [member.seen for member in staying]
        if self.gathering is not None:
            seen.append(self.gathering[0])
        self.backlog.forget(min(seen, default=self.newest))

    async def state(
        self, number: int, gather: Callable[[], list[Entry]]
    ) -> tuple[int, list[Entry]]:
        """Gather the state as of `number`, or wait for what is being gathered as of an earlier one.

        However many clients are reset at once, as after a restart, the state is gathered once.
        """
        if self.gathering is None:
            task = asyncio.create_task(asyncio.to_thread(gather))
            self.gathering = number, task
            task.add_done_callback(self._gathered)
        number, task = self.gathering
        return number, await asyncio.shield(task)

    def _gathered(self, task: asyncio.Task[list[Entry]]) -> None:
        self.gathering = None

    def frame(self, seen: int, form: Form) -> tuple[int, Payload]:
        """What a member gets next that has seen everything up to `seen`, and where it stands then.

        Made once for all members that stand at the same place.
        """
        found = self._frames.get((seen, form))
        if found is None:
            entries = self.backlog.since(seen)
            part = entries[:FRAME_MESSAGES]
            then = self.newest if len(part) == len(entries) else part[-1].number
            found = then, form.messages(part, self._epoch)
            if len(self._frames) < _FRAMES:
                self._frames[seen, form] = found
        return found

"""One client's place in the stream: what it gets next, how far it is, why it was cut."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from leadlab.api.audience import FRAME_MESSAGES, Audience
from leadlab.api.backlog import Entry
from leadlab.api.frames import NOWHERE, Form, Payload, cursor_of
from leadlab.api.identity import Principal

SLOW = 4008
GOING_AWAY = 1012
MOST_REPLIES = 64
"""Answers that may wait for a client before it counts as one that does not read."""


@dataclass(frozen=True)
class Farewell:
    """How a client is cut.

    Attributes
    ----------
    code : int
        Of the WebSocket's close.
    name : str
        Of the notice that comes before.
    why : str
    """

    code: int
    name: str
    why: str


class Subscription:
    """A client's side of the broadcast; used in the event loop's thread only.

    Parameters
    ----------
    principal : Principal
    form : Form
    audience : Audience
    epoch : str
    clock : callable
        Seconds, never decreasing.

    Attributes
    ----------
    seen : int
        Everything up to this number was sent, or newer values of the same keys.
    farewell : Farewell or None
        Set once the client is cut.
    """

    def __init__(
        self,
        principal: Principal,
        form: Form,
        audience: Audience,
        epoch: str,
        clock: Callable[[], float],
    ) -> None:
        self.principal = principal
        self.form = form
        self.audience = audience
        self.seen = self._then = NOWHERE
        self.farewell: Farewell | None = None
        self.sent_s = clock()
        self._epoch = epoch
        self._clock = clock
        self._busy_s: float | None = self.sent_s
        self._first: deque[tuple[int, Payload | list[Entry]]] | None = None
        self._replies: deque[Payload] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._sender: asyncio.Task[None] | None = None

    # -- what the connection asks ------------------------------------------------------------------

    async def next(self) -> Payload | None:
        """Wait for the next frame; None once the client is cut. Asking says the last was sent."""
        self._busy_s = None
        self.seen = self._then
        while self.farewell is None:
            frame = self._take()
            if frame is not None:
                self._busy_s = self.sent_s = self._clock()
                return frame
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return None

    def sent_by(self, task: asyncio.Task[None]) -> None:
        """Name the task that sends, which is cancelled when the client is cut."""
        self._sender = task
        if self.farewell is not None:
            task.cancel()

    @property
    def cursor(self) -> str:
        """Where to go on from."""
        return cursor_of(self._epoch, self.seen)

    def notice(self, name: str, **said: Any) -> Payload:
        """A frame about this stream, with its cursor."""
        return self.form.notice(name, self.cursor, said)

    # -- what the broadcast says -------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether a frame is under way to the client, or its state is being gathered."""
        return self._busy_s is not None or self._first is None

    def busy_for_s(self, now_s: float) -> float:
        """Seconds since the frame under way was handed over."""
        return 0.0 if self._busy_s is None else now_s - self._busy_s

    def hold(self) -> None:
        """Hand over nothing but replies until `begin`."""
        self._first = None
        self._busy_s = self._clock()

    def begin(self, start: int, number: int, entries: Sequence[Entry]) -> None:
        """Go on after `start` with `entries`, then with what comes after `number`.

        From `NOWHERE` the client starts over: it is told to forget what it has, gets the entries as
        the state, and is told when it has it all.
        """
        self.seen = self._then = start
        over = start == NOWHERE
        chunks = [
            [*entries[at : at + FRAME_MESSAGES]] for at in range(0, len(entries), FRAME_MESSAGES)
        ]
        numbers = [chunk[-1].number for chunk in chunks]
        if chunks and not over:
            numbers[-1] = number
        here = start if over or chunks else number
        self._first = deque([(here, self._notice_at("reset" if over else "ready", here))])
        self._first.extend(zip(numbers, chunks, strict=True))
        if over:
            self._first.append((number, self._notice_at("ready", number)))
        self.wake()

    def advance(self, number: int) -> None:
        """Note that nothing up to `number` was left for this client, if it has taken all it got."""
        if not self.busy and not self._first and self.seen >= self.audience.newest:
            self.seen = self._then = max(self.seen, number)

    def reply(self, name: str, **said: Any) -> None:
        """Answer the client, or cut it if it reads no answers."""
        if len(self._replies) >= MOST_REPLIES:
            self.end(Farewell(SLOW, "slow", f"{MOST_REPLIES} answers were not read"))
            return
        self._replies.append(self.notice(name, **said))
        self.wake()

    def wake(self) -> None:
        """Let the client take what there is."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def end(self, farewell: Farewell) -> None:
        """Cut the client; the first reason holds."""
        if self.farewell is None:
            self.farewell = farewell
            self.wake()
            if self._sender is not None:
                self._sender.cancel()

    def _take(self) -> Payload | None:
        if self._replies:
            return self._replies.popleft()
        if self._first is None:
            return None
        if self._first:
            self._then, item = self._first.popleft()
            return self.form.messages(item, self._epoch) if isinstance(item, list) else item
        if self.seen >= self.audience.newest:
            return None
        self._then, frame = self.audience.frame(self.seen, self.form)
        return frame

    def _notice_at(self, name: str, number: int) -> Payload:
        return self.form.notice(name, cursor_of(self._epoch, number), {})

"""A breaker for each thing that may be away: after some failures it is left alone for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Literal, TypeVar

from leadlab.errors import BadInput, StoreFailed

Given = TypeVar("Given")
State = Literal["closed", "open", "half-open"]


class LeftAlone(StoreFailed):
    """The breaker is open: the call was not made."""


class Breaker:
    """Lets calls through until too many in a row have failed; any thread may call.

    ::

        closed ──failures in a row──▶ open ──reset_s──▶ half-open ──a call works──▶ closed
                                       ▲───────a call fails───────┘

    Half-open, at most `half_open` calls are under way at once. A call that began before the last
    change of state no longer decides anything.

    Parameters
    ----------
    name : str
        Of the dependency, as errors name it.
    failures : int
        In a row, until it opens.
    reset_s : float
        Until it lets a call through again.
    half_open : int
        Calls that may then try at once.
    on : tuple of exception classes
        What counts as a failure; any other error goes through and is not counted either way.
    clock : callable
        Seconds, never descending.

    Attributes
    ----------
    opened : int
        Times that it opened.
    counts : dict of str to int
        Calls that "worked" and "failed", and those that were "refused" unmade.

    Examples
    --------
    >>> clock = iter(range(100))
    >>> breaker = Breaker("redis", failures=1, reset_s=3, clock=lambda: next(clock))
    >>> def call():
    ...     raise ConnectionError
    >>> try:
    ...     breaker.call(call)
    ... except ConnectionError:
    ...     breaker.state, breaker.opened
    ('open', 1)
    >>> breaker.state, breaker.state
    ('open', 'half-open')
    >>> breaker.call(lambda: "back"), breaker.state
    ('back', 'closed')
    """

    def __init__(
        self,
        name: str,
        failures: int = 5,
        reset_s: float = 30.0,
        half_open: int = 1,
        *,
        on: tuple[type[Exception], ...] = (OSError,),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if failures < 1 or half_open < 1 or not reset_s >= 0:
            got = f"failures={failures}, half_open={half_open}, reset_s={reset_s}"
            raise BadInput("unusable breaker", where=name, got=got)
        self.name, self.failures, self.reset_s, self.half_open = name, failures, reset_s, half_open
        self.on, self.clock = on, clock
        self.opened = 0
        self.counts = {"worked": 0, "failed": 0, "refused": 0}
        self._opened_s: float | None = None
        self._in_a_row = 0
        self._trying = 0
        self._turn = 0
        self._lock = threading.Lock()

    @property
    def state(self) -> State:
        """Whether calls go through ("closed"), do not ("open"), or some may try ("half-open")."""
        with self._lock:
            return self._state(self.clock())

    def _state(self, now_s: float) -> State:
        if self._opened_s is None:
            return "closed"
        return "half-open" if now_s - self._opened_s >= self.reset_s else "open"

    def call(self, make: Callable[[], Given]) -> Given:
        """Make a call, and learn from it.

        Raises
        ------
        LeftAlone
            If the call was not made.
        Exception
            Whatever the call raised.
        """
        turn = self._enter()
        verdict: bool | None = None
        try:
            given = make()
            verdict = True
            return given
        except self.on:
            verdict = False
            raise
        finally:
            self._leave(turn, verdict)

    def _enter(self) -> int:
        with self._lock:
            now_s = self.clock()
            state = self._state(now_s)
            if state == "open" or (state == "half-open" and self._trying >= self.half_open):
                self.counts["refused"] += 1
                wait_s = max(0.0, self.reset_s - (now_s - (self._opened_s or 0.0)))
                raise LeftAlone(
                    "left alone after it failed",
                    where=self.name,
                    hint=f"It is tried again in {wait_s:.0f} s.",
                )
            self._trying += state == "half-open"
            return self._turn

    def _leave(self, turn: int, worked: bool | None) -> None:
        with self._lock:
            if worked is not None:
                self.counts["worked" if worked else "failed"] += 1
            if turn != self._turn:
                return
            half_open = self._opened_s is not None
            self._trying -= half_open
            if worked:
                self._in_a_row = 0
                if half_open:
                    self._turned(None)
            elif worked is False:
                self._in_a_row += 1
                if half_open or self._in_a_row >= self.failures:
                    self.opened += 1
                    self._turned(self.clock())

    def _turned(self, opened_s: float | None) -> None:
        self._opened_s = opened_s
        self._in_a_row = self._trying = 0
        self._turn += 1

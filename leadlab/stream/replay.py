"""A recorded log, played again: which events are due when the clock reads so much."""

from __future__ import annotations

import numpy as np

from leadlab.errors import BadInput
from leadlab.schema.log import EventLog
from leadlab.stream.pace import Pace


class Replay:
    """Events of a log in canonical order, each handed out once, when its time has come.

    What is due depends on the clock's readings alone, and every method that needs the clock takes
    its reading (``clock_s``, seconds, any origin, never decreasing). Nothing here waits.

    Parameters
    ----------
    log : EventLog
        What happened.
    speed : float
        Stream seconds a clock second.
    start_us : int, optional
        First moment to be played; what came before is `history`. The log's first event if None.
    clock_s : float
        What the clock reads now.

    Attributes
    ----------
    end_us : int
        Time of the last event, or the start where nothing is to be played.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"who": ["ann", "bob", "ann"], "what": ["a", "b", "c"],
    ...                       "when": ["2026-01-01", "2026-01-02", "2026-01-04"]})
    >>> log = EventLog.from_frame(frame, lead="who", kind="what", at="when")
    >>> replay = Replay(log, speed=86_400.0)
    >>> [len(replay.due(clock_s)) for clock_s in (0.0, 0.5, 2.0, 3.0)], replay.finished
    ([1, 0, 1, 1], True)
    """

    def __init__(
        self,
        log: EventLog,
        speed: float = 3600.0,
        start_us: int | None = None,
        *,
        clock_s: float = 0.0,
    ) -> None:
        if start_us is None:
            start_us = int(log.at_us[0]) if len(log) else 0
        self.log = log
        self.start_us = start_us
        self.pace = Pace(speed, clock_s, start_us)
        self._first = int(np.searchsorted(log.at_us, start_us, side="left"))
        self._next = self._first
        self.end_us = int(log.at_us[-1]) if self.total else start_us

    @property
    def history(self) -> EventLog:
        """Events before the start; they are known, not played."""
        return self.log.take(np.arange(self._first))

    @property
    def total(self) -> int:
        """Events to be played."""
        return len(self.log) - self._first

    @property
    def done(self) -> int:
        """Events handed out."""
        return self._next - self._first

    @property
    def finished(self) -> bool:
        """Whether every event was handed out."""
        return self._next == len(self.log)

    def stream_us(self, clock_s: float) -> int:
        """Stream time; it ends with the last event."""
        return min(self.pace.stream_at(clock_s), self.end_us)

    def due(self, clock_s: float, most: int | None = None) -> EventLog:
        """Events whose time has come since the last call, `most` of them at most.

        Events held back by `most` stay due. Where that goes on, call `settle`.
        """
        if most is not None and most < 1:
            raise BadInput("unusable size of a batch", got=most, expected="at least 1")
        until = int(np.searchsorted(self.log.at_us, self.stream_us(clock_s), side="right"))
        if most is not None:
            until = min(until, self._next + most)
        batch = self.log.take(np.arange(self._next, max(until, self._next)))
        self._next = max(until, self._next)
        return batch

    def settle(self, clock_s: float) -> None:
        """Take stream time back to the last event handed out, where more were due than taken.

        A replay that is faster than those who take its events so runs as fast as they can.
        """
        stream_us = self.stream_us(clock_s)
        if not self.finished and self.log.at_us[self._next] <= stream_us:
            reached_us = self.log.at_us[self._next - 1] if self.done else self.start_us
            self.pace = self.pace.moved(int(reached_us), clock_s)

    def skip_quiet(self, clock_s: float, longest_s: float) -> None:
        """Move stream time on so that the next event is due within `longest_s` clock seconds.

        Nights and weekends of a recording need not be sat through. Only a playing replay skips.
        """
        if self.finished or not self.pace.playing:
            return
        next_us = int(self.log.at_us[self._next])
        soonest_us = next_us - round(longest_s * self.pace.speed * 1e6)
        if self.stream_us(clock_s) < soonest_us:
            self.pace = self.pace.moved(soonest_us, clock_s)

    def pause(self, clock_s: float) -> None:
        """Let stream time stand still."""
        self.pace = self.pace.paused(clock_s)

    def resume(self, clock_s: float) -> None:
        """Let stream time go on."""
        self.pace = self.pace.resumed(clock_s)

    def set_speed(self, speed: float, clock_s: float) -> None:
        """Go on at another speed."""
        self.pace = self.pace.at_speed(speed, clock_s)

    def restart(self, clock_s: float) -> None:
        """Go back to the start; playing or paused, as before."""
        self.pace = self.pace.moved(self.start_us, clock_s)
        self._next = self._first

"""A replay put through an engine, tick by tick, for one producer and many readers.

What readers are told holds as of `Player.stream_us`, the time of what was last taken: never a
moment whose events are still on their way.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlab.stream.engine import Engine, Explanation
from leadlab.stream.replay import Replay
from leadlab.stream.results import processing_ms

US_PER_S = 1_000_000
RATE_S = 3.0
"""Clock seconds over which the rate of events is taken."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a replay has come.

    Attributes
    ----------
    stream_us : int
        Stream time.
    done, total : int
        Events.
    playing, finished : bool
    speed : float
        Asked for: stream seconds a clock second.
    events_per_s : float
        Events taken a clock second, of late.
    mean_ms, p99_ms : float or None
        From a batch's arrival to its scores and explanations, over the last results.
    generation : int
        How often the replay was started over.
    """

    stream_us: int
    done: int
    total: int
    playing: bool
    finished: bool
    speed: float
    events_per_s: float
    mean_ms: float | None
    p99_ms: float | None
    generation: int


@dataclass(frozen=True, slots=True, eq=False)
class Board:
    """The leads that stand highest.

    Attributes
    ----------
    places : structured array of `leadlab.stream.standings.PLACE`
        Highest probability first.
    hot : float
        The lowest probability of a hot lead; NaN where no lead is active.
    n_hot, n_active : int
        Leads at or above it, and all active ones.
    stream_us : int
        Moment that all this holds as of.
    """

    places: NDArray[Any]
    hot: float
    n_hot: int
    n_active: int
    stream_us: int


class Player:
    """Moves a replay on and keeps every score fresh; each method lets one thread in at a time.

    Parameters
    ----------
    replay : Replay
    make_engine : callable
        Gives an engine that knows nothing yet; called again at each `restart`.
    batch : int
        Events taken at once, at most.
    active_s : int
        A lead counts as active this many stream seconds after its last event.
    stale_s : int
        An active lead's score is read again after this many stream seconds.
    longest_quiet_s : float, optional
        Skip what is left of a spell without events that would last longer, in clock seconds.
    """

    def __init__(
        self,
        replay: Replay,
        make_engine: Callable[[], Engine],
        *,
        batch: int = 64,
        active_s: int = 30 * 86_400,
        stale_s: int = 3_600,
        longest_quiet_s: float | None = None,
    ) -> None:
        self.replay = replay
        self.batch = batch
        self.active_s = active_s
        self.stale_s = stale_s
        self.longest_quiet_s = longest_quiet_s
        self.generation = 0
        self._make_engine = make_engine
        self._lock = threading.RLock()
        self._pulse: deque[tuple[float, int]] = deque()
        self.stream_us = replay.start_us
        self.engine = self._begin()

    def _begin(self) -> Engine:
        """A fresh engine that knows the replay's history and has scored its active leads."""
        engine = self._make_engine()
        engine.learn(self.replay.history)
        before_us = self.replay.start_us - 1
        at = engine.standings.places
        recent = at["open"] & (at["event_us"] >= before_us - self.active_s * US_PER_S)
        for some in np.array_split(np.flatnonzero(recent), len(at) // 1024 + 1):
            if len(some):
                engine.reread(some, before_us)
        return engine

    # -- time moves on -----------------------------------------------------------------------------

    def tick(self, clock_s: float, budget_s: float = 0.05) -> None:
        """Take the events that are due, then read the most stale scores again.

        Parameters
        ----------
        clock_s : float
            What the clock reads.
        budget_s : float
            Once taking events has lasted so long, stream time waits for the rest.
        """
        until_s = perf_counter() + budget_s
        while self._take(clock_s):
            if perf_counter() >= until_s:
                break
        with self._lock:
            self.replay.settle(clock_s)
            if self.longest_quiet_s is not None:
                self.replay.skip_quiet(clock_s, self.longest_quiet_s)
            self.stream_us = self.replay.stream_us(clock_s)
            self._pulse.append((clock_s, self.replay.done))
            while clock_s - self._pulse[0][0] > RATE_S:
                self._pulse.popleft()
            self._freshen()

    def _take(self, clock_s: float) -> bool:
        with self._lock:
            batch = self.replay.due(clock_s, self.batch)
            self.engine.take(batch)
            if len(batch):
                self.stream_us = int(batch.at_us[-1])
            return len(batch) > 0

    def _freshen(self) -> None:
        """Read the stalest of the active leads again, a batch of them at most."""
        places = self._active()
        as_of_us = self.engine.standings.places["as_of_us"][places]
        stale = places[as_of_us < self.stream_us - self.stale_s * US_PER_S]
        if len(stale) > self.batch:
            age = self.engine.standings.places["as_of_us"][stale]
            stale = stale[np.argpartition(age, self.batch)[: self.batch]]
        self.engine.reread(stale, self.stream_us)

    def _active(self) -> NDArray[np.int64]:
        """Places of the open leads with an event of late."""
        return self.engine.standings.active(self.stream_us - self.active_s * US_PER_S)

    # -- what there is to see ----------------------------------------------------------------------

    def progress(self) -> Progress:
        """How far the replay has come."""
        with self._lock:
            spent = processing_ms(self.engine.history.since(0, 1000))
            return Progress(
                stream_us=self.stream_us,
                done=self.replay.done,
                total=self.replay.total,
                playing=self.replay.pace.playing,
                finished=self.replay.finished,
                speed=self.replay.pace.speed,
                events_per_s=self._rate(),
                mean_ms=float(spent.mean()) if len(spent) else None,
                p99_ms=float(np.quantile(spent, 0.99)) if len(spent) else None,
                generation=self.generation,
            )

    def _rate(self) -> float:
        if len(self._pulse) < 2:
            return 0.0
        (first_s, first), (last_s, last) = self._pulse[0], self._pulse[-1]
        return (last - first) / (last_s - first_s) if last_s > first_s else 0.0

    def board(self, n: int, share: float) -> Board:
        """The leads that stand highest as of now.

        Parameters
        ----------
        n : int
            At most so many.
        share : float
            Leads within this top share of the active ones are hot.
        """
        with self._lock:
            standings, active = self.engine.standings, self._active()
            likely = standings.top(2 * n, active)
            older = likely[standings.places["as_of_us"][likely] < self.stream_us]
            self.engine.reread(older, self.stream_us)
            top = standings.top(n, likely)
            hot = standings.threshold(share, active)
            n_hot = int((standings.places["probability"][active] >= hot).sum())
            return Board(standings.places[top].copy(), hot, n_hot, len(active), self.stream_us)

    def explain(
        self, lead: str, tenant: str = "default", since_us: int | None = None
    ) -> Explanation:
        """Say why a lead stands where it stands; see `Engine.explain`.

        A score made at `since_us` or later is taken as it is; an older one is read again first.
        """
        with self._lock:
            return self.engine.explain(lead, self.stream_us, tenant, since_us=since_us)

    def knows(self, lead: str, tenant: str) -> bool:
        """Whether an event has named the lead."""
        with self._lock:
            return (lead, tenant) in self.engine.standings

    def leads(self) -> list[tuple[str, str]]:
        """(tenant, lead) of every lead that the stream has named."""
        with self._lock:
            at = self.engine.standings.places
            return list(zip(at["tenant"].tolist(), at["lead"].tolist(), strict=True))

    # -- controls ----------------------------------------------------------------------------------

    def pause(self, clock_s: float) -> None:
        """Let stream time stand still."""
        with self._lock:
            self.replay.pause(clock_s)

    def resume(self, clock_s: float) -> None:
        """Let stream time go on."""
        with self._lock:
            self.replay.resume(clock_s)

    def set_speed(self, speed: float, clock_s: float) -> None:
        """Go on at another speed."""
        with self._lock:
            self.replay.set_speed(speed, clock_s)

    def restart(self, clock_s: float) -> None:
        """Start over: a fresh engine, the history, the first event."""
        with self._lock:
            self.replay.restart(clock_s)
            self.stream_us = self.replay.start_us
            self.engine = self._begin()
            self.generation += 1
            self._pulse.clear()

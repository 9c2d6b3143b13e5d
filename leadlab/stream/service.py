"""The live service: journal, engine and all who are told, in one process that may die at any time.

``submit`` returns when events are on disk. One thread takes them from the journal in micro-batches
and hands each outcome to the sinks. Now and then the whole state is written beside its offset;
recovery is that state and the journal behind it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlab.errors import LeadlabError, Overloaded
from leadlab.schema.wire import WireEvent
from leadlab.stream import checkpoint, recovery
from leadlab.stream.entries import Entries
from leadlab.stream.group_commit import GroupCommit
from leadlab.stream.journal import Appended, Journal
from leadlab.stream.keeping import frozen_state, keep
from leadlab.stream.lane import Lane
from leadlab.stream.live_engine import DEFAULT, LiveEngine
from leadlab.stream.outcome import Outcome
from leadlab.stream.pacing import Pacing
from leadlab.stream.plan import Plan
from leadlab.stream.receipts import Receipts
from leadlab.stream.result_store import ResultStore
from leadlab.stream.sink import TROUBLE, Sink
from leadlab.stream.status import Status

TURN_S = 0.002
"""Longest pause between two batches for those who read: they get a turn, not the floor."""
READERS = 2
"""Readers at once; others wait at the door rather than before the engine."""
SPARING = 100
"""Times longer than copying the state takes that the engine works between two checkpoints."""
REREAD = 256
"""Silent leads read again at a tick, so that a tick stays short beside events."""


def wall_us() -> int:
    """The clock, microseconds UTC."""
    return time.time_ns() // 1000


def warm_up(engine: LiveEngine) -> None:
    """Let an engine that nobody will see take one made-up event, so that kernels are loaded."""
    event = WireEvent("warm-up", "warm-up", "warm-up", "Inquiry", 0, agent="warm-up")
    engine.take(Entries([event], np.array([1]), np.array([0])))
    for lane in engine.lanes.values():
        lane.take(Entries([event], np.array([1]), np.array([0])))


class Service:
    """Runs an engine on a journal.

    Parameters
    ----------
    home : Path
        Folder of journal, checkpoints and results.
    make_engine : callable
        Gives an engine that has taken nothing.
    sinks : sequence of Sink
    pacing : Pacing
    plan_of : callable, optional
        Gives the plan of a version that was used before, so that a recovery scores with it.
    clock : callable
        Gives microseconds UTC.

    Examples
    --------
    >>> import tempfile
    >>> from leadlab.stream.plan import Plan
    >>> event = WireEvent("e1", "acme", "ann", "Inquiry", 5)
    >>> told = []
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     service = Service(Path(folder), lambda: LiveEngine(Plan()), [Sink("list", told.append)])
    ...     service.start()
    ...     offsets = service.submit([event]).offsets.tolist()
    ...     service.settled()
    ...     service.stop()
    >>> offsets, [len(outcome) for outcome in told]
    ([1], [1])
    """

    def __init__(
        self,
        home: Path,
        make_engine: Callable[[], LiveEngine],
        sinks: Sequence[Sink] = (),
        *,
        pacing: Pacing | None = None,
        plan_of: Callable[[str], Plan] | None = None,
        clock: Callable[[], int] = wall_us,
    ) -> None:
        self.home = home
        self.pacing = pacing or Pacing()
        self.status = Status()
        self.sinks = list(sinks)
        self.clock = clock
        self._make_engine = make_engine
        self._plan_of = plan_of
        self._lock = threading.RLock()
        self._readers, self._door = 0, threading.BoundedSemaphore(READERS)
        self._news = threading.Condition()
        self._receipts = Receipts()
        self._switches: deque[tuple[str, Plan]] = deque()
        self._told = 0
        self._frozen_s, self._kept_at = 0.0, -1
        self._taken_us, self.behind = 0, False
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._writer: threading.Thread | None = None

    # -- start and stop ----------------------------------------------------------------------------

    def start(self) -> None:
        """Open the journal, take up the last checkpoint, and begin to take what lies behind it.

        Raises
        ------
        StoreFailed
            If another process holds the journal.
        BrokenFile
            If what is needed can be had neither from a checkpoint nor from the journal.
        """
        warm_up(self._make_engine())
        self.journal = Journal(self.home / "journal.db")
        try:
            self._take_up()
        except LeadlabError:
            self.journal.close()
            raise
        self._thread = threading.Thread(target=self._run, name="leadlab-engine", daemon=True)
        self._thread.start()

    def _take_up(self) -> None:
        self.results = ResultStore(self.home / "results.db")
        self.engine = recovery.recovered(
            self.home, self.journal, self._make_engine, self.sinks, self.status
        )
        self.results.drop_behind(self.engine.offset)
        self._replay_to, self._told = self.journal.last, self.engine.offset
        self.status.replayed = self._replay_to - self.engine.offset
        self.status.state = "recovering" if self.status.replayed else "live"
        self._ahead = recovery.models_ahead(self.journal, self.engine, self._plan_of, self.status)
        self._commit = GroupCommit(self.journal, self._written)

    def stop(self) -> None:
        """Take what is journalled, write a checkpoint, and end."""
        with self._news:
            self._stopping = True
            self._news.notify_all()
        if self._thread is not None:
            self._thread.join()
        if self._writer is not None:
            self._writer.join()
        if self.status.state != "failed":
            frozen = frozen_state(self.engine, self.sinks, self.status)
            if frozen is not None:
                self._keep_one(frozen)
            self.status.state = "stopped"
        self.results.close()
        self.journal.close()

    # -- events in ---------------------------------------------------------------------------------

    def submit(
        self,
        events: Sequence[WireEvent],
        *,
        arrived_s: float | None = None,
        stamp_us: int | None = None,
    ) -> Appended:
        """Take events; they are on disk when this returns, and scored soon after.

        Parameters
        ----------
        events : sequence of WireEvent
        arrived_s : float, optional
            When they came in, clock seconds, for the latency receipt.
        stamp_us : int, optional
            Stream time of a recording that is played; the clock's now otherwise.

        Raises
        ------
        Overloaded
            If too many entries wait to be scored.
        StoreFailed
            If the disk is full or fails; nothing was kept.
        """
        if self.lag > self.pacing.lag:
            raise Overloaded(
                "more events come in than can be scored",
                got=f"{self.lag:,} waiting",
                expected=f"at most {self.pacing.lag:,}",
                hint="Send them again in a few seconds.",
            )
        stamp_us = self.clock() if stamp_us is None else stamp_us
        return self._commit.append(events, stamp_us, arrived_s or time.time())

    def _written(self, last: int, arrived_s: float) -> None:
        self._receipts.note(last, arrived_s, time.time())
        with self._news:
            self._news.notify()

    @property
    def lag(self) -> int:
        """Entries on disk that are not scored yet."""
        return self.journal.last - self.engine.offset

    def settled(self, timeout_s: float = 60.0) -> None:
        """Wait until all that was submitted has been scored and told.

        Raises
        ------
        LeadlabError
            If that takes longer, or the engine failed.
        """
        until_s = time.monotonic() + timeout_s
        while self._told < self.journal.last:
            if self.status.state == "failed" or time.monotonic() > until_s:
                raise LeadlabError("the engine did not come to rest", got=self.status.failure)
            time.sleep(0.002)

    # -- the engine's thread -----------------------------------------------------------------------

    def _run(self) -> None:
        now_s = time.monotonic()
        tick_s, kept_s = now_s, now_s
        try:
            while True:
                busy = self._step()
                now_s = time.monotonic()
                if now_s - tick_s >= self.pacing.tick_s:
                    tick_s = now_s
                    self._tick()
                if now_s - kept_s >= max(self.pacing.checkpoint_s, SPARING * self._frozen_s):
                    kept_s = now_s
                    self._keep()
                if not busy and not self._wait(min(self.pacing.tick_s, self.pacing.checkpoint_s)):
                    break
        except BaseException as error:
            self.status.failure = f"{type(error).__name__}: {error}"
            self.status.state = "failed"
            raise

    def _wait(self, longest_s: float) -> bool:
        """Wait for news; False when it is time to end."""
        with self._news:
            if self.lag == 0 and not self._switches and not self._stopping:
                self._news.wait(longest_s)
            ending = self._stopping and self.lag == 0
        if self.pacing.linger_s and 0 < self.lag < self.pacing.batch:
            time.sleep(self.pacing.linger_s)
        return not ending

    def _step(self) -> bool:
        """Take one micro-batch; False where there was none."""
        self._switch()
        entries = self.journal.read(self.engine.offset, self._until())
        if not len(entries):
            return False
        if self.pacing.border_us is not None:
            spans = entries.stamps_us // self.pacing.border_us
            entries = entries.take(0, int(np.searchsorted(spans, spans[0], side="right")))
        arrived_s, journalled_s = self._receipts.of(entries)
        with self._lock:
            outcomes = self.engine.take(entries)
        for outcome in outcomes:
            receipt = {"arrived": arrived_s, "journalled": journalled_s, **outcome.receipt}
            self._tell(replace(outcome, receipt=receipt))
        self._told, self._taken_us = self.engine.offset, int(entries.stamps_us[-1])
        if self.status.state == "recovering" and self.engine.offset >= self._replay_to:
            self.status.state = "live"
        until_s = time.monotonic() + TURN_S
        while self._readers and time.monotonic() < until_s:
            time.sleep(0.0001)
        return True

    def _until(self) -> int:
        """Size of the next batch: it ends where another model begins."""
        nearest = min(self.pacing.batch, self.engine.room)
        for name, ahead in self._ahead.items():
            while ahead and ahead[0][0] <= self.engine.offset:
                self.engine.lanes[name].use(ahead.pop(0)[1])
            if ahead:
                nearest = min(nearest, ahead[0][0] - self.engine.offset)
        return nearest

    def _tell(self, outcome: Outcome) -> None:
        outcome.receipt["replayed"] = float(self.status.state == "recovering")
        try:
            self.results.keep(outcome)
        except LeadlabError as error:
            self.status.trouble("results", error)
        outcome.receipt["published"] = time.time()
        for sink in self.sinks:
            try:
                sink.take(outcome)
            except TROUBLE as error:
                self.status.trouble(sink.name, error)

    def _tick(self) -> None:
        if self.status.state != "live":
            return
        now_us = max(self.clock(), self.journal.last_stamp_us)
        if self.lag or self.behind:
            now_us = self._taken_us  # what happened since is still on its way
        for lane in self.engine.lanes.values():
            silent = self.engine.silent(
                lane, now_us - self.pacing.stale_us, now_us - self.pacing.active_us, REREAD
            )
            if len(silent):
                with self._lock:
                    before = lane.reread(silent, now_us)
                self._tell_reread(lane, silent, before)
        for sink in self.sinks:
            if sink.tick is not None:
                try:
                    sink.tick(now_us)
                except TROUBLE as error:
                    self.status.trouble(sink.name, error)

    def _tell_reread(self, lane: Lane, places: NDArray[np.int64], before: NDArray[Any]) -> None:
        for sink in self.sinks:
            if sink.reread is not None:
                try:
                    sink.reread(lane, places, before)
                except TROUBLE as error:
                    self.status.trouble(sink.name, error)

    # -- other models ------------------------------------------------------------------------------

    def promote(self, plan: Plan, lane: str = DEFAULT) -> None:
        """Score what comes from now on by another model, without a pause.

        Raises
        ------
        BadInput
            If the model reads features that the lane does not compute.
        """
        swapped = self.engine.lanes[lane].plan.with_conversion(plan.conversion)
        with self._news:
            self._switches.append((lane, swapped))
            self._news.notify()

    def _switch(self) -> None:
        while self._switches and self.status.state == "live":
            name, plan = self._switches[0]
            try:
                self.journal.note_switch(self.engine.offset, name, plan.version)
            except LeadlabError as error:
                self.status.trouble(f"model {plan.version}", error)
                time.sleep(0.01)  # it is tried again before the next batch
                return
            self._switches.popleft()
            with self._lock:
                self.engine.lanes[name].use(plan)

    # -- checkpoints and reading -------------------------------------------------------------------

    def _keep(self) -> None:
        """Write a checkpoint beside the engine's work, then trim the journal."""
        busy = self._writer is not None and self._writer.is_alive()
        if busy or self.engine.offset == self._kept_at:
            return
        start_s = time.monotonic()
        frozen = frozen_state(self.engine, self.sinks, self.status)
        self._frozen_s = time.monotonic() - start_s
        if frozen is None:
            return
        self._kept_at = self.engine.offset
        self._writer = threading.Thread(target=self._keep_one, args=(frozen,), daemon=True)
        self._writer.start()

    def _keep_one(self, frozen: checkpoint.Frozen) -> None:
        folder, least = self.home / "checkpoints", self.pacing.keep
        keep(frozen, folder, self.journal, self.results, least, self.status)

    @contextmanager
    def reading(self) -> Iterator[LiveEngine]:
        """The engine between two batches, for a reader in any thread; be brief."""
        with self._door:
            with self._news:
                self._readers += 1
            try:
                with self._lock:
                    yield self.engine
            finally:
                with self._news:
                    self._readers -= 1

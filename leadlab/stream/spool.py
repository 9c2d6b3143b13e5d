"""Publishing that goes on while the bus is away: what comes waits on our own disk, in order."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from leadlab.errors import LeadlabError, Overloaded, StoreFailed
from leadlab.schema.wire import WireEvent
from leadlab.stream.backoff import Backoff
from leadlab.stream.bus import Bus, Published
from leadlab.stream.journal import Journal

_READER = "bus"
_SENT = 1024
"""Events handed to the bus at once while catching up."""
State = Literal["up", "spooling", "full"]


@dataclass(frozen=True, slots=True)
class SpoolStatus:
    """How publishing stands.

    Attributes
    ----------
    state : "up", "spooling" or "full"
        "spooling" until everything that waits was handed on, also when the bus is back.
    waiting : int
        Events on this machine's disk that the bus does not have yet.
    published, spooled, caught_up, refused : int
        Events since the start: straight to the bus; to the disk; from there to the bus; turned
        away because too many waited.
    failures : int
        Times that the bus could not be reached.
    error : str
        What went wrong last.
    """

    state: State = "up"
    waiting: int = 0
    published: int = 0
    spooled: int = 0
    caught_up: int = 0
    refused: int = 0
    failures: int = 0
    error: str = ""


class SpoolingPublisher:
    """Publishes to a bus; while it is away to a journal of its own, from where it catches up.

    Once one event waits, all that come after it wait behind it, so each lead's order is kept. Any
    thread may publish.

    Parameters
    ----------
    open_bus : callable
        Opens the bus; called again for as long as it raises `StoreFailed`.
    path : Path
        Journal for what waits; what an earlier process left there is handed on first.
    clock_us : callable
        Microseconds UTC.
    rng : random.Random
        For the waits between tries.
    most : int
        Events that may wait.

    Examples
    --------
    >>> import tempfile
    >>> from leadlab.stream.journal_bus import JournalBus
    >>> folder = tempfile.TemporaryDirectory()
    >>> clock_us = lambda: 7
    >>> publisher = SpoolingPublisher(
    ...     lambda: JournalBus(Path(folder.name) / "bus", clock_us=clock_us),
    ...     Path(folder.name) / "spool.db", clock_us=clock_us, rng=random.Random(0))
    >>> publisher.publish([WireEvent("e1", "default", "ann", "Inquiry", 5)]).spooled
    False
    >>> publisher.status().published
    1
    >>> publisher.close(); folder.cleanup()
    """

    def __init__(
        self,
        open_bus: Callable[[], Bus],
        path: Path,
        *,
        clock_us: Callable[[], int],
        rng: random.Random,
        most: int = 1_000_000,
    ) -> None:
        self._open_bus, self._bus = open_bus, None
        self._opening, self._lock = threading.Lock(), threading.Lock()
        self._spool = Journal(path)
        self._sent = self._spool.position(_READER)
        self.clock_us, self.most = clock_us, most
        self._backoff = Backoff(rng)
        self._status = SpoolStatus("spooling" if self._waiting() else "up")
        self._behind, self._stop = threading.Event(), threading.Event()
        if self._waiting():
            self._behind.set()
        self._thread = threading.Thread(target=self._follow, name="spool", daemon=True)
        self._thread.start()

    _bus: Bus | None

    def status(self) -> SpoolStatus:
        """How it stands now."""
        with self._lock:
            return replace(self._status, waiting=self._waiting())

    def close(self) -> None:
        """Stop; what waits stays on disk for the next start."""
        self._stop.set()
        self._behind.set()
        self._thread.join()
        self._spool.close()
        if self._bus is not None:
            self._bus.close()

    # -- publishing --------------------------------------------------------------------------------

    def publish(self, events: Sequence[WireEvent]) -> Published:
        """Take events; they are on a disk, the bus's or ours, when this returns.

        Raises
        ------
        Overloaded
            If too much waits, at the bus or here; nothing is lost, try again later.
        StoreFailed
            If the bus is away and our own disk fails.
        """
        with self._lock:
            if self._status.state != "up":
                return self._aside(events)
        try:
            published = self._opened().publish(events)
        except StoreFailed as error:
            with self._lock:
                self._note(error)
                if self._status.state == "up":
                    self._status = replace(self._status, state="spooling")
                self._behind.set()
                return self._aside(events)
        with self._lock:
            self._count(published=len(events))
        return published

    def _aside(self, events: Sequence[WireEvent]) -> Published:
        """To the disk; for who has the lock."""
        waiting = self._waiting()
        if waiting + len(events) > self.most:
            self._status = replace(self._status, state="full")
            self._count(refused=len(events))
            raise Overloaded(
                "the bus is away and no more may wait here", where=str(self._spool.path),
                got=f"{waiting:,} waiting", expected=f"up to {self.most:,}",
                hint="Bring the bus back; what waits is handed on by itself.",
            )  # fmt: skip
        appended = self._spool.append(events, self.clock_us())
        self._count(spooled=appended.new)
        return Published(appended.offsets > 0, spooled=True)

    def _opened(self) -> Bus:
        with self._opening:
            if self._bus is None:
                self._bus = self._open_bus()
            return self._bus

    def _waiting(self) -> int:
        return self._spool.last - self._sent

    def _count(self, **more: int) -> None:
        now = {name: getattr(self._status, name) + n for name, n in more.items()}
        self._status = replace(self._status, **now)

    def _note(self, error: LeadlabError) -> None:
        self._count(failures=1)
        self._status = replace(self._status, error=str(error))

    # -- catching up -------------------------------------------------------------------------------

    def _follow(self) -> None:
        """Hand on what waits, for as long as this lives."""
        while self._behind.wait() and not self._stop.is_set():
            try:
                self._catch_up()
                self._backoff.reset()
            except LeadlabError as error:
                with self._lock:
                    self._note(error)
                self._stop.wait(self._backoff.next_s())

    def _catch_up(self) -> None:
        while not self._stop.is_set():
            entries = self._spool.read(self._sent, _SENT)
            if len(entries):
                self._opened().publish(entries.events)
                self._spool.commit(_READER, entries.last)
                with self._lock:
                    self._sent = entries.last
                    self._count(caught_up=len(entries))
                    self._status = replace(self._status, state="spooling")
                self._backoff.reset()
            elif self._empty():
                return

    def _empty(self) -> bool:
        """Go back to the bus if nothing came in the meantime."""
        with self._lock:
            if self._waiting():
                return False
            self._spool.trim(self._sent)
            self._behind.clear()
            self._status = replace(self._status, state="up")
            return True

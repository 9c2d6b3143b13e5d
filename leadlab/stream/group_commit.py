"""Many callers, one commit: whoever comes first writes for all who wait."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from leadlab.errors import BadInput, LeadlabError
from leadlab.schema.wire import WireEvent
from leadlab.stream.journal import Appended, Journal


@dataclass(slots=True, eq=False)
class _Waiting:
    events: Sequence[WireEvent]
    stamp_us: int
    arrived_s: float
    done: threading.Event = field(default_factory=threading.Event)
    got: Appended | None = None
    error: LeadlabError | None = None


class GroupCommit:
    """Appends to a journal from any thread, each call durable when it returns.

    While one call is being written, those that come meanwhile gather, and the next to write takes
    them all in one transaction; so a flush of the disk is shared by as many as wait for it.

    Parameters
    ----------
    journal : Journal
    written : callable
        Told (last offset, arrival of the oldest in clock seconds) after each transaction.
    most : int
        Events of one transaction, about.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     journal = Journal(Path(folder) / "journal.db")
    ...     commit = GroupCommit(journal, lambda last, arrived_s: None)
    ...     event = WireEvent("e1", "acme", "ann", "Inquiry", 5)
    ...     got = commit.append([event], stamp_us=6, arrived_s=0.0)
    ...     journal.close()
    >>> got.offsets.tolist()
    [1]
    """

    def __init__(
        self, journal: Journal, written: Callable[[int, float], None], *, most: int = 8192
    ) -> None:
        self._journal = journal
        self._written = written
        self._most = most
        self._gate = threading.Lock()
        self._writing = threading.Lock()
        self._waiting: list[_Waiting] = []

    def append(self, events: Sequence[WireEvent], stamp_us: int, arrived_s: float) -> Appended:
        """Append; see `Journal.append`.

        Raises
        ------
        StoreFailed
            If the disk is full or fails; then nothing of these events was appended.
        BadInput
            If one of these events cannot be packed; then none of them was appended.
        """
        mine = _Waiting(events, stamp_us, arrived_s)
        with self._gate:
            self._waiting.append(mine)
        with self._writing:
            while not mine.done.is_set():
                self._write(self._group())
        if mine.error is not None:
            raise mine.error
        if mine.got is None:
            raise LeadlabError("a commit ended without an answer")
        return mine.got

    def _group(self) -> list[_Waiting]:
        with self._gate:
            size, count = 0, 0
            for one in self._waiting:
                size += len(one.events)
                count += 1
                if size >= self._most:
                    break
            group, self._waiting = self._waiting[:count], self._waiting[count:]
        return group

    def _write(self, group: list[_Waiting]) -> None:
        events = [event for one in group for event in one.events]
        try:
            got = self._journal.append(events, min(one.stamp_us for one in group))
        except (LeadlabError, ValueError, OverflowError, MemoryError) as failure:
            error = (
                failure
                if isinstance(failure, LeadlabError)
                else BadInput("events that cannot be journalled", got=str(failure)[:200])
            )
            if isinstance(error, BadInput) and len(group) > 1:
                for one in group:
                    self._write([one])  # the others are not to pay for one that is unusable
                return
            for one in group:
                one.error = error
                one.done.set()
            return
        if got.new:
            self._written(int(got.offsets.max()), min(one.arrived_s for one in group))
        at = 0
        for one in group:
            end = at + len(one.events)
            one.got = Appended(np.asarray(got.offsets[at:end]), got.stamp_us)
            one.done.set()
            at = end

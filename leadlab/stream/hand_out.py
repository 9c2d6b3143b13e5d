"""What a consumer has of one partition, and what of it may be handed out next.

Both buses deliver by these rules; where counts and offsets are kept is theirs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from leadlab.stream.bus import MOST_TRIES, DeadLetter, Delivery
from leadlab.stream.entries import Entries, joined


@dataclass
class HandOut:
    """One partition in the hands of one consumer.

    Attributes
    ----------
    partition : int
    done : int
        Offset that the group has committed.
    given : int
        Offset of the last event handed out; not below `done`.
    waiting : deque of (Entries, int)
        Fetched and not handed out yet, oldest first, with how often they have been fetched.
    """

    partition: int
    done: int
    given: int
    waiting: deque[tuple[Entries, int]] = field(default_factory=deque)

    def next(
        self, most: int, again: Callable[[int], int], bury: Callable[[DeadLetter], None]
    ) -> Delivery | None:
        """Give `most` events at most; None where nothing may be handed out now.

        Parameters
        ----------
        most : int
        again : callable
            Counts one more try of the event at an offset, delivered alone, and gives the count.
        bury : callable
            Makes a dead letter and commits it.
        """
        while self._front() is not None:
            if self.waiting[0][1] <= MOST_TRIES:
                return self._stretch(most)
            if self.given > self.done:
                return None
            alone = self.waiting[0][0].take(0, 1)
            tries = again(alone.last)
            if tries <= MOST_TRIES:
                self.given = alone.last
                return Delivery(self.partition, alone, tries)
            bury(DeadLetter(self.partition, alone.last, tries - 1, alone.events[0]))
            self.done = self.given = alone.last
        return None

    def _front(self) -> Entries | None:
        """What waits longest, without what was handed out."""
        while self.waiting:
            entries, tries = self.waiting[0]
            if entries.last > self.given:
                skip = max(self.given + 1 - int(entries.offsets[0]), 0)
                self.waiting[0] = (entries.take(skip, len(entries)), tries)
                return self.waiting[0][0]
            self.waiting.popleft()
        return None

    def _stretch(self, most: int) -> Delivery:
        """All that follows in one piece and is as old in tries."""
        parts: list[Entries] = []
        room, tries = most, self.waiting[0][1]
        while room > 0 and self._front() is not None and self.waiting[0][1] == tries:
            parts.append(self.waiting[0][0].take(0, room))
            self.given = parts[-1].last
            room -= len(parts[-1])
        return Delivery(self.partition, joined(parts), tries)

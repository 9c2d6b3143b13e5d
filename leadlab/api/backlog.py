"""Messages in order of their last change: the newest of each key, numbered, bounded.

One backlog serves any number of readers. A reader that remembers the number of the last message it
saw asks for those above it, and gets the newest of each key that changed since: what a queue of its
own would hold once older values had given way to newer ones. A replaced message moves to the end,
so numbers rise along the backlog and one number says everything about where a reader stands.
"""

from __future__ import annotations

from collections import OrderedDict
from itertools import takewhile

from leadlab.errors import BadInput
from leadlab.stream.message import Message

Key = tuple[str, str]
"""Topic and key of a message."""


class Entry:
    """A numbered message of one tenant.

    Attributes
    ----------
    number : int
    message : Message
    left : dict of str to int
        Number of the message that said last that the key had left a tier.
    content : bytes or None
        The message as JSON, once somebody needed it.
    """

    __slots__ = ("content", "left", "message", "number")

    def __init__(self, number: int, message: Message, before: Entry | None = None) -> None:
        self.number = number
        self.message = message
        self.content: bytes | None = None
        left: dict[str, int] = {} if before is None else before.left
        tier = message.body.get("tier_before") if before is None else before.message.tier
        if isinstance(tier, str) and tier != message.tier:
            left = {**left, tier: number}
        self.left: dict[str, int] = left


class Backlog:
    """Entries of distinct keys, numbers rising.

    Parameters
    ----------
    capacity : int, optional
        Entries kept; the oldest go first. Unbounded without.

    Attributes
    ----------
    floor : int
        Highest number that gave way to newer keys: who stands below it has missed something.

    Raises
    ------
    BadInput
        If there is no room for a single entry.

    Examples
    --------
    >>> backlog = Backlog(2)
    >>> for number, lead in enumerate(["ann", "bo", "ann"], 1):
    ...     backlog.add(Message(topic="scores", tenant="t", at_us=0, key=lead), number)
    >>> [(entry.number, entry.message.key) for entry in backlog.since(0)], backlog.floor
    ([(2, 'bo'), (3, 'ann')], 0)
    """

    def __init__(self, capacity: int | None = None) -> None:
        if capacity is not None and capacity < 1:
            raise BadInput("a backlog needs room", got=capacity, expected="at least 1")
        self.floor = 0
        self._capacity = capacity
        self._entries: OrderedDict[Key, Entry] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, message: Message, number: int) -> None:
        """Number a message, in place of the one of its key."""
        key = (message.topic, message.key)
        self.put(Entry(number, message, self._entries.get(key)))

    def put(self, entry: Entry) -> None:
        """Keep an entry, in place of the one of its key."""
        key = (entry.message.topic, entry.message.key)
        self._entries[key] = entry
        self._entries.move_to_end(key)
        if self._capacity is not None and len(self._entries) > self._capacity:
            self.floor = self._entries.popitem(last=False)[1].number

    def since(self, number: int) -> list[Entry]:
        """Entries above `number`, rising; costs as much as there are."""
        newest_first = reversed(self._entries.values())
        return [*takewhile(lambda entry: entry.number > number, newest_first)][::-1]

    def forget(self, number: int) -> None:
        """Drop what every reader has seen: entries up to `number`."""
        entries = self._entries
        while entries and next(iter(entries.values())).number <= number:
            entries.popitem(last=False)

"""One-time tickets, for browsers that cannot send a header with a stream."""

from __future__ import annotations

import secrets
import threading
from hashlib import sha256

from leadlab.api.identity import Principal
from leadlab.errors import NotProven, TooMuch


class Tickets:
    """Short-lived, single-use stand-ins for a proof of who asks.

    They live in this process: the stream is to be opened where the ticket was given.

    Parameters
    ----------
    seconds : float, default=30
        How long a ticket holds.
    most : int, default=10_000
        Tickets that may be out at once.

    Examples
    --------
    >>> ann = Principal("acme", "ann", "viewer", frozenset(), None, "jwt:ann")
    >>> tickets = Tickets()
    >>> ticket = tickets.give(ann, now_s=100.0)
    >>> tickets.take(ticket, now_s=101.0) == ann
    True
    >>> tickets.take(ticket, now_s=101.0)
    Traceback (most recent call last):
    leadlab.errors.NotProven: the ticket is unknown, used or too old
    """

    def __init__(self, seconds: float = 30.0, most: int = 10_000) -> None:
        self.seconds = seconds
        self.most = most
        self._out: dict[bytes, tuple[float, Principal]] = {}
        self._lock = threading.Lock()

    def give(self, principal: Principal, now_s: float) -> str:
        """A new ticket.

        Raises
        ------
        TooMuch
            If too many are out.
        """
        ticket = secrets.token_urlsafe(32)
        with self._lock:
            # Oldest first, as they were given: one look at each that is too old.
            while self._out and next(iter(self._out.values()))[0] <= now_s:
                self._out.pop(next(iter(self._out)))
            if len(self._out) >= self.most:
                raise TooMuch("too many tickets are out", retry_after_s=int(self.seconds))
            self._out[_key(ticket)] = (now_s + self.seconds, principal)
        return ticket

    def take(self, ticket: str, now_s: float) -> Principal:
        """Who was given `ticket`; it is used up by that.

        Raises
        ------
        NotProven
            If it was never given, was used, or is too old.
        """
        with self._lock:
            until_s, principal = self._out.pop(_key(ticket), (float("-inf"), None))
        if principal is None or until_s <= now_s:
            raise NotProven("the ticket is unknown, used or too old")
        return principal


def _key(ticket: str) -> bytes:
    """A hash, so that looking one up tells nothing of the others by its time."""
    return sha256(ticket.encode()).digest()

"""The history of an alert: what happened to it, when, by whom."""

from __future__ import annotations

import sqlite3

import msgspec

MOST = 500
"""Characters of a note."""


class Step(msgspec.Struct, frozen=True):
    """A line of an alert's history.

    Attributes
    ----------
    at_us : int
    what : str
        "raised", "dropped", "delivered", "failed", "given up", "escalated", "acknowledged",
        "snoozed" or "resolved".
    who : str or None
    note : str
    """

    at_us: int
    what: str
    who: str | None
    note: str


def note(
    db: sqlite3.Connection, alert: str, at_us: int, what: str, who: str | None, text: str = ""
) -> None:
    """Write a line, within the transaction that does what it tells."""
    db.execute(
        "INSERT INTO history (alert, at_us, what, who, note) VALUES (?, ?, ?, ?, ?)",
        (alert, at_us, what, who, text[:MOST]),
    )

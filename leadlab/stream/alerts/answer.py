"""What a way out says of one delivery."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leadlab.stream.alerts.alert import Alert


@dataclass(frozen=True, slots=True)
class Answer:
    """Delivered or not.

    Attributes
    ----------
    ok : bool
    again : bool
        Whether another attempt may succeed.
    note : str
        For the history: no secrets, no addresses of people.
    wait_s : float
        Least wait that the receiver asked for.
    """

    ok: bool
    again: bool = True
    note: str = ""
    wait_s: float = 0.0


Sender = Callable[["Alert", str], Answer]
"""Takes an alert and the idempotency key of the delivery; never raises for what is foreseeable."""

"""What happens, in flat columns, before it becomes an event log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlab.data.brokerage.draws import Keys
from leadlab.schema.kinds import CONVERTED, LOST

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
NO_LISTING = -1
KINDS = (
    "Registration", "Agent Assigned", "Property Inquiry", "General Inquiry", "Seller Inquiry",
    "Visited Website", "Property Search", "Saved Property Search", "Viewed Property",
    "Saved Property", "Discarded Property", "Email Opened", "Email Clicked", "Unsubscribed",
    "Incoming Message", "Incoming Email", "Incoming Call", "Outgoing Message", "Outgoing Email",
    "Outgoing Call", "Listing Recommended", "Visited Open House", "Showing Requested",
    "Showing Scheduled", "Showing Completed", "Showing Cancelled", "Offer Submitted",
    "Offer Accepted", "Offer Rejected", "Contract Cancelled", CONVERTED, LOST,
)  # fmt: skip
CODE = {name: code for code, name in enumerate(KINDS)}


@dataclass(frozen=True, eq=False)
class Happening:
    """Events in flat arrays of shape (n,).

    Attributes
    ----------
    day : float array
        Days since the clock's origin.
    decided : float array
        When it was settled that the event would come: a viewing with the visit it belongs to, a
        showing with the request for it. Never after `day`.
    lead : int array
    kind : int array
        Position in `KINDS`.
    key : uint64 array
        Of all that is drawn for the event; no two events share one.
    listing : int array
        -1 where none.
    state : int array
        Of hidden intent when it was decided.
    """

    day: F64
    decided: F64
    lead: I64
    kind: I64
    key: Keys
    listing: I64
    state: I64

    def __len__(self) -> int:
        return len(self.day)

    def take(self, rows: NDArray[Any]) -> Happening:
        """Rows by position or mask."""
        return Happening(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


def told(
    kind: str | NDArray[Any],
    day: F64,
    lead: I64,
    key: Keys,
    state: I64,
    decided: F64 | None = None,
    listing: I64 | None = None,
) -> Happening:
    """Put events of one kind (or of the kinds given by code) into columns.

    Examples
    --------
    >>> one = np.ones(1, np.int64)
    >>> KINDS[told("Lost", np.ones(1), one, one.astype(np.uint64), one).kind[0]]
    'Lost'
    """
    code = np.full(len(day), CODE[kind]) if isinstance(kind, str) else kind
    none = np.full(len(day), NO_LISTING)
    at = day if decided is None else decided
    return Happening(day, at, lead, code, key, none if listing is None else listing, state)


def joined(parts: Sequence[Happening]) -> Happening:
    """All parts in one, in the order given."""
    return Happening(
        **{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Happening)}
    )

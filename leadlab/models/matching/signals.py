"""What leads do with homes, and what each deed says: views, saves, discards and showings."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlab.models.matching.catalogue import Catalogue
from leadlab.schema.log import Coded, EventLog

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
VIEW, SAVE, DISCARD = "Viewed Property", "Saved Property", "Discarded Property"
WEIGHTS = MappingProxyType(
    {
        VIEW: 1.0,
        SAVE: 3.0,
        DISCARD: -2.0,
        "Property Inquiry": 3.0,
        "Showing Requested": 3.0,
        "Showing Completed": 1.0,
        "Showing Cancelled": -1.0,
        "Visited Open House": 2.0,
        "Offer Submitted": 5.0,
    }
)
"""How much each deed says for a home, a view being 1; set by hand, not fitted."""
GRADES = MappingProxyType(
    {
        VIEW: 1,
        SAVE: 2,
        "Property Inquiry": 2,
        "Visited Open House": 2,
        "Showing Requested": 3,
        "Showing Completed": 3,
        "Offer Submitted": 3,
    }
)
"""What a deed counts as when rankings are learned and judged by what came later."""
INTERESTS = tuple(kind for kind, grade in GRADES.items() if grade >= 2)
"""Deeds that say more than a look."""


@dataclass(frozen=True, eq=False)
class Deeds:
    """Deeds of leads on homes in order of time, flat arrays of shape (n,).

    Attributes
    ----------
    lead : int array
        Position in `leads`.
    leads : object array
        Names.
    home : int array
        Row of the catalogue.
    weight : float array
        Of `WEIGHTS`.
    grade : int array
        Of `GRADES`, 0 for others.
    at_us : int array
    unlisted : int
        Deeds left out because the catalogue does not hold their home.
    """

    lead: I64
    leads: NDArray[np.object_]
    home: I64
    weight: F64
    grade: I64
    at_us: I64
    unlisted: int = 0

    def __len__(self) -> int:
        return len(self.lead)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Deeds:
        """Rows by position or mask."""
        parts = (self.home[rows], self.weight[rows], self.grade[rows], self.at_us[rows])
        return Deeds(self.lead[rows], self.leads, *parts, self.unlisted)

    def by_lead(self) -> list[I64]:
        """Rows of each lead, in order of time."""
        order = np.argsort(self.lead, kind="stable")
        bounds = np.searchsorted(self.lead[order], np.arange(len(self.leads) + 1))
        return [order[a:b] for a, b in pairwise(bounds)]


def deeds(log: EventLog, homes: Catalogue) -> Deeds:
    """Find what leads did with homes of the catalogue.

    Examples
    --------
    >>> frame = pd.DataFrame({
    ...     "lead": ["a", "a"], "kind": [VIEW, "Email Opened"], "listing": ["L1", None],
    ...     "at": ["2025-01-01", "2025-01-02"]})
    >>> log = EventLog.from_frame(
    ...     frame, lead="lead", kind="kind", at="at", data=["listing"])
    >>> homes = Catalogue.prepare(pd.DataFrame({"listing_key": ["L1"]}))
    >>> found = deeds(log, homes)
    >>> found.leads[found.lead].tolist(), found.home.tolist(), found.weight.tolist()
    (['a'], [0], [1.0])
    """
    names = log.kind.names
    weight = np.array([*(WEIGHTS.get(str(n), 0.0) for n in names), 0.0])[log.kind.codes]
    grade = np.array([*(GRADES.get(str(n), 0) for n in names), 0])[log.kind.codes]
    rows = np.flatnonzero(weight != 0)
    column = log.data.get("listing")
    home = np.full(len(rows), -1, np.int64)
    if isinstance(column, Coded):
        row_of = np.append(homes.rows(np.asarray(column.names, dtype=object)), -1)
        home = row_of[column.codes[rows]]
    rows, home = rows[home >= 0], home[home >= 0]
    order = np.argsort(log.at_us[rows], kind="stable")
    rows, home = rows[order], home[order]
    code, leads = pd.factorize(log.lead.codes[rows])
    return Deeds(
        code.astype(np.int64),
        np.asarray(log.lead.names, dtype=object)[leads],
        home,
        weight[rows],
        grade[rows].astype(np.int64),
        log.at_us[rows],
        int((weight != 0).sum()) - len(rows),
    )

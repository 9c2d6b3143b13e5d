"""What a leak check found, and what somebody decided about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from leadlab.errors import UnknownName
from leadlab.models.validation.plain import plain

ROWS = "(rows)"
"""Stands for the table as a whole where a flag names a column."""


@dataclass(frozen=True, slots=True)
class Flag:
    """One suspicion.

    Attributes
    ----------
    column : str
        "(rows)" for the table as a whole.
    kind : str
        "declared later", "later than its row", "nearly the target", "near-perfect alone",
        "strong alone", "missing tells", "one outcome only", "names the row", "copy of another",
        "by its name", "filled together" or "copies of rows".
    figure : float
        What was measured: an AUC, a share, a rate; see `why`.
    why, suggestion : str
        In words.
    """

    column: str
    kind: str
    figure: float
    why: str
    suggestion: str


@dataclass(frozen=True)
class Decision:
    """What became of flagged columns, and who said so.

    Attributes
    ----------
    dropped, kept : tuple of str
        Flagged columns.
    by : str
        Whose decision.
    """

    dropped: tuple[str, ...]
    kept: tuple[str, ...]
    by: str

    def say(self) -> str:
        """One sentence for a model's results."""
        out, stay = (", ".join(names) or "none" for names in (self.dropped, self.kept))
        return f"Columns flagged by the leak check: left out {out}; kept {stay}; by {self.by}."


@dataclass(frozen=True)
class LeakReport:
    """What looks suspicious in a table; nothing of it was changed.

    Attributes
    ----------
    flags : tuple of Flag
        By column in the table's order.
    rows, columns : int
        Size of the table.
    """

    flags: tuple[Flag, ...]
    rows: int
    columns: int

    @property
    def flagged(self) -> tuple[str, ...]:
        """Columns with a flag."""
        return tuple(dict.fromkeys(f.column for f in self.flags if f.column != ROWS))

    @property
    def table(self) -> pd.DataFrame:
        """One row a flag."""
        names = ["column", "kind", "figure", "why", "suggestion"]
        return pd.DataFrame([asdict(flag) for flag in self.flags], columns=names)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        found: dict[str, Any] = plain(
            {
                "rows": self.rows,
                "columns": self.columns,
                "flagged": list(self.flagged),
                "flags": [asdict(flag) for flag in self.flags],
            }
        )
        return found

    def decide(self, drop: Iterable[str], by: str) -> Decision:
        """Record which flagged columns are left out, and by whose decision.

        Raises
        ------
        UnknownName
            If a column to drop was not flagged.
        """
        chosen = tuple(drop)
        for name in chosen:
            if name not in self.flagged:
                raise UnknownName("flagged column", name, self.flagged)
        return Decision(chosen, tuple(n for n in self.flagged if n not in chosen), by)

"""Rows of an outcome as rules see them: by the name of a field, each column made once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlab.errors import BadInput
from leadlab.schema.log import Coded
from leadlab.stream.alerts.fields import FEATURE
from leadlab.stream.alerts.memory import F64, I64, Bools
from leadlab.stream.outcome import NO_TIER, TIERS, Outcome

_BEFORE = {"probability": "previous", "tier": "tier_before"}
_NAMES = ("kind", "agent", "source", "tenant", "lead")


class Batch:
    """An outcome, its stream times, and its columns by name.

    Parameters
    ----------
    outcome : Outcome
        At least one row.
    stream_us : int
        Stream time before it.

    Attributes
    ----------
    times : int64 array, shape (n,)
        Stream time of each row: the latest moment that any row so far was scored as of.
    places : int64 array, shape (n,)
    room : int
        Above every place.
    """

    def __init__(self, outcome: Outcome, stream_us: int) -> None:
        self.rows, self.events, self.outcome = outcome.rows, outcome.events, outcome
        self.times: I64 = np.maximum(np.maximum.accumulate(self.rows["as_of_us"]), stream_us)
        self.places: I64 = self.rows["place"].astype(np.int64)
        self.room = int(self.places.max()) + 1
        self._unknown = np.full(len(self.rows), np.nan)
        self._numbers: dict[str, F64] = {}

    def __len__(self) -> int:
        return len(self.rows)

    def number(self, field: str) -> F64:
        """A number of each row; NaN where unknown.

        Raises
        ------
        UnknownName
            For a feature that the model does not have.
        """
        found = self._numbers.get(field)
        if found is None:
            found = self._numbers[field] = self._number(field)
        return found

    def _number(self, field: str) -> F64:
        if field.startswith(FEATURE):
            return self._feature(field.removeprefix(FEATURE))
        if field == "value":
            return self.events.value
        if field == "change":
            return np.asarray(self.rows["probability"] - self.rows["previous"])
        column = np.asarray(self.rows[field], np.float64)
        return np.where(column == NO_TIER, np.nan, column) if field.startswith("tier") else column

    def _feature(self, name: str) -> F64:
        scores = self.outcome.scores
        if scores is None:
            return self._unknown
        if len(scores) != len(self):
            raise BadInput("scores of other rows", got=len(scores), expected=len(self))
        return scores.table.column(name).astype(np.float64)

    def before(self, field: str) -> F64:
        """The value before, where rows bring it along."""
        return self.number(_BEFORE[field]) if field in _BEFORE else self._unknown

    def named(self, field: str, names: Collection[str]) -> Bools:
        """Rows whose text is one of `names`; the tier counts as a text here."""
        if field == "tier":
            return np.isin(self.rows["tier"], [i for i, t in enumerate(TIERS) if t in names])
        return chosen(self._coded(field), names)

    def present(self, field: str) -> Bools:
        """Rows that have a text in this field."""
        return self._coded(field).codes >= 0

    def text(self, field: str, row: int) -> str | None:
        """One text."""
        column = self._coded(field)
        code = int(column.codes[row])
        return None if code < 0 else str(column.names[code])

    def _coded(self, field: str) -> Coded:
        if field == "agent" and self.outcome.agents:
            return self._agents()
        column: Coded = getattr(self.events, field)
        return column

    def _agents(self) -> Coded:
        """Who looks after each row's lead, which an event need not say."""
        codes, back = np.unique(self.rows["agent"], return_inverse=True)
        names = np.array([self.outcome.agents[c - 1] for c in codes if c > 0], dtype=object)
        shift = 1 if len(codes) and codes[0] == 0 else 0
        return Coded((back - shift).astype(np.int32), names)

    def details(self, row: int) -> dict[str, Any]:
        """What may be said of a row; None for a text that is missing."""
        at = self.rows[row]
        told: dict[str, Any] = {name: self.text(name, row) for name in _NAMES}
        tier = int(at["tier"])
        told["tier"] = TIERS[tier] if tier != NO_TIER else None
        told["event"] = str(self.events.id[row])
        for name in ("probability", "previous", "churn"):
            told[name] = float(at[name])
        told["value"] = float(self.events.value[row])
        return told


def chosen(column: Coded, names: Collection[str]) -> Bools:
    """Rows of a column of texts that bear one of some names.

    Examples
    --------
    >>> chosen(Coded.of(["a", "b", None, "a"]), {"a"}).tolist()
    [True, False, False, True]
    """
    wanted = np.zeros(len(column.names) + 1, np.bool_)
    for name in names:
        code = column.index.get(name)
        if code is not None:
            wanted[code] = True
    found: Bools = wanted[column.codes]
    return found


def meanings(column: Coded, by_kind: Mapping[str, int], otherwise: int) -> NDArray[np.int8]:
    """A code of each row by its text.

    Examples
    --------
    >>> meanings(Coded.of(["a", "b"]), {"b": 3}, 1).tolist()
    [1, 3]
    """
    codes = np.full(len(column.names) + 1, otherwise, np.int8)
    for name, code in by_kind.items():
        at = column.index.get(name)
        if at is not None:
            codes[at] = code
    found: NDArray[np.int8] = codes[column.codes]
    return found

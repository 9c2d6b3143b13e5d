"""The event log: what happened to which lead, in flat columns, always in canonical order.

Canonical order is by time, then by the 64-bit hash of the event's id. It does not depend on how
the events arrived, so everything computed along it does not either.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlab.errors import BadInput

if TYPE_CHECKING:
    from leadlab.schema.event import Event

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
U64 = NDArray[np.uint64]
F64 = NDArray[np.float64]
Names = NDArray[np.object_]

US_PER_S = 1_000_000
MISSING = -1
"""Code of a missing entry in a `Coded` column."""


@dataclass(frozen=True, eq=False)
class Coded:
    """A text column as integer codes into its distinct names.

    Attributes
    ----------
    codes : int32 array, shape (n,)
        Index into `names`; -1 where missing.
    names : object array of str, shape (k,)
        Each name once.

    Examples
    --------
    >>> column = Coded.of(["sms", "email", None, "sms"])
    >>> column.codes.tolist(), column.names.tolist()
    ([0, 1, -1, 0], ['sms', 'email'])
    """

    codes: I32
    names: Names

    @classmethod
    def of(cls, values: Iterable[str | None]) -> Coded:
        """Code `values` in order of first appearance; None, NaN and "" are missing."""
        column = pd.Series(values, dtype=object)
        column = column.where(column.notna() & (column != ""), None)
        codes, names = pd.factorize(column)
        return cls(codes.astype(np.int32), np.asarray(names, dtype=object))

    @classmethod
    def constant(cls, name: str | None, n: int) -> Coded:
        """`n` times the same name, or `n` missing entries."""
        if name is None:
            return cls(np.full(n, MISSING, np.int32), np.empty(0, object))
        return cls(np.zeros(n, np.int32), np.array([name], dtype=object))

    def __len__(self) -> int:
        return len(self.codes)

    @cached_property
    def index(self) -> dict[str, int]:
        """Code of each name."""
        return {name: code for code, name in enumerate(self.names)}

    def take(self, rows: NDArray[Any]) -> Coded:
        """Rows by position or mask; the names stay as they are."""
        return Coded(self.codes[rows], self.names)

    def compact(self) -> Coded:
        """Only the names that occur, in order of first appearance."""
        codes, used = pd.factorize(np.where(self.codes < 0, np.nan, self.codes))
        return Coded(codes.astype(np.int32), self.names[used.astype(np.int64)])

    def values(self) -> Names:
        """Write the column out as text, None where missing."""
        padded = np.full(len(self.names) + 1, None, dtype=object)
        padded[:-1] = self.names
        taken: Names = padded[self.codes]
        return taken


Column = Coded | F64


def _concat_coded(parts: Sequence[Coded]) -> Coded:
    """Join columns and merge their names."""
    pooled = np.concatenate([p.names for p in parts]) if parts else np.empty(0, object)
    codes, names = pd.factorize(pooled) if len(pooled) else (np.empty(0, np.int64), pooled)
    shifted, start = [], 0
    for p in parts:
        mapping = np.append(codes[start : start + len(p.names)], MISSING).astype(np.int32)
        shifted.append(mapping[p.codes])
        start += len(p.names)
    joined = np.concatenate(shifted) if shifted else np.empty(0, np.int32)
    return Coded(joined, np.asarray(names, dtype=object))


def _is_blank(column: Column) -> bool:
    codes_or_nan = column.codes < 0 if isinstance(column, Coded) else np.isnan(column)
    return bool(codes_or_nan.all())


def _concat(parts: Sequence[Column | None], sizes: Sequence[int], where: str) -> Column:
    """Join one column of several logs; a log without it gives missing entries.

    A column that is missing throughout says nothing of its type: it joins either.
    """
    some = [None if p is None or _is_blank(p) else p for p in parts]
    if any(p is not None for p in some):
        parts = some
    kinds = {isinstance(p, Coded) for p in parts if p is not None}
    if len(kinds) > 1:
        raise BadInput("a column is text in one log and a number in another", where=where)
    if kinds == {True}:
        return _concat_coded(
            [
                p if isinstance(p, Coded) else Coded.constant(None, n)
                for p, n in zip(parts, sizes, strict=True)
            ]
        )
    numbers = [np.full(n, np.nan) if p is None else p for p, n in zip(parts, sizes, strict=True)]
    return np.concatenate([np.asarray(p, np.float64) for p in numbers])


@dataclass(frozen=True, eq=False)
class EventLog:
    """Events in canonical order, one flat array per field.

    Build one with `EventLog.from_frame`, `EventLog.from_events` or `leadlab.schema.codec`.

    Attributes
    ----------
    id : object array of str, shape (n,)
        Unique event ids; a repeated id is the same event and was dropped on the way in.
    tenant, lead, kind : Coded, length n
        Whose event, about whom, and what happened; never missing.
    at_us : int64 array, shape (n,)
        When, in microseconds since 1970-01-01 UTC, ascending.
    value : float64 array, shape (n,)
        The event's main number (a price, a duration, a score); NaN where none.
    agent, source : Coded, length n
        Who acted for the team, and through what the event came; may be missing.
    data : mapping of str to Coded or float64 array
        Further fields by name.
    refused : DataFrame or None
        Rows kept apart on the way in: ``row``, ``field``, ``reason``, ``got`` and the row itself
        as JSON (``record``).
    repeated : int
        Events dropped on the way in because an earlier one bears the same tenant and id.

    Examples
    --------
    >>> table = pd.DataFrame({"lead": ["ann", "bob", "ann"], "kind": ["Inquiry", "Inquiry", "Lost"],
    ...                       "at": ["2026-03-03", "2026-03-01", "2026-03-09"]})
    >>> log = EventLog.from_frame(table, lead="lead", kind="kind", at="at")
    >>> log.lead.values().tolist()
    ['bob', 'ann', 'ann']
    >>> log.for_leads(["ann"]).kind.values().tolist()
    ['Inquiry', 'Lost']
    >>> [len(batch) for batch in log.batches(2)]
    [2, 1]
    """

    id: Names
    tenant: Coded
    lead: Coded
    kind: Coded
    at_us: I64
    value: F64
    agent: Coded
    source: Coded
    data: Mapping[str, Column] = field(default_factory=dict)
    refused: pd.DataFrame | None = None
    repeated: int = 0

    def __len__(self) -> int:
        return len(self.at_us)

    @cached_property
    def id_hash(self) -> U64:
        """64-bit hash of (tenant, id): the tie-break of canonical order, the key of duplicates."""
        own = pd.util.hash_array(self.id, categorize=False)
        tenants = pd.util.hash_array(self.tenant.names, categorize=False)
        return own ^ (tenants * np.uint64(0x9E3779B97F4A7C15))[self.tenant.codes]

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, **fields: Any) -> EventLog:
        """Take anybody's table; see `leadlab.schema.intake.log_from_frame`."""
        from leadlab.schema.intake import log_from_frame  # noqa: PLC0415  (cycle)

        return log_from_frame(frame, **fields)

    @classmethod
    def from_events(cls, events: Iterable[Event]) -> EventLog:
        """Column form of `events`; see `leadlab.schema.intake.log_from_events`."""
        from leadlab.schema.intake import log_from_events  # noqa: PLC0415  (cycle)

        return log_from_events(events)

    def take(self, rows: NDArray[Any]) -> Self:
        """Rows by position or mask, in the order given; `refused`, `repeated` are left behind."""
        changed: dict[str, Any] = {"refused": None, "repeated": 0}
        for f in fields(self):
            column = getattr(self, f.name)
            if isinstance(column, Coded):
                changed[f.name] = column.take(rows)
            elif isinstance(column, np.ndarray):
                changed[f.name] = column[rows]
        changed["data"] = {
            k: c.take(rows) if isinstance(c, Coded) else c[rows] for k, c in self.data.items()
        }
        return type(self)(**changed)

    def canonical(self) -> Self:
        """In canonical order, each id once (the earliest time is kept)."""
        order = np.lexsort((self.id_hash, self.at_us))
        _, first = np.unique(self.id_hash[order], return_index=True)
        if len(first) < len(order):
            order = order[np.sort(first)]
        elif len(order) == 0 or bool((np.diff(order) == 1).all()):
            return self
        log = self.take(order)
        repeated = self.repeated + len(self) - len(order)
        return type(self)(**{**_columns(log), "refused": self.refused, "repeated": repeated})

    def with_refused(self, refused: pd.DataFrame | None) -> Self:
        """Return the same events with another table of refused rows."""
        return type(self)(**{**_columns(self), "refused": refused})

    def between(self, start_us: int, end_us: int) -> Self:
        """Events with ``start_us <= at < end_us``."""
        lo, hi = np.searchsorted(self.at_us, [start_us, end_us], side="left")
        return self.take(np.arange(lo, hi))

    def for_leads(self, leads: Iterable[str]) -> Self:
        """Events of the named leads; names that do not occur are ignored."""
        index = self.lead.index
        wanted = [index[name] for name in leads if name in index]
        return self.take(np.isin(self.lead.codes, wanted))

    def to_frame(self) -> pd.DataFrame:
        """One row an event: id, tenant, lead, kind, at (UTC), value, agent, source, data fields."""
        columns: dict[str, Any] = {
            "id": self.id,
            "tenant": self.tenant.values(),
            "lead": self.lead.values(),
            "kind": self.kind.values(),
            "at": pd.to_datetime(self.at_us, unit="us", utc=True),
            "value": self.value,
            "agent": self.agent.values(),
            "source": self.source.values(),
        }
        for name, column in self.data.items():
            columns[name] = column.values() if isinstance(column, Coded) else column
        return pd.DataFrame(columns)

    def batches(self, size: int) -> Iterator[Self]:
        """Consecutive slices of at most `size` events."""
        for start in range(0, len(self), size):
            yield self.take(np.arange(start, min(start + size, len(self))))


def _columns(log: EventLog) -> dict[str, Any]:
    return {f.name: getattr(log, f.name) for f in fields(log)}


def concat(logs: Sequence[EventLog]) -> EventLog:
    """Join logs into one canonical log.

    Parameters
    ----------
    logs : sequence of EventLog
        At least one. A data field that some lack is missing there.

    Examples
    --------
    >>> table = pd.DataFrame({"lead": ["ann"], "kind": ["Inquiry"], "at": ["2026-03-03"]})
    >>> log = EventLog.from_frame(table, lead="lead", kind="kind", at="at")
    >>> both = concat([log, log])
    >>> len(both), both.repeated
    (1, 1)
    """
    if not logs:
        raise BadInput("no logs to join", expected="at least one EventLog")
    sizes = [len(log) for log in logs]
    names = dict.fromkeys(name for log in logs for name in log.data)
    refused = [log.refused for log in logs if log.refused is not None]
    return EventLog(
        id=np.concatenate([log.id for log in logs]),
        at_us=np.concatenate([log.at_us for log in logs]),
        value=np.concatenate([log.value for log in logs]),
        tenant=_concat_coded([log.tenant for log in logs]),
        lead=_concat_coded([log.lead for log in logs]),
        kind=_concat_coded([log.kind for log in logs]),
        agent=_concat_coded([log.agent for log in logs]),
        source=_concat_coded([log.source for log in logs]),
        data={n: _concat([log.data.get(n) for log in logs], sizes, n) for n in names},
        refused=pd.concat(refused, ignore_index=True) if refused else None,
        repeated=sum(log.repeated for log in logs),
    ).canonical()

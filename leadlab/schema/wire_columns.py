"""Travelling events as the columns that a plan reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np

from leadlab.schema.log import MISSING, Coded, Column, EventLog
from leadlab.schema.wire import WireEvent

Fields = Mapping[str, Literal["text", "number"]]


def columns_of(events: Sequence[WireEvent], fields: Fields) -> tuple[EventLog, int]:
    """Events as a log in the order given, which need not be canonical.

    Parameters
    ----------
    events : sequence of WireEvent
        Each id once.
    fields : mapping of str to "text" or "number"
        Further fields to keep, and as what.

    Returns
    -------
    log : EventLog
    misfits : int
        Entries of another type than `fields` says: they are missing in the log.

    Examples
    --------
    >>> event = WireEvent("e1", "default", "ann", "Inquiry", 5, data={"urgency": 0.5, "note": 3.0})
    >>> log, misfits = columns_of([event], {"urgency": "number", "note": "text"})
    >>> log.data["urgency"].tolist(), log.data["note"].values().tolist(), misfits
    ([0.5], [None], 1)
    """
    nan = float("nan")
    data: dict[str, Column] = {}
    misfits = 0
    for name, form in fields.items():
        given = [event.data.get(name) for event in events]
        kept: list[object]
        if form == "text":
            kept = [x if type(x) is str else None for x in given]
            data[name] = _coded(kept)  # type: ignore[arg-type]
        else:
            kept = [float(x) if isinstance(x, float | int) else None for x in given]
            data[name] = np.array([nan if x is None else x for x in kept], np.float64)
        misfits += sum(a is not None and b is None for a, b in zip(given, kept, strict=True))
    log = EventLog(
        id=_objects([event.id for event in events]),
        tenant=_coded([event.tenant for event in events]),
        lead=_coded([event.lead for event in events]),
        kind=_coded([event.kind for event in events]),
        at_us=np.array([event.at_us for event in events], np.int64),
        value=np.array([nan if e.value is None else e.value for e in events], np.float64),
        agent=_coded([event.agent for event in events]),
        source=_coded([event.source for event in events]),
        data=data,
    )
    return log, misfits


def _objects(values: list[str]) -> np.ndarray:
    out = np.empty(len(values), object)
    out[:] = values
    return out


def _coded(values: Sequence[str | None]) -> Coded:
    """`Coded.of`, for values that are str or None."""
    known: dict[str | None, int] = {None: MISSING, "": MISSING}
    code: Callable[[str | None], int] = _Codes(known).__getitem__
    codes = np.array([code(value) for value in values], np.int32)
    names = [name for name in known if name]
    return Coded(codes, _objects(names))


class _Codes(dict[str | None, int]):
    """Gives each new name the next code."""

    def __init__(self, known: dict[str | None, int]) -> None:
        super().__init__(known)
        self._known = known

    def __missing__(self, name: str | None) -> int:
        code = self[name] = self._known[name] = len(self) - 2
        return code

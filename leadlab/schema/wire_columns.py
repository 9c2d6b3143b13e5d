"""Travelling events as the columns that a plan reads."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from types import NoneType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from leadlab.schema.log import MISSING, Coded, Column, EventLog
from leadlab.schema.wire import WireEvent

_MOST = sys.float_info.max
Fields = Mapping[str, Literal["text", "number"]]


def columns_of(
    events: Sequence[WireEvent], fields: Fields, keys: NDArray[np.uint64] | None = None
) -> tuple[EventLog, int]:
    """Events as a log in the order given, which need not be canonical.

    Parameters
    ----------
    events : sequence of WireEvent
        Each id once.
    fields : mapping of str to "text" or "number"
        Further fields to keep, and as what.
    keys : uint64 array, shape (n,), optional
        `EventLog.id_hash` of the events, where it is known already.

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
    data: dict[str, Column] = {}
    misfits = 0
    for name, form in fields.items():
        given = [event.data.get(name) for event in events]
        if form == "text":
            data[name], odd = _texts(given)
        else:
            data[name], odd = _numbers(given)
        misfits += odd
    log = EventLog(
        id=_objects([event.id for event in events]),
        tenant=_coded([event.tenant for event in events]),
        lead=_coded([event.lead for event in events]),
        kind=_coded([event.kind for event in events]),
        at_us=np.array([event.at_us for event in events], np.int64),
        value=np.array([event.value for event in events], np.float64),
        agent=_coded([event.agent for event in events]),
        source=_coded([event.source for event in events]),
        data=data,
    )
    if keys is not None:
        vars(log)["id_hash"] = keys
    return log, misfits


def _texts(given: list[Any]) -> tuple[Coded, int]:
    kept = [x if x is None or type(x) is str else None for x in given]
    return _coded(kept), kept.count(None) - given.count(None)


def _numbers(given: list[Any]) -> tuple[NDArray[np.float64], int]:
    """Numbers; None is NaN, and so is what is no number, or too large for one."""
    kinds = set(map(type, given))
    if kinds <= {float, bool, NoneType}:
        return np.array(given, np.float64), 0
    kept = [x if _fits(x) else None for x in given]
    return np.array(kept, np.float64), kept.count(None) - given.count(None)


def _fits(x: Any) -> bool:
    return isinstance(x, float) or (isinstance(x, int) and abs(x) <= _MOST)


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

"""Conditions at work: values come in, rows that fulfil the condition come out."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from leadlab.stream.alerts.conditions import Absence, Change, Crossing, Threshold
from leadlab.stream.alerts.fields import level_of
from leadlab.stream.alerts.memory import (
    END,
    F64,
    I64,
    NEVER,
    PARTS,
    Bools,
    crossings,
    gaps,
    grown,
    passed,
    rises,
)

_NOBODY: I64 = np.empty(0, np.int64)

_COMPARE = {
    ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le,
    "==": operator.eq, "!=": operator.ne,
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Values in the order in which they came.

    Attributes
    ----------
    places : int64 array, shape (n,)
        Of what; any small numbers.
    times : int64 array, shape (n,)
        Stream time, never descending, in microseconds.
    values, before : float64 array, shape (n,)
        NaN where unknown; `before` is the value before, where it came along.
    room : int
        Above every place.
    """

    places: I64
    times: I64
    values: F64
    before: F64
    room: int


class Watch(Protocol):
    """A condition on numbers with what it remembers."""

    def hits(self, seen: Seen) -> Bools:
        """Rows at which it holds."""

    def state(self) -> dict[str, bytes]:
        """What it remembers."""

    def restore(self, state: dict[str, bytes]) -> None:
        """Remember that again."""


class Level:
    """Of a threshold; remembers nothing.

    Examples
    --------
    >>> rule = Threshold(type="threshold", field="probability", op=">", value=0.5)
    >>> x = np.array([0.4, 0.6, np.nan])
    >>> Level(rule).hits(Seen(np.arange(3), np.arange(3), x, x, 3)).tolist()
    [False, True, False]
    """

    def __init__(self, condition: Threshold) -> None:
        assert not isinstance(condition.value, tuple)
        self._compare = _COMPARE[condition.op]
        self._level = level_of(condition.field, condition.value)

    def hits(self, seen: Seen) -> Bools:
        """Rows at which it holds; never where the value is unknown."""
        found: Bools = self._compare(seen.values, self._level) & (seen.values == seen.values)
        return found

    def state(self) -> dict[str, bytes]:
        """Nothing."""
        return {}

    def restore(self, state: dict[str, bytes]) -> None:
        """Nothing to do."""


class Through:
    """Of a crossing; remembers the last value of each place."""

    def __init__(self, condition: Crossing) -> None:
        self._level = level_of(condition.field, condition.level)
        self._up, self._first = condition.direction == "up", condition.first
        self._last = np.empty(0)

    def hits(self, seen: Seen) -> Bools:
        """Rows at which it holds."""
        hit = np.zeros(len(seen.places), np.bool_)
        self._last = grown(self._last, seen.room, np.nan)
        how = (self._level, self._up, self._first)
        crossings(self._last, seen.places, seen.values, seen.before, *how, hit)
        return hit

    def state(self) -> dict[str, bytes]:
        """Last values."""
        known = np.flatnonzero(self._last == self._last)
        return {"places": known.tobytes(), "last": self._last[known].tobytes()}

    def restore(self, state: dict[str, bytes]) -> None:
        """Remember them again."""
        places = np.frombuffer(state["places"], np.int64)
        self._last = np.full(_room(places), np.nan)
        self._last[places] = np.frombuffer(state["last"])


class Extremes:
    """Least values of each place within a span, by parts of it."""

    def __init__(self, by: float, within_us: int) -> None:
        self._by, self._part_us = by, max(within_us // PARTS, 1)
        self._least = np.empty((0, PARTS))
        self._stamps = np.empty((0, PARTS), np.int64)
        self._newest = NEVER

    def hits(self, places: I64, times: I64, values: F64, room: int) -> Bools:
        """Rows above the least of the span by more than was asked."""
        hit = np.zeros(len(places), np.bool_)
        self._least = grown(self._least, room, np.nan)
        self._stamps = grown(self._stamps, room, NEVER)
        rises(self._least, self._stamps, places, times, values, self._part_us, self._by, hit)
        if len(times):
            self._newest = int(times[-1])
        return hit

    def state(self) -> tuple[bytes, bytes, bytes]:
        """Places that still matter, their values and stamps."""
        if self._newest == NEVER:
            return b"", b"", b""
        oldest = self._newest // self._part_us - PARTS
        alive = np.flatnonzero((self._stamps > oldest).any(axis=1))
        return alive.tobytes(), self._least[alive].tobytes(), self._stamps[alive].tobytes()

    def restore(self, alive: bytes, least: bytes, stamps: bytes) -> None:
        """Remember them again."""
        places = np.frombuffer(alive, np.int64)
        self._least = np.full((_room(places), PARTS), np.nan)
        self._stamps = np.full((_room(places), PARTS), NEVER)
        self._least[places] = np.frombuffer(least).reshape(-1, PARTS)
        self._stamps[places] = np.frombuffer(stamps, np.int64).reshape(-1, PARTS)
        if len(places):
            self._newest = int(self._stamps.max()) * self._part_us


class Moved:
    """Of a change; falls are rises of the negative."""

    def __init__(self, condition: Change) -> None:
        signs = {"up": (1.0,), "down": (-1.0,), "either": (1.0, -1.0)}[condition.direction]
        self._sides = [(sign, Extremes(condition.by, condition.within)) for sign in signs]

    def hits(self, seen: Seen) -> Bools:
        """Rows at which it holds."""
        hit = np.zeros(len(seen.places), np.bool_)
        for sign, side in self._sides:
            hit |= side.hits(seen.places, seen.times, sign * seen.values, seen.room)
        return hit

    def state(self) -> dict[str, bytes]:
        """Extremes of the span."""
        return {
            f"{name}{sign:+.0f}": part
            for sign, side in self._sides
            for name, part in zip(("places", "least", "stamps"), side.state(), strict=True)
        }

    def restore(self, state: dict[str, bytes]) -> None:
        """Remember them again."""
        for sign, side in self._sides:
            side.restore(*(state[f"{name}{sign:+.0f}"] for name in ("places", "least", "stamps")))


class Waiting:
    """Of an absence; remembers since when each place waits."""

    def __init__(self, condition: Absence) -> None:
        self._span_us = condition.span
        self._since = np.empty(0, np.int64)
        self._oldest_us = END  # nothing waits since before it

    def missed(self, places: I64, times: I64, meaning: Any, room: int) -> tuple[I64, I64]:
        """Rows that came too late, and the deadlines that they missed."""
        due = np.empty(len(places), np.int64)
        self._since = grown(self._since, room, NEVER)
        gaps(self._since, places, times, meaning, self._span_us, due)
        self._oldest_us = min(self._oldest_us, int(times[0]))
        rows = np.flatnonzero(due != NEVER)
        return rows, due[rows]

    def overdue(self, now_us: int) -> tuple[I64, I64]:
        """Places whose deadline has come, and the deadlines; each is given once."""
        until_us = now_us - self._span_us
        if until_us < self._oldest_us:
            return _NOBODY, _NOBODY
        places, self._oldest_us = passed(self._since, until_us)
        due = self._since[places] + self._span_us
        self._since[places] = NEVER
        return places, due

    def waiting(self) -> I64:
        """Places that wait."""
        return np.flatnonzero(self._since != NEVER)

    def state(self) -> dict[str, bytes]:
        """Places that wait, and since when."""
        places = self.waiting()
        return {"places": places.tobytes(), "since": self._since[places].tobytes()}

    def restore(self, state: dict[str, bytes]) -> None:
        """Remember them again."""
        places = np.frombuffer(state["places"], np.int64)
        self._since = np.full(_room(places), NEVER)
        self._since[places] = np.frombuffer(state["since"], np.int64)
        self._oldest_us = int(self._since[places].min()) if len(places) else END


def watch_of(condition: Threshold | Crossing | Change) -> Watch:
    """The watch of a condition on numbers."""
    match condition:
        case Threshold():
            return Level(condition)
        case Crossing():
            return Through(condition)
        case Change():
            return Moved(condition)


def _room(places: I64) -> int:
    return int(places.max()) + 1 if len(places) else 0

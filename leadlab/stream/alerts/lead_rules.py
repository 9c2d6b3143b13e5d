"""Rules on events of leads: masks over whole batches first, and only then what fired."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from leadlab.stream.alerts.batch import Batch, meanings
from leadlab.stream.alerts.conditions import Absence, Change, Crossing, Threshold
from leadlab.stream.alerts.memory import I64, IGNORE, RESTART, START, STOP, Bools, grown
from leadlab.stream.alerts.rule import Rule
from leadlab.stream.alerts.watches import Seen, Waiting, watch_of


class Hit(NamedTuple):
    """One time that a condition held.

    Attributes
    ----------
    at_us : int
    order : int
        Of hits at one moment.
    rule : int
        Position in the file.
    tenant, lead : str
        `lead` is "" where the condition knows none.
    mark : str
        What set it off, for the alert's id.
    value : float
        NaN for none.
    row : int
        Of the batch; -1 for none.
    """

    at_us: int
    order: int
    rule: int
    tenant: str
    lead: str
    mark: str
    value: float
    row: int


def _tenants(rule: Rule, batch: Batch) -> Bools | None:
    return None if rule.tenants is None else batch.named("tenant", rule.tenants)


class EventRule:
    """A threshold, crossing or change of a field of leads."""

    def __init__(self, number: int, rule: Rule, condition: Threshold | Crossing | Change) -> None:
        self.rule, self.number, self._condition = rule, number, condition
        texts = isinstance(condition, Threshold) and condition.is_text
        self._watch = None if texts else watch_of(condition)

    def hits(self, batch: Batch) -> Iterator[Hit]:
        """Each row at which the condition holds, in order."""
        field = self._condition.field
        holds = self._texts(batch) if self._watch is None else self._numbers(batch)
        if not holds.any():
            return
        for name, wanted in self.rule.where.items():
            holds = holds & batch.named(name, wanted)
        for row in np.flatnonzero(holds).tolist():
            offset = int(batch.rows["offset"][row])
            value = np.nan if self._watch is None else float(batch.number(field)[row])
            yield Hit(
                int(batch.times[row]), offset, self.number, batch.text("tenant", row) or "",
                batch.text("lead", row) or "", _mark(offset, int(batch.times[row])), value, row,
            )  # fmt: skip

    def _texts(self, batch: Batch) -> Bools:
        condition = self._condition
        assert isinstance(condition, Threshold)
        named = batch.named(condition.field, condition.names)
        holds = named if condition.op == "==" else ~named & batch.present(condition.field)
        mine = _tenants(self.rule, batch)
        return holds if mine is None else holds & mine

    def _numbers(self, batch: Batch) -> Bools:
        assert self._watch is not None
        field, mine = self._condition.field, _tenants(self.rule, batch)
        values, before = batch.number(field), batch.before(field)
        if mine is not None:
            values = np.where(mine, values, np.nan)
        return self._watch.hits(Seen(batch.places, batch.times, values, before, batch.room))

    def state(self) -> dict[str, Any]:
        """What the watch remembers."""
        return {} if self._watch is None else self._watch.state()

    def restore(self, state: dict[str, Any]) -> None:
        """Remember it again."""
        if self._watch is not None:
            self._watch.restore(state)


def _mark(offset: int, at_us: int) -> str:
    """An event by its offset; a score that no event caused by its moment."""
    return f"event {offset}" if offset >= 0 else f"moment {at_us}"


class AbsenceRule:
    """An absence of events of a lead or a tenant."""

    def __init__(self, number: int, rule: Rule, condition: Absence) -> None:
        self.rule, self.number, self._of = rule, number, condition.of
        self._waiting = Waiting(condition)
        self._otherwise = IGNORE if condition.kinds else RESTART
        awaited = STOP if condition.after else RESTART
        self._by_kind = {
            **dict.fromkeys(condition.kinds, awaited),
            **dict.fromkeys(condition.after, START),
            **dict.fromkeys(condition.until, STOP),
        }
        self._tenants: dict[str, int] = {}
        self._who: dict[int, tuple[str, str]] = {}
        self._known = np.zeros(0, np.bool_)

    def hits(self, batch: Batch) -> Iterator[Hit]:
        """Deadlines that events of the batch came too late for, then those that have passed."""
        meaning = meanings(batch.events.kind, self._by_kind, self._otherwise)
        mine = _tenants(self.rule, batch)
        if mine is not None:
            meaning = np.where(mine, meaning, np.int8(IGNORE))
        if not meaning.any():
            yield from self.overdue(int(batch.times[-1]))
            return
        places, room = self._places(batch)
        self._note(places, room, np.flatnonzero((meaning == START) | (meaning == RESTART)), batch)
        rows, due = self._waiting.missed(places, batch.times, meaning, room)
        yield from self._told(places[rows], due)
        yield from self.overdue(int(batch.times[-1]))

    def overdue(self, now_us: int) -> Iterator[Hit]:
        """Deadlines that have passed by `now_us`, each once."""
        yield from self._told(*self._waiting.overdue(now_us))

    def _told(self, places: I64, due: I64) -> Iterator[Hit]:
        for place, deadline in zip(places.tolist(), due.tolist(), strict=True):
            tenant, lead = self._who[place]
            yield Hit(
                deadline, -1, self.number, tenant, lead, f"deadline {lead} {deadline}", np.nan, -1
            )

    def _places(self, batch: Batch) -> tuple[I64, int]:
        """Places of the rows' leads or tenants, and how many there are at most."""
        if self._of == "lead":
            return batch.places, batch.room
        column = batch.events.tenant
        numbers = [
            self._tenants.setdefault(name, len(self._tenants)) for name in column.names.tolist()
        ]
        return np.array(numbers, np.int64)[column.codes], len(self._tenants)

    def _note(self, places: I64, room: int, rows: I64, batch: Batch) -> None:
        """Remember whose places those rows are, once."""
        self._known = grown(self._known, room, False)
        new = rows[~self._known[places[rows]]]
        if not len(new):
            return
        tenants, leads = (c.take(new).values() for c in (batch.events.tenant, batch.events.lead))
        for place, tenant, lead in zip(places[new].tolist(), tenants, leads, strict=True):
            self._who[place] = (tenant, lead if self._of == "lead" else "")
        self._known[places[new]] = True

    def state(self) -> dict[str, Any]:
        """Who waits since when."""
        who = [self._who[place] for place in self._waiting.waiting().tolist()]
        return {**self._waiting.state(), "who": who, "tenants": list(self._tenants)}

    def restore(self, state: dict[str, Any]) -> None:
        """Remember it again."""
        self._waiting.restore(state)
        self._tenants = {tenant: i for i, tenant in enumerate(state["tenants"])}
        places = self._waiting.waiting()
        self._who = {
            place: (tenant, lead)
            for place, (tenant, lead) in zip(places.tolist(), state["who"], strict=True)
        }
        self._known = grown(
            np.zeros(0, np.bool_), int(places.max()) + 1 if len(places) else 0, False
        )
        self._known[places] = True

"""Live state of one kind of entity: its chains of events and its state rows, in growing arrays."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from leadlab.features.arrays import EMPTY, NEVER, NONE, Plan, Seen, Tape
from leadlab.features.arrival import (
    DUPLICATE,
    LATE,
    TOO_LATE,
    Chains,
    Rows,
    absorb,
    absorb_each,
    chain_until,
    index_ids,
    let_go,
    rehash,
)
from leadlab.features.columns import Columns, columns, new_vocabulary
from leadlab.features.feature import Feature
from leadlab.features.kernel import read_rows, run
from leadlab.features.plan import compile_features
from leadlab.schema.log import EventLog

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
F32 = NDArray[np.float32]
Statuses = NDArray[np.int8]
UNKNOWN = -1


class Arrivals(NamedTuple):
    """What became of a batch of events."""

    added: int
    late: int
    duplicates: int
    too_late: int


def grown(array: NDArray[Any], n: int, fill: Any) -> NDArray[Any]:
    """The array with room for `n` rows; new rows hold `fill`."""
    larger = np.empty((n, *array.shape[1:]), array.dtype)
    larger[: len(array)] = array
    larger[len(array) :] = fill
    return larger


class EntityStore:
    """Chains and state rows of all leads (or agents, or tenants).

    Parameters
    ----------
    features : iterable of Feature
        Of this one entity.
    tz : str
        Zone of local time.
    """

    def __init__(self, features: Iterable[Feature], tz: str) -> None:
        self.tz = tz
        self.compiled = compile_features(features, tz)
        self.texts = new_vocabulary(self.compiled)
        self.slots: dict[str, int] = {}
        self.window_us = int(self.compiled.plan.windows_us.max(initial=0))
        self._distinct = np.array(self.compiled.distinct_fields, np.int32)
        self._queues = np.array(self.compiled.queue_cells, np.int32)
        self._n_bases = 0
        self._allocate()

    @property
    def plan(self) -> Plan:
        """Compiled features."""
        return self.compiled.plan

    def _allocate(self) -> None:
        c, plan = self.compiled, self.compiled.plan
        m, a = max(len(c.numbers), 1), max(len(c.fields), 1)
        d, q = max(c.distincts, 1), max(c.extremes, 1)
        self.tape = Tape(
            np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.uint64),
            np.empty((0, m)), np.empty((0, a), np.int32), np.empty(0, np.int32),
            np.empty((0, d), np.bool_), np.empty((0, q, 2), np.int32),
        )  # fmt: skip
        self.seen = self._new_seen(1024)
        self.rows = _no_rows(plan)
        self.bases = _no_rows(plan)
        self.chains = Chains(
            np.empty(0, np.uint64), np.empty(0, np.int32), np.empty(0, np.int32),
            np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.int64),
            np.empty(0, np.uint64), np.empty(0, np.int32), np.zeros(1, np.int64),
            np.full(1024, EMPTY, np.uint64),
        )  # fmt: skip

    @property
    def n_events(self) -> int:
        """Events held."""
        return len(self.tape.at_us) - int(self.chains.n_free[0])

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        parts = (*self.tape, *self.seen, *self.rows, *self.bases, *self.chains)
        return sum(array.nbytes for array in parts)

    # -- room ------------------------------------------------------------------------------------

    def _new_seen(self, places: int) -> Seen:
        return Seen(
            np.full(places, EMPTY, np.uint64),
            np.full(places, NONE, np.int32),
            np.zeros(1, np.int64),
            np.full(self.compiled.distincts, NONE, np.int32),
        )

    def slot_of(self, key: str) -> int:
        """Slot of an entity, made when new."""
        return self.slots.setdefault(key, len(self.slots))

    def _make_room(self, events: int) -> None:
        """Room for all slots and for `events` more events."""
        if len(self.slots) > len(self.chains.head):
            self._grow_entities(max(len(self.slots), 64, len(self.chains.head) * 3 // 2))
        lacking = events - int(self.chains.n_free[0])
        if lacking > 0:
            held = len(self.tape.at_us)
            self._grow_events(max(held + lacking, 1024, held * 3 // 2))
        if 2 * (self.n_events + events) > len(self.chains.ids):
            places = 1 << (3 * (self.n_events + events)).bit_length()
            self.chains = self.chains._replace(ids=np.full(places, EMPTY, np.uint64))
            index_ids(self.tape, self.chains, len(self.chains.head))
        more = events * self.compiled.distincts
        if 2 * (int(self.seen.used[0]) + more) > len(self.seen.keys):
            live = int((self.seen.events != NONE).sum())
            fresh = self._new_seen(1 << (3 * (live + more)).bit_length())
            rehash(self.seen, fresh)
            self.seen = fresh

    def _grow_entities(self, n: int) -> None:
        plan, c = self.plan, self.chains
        self.rows = _grown_rows(self.rows, n, plan)
        self.chains = c._replace(
            head=grown(c.head, n, NONE),
            last=grown(c.last, n, NONE),
            base=grown(c.base, n, NONE),
            floor_us=grown(c.floor_us, n, NEVER),
            floor_id=grown(c.floor_id, n, 0),
        )

    def _grow_events(self, n: int) -> None:
        held, c = len(self.tape.at_us), self.chains
        self.tape = Tape(*(grown(array, n, 0) for array in self.tape))
        free = grown(c.free, n, 0)
        n_free = int(c.n_free[0])
        free[n_free : n_free + n - held] = np.arange(n - 1, held - 1, -1)
        c.n_free[0] += n - held
        self.chains = c._replace(
            id_hash=grown(c.id_hash, n, 0), previous=grown(c.previous, n, NONE), free=free
        )

    # -- events in ---------------------------------------------------------------------------------

    def add(self, log: EventLog, slots: I32) -> Arrivals:
        """Take events whose entities have `slots`; -1 leaves an event out."""
        mine = slots >= 0
        if not mine.all():
            log, slots = log.take(mine), slots[mine]
        self._make_room(len(log))
        status = np.zeros(len(log), np.int8)
        events: Columns = columns(self.compiled, log, self.tz, self.texts)
        absorb(
            self.plan, self.tape, self.seen, self.chains, self.rows, self.bases,
            self._distinct, self.compiled.any_order, events, log.id_hash, slots, status,
        )  # fmt: skip
        n = np.bincount(status, minlength=4)
        return Arrivals(int(n[0] + n[LATE]), int(n[LATE]), int(n[DUPLICATE]), int(n[TOO_LATE]))

    def take(self, log: EventLog, slots: I32, asked: I32, as_of_us: I64) -> tuple[F32, Statuses]:
        """Take events one by one, and read a slot after each.

        Parameters
        ----------
        log : EventLog
            n events in order of arrival, which need not be canonical.
        slots, asked : int32 array, shape (n,)
            Whose each event is, and who is read after it; -1 for none.
        as_of_us : int64 array, shape (n,)
            As of when; not earlier than any event of the slot that was taken before.

        Returns
        -------
        values : float32 array, shape (n, outputs)
        status : int8 array, shape (n,)
            Of `leadlab.features.arrival`.
        """
        self._make_room(len(log))
        status = np.zeros(len(log), np.int8)
        out = np.empty((len(log), len(self.plan.outputs)), np.float32)
        events: Columns = columns(self.compiled, log, self.tz, self.texts)
        absorb_each(
            self.plan, self.tape, self.seen, self.chains, self.rows, self.bases,
            self._distinct, self.compiled.any_order, events, log.id_hash, slots, asked,
            as_of_us, status, out,
        )  # fmt: skip
        return out, status

    # -- answers out -------------------------------------------------------------------------------

    def read(self, slots: I32, as_of_us: I64) -> F32:
        """Outputs of slots as of given times; NaN for slot -1 and before a lead's first event."""
        out = np.full((len(slots), len(self.plan.outputs)), np.nan, np.float32)
        known = slots >= 0
        stands_us = np.where(known, self.rows.longs[slots, 0] if len(self.slots) else 0, 0)
        now = known & (as_of_us >= stands_us)
        if now.all():
            read_rows(self.plan, self.tape, *self.rows, slots, as_of_us, out)
            return out
        answer = np.empty((int(now.sum()), out.shape[1]), np.float32)
        read_rows(self.plan, self.tape, *self.rows, slots[now], as_of_us[now], answer)
        out[now] = answer
        for i in np.flatnonzero(known & ~now):
            out[i] = self._read_past(int(slots[i]), int(as_of_us[i]))
        return out

    def reaches(self, slots: I32, as_of_us: I64) -> NDArray[np.bool_]:
        """Whether the store still holds all that an answer as of then needs."""
        if not len(self.slots):
            return np.ones(len(slots), np.bool_)
        floor_us = self.chains.floor_us[slots]
        untouched = (slots < 0) | (floor_us == NEVER)
        held = untouched | (as_of_us - self.window_us >= np.where(untouched, 0, floor_us))
        return np.asarray(held)

    def _read_past(self, slot: int, as_of_us: int) -> NDArray[Any]:
        """Run the kernel over the part of a chain that was there at `as_of_us`."""
        events = chain_until(self.tape, self.chains, slot, as_of_us)
        base = int(self.chains.base[slot])
        out = np.full((1, len(self.plan.outputs)), np.nan, np.float32)
        if len(events) == 0 and base == NONE:
            return np.asarray(out[0])
        plan = self.plan
        if base != NONE:
            longs = self.bases.longs[base].copy()
            longs[0] = self.chains.floor_us[slot]
            plan = plan._replace(
                first_ints=self.bases.ints[base],
                first_longs=longs,
                first_floats=self.bases.floats[base],
            )
        tape = Tape(*(array[events] for array in self.tape))
        tape.next[:-1] = np.arange(1, len(events))
        tape.next[-1:] = NONE
        seen = self._new_seen(1 << max(4, (4 * len(events) * self.compiled.distincts).bit_length()))
        head = np.array([0 if len(events) else NONE], np.int32)
        run(
            plan, tape, seen, head, np.array([len(events)]), np.array([as_of_us]),
            np.array([0, 1]), np.array([0], np.int32), out,
        )  # fmt: skip
        return np.asarray(out[0])

    # -- letting go --------------------------------------------------------------------------------

    def evict(self, now_us: int) -> int:
        """Let go of events that no window reaches at `now_us` or later; gives how many."""
        until_us = now_us - self.window_us
        head = self.chains.head[: len(self.slots)]
        old = np.flatnonzero((head != NONE) & (self._at(head) <= until_us)).astype(np.int32)
        without = old[self.chains.base[old] == NONE]
        n = self._n_bases + len(without)
        if n > len(self.bases.ints):
            room = max(n, len(self.bases.ints) * 3 // 2)
            self.bases = _grown_rows(self.bases, room, self.plan)
        self.chains.base[without] = np.arange(self._n_bases, n)
        self._n_bases = n
        gone = let_go(
            self.plan, self.tape, self.seen, self.chains, self.rows, self.bases,
            self._distinct, self._queues, old, until_us, now_us,
        )  # fmt: skip
        if gone:
            self.chains.ids[:] = EMPTY
            index_ids(self.tape, self.chains, len(self.slots))
        return int(gone)

    def _at(self, events: I32) -> I64:
        if not len(self.tape.at_us):
            return np.zeros(len(events), np.int64)
        return np.asarray(self.tape.at_us[events])


def _no_rows(plan: Plan) -> Rows:
    return Rows(
        np.empty((0, len(plan.first_ints)), np.int32),
        np.empty((0, len(plan.first_longs)), np.int64),
        np.empty((0, len(plan.first_floats))),
    )


def _grown_rows(rows: Rows, n: int, plan: Plan) -> Rows:
    return Rows(
        grown(rows.ints, n, plan.first_ints),
        grown(rows.longs, n, plan.first_longs),
        grown(rows.floats, n, plan.first_floats),
    )

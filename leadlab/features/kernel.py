"""The one kernel: exact sliding windows over each entity's own chain of events.

An entity (a lead, an agent, a tenant) has a chain of events in canonical order and a state row.
Each window keeps one pointer to its oldest event, its tail. Adding an event enters it into every
window; moving time forward lets tails leave. Each event enters and leaves each window once, so
the work an event costs does not depend on how many events a window holds.

Training sets (`run`) and live reads (`read_row`) call the same `advance`, `add` and `write`.
Sums are kept as an unevaluated pair of doubles (Knuth's TwoSum) and start afresh whenever a
window runs empty, so a number that has left leaves nothing behind.

State rows are three flat arrays, laid out by `leadlab.features.plan`:

- ``ints``: tails, counts, pointers to the current extreme, last category codes;
- ``longs``: times in microseconds, the time of the row itself first;
- ``floats``: sums (high and low part), last and first numbers, decayed counts.

The inner functions are compiled without Numba's reference counting (`_nrt=False`): they allocate
nothing, and counting references to the arrays of `Plan` and `Tape` took half of the time.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from leadlab.features import opcodes as op
from leadlab.features.arrays import EMPTY, NEVER, NONE
from leadlab.features.clock import US_PER_HOUR
from leadlab.features.outputs import write
from leadlab.features.prefetch import prefetch_row
from leadlab.jit import kernel

AHEAD = 6
"""Rows that the kernel asks memory for ahead of writing."""
LINE = 16
"""float32 numbers in a cache line."""


@kernel(forceinline=True, _nrt=False)
def find(keys: Any, key: Any) -> Any:
    """Position of `key`, or of the empty place where it belongs."""
    mask = np.uint64(len(keys) - 1)
    h = key * np.uint64(0x9E3779B97F4A7C15)
    place = (h ^ (h >> np.uint64(29))) & mask
    while keys[place] != key and keys[place] != np.uint64(EMPTY):
        place = (place + np.uint64(1)) & mask
    return place


@kernel(forceinline=True, _nrt=False)
def seen_key(entity: Any, field: Any, code: Any) -> Any:
    """26 bits of entity, 8 of field, 30 of code."""
    return (
        (np.uint64(entity) << np.uint64(38)) | (np.uint64(field) << np.uint64(30)) | np.uint64(code)
    )


@kernel(forceinline=True, _nrt=False)
def add_to_sum(floats: Any, cell: Any, x: Any) -> None:
    """Add `x` to the pair (high, low) without losing what rounds off."""
    high = floats[cell]
    total = high + x
    part = total - high
    floats[cell + 1] += (high - (total - part)) + (x - part)
    floats[cell] = total


@kernel(forceinline=True, _nrt=False)
def _push_extreme(
    tape: Any, e: Any, queue: Any, back_cell: Any, x: Any, column: Any, sign: Any, ints: Any
) -> None:
    """Put `e` at the back of a queue of running extremes, after dropping what it outdoes."""
    back = ints[back_cell]
    while back != NONE and sign * tape.numbers[back, column] <= sign * x:
        back = tape.larger[back, queue, 0]
    tape.larger[e, queue, 0] = back
    tape.larger[e, queue, 1] = NONE
    if back != NONE:
        tape.larger[back, queue, 1] = e
    ints[back_cell] = e


@kernel(forceinline=True, _nrt=False)
def _observe_number(
    tape: Any,
    e: Any,
    live: Any,
    code: Any,
    a: Any,
    b: Any,
    column: Any,
    extra: Any,
    x: Any,
    ints: Any,
    floats: Any,
) -> None:
    """What a known number of an event changes for good."""
    if code == op.ADD_SUM:
        add_to_sum(floats, a, x)
        ints[b] += 1
    elif code == op.LAST_NUMBER:
        floats[a] = x
    elif code == op.FIRST_NUMBER:
        if floats[a] != floats[a]:
            floats[a] = x
    elif code == op.EVER_EXTREME:
        if not (extra * floats[a] >= extra * x):
            floats[a] = x
    elif live:
        sign = 1.0 if code == op.PUSH_HIGH else -1.0
        _push_extreme(tape, e, extra, a, x, column, sign, ints)


@kernel(forceinline=True, _nrt=False)
def observe(
    plan: Any,
    tape: Any,
    seen: Any,
    entity: Any,
    e: Any,
    live: Any,
    ints: Any,
    longs: Any,
    floats: Any,
) -> None:
    """Everything that an event changes for good: its own derived numbers, last, first, decay.

    With `live` false the event is on its way out of the tape and joins no queue or table.
    """
    width = len(plan.windows_us) + 1
    standing = tape.kind[e] * width + width - 1
    t = tape.at_us[e]
    bits = tape.bits[e]
    for i in range(plan.lists[standing], plan.lists[standing + 1]):
        mask = plan.masks[i]
        if bits & mask != mask:
            continue
        code, a, b = plan.actions[i, 0], plan.actions[i, 1], plan.actions[i, 2]
        column, extra = plan.actions[i, 3], plan.actions[i, 4]
        if code == op.LAST_AT:
            longs[a] = t
        elif code == op.FIRST_AT:
            if longs[a] == NEVER:
                longs[a] = t
        elif code == op.ADD_COUNT:
            ints[a] += 1
        elif code == op.LAST_CODE:
            if tape.codes[e, column] != NONE:
                ints[a] = tape.codes[e, column]
        elif code == op.DECAY:
            if longs[b] != NEVER:
                floats[a] *= 2.0 ** ((longs[b] - t) * plan.constants[extra])
            floats[a] += 1.0
            longs[b] = t
        elif code == op.SEE:
            if live:
                _see(tape, seen, entity, e, column, extra)
        elif code == op.GAP:
            known = longs[a] != NEVER
            tape.numbers[e, column] = (t - longs[a]) / US_PER_HOUR if known else np.nan
        elif code == op.OPEN:
            if longs[a] == NEVER:
                longs[a] = t
        elif code == op.CLOSE:
            known = longs[a] != NEVER
            tape.numbers[e, column] = (t - longs[a]) / US_PER_HOUR if known else np.nan
            longs[a] = NEVER
        else:
            x = tape.numbers[e, column]
            if x == x:
                _observe_number(tape, e, live, code, a, b, column, extra, x, ints, floats)


@kernel(forceinline=True, _nrt=False)
def _see(tape: Any, seen: Any, entity: Any, e: Any, column: Any, field: Any) -> None:
    """Note `e` as the last event with its code; keep the one before in `seen.before`."""
    seen.before[field] = NONE
    code = tape.codes[e, column]
    if code == NONE:
        return
    key = seen_key(entity, field, code)
    place = find(seen.keys, key)
    if seen.keys[place] == key:
        before = seen.events[place]
        seen.before[field] = before
        if before != NONE:
            tape.repeated[before, field] = True
    else:
        seen.keys[place] = key
        seen.used[0] += 1
    seen.events[place] = e
    tape.repeated[e, field] = False


@kernel(forceinline=True, _nrt=False)
def _enter(plan: Any, tape: Any, seen: Any, w: Any, e: Any, ints: Any, floats: Any) -> None:
    """Let `e` into window `w`."""
    row = tape.kind[e] * (len(plan.windows_us) + 1) + w
    bits = tape.bits[e]
    for i in range(plan.lists[row], plan.lists[row + 1]):
        mask = plan.masks[i]
        if bits & mask != mask:
            continue
        code, a, b = plan.actions[i, 0], plan.actions[i, 1], plan.actions[i, 2]
        column, extra = plan.actions[i, 3], plan.actions[i, 4]
        if code == op.ADD_COUNT:
            ints[a] += 1
        elif code == op.DISTINCT:
            before = seen.before[extra]
            if tape.codes[e, column] != NONE and (
                before == NONE or tape.at_us[before] <= tape.at_us[e] - plan.windows_us[w]
            ):
                ints[a] += 1
        else:
            x = tape.numbers[e, column]
            if x != x:
                continue
            if code == op.ADD_SUM:
                add_to_sum(floats, a, x)
                ints[b] += 1
            else:
                sign = 1.0 if code == op.HIGH else -1.0
                if ints[a] == NONE or sign * tape.numbers[ints[a], column] <= sign * x:
                    ints[a] = e


@kernel(forceinline=True, _nrt=False)
def _leave(plan: Any, tape: Any, w: Any, e: Any, ints: Any, floats: Any) -> None:
    """Let `e`, the oldest of window `w`, out of it."""
    row = tape.kind[e] * (len(plan.windows_us) + 1) + w
    bits = tape.bits[e]
    for i in range(plan.lists[row], plan.lists[row + 1]):
        mask = plan.masks[i]
        if bits & mask != mask:
            continue
        code, a, b = plan.actions[i, 0], plan.actions[i, 1], plan.actions[i, 2]
        column, extra = plan.actions[i, 3], plan.actions[i, 4]
        if code == op.ADD_COUNT:
            ints[a] -= 1
        elif code == op.DISTINCT:
            if tape.codes[e, column] != NONE and not tape.repeated[e, extra]:
                ints[a] -= 1
        elif code == op.ADD_SUM:
            x = tape.numbers[e, column]
            if x == x:
                ints[b] -= 1
                if ints[b] == 0:
                    floats[a] = 0.0
                    floats[a + 1] = 0.0
                else:
                    add_to_sum(floats, a, -x)
        elif ints[a] == e:
            ints[a] = tape.larger[e, extra, 1]


@kernel(forceinline=True, _nrt=False)
def advance(plan: Any, tape: Any, t: Any, ints: Any, longs: Any, floats: Any) -> None:
    """Move a state row forward to time `t`: what is older than a window leaves it."""
    for w in range(len(plan.windows_us)):
        tail = ints[w]
        if tail == NONE:
            continue
        edge = t - plan.windows_us[w]
        while tail != NONE and tape.at_us[tail] <= edge:
            _leave(plan, tape, w, tail, ints, floats)
            tail = tape.next[tail]
        ints[w] = tail
    longs[0] = t


@kernel(forceinline=True, _nrt=False)
def add(
    plan: Any, tape: Any, seen: Any, entity: Any, e: Any, ints: Any, longs: Any, floats: Any
) -> None:
    """Append event `e`, not earlier than the row's time, to a state row."""
    advance(plan, tape, tape.at_us[e], ints, longs, floats)
    observe(plan, tape, seen, entity, e, True, ints, longs, floats)
    for w in range(len(plan.windows_us)):
        _enter(plan, tape, seen, w, e, ints, floats)
        if ints[w] == NONE:
            ints[w] = e


@kernel()
def restart(plan: Any, ints: Any, longs: Any, floats: Any) -> None:
    """Set a state row to that of an entity without events."""
    ints[:] = plan.first_ints
    longs[:] = plan.first_longs
    floats[:] = plan.first_floats


@kernel()
def run(
    plan: Any,
    tape: Any,
    seen: Any,
    heads: Any,
    sizes: Any,
    ask_us: Any,
    ask_from: Any,
    ask_row: Any,
    out: Any,
) -> None:
    """Answer ascending as-of times for entity after entity.

    Entity ``i`` has its chain at ``heads[i]`` with ``sizes[i]`` events and the questions
    ``ask_us[ask_from[i]:ask_from[i + 1]]``, answered in rows ``ask_row[...]`` of `out`; NaN before
    its first event.
    """
    ints, longs, floats = plan.first_ints.copy(), plan.first_longs.copy(), plan.first_floats.copy()
    row = np.empty(len(plan.nodes))
    for i in range(len(heads)):
        restart(plan, ints, longs, floats)
        if 2 * (seen.used[0] + sizes[i] * len(seen.before)) > len(seen.keys):
            seen.keys[:] = np.uint64(EMPTY)
            seen.used[0] = 0
        e = heads[i]
        for k in range(ask_from[i], ask_from[i + 1]):
            if k + AHEAD < len(ask_row):
                for j in range(0, out.shape[1], LINE):
                    prefetch_row(out, ask_row[k + AHEAD], j)
            t = ask_us[k]
            while e != NONE and tape.at_us[e] <= t:
                add(plan, tape, seen, i, e, ints, longs, floats)
                e = tape.next[e]
            if longs[0] == NEVER:
                out[ask_row[k]] = np.nan
                continue
            if longs[0] != t:
                advance(plan, tape, t, ints, longs, floats)
            write(plan, tape, t, ints, longs, floats, row, out[ask_row[k]])


@kernel()
def read_rows(
    plan: Any, tape: Any, ints: Any, longs: Any, floats: Any, slots: Any, t: Any, out: Any
) -> None:
    """Answer for state rows `slots` as of times `t`, not earlier than they; changes nothing."""
    row = np.empty(len(plan.nodes))
    for k in range(len(slots)):
        s = slots[k]
        now_ints, now_longs, now_floats = ints[s].copy(), longs[s].copy(), floats[s].copy()
        advance(plan, tape, t[k], now_ints, now_longs, now_floats)
        write(plan, tape, t[k], now_ints, now_longs, now_floats, row, out[k])

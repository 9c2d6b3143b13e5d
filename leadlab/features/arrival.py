"""What live arrival adds to the kernel: late events, duplicates, and letting go of old ones.

A late event is linked into its place in the chain, and the entity's state is then made again by
running the same kernel along the chain. Events that no window can reach any more are folded into
the entity's base, a state row from which its chain is taken up, and their places are used again.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from leadlab.features import opcodes as op
from leadlab.features.arrays import EMPTY, NEVER, NONE
from leadlab.features.kernel import (
    add,
    add_to_sum,
    advance,
    find,
    observe,
    restart,
    seen_key,
)
from leadlab.features.outputs import write
from leadlab.jit import kernel

ADDED, LATE, DUPLICATE, TOO_LATE = range(4)


class Chains(NamedTuple):
    """Per-event and per-entity arrays of a live store, beside the tape and the state rows."""

    id_hash: NDArray[np.uint64]  # per event
    previous: NDArray[np.int32]
    head: NDArray[np.int32]  # per entity: first and last event of the chain
    last: NDArray[np.int32]
    base: NDArray[np.int32]  # row of the base, -1 where nothing was let go of
    floor_us: NDArray[np.int64]  # last event folded into the base
    floor_id: NDArray[np.uint64]
    free: NDArray[np.int32]  # stack of unused event places
    n_free: NDArray[np.int64]  # (1,)
    ids: NDArray[np.uint64]  # hash table of known ids


class Rows(NamedTuple):
    """State rows, one an entity (or one a base)."""

    ints: NDArray[np.int32]
    longs: NDArray[np.int64]
    floats: NDArray[np.float64]


@kernel()
def _not_after(a_us: Any, a_id: Any, b_us: Any, b_id: Any) -> Any:
    """Canonical order: a is b or comes before it."""
    return a_us < b_us or (a_us == b_us and a_id <= b_id)


@kernel()
def absorb(
    plan: Any, tape: Any, seen: Any, chains: Any, rows: Any, bases: Any,
    distinct_fields: Any, any_order: Any, events: Any, id_hash: Any, slots: Any, status: Any,
) -> None:  # fmt: skip
    """Take a batch in canonical order; `status` tells what became of each event."""
    stale = np.zeros(len(chains.head), np.bool_)
    for k in range(len(slots)):
        s = slots[k]
        status[k], e, behind = _place(tape, chains, rows, events, k, s, id_hash[k])
        if e == NONE:
            continue
        if not behind:
            if not stale[s]:
                add(plan, tape, seen, s, e, rows.ints[s], rows.longs[s], rows.floats[s])
        elif any_order:
            _patch(plan, tape, e, rows.ints[s], rows.longs[s], rows.floats[s])
        else:
            stale[s] = True
    for k in range(len(slots)):
        if stale[slots[k]]:
            stale[slots[k]] = False
            _rebuild(plan, tape, seen, chains, rows, bases, distinct_fields, slots[k])


@kernel()
def absorb_each(
    plan: Any, tape: Any, seen: Any, chains: Any, rows: Any, bases: Any,
    distinct_fields: Any, any_order: Any, events: Any, id_hash: Any, slots: Any,
    asked: Any, as_of_us: Any, status: Any, out: Any,
) -> None:  # fmt: skip
    """Take events one by one in the order given, and answer a question after each.

    After event ``k`` the entity ``asked[k]`` is read as of ``as_of_us[k]``, which is not earlier
    than any event of that entity so far; -1 and an entity without events give NaN.
    """
    ints, longs, floats = plan.first_ints.copy(), plan.first_longs.copy(), plan.first_floats.copy()
    row = np.empty(len(plan.nodes))
    for k in range(len(slots)):
        s = slots[k]
        if s != NONE:
            status[k], e, behind = _place(tape, chains, rows, events, k, s, id_hash[k])
            if e == NONE:
                pass
            elif not behind:
                add(plan, tape, seen, s, e, rows.ints[s], rows.longs[s], rows.floats[s])
            elif any_order:
                _patch(plan, tape, e, rows.ints[s], rows.longs[s], rows.floats[s])
            else:
                _rebuild(plan, tape, seen, chains, rows, bases, distinct_fields, s)
        a = asked[k]
        if a == NONE or rows.longs[a, 0] == NEVER:
            out[k] = np.nan
            continue
        ints[:], longs[:], floats[:] = rows.ints[a], rows.longs[a], rows.floats[a]
        advance(plan, tape, as_of_us[k], ints, longs, floats)
        write(plan, tape, as_of_us[k], ints, longs, floats, row, out[k])


@kernel()
def _place(tape: Any, chains: Any, rows: Any, events: Any, k: Any, s: Any, name: Any) -> Any:
    """Put event `k` into the chain of `s`: its status, its place, and whether it came behind.

    The place is `NONE` where nothing was put: a repeated id, or a time that was let go of.
    """
    t = events.at_us[k]
    known = find(chains.ids, name)
    if chains.ids[known] == name:
        return DUPLICATE, np.int32(NONE), False
    if _not_after(t, name, chains.floor_us[s], chains.floor_id[s]):
        return TOO_LATE, np.int32(NONE), False
    chains.ids[known] = name
    chains.n_free[0] -= 1
    e = chains.free[chains.n_free[0]]
    tape.at_us[e], tape.kind[e], tape.bits[e] = t, events.kind[k], events.bits[k]
    for j in range(tape.numbers.shape[1]):
        tape.numbers[e, j] = events.numbers[k, j]
    for j in range(tape.codes.shape[1]):
        tape.codes[e, j] = events.codes[k, j]
    chains.id_hash[e] = name
    in_order = _link(tape, chains, s, e)
    status = ADDED if in_order else LATE
    return status, e, not in_order or t < rows.longs[s, 0]


@kernel()
def _link(tape: Any, chains: Any, s: Any, e: Any) -> Any:
    """Put `e` in its place in the chain of `s`; true where that is the end."""
    t, name = tape.at_us[e], chains.id_hash[e]
    before = chains.last[s]
    while before != NONE and _not_after(t, name, tape.at_us[before], chains.id_hash[before]):
        before = chains.previous[before]
    after = chains.head[s] if before == NONE else tape.next[before]
    chains.previous[e], tape.next[e] = before, after
    if before == NONE:
        chains.head[s] = e
    else:
        tape.next[before] = e
    if after == NONE:
        chains.last[s] = e
        return True
    chains.previous[after] = e
    return False


@kernel()
def _rebuild(
    plan: Any,
    tape: Any,
    seen: Any,
    chains: Any,
    rows: Any,
    bases: Any,
    distinct_fields: Any,
    s: Any,
) -> None:
    """Make the state of `s` again from its base and its chain."""
    e = chains.head[s]
    while e != NONE:
        _forget(tape, seen, distinct_fields, s, e, False)
        e = tape.next[e]
    ints, longs, floats = rows.ints[s], rows.longs[s], rows.floats[s]
    b = chains.base[s]
    if b == NONE:
        restart(plan, ints, longs, floats)
    else:
        ints[:], longs[:], floats[:] = bases.ints[b], bases.longs[b], bases.floats[b]
    e = chains.head[s]
    while e != NONE:
        add(plan, tape, seen, s, e, ints, longs, floats)
        e = tape.next[e]


@kernel()
def _forget(tape: Any, seen: Any, distinct_fields: Any, s: Any, e: Any, only_own: Any) -> None:
    """Drop what `seen` knows of the codes of `e`; with `only_own`, only where it names `e`."""
    for d in range(len(distinct_fields)):
        code = tape.codes[e, distinct_fields[d]]
        if code != NONE:
            place = find(seen.keys, seen_key(s, d, code))
            if not only_own or seen.events[place] == e:
                seen.events[place] = NONE


@kernel()
def _patch(plan: Any, tape: Any, e: Any, ints: Any, longs: Any, floats: Any) -> None:
    """Let a late event into a row whose every cell is the same in any order of arrival."""
    t, bits = tape.at_us[e], tape.bits[e]
    width = len(plan.windows_us) + 1
    for w in range(width):
        if w < width - 1:
            if t <= longs[0] - plan.windows_us[w]:
                continue
            if ints[w] == NONE or tape.next[e] == ints[w]:
                ints[w] = e
        row = tape.kind[e] * width + w
        for i in range(plan.lists[row], plan.lists[row + 1]):
            if bits & plan.masks[i] != plan.masks[i]:
                continue
            code, a = plan.actions[i, 0], plan.actions[i, 1]
            if code == op.ADD_COUNT:
                ints[a] += 1
            elif code == op.LAST_AT:
                longs[a] = max(longs[a], t)
            elif code == op.FIRST_AT:
                longs[a] = t if longs[a] == NEVER else min(longs[a], t)
            else:
                x = tape.numbers[e, plan.actions[i, 3]]
                if x == x:
                    add_to_sum(floats, a, x)
                    ints[plan.actions[i, 2]] += 1


@kernel()
def let_go(
    plan: Any, tape: Any, seen: Any, chains: Any, rows: Any, bases: Any,
    distinct_fields: Any, queue_cells: Any, slots: Any, until_us: Any, now_us: Any,
) -> Any:  # fmt: skip
    """Fold events up to `until_us` of entities `slots` into their bases; how many went.

    Every entity in `slots` has a base row. At `now_us` no window reaches back to `until_us`.
    """
    gone = 0
    for s in slots:
        ints = rows.ints[s]
        if rows.longs[s, 0] < now_us:
            advance(plan, tape, now_us, ints, rows.longs[s], rows.floats[s])
        b = chains.base[s]
        e = chains.head[s]
        while e != NONE and tape.at_us[e] <= until_us:
            observe(plan, tape, seen, s, e, False, bases.ints[b], bases.longs[b], bases.floats[b])
            for q in range(len(queue_cells)):
                after = tape.larger[e, q, 1]
                if ints[queue_cells[q]] == e:
                    ints[queue_cells[q]] = NONE
                elif after != NONE and tape.larger[after, q, 0] == e:
                    tape.larger[after, q, 0] = NONE
            _forget(tape, seen, distinct_fields, s, e, True)
            chains.floor_us[s], chains.floor_id[s] = tape.at_us[e], chains.id_hash[e]
            chains.free[chains.n_free[0]] = e
            chains.n_free[0] += 1
            gone += 1
            e = tape.next[e]
        chains.head[s] = e
        if e == NONE:
            chains.last[s] = NONE
        else:
            chains.previous[e] = NONE
    return gone


@kernel()
def index_ids(tape: Any, chains: Any, n_entities: Any) -> None:
    """Enter the ids of all chained events into an empty `chains.ids`."""
    for s in range(n_entities):
        e = chains.head[s]
        while e != NONE:
            chains.ids[find(chains.ids, chains.id_hash[e])] = chains.id_hash[e]
            e = tape.next[e]


@kernel()
def rehash(old: Any, new: Any) -> None:
    """Copy the entries of one `Seen` that still name an event into an empty one."""
    for i in range(len(old.keys)):
        if old.keys[i] != EMPTY and old.events[i] != NONE:
            place = find(new.keys, old.keys[i])
            new.keys[place] = old.keys[i]
            new.events[place] = old.events[i]
            new.used[0] += 1


@kernel()
def chain_until(tape: Any, chains: Any, s: Any, t: Any) -> Any:
    """Events of `s` up to and including time `t`, in order."""
    n = 0
    e = chains.head[s]
    while e != NONE and tape.at_us[e] <= t:
        n += 1
        e = tape.next[e]
    found = np.empty(n, np.int32)
    e = chains.head[s]
    for i in range(n):
        found[i] = e
        e = tape.next[e]
    return found

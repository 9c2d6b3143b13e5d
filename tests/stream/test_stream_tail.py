"""The journal's tail against a plain list, and against what is on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlab.schema.wire import WireEvent
from leadlab.schema.wire_columns import columns_of
from leadlab.stream.entries import Entries
from leadlab.stream.journal import Journal
from leadlab.stream.known_ids import id_keys
from leadlab.stream.lane import Lane
from leadlab.stream.plan import Plan
from leadlab.stream.tail import Tail


def events_of(first: int, n: int) -> list[WireEvent]:
    return [WireEvent(f"e{i}", f"t{i % 3}", "ann", "Inquiry", i) for i in range(first, first + n)]


@settings(max_examples=60, deadline=None)
@given(
    room=st.integers(1, 12),
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=20),
    after=st.integers(0, 80),
    most=st.integers(0, 20),
)
def test_a_tail_reads_as_the_list_of_all_entries(room, sizes, after, most) -> None:
    tail, whole = Tail(room), []
    assert not tail.holds(0)
    for turn, n in enumerate(sizes):
        events = events_of(len(whole) + 1, n)
        keys = id_keys(events)
        tail.append(events, len(whole) + 1, turn, keys)
        whole += [(event, turn, key) for event, key in zip(events, keys, strict=True)]
    assert tail.holds(max(len(whole) - room, 0))
    if tail.holds(after):
        found = tail.read(after, most)
        expected = whole[after : after + most]
        assert found.events == [event for event, _, _ in expected]
        assert found.stamps_us.tolist() == [stamp for _, stamp, _ in expected]
        assert found.keys is not None
        assert found.keys.tolist() == [key for _, _, key in expected]
        assert found.offsets.tolist() == list(range(after + 1, after + 1 + len(expected)))
        assert found.keys.flags.writeable


def test_memory_of_a_tail_stays_within_its_bounds() -> None:
    tail = Tail(room=100)
    for k in range(5000):
        tail.append(events_of(k + 1, 1), k + 1, k, np.array([k], np.uint64))
        assert not tail.holds(k - 150)
    assert tail.holds(5000 - 100)


def test_tail_and_disk_give_the_same_entries_with_the_same_keys(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.db") as journal:
        for k in range(30):
            journal.append(events_of(10 * k, 10), stamp_us=k)
        near = journal.read(95, 77)
        with Journal(tmp_path / "journal.db", read_only=True) as other:
            far = other.read(95, 77)
    assert far.events == near.events
    for name in ("offsets", "stamps_us", "keys"):
        one, two = getattr(near, name), getattr(far, name)
        assert one.tolist() == two.tolist()
        assert one.dtype == two.dtype
        assert two.flags.writeable or name != "keys"
    log, _ = columns_of(near.events, {})
    assert near.keys is not None
    assert log.id_hash.tolist() == near.keys.tolist()


def test_keys_that_travel_along_change_nothing(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.db") as journal:
        journal.append(events_of(0, 40), stamp_us=50)
        entries = journal.read(0, 40)
    assert entries.keys is not None
    bare = Entries(entries.events, entries.offsets, entries.stamps_us)
    rows = [Lane(Plan()).take(given).rows.tobytes() for given in (entries, bare)]
    assert rows[0] == rows[1]

"""The ring against a plain list, and under a reader in another thread."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlab.errors import BadInput
from leadlab.stream import Ring

DTYPE = np.dtype([("seq", np.int64), ("x", np.int64)])


def rows(values: list[int]) -> np.ndarray:
    out = np.zeros(len(values), DTYPE)
    out["x"] = values
    return out


@given(
    st.integers(1, 7),
    st.lists(st.lists(st.integers(0, 99), max_size=12), max_size=12),
    st.integers(0, 60),
    st.none() | st.integers(1, 9),
)
def test_agrees_with_a_list(capacity, batches, seq, most) -> None:
    ring, kept = Ring(capacity, DTYPE), []
    for batch in batches:
        numbered = ring.append(rows(batch))
        assert numbered["seq"].tolist() == list(range(len(kept) + 1, len(kept) + len(batch) + 1))
        kept.extend(batch)
    expected = list(enumerate(kept, start=1))[-capacity:]
    if most is not None:
        expected = expected[-most:]
    expected = [row for row in expected if row[0] > seq]
    assert [tuple(row) for row in ring.since(seq, most).tolist()] == expected
    assert ring.newest == len(kept)


def test_what_is_given_out_stays_as_it_was() -> None:
    ring = Ring(2, DTYPE)
    ring.append(rows([1, 2]))
    given_out = ring.since(0)
    ring.append(rows([3, 4]))
    assert given_out["x"].tolist() == [1, 2]


def test_a_reader_beside_a_writer_sees_whole_rows_without_gaps() -> None:
    ring, stop = Ring(1 << 12, DTYPE), threading.Event()
    seen: list[int] = []

    def read() -> None:
        last = 0
        while not stop.is_set() or last < ring.newest:
            new = ring.since(last)
            assert (new["x"] == new["seq"] * 3).all()
            seen.extend(new["seq"].tolist())
            last = int(new["seq"][-1]) if len(new) else last

    reader = threading.Thread(target=read)
    reader.start()
    for start in range(1, 4_000, 10):
        ring.append(rows([3 * k for k in range(start, start + 10)]))
    stop.set()
    reader.join(20)
    assert seen == list(range(1, 4_001))


def test_a_ring_needs_room() -> None:
    with pytest.raises(BadInput):
        Ring(0, DTYPE)

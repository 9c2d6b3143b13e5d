"""The log's columns: coded text, canonical order, joins and slices, against plain pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlab.errors import BadInput
from leadlab.schema import Coded, concat, events_of, log_from_events, log_from_frame

entries = st.lists(st.sampled_from(["a", "b", "ç", "", None]), max_size=20)


@given(entries)
def test_coded_text_is_what_it_was(values):
    column = Coded.of(values)
    expected = [v or None for v in values]
    assert column.values().tolist() == expected
    assert len(column) == len(values)
    assert column.names.tolist() == list(dict.fromkeys(v for v in expected if v))
    assert all(column.names[code] == name for name, code in column.index.items())


@given(entries, st.data())
def test_taken_and_compacted(values, data):
    column = Coded.of(values)
    keep = np.array(
        data.draw(st.lists(st.booleans(), min_size=len(values), max_size=len(values))), bool
    )
    expected = [v or None for v, k in zip(values, keep, strict=True) if k]
    assert column.take(keep).values().tolist() == expected
    small = column.take(keep).compact()
    assert small.values().tolist() == expected
    assert set(small.names) == {v for v in expected if v}


def test_constant():
    assert Coded.constant("x", 2).values().tolist() == ["x", "x"]
    assert Coded.constant(None, 2).values().tolist() == [None, None]


rows = st.lists(
    st.tuples(
        st.sampled_from(["e1", "e2", "e3", "e4", "e5", "e6"]),
        st.sampled_from(["t1", "t2"]),
        st.integers(0, 5),
        st.sampled_from(["ann", "bob"]),
        st.sampled_from(["x", None]),
    ),
    max_size=14,
)


def build(listed):
    frame = pd.DataFrame(listed, columns=["id", "tenant", "at", "lead", "note"]).astype(
        {"at": "int64"}
    )
    return log_from_frame(
        frame.assign(kind="Call", at=frame["at"] + 1_700_000_000),
        lead="lead", kind="kind", at="at", id="id", tenant="tenant", data=["note"],
    )  # fmt: skip


@given(rows, st.integers(0, 14), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_joining_does_not_depend_on_the_split_or_the_order(listed, cut, random):
    # Which of two rows with one id and one moment is kept must not matter: let them be equal.
    listed = list({(r[0], r[1], r[2]): r for r in listed}.values())
    shuffled = list(listed)
    random.shuffle(shuffled)
    whole = build(listed)
    parts = [build(shuffled[:cut]), build(shuffled[cut:])]
    joined = concat(parts)
    pd.testing.assert_frame_equal(joined.to_frame(), whole.to_frame())
    assert joined.repeated == whole.repeated == len(listed) - len(whole)
    assert (np.diff(whole.at_us) >= 0).all()
    keys = whole.to_frame()[["tenant", "id"]]
    assert not keys.duplicated().any()
    earliest = (
        pd.DataFrame(listed, columns=["id", "tenant", "at", "l", "n"])
        .groupby(["tenant", "id"])["at"]
        .min()
    )
    kept = whole.to_frame().set_index(["tenant", "id"])["at"].sort_index()
    assert ((kept.astype("int64") // 1_000_000 - 1_700_000_000) == earliest).all()


@given(rows, st.integers(0, 6), st.integers(0, 6))
@settings(deadline=None)
def test_slices_against_pandas(listed, start, end):
    log = build(listed)
    frame = log.to_frame()
    base = 1_700_000_000
    part = log.between((base + start) * 1_000_000, (base + end) * 1_000_000)
    seconds = frame["at"].astype("int64") // 1_000_000 - base
    expected = frame[(seconds >= start) & (seconds < end)]
    assert part.id.tolist() == expected["id"].tolist()
    ann = log.for_leads(["ann", "nobody"])
    assert ann.id.tolist() == frame.loc[frame["lead"] == "ann", "id"].tolist()
    batches = list(log.batches(3))
    assert all(len(b) <= 3 for b in batches)
    assert [i for b in batches for i in b.id] == log.id.tolist()


@given(rows)
@settings(deadline=None)
def test_events_and_back(listed):
    log = build(listed)
    again = log_from_events(events_of(log))
    frame = log.to_frame().dropna(axis="columns", how="all")
    pd.testing.assert_frame_equal(frame, again.to_frame()[frame.columns], check_dtype=False)


def test_columns_that_differ_between_logs():
    base = {"kind": ["Call"], "at": ["2025-01-01"], "lead": ["ann"]}
    named = {"lead": "lead", "kind": "kind", "at": "at"}
    text = log_from_frame(pd.DataFrame({**base, "x": ["a"]}), **named, data=["x"])
    number = log_from_frame(pd.DataFrame({**base, "x": [1.5]}), **named, data=["x"])
    blank = log_from_frame(pd.DataFrame({**base, "x": [None]}), **named, data=["x"])
    none = log_from_frame(pd.DataFrame({**base, "lead": ["bob"]}), **named)
    with pytest.raises(BadInput, match="where: x"):
        concat([text, number])
    assert set(concat([text, blank, none]).data["x"].values()) == {"a", None}
    joined = concat([blank, number, none]).data["x"]
    assert np.isnan(joined).sum() == 2 and 1.5 in joined
    assert len(concat([blank, none]).data["x"]) == 2
    with pytest.raises(BadInput, match="no logs"):
        concat([])


def test_refused_rows_of_all_logs_are_kept():
    bad = pd.DataFrame({"kind": ["Call"], "at": ["?"], "lead": ["ann"]})
    log = log_from_frame(bad, lead="lead", kind="kind", at="at")
    assert len(concat([log, log]).refused) == 2
    assert log.take(np.arange(0)).refused is None
    assert log.with_refused(None).refused is None

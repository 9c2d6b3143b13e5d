"""Splits of tables: groups whole, seeds apart, nothing from later in training."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlab.errors import BadInput, EmptyInput
from leadlab.models.tables.splits import copies, ordered_split, repeated_holdout


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(60, 200), st.integers(1, 4))
def test_holdouts_keep_groups_whole_and_rates_alike(seed, n, size):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n) % 3 == 0).astype(int)
    groups = rng.permutation(np.arange(n) // size)
    parts = repeated_holdout(y, groups=groups, repeats=3, seed=seed)
    again = repeated_holdout(y, groups=groups, repeats=2, seed=seed + 1)
    for (train, test), other in zip(parts[1:], again, strict=True):
        assert (train == other[0]).all()
        assert (test == other[1]).all()
    for train, test in parts:
        assert sorted([*train, *test]) == list(range(n))
        assert not set(groups[train]) & set(groups[test])
        assert abs(len(test) / n - 0.2) < 0.12
        assert abs(y[test].mean() - y.mean()) < 0.2
    assert any((parts[0][1].tolist() != test.tolist()) for _, test in parts[1:])


def test_holdouts_that_cannot_be_are_refused():
    with pytest.raises(EmptyInput):
        repeated_holdout([])
    for bad in ({"share": 0.0}, {"share": 0.9}, {"repeats": 0}):
        with pytest.raises(BadInput, match="cannot split"):
            repeated_holdout([0, 1] * 20, **bad)
    with pytest.raises(BadInput, match="too few rows of an outcome"):
        repeated_holdout([0] * 50 + [1] * 2)
    with pytest.raises(BadInput, match="one group a row"):
        repeated_holdout([0, 1] * 20, groups=[1, 2])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 20)), min_size=3, max_size=60),
    st.floats(0.1, 0.6),
)
def test_ordered_splits_train_on_what_was_settled(rows, share):
    at = np.array([a for a, _ in rows])
    known_at = at + [wait for _, wait in rows]
    first = np.sort(at)[len(at) - max(1, round(len(at) * share))]
    if not ((at < first) & (known_at < first)).any():
        with pytest.raises(BadInput, match="no outcome was settled"):
            ordered_split(at, share=share, known_at=known_at)
        return
    cut = ordered_split(at, share=share, known_at=known_at)
    assert sorted([*cut.train, *cut.pending, *cut.test]) == list(range(len(at)))
    assert (known_at[cut.train] < cut.start).all()
    assert (known_at[cut.pending] >= cut.start).all()
    assert (at[cut.pending] < cut.start).all()
    assert (at[cut.test] >= cut.start).all()
    assert len(cut.test) >= max(1, round(len(at) * share))
    for side in (cut.train, cut.pending, cut.test):
        assert (np.diff(at[side]) >= 0).all()


def test_ordered_splits_that_cannot_be_are_refused():
    with pytest.raises(EmptyInput):
        ordered_split([])
    with pytest.raises(BadInput, match="share"):
        ordered_split([1, 2], share=1.0)
    with pytest.raises(BadInput, match="settled before its row"):
        ordered_split([1, 2], known_at=[0, 2])
    with pytest.raises(BadInput, match="one moment"):
        ordered_split([1, 2], known_at=[2])
    with pytest.raises(BadInput, match="no outcome was settled"):
        ordered_split([1, 1, 1])


def test_times_are_moments_too():
    at = np.array(["2026-01-03", "2026-01-01", "2026-01-02"], "datetime64[us]")
    cut = ordered_split(at, share=0.3)
    assert (cut.train.tolist(), cut.test.tolist()) == ([1, 2], [0])


def test_copies_are_of_one_group():
    frame = pd.DataFrame({"a": [1, 1, None, None, 2], "b": ["x", "x", "y", "y", "x"]})
    assert copies(frame).tolist() == [0, 0, 1, 1, 2]
    with pytest.raises(EmptyInput):
        copies(pd.DataFrame(index=[0, 1]))

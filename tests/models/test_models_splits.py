from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlab.errors import BadInput, EmptyInput
from leadlab.models.splits import temporal_split

DAY_US = 86_400_000_000

rows = st.integers(20, 80).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(0, 100), min_size=n, max_size=n),
        st.lists(st.integers(0, 25), min_size=n, max_size=n),
        st.lists(st.integers(0, 1), min_size=n, max_size=n),
        st.lists(st.integers(0, 20), min_size=n, max_size=n),
    )
)


@given(rows, st.floats(0.05, 0.4), st.floats(0.05, 0.4), st.integers(0, 10))
def test_nothing_leaks_from_a_later_side(drawn, validation, test, gap_days):
    day, group, y, window = (np.array(part) for part in drawn)
    at = day * DAY_US
    end = at + window * DAY_US
    try:
        cut = temporal_split(
            at,
            group,
            y,
            window_end_us=end,
            validation=validation,
            test=test,
            gap_days=gap_days,
        )
    except BadInput as error:
        assert "side" in str(error)
        return
    sides = [cut.train, cut.validation, cut.test]
    together = np.concatenate([*sides, cut.purged])
    assert sorted(together.tolist()) == list(range(len(at)))
    leads = [set(group[side].tolist()) for side in sides]
    assert not (leads[0] & leads[1] or leads[0] & leads[2] or leads[1] & leads[2])
    for earlier in (0, 1):
        known_by = end[sides[earlier]].max() + gap_days * DAY_US
        assert known_by <= at[cut.test].min()
    assert all(set(y[side].tolist()) == {0, 1} for side in sides)
    first = {g: at[group == g].min() for g in set(group.tolist())}
    assert max(first[g] for g in leads[0] | leads[1]) <= min(first[g] for g in leads[2])


def test_validation_is_spread_over_the_training_period():
    at = np.arange(1000) * DAY_US
    cut = temporal_split(at, np.arange(1000), np.arange(1000) % 7 == 0, validation=0.2, test=0.2)
    assert len(cut.validation) == 200
    assert len(cut.train) == 600
    assert np.diff(cut.validation).max() == 4


def test_order_of_rows_does_not_matter_to_which_leads_go_where():
    rng = np.random.default_rng(0)
    at, group = rng.permutation(200) * DAY_US, rng.integers(0, 60, 200)
    y = rng.integers(0, 2, 200)
    cut = temporal_split(at, group, y)
    order = rng.permutation(200)
    again = temporal_split(at[order], group[order], y[order])
    for side in ("train", "validation", "test", "purged"):
        assert sorted(order[getattr(again, side)]) == getattr(cut, side).tolist()


def test_poor_sides_are_refused_with_sizes():
    at = np.arange(100) * DAY_US
    lead, y = np.arange(100), np.arange(100) % 2
    with pytest.raises(BadInput, match=r"train side is empty.*purged"):
        temporal_split(at, lead, y, window_end_us=at + 400 * DAY_US)
    with pytest.raises(BadInput, match="test side holds one class only"):
        temporal_split(at, lead, np.where(at > 70 * DAY_US, 0, y))
    with pytest.raises(BadInput, match="shares"):
        temporal_split(at, lead, y, validation=0.5, test=0.5)
    with pytest.raises(BadInput, match="before its landmark"):
        temporal_split(at, lead, y, window_end_us=at - 1)
    with pytest.raises(BadInput, match="length"):
        temporal_split(at, lead[:-1], y)
    with pytest.raises(BadInput, match="gap"):
        temporal_split(at, lead, y, gap_days=-1)
    with pytest.raises(EmptyInput):
        temporal_split([], [], [])
    with pytest.raises(BadInput, match="side is empty"):
        temporal_split(at, np.zeros(100), y)
    with pytest.raises(BadInput, match="validation side holds one class only"):
        temporal_split(at, lead, np.where(at < 80 * DAY_US, lead % 5 == 0, y))

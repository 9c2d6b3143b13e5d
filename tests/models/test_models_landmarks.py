from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlab.errors import BadInput, EmptyInput, UnknownName
from leadlab.models.landmarks import label_landmarks
from leadlab.schema.log import Coded, EventLog

DAY_US = 86_400_000_000
KINDS = ("Visit", "Closed", "Sold", "Lost")


@dataclass(frozen=True)
class Asked:
    tenant: Coded
    lead: Coded
    as_of_us: np.ndarray


def log_of(rows):
    """Events (tenant, lead, kind, day); one event of each kind belongs to a lead of its own."""
    rows = [*rows, *(("t", "own", kind, 0) for kind in KINDS)]
    frame = pd.DataFrame(rows, columns=["tenant", "lead", "kind", "day"])
    at = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(frame["day"], unit="D")
    return EventLog.from_frame(
        frame.assign(at=at), lead="lead", kind="kind", at="at", tenant="tenant"
    )


def asked_of(log, rows):
    start = int(pd.Timestamp("2026-01-01", tz="UTC").value // 1000)
    days = np.array([r[2] for r in rows], np.int64)
    return Asked(
        Coded.of([r[0] for r in rows]), Coded.of([r[1] for r in rows]), start + days * DAY_US
    )


def naive(events, tenant, lead, day, horizon, end):
    """One landmark at a time, straight from the definition."""
    own = sorted(d for t, le, k, d in events if (t, le) == (tenant, lead) and d <= end)
    won = [
        d
        for t, le, k, d in events
        if (t, le, d <= end) == (tenant, lead, True) and k in ("Closed", "Sold")
    ]
    lost = [
        d for t, le, k, d in events if (t, le, d <= end) == (tenant, lead, True) and k == "Lost"
    ]
    assert own is not None
    if any(d <= day for d in won + lost):
        return -2
    if any(day < d <= day + horizon for d in won):
        return 1
    if day + horizon <= end:
        return 0
    if lost:
        return 0
    return -1


events = st.lists(
    st.tuples(
        st.sampled_from("tu"), st.sampled_from("ab"), st.sampled_from(KINDS), st.integers(0, 20)
    ),
    min_size=1,
    max_size=14,
)


@given(events, st.data(), st.integers(1, 8), st.one_of(st.none(), st.integers(0, 22)))
def test_labels_equal_the_definition(rows, data, horizon, end):
    log = log_of(rows)
    known = sorted({(t, le) for t, le, _, _ in rows})
    asked = data.draw(
        st.lists(st.tuples(st.sampled_from(known), st.integers(-2, 24)), min_size=1, max_size=10)
    )
    asked = [(t, le, day) for (t, le), day in asked]
    start = int(pd.Timestamp("2026-01-01", tz="UTC").value // 1000)
    found = label_landmarks(
        asked_of(log, asked),
        log,
        converted=("Closed", "Sold"),
        ended=("Lost",),
        horizon_days=horizon,
        end_us=None if end is None else start + end * DAY_US,
    )
    last = max([0, *(d for *_, d in rows)]) if end is None else end
    expected = [naive(rows, t, le, day, horizon, last) for t, le, day in asked]
    assert found.label.tolist() == expected
    assert sum(found.counts.values()) == len(asked)
    whole = [day + horizon <= last for _, _, day in asked]
    assert found.usable.tolist() == [
        i for i, label in enumerate(expected) if label >= 0 and whole[i]
    ]


def test_the_rate_among_usable_landmarks_is_the_rate_that_was_planted():
    """Half convert the day after the landmark, half never: known labels alone would say all do."""
    rows = [("t", f"lead {i}", "Visit", i % 20) for i in range(400)]
    rows += [("t", f"lead {i}", "Closed", i % 20 + 1) for i in range(400) if i // 20 % 2]
    rows += [("t", f"lead {i}", "Visit", i % 20 + 1) for i in range(400) if not i // 20 % 2]
    log = log_of(rows)
    asked = asked_of(log, [("t", f"lead {i}", i % 20) for i in range(400)])
    found = label_landmarks(asked, log, converted=("Closed",), horizon_days=10)
    assert found.label[found.usable].mean() == pytest.approx(0.5, abs=0.01)
    assert found.label[found.label >= 0].mean() > 0.6


def test_a_landmark_knows_nothing_after_the_end_of_observation():
    """Cutting the log at T and asking with end_us=T are the same."""
    rows = [("t", "a", "Visit", d) for d in range(10)] + [("t", "a", "Closed", 9)]
    log = log_of(rows)
    asked = asked_of(log, [("t", "a", d) for d in range(9)])
    end_us = int(log.at_us[0]) + 5 * DAY_US
    options = {"converted": ("Closed",), "ended": ("Lost",), "horizon_days": 4, "end_us": end_us}
    whole = label_landmarks(asked, log, **options)
    cut = label_landmarks(asked, log.between(0, end_us + 1), **options)
    assert whole.label.tolist() == cut.label.tolist() == [0, 0, -1, -1, -1, -1, -1, -1, -1]


def test_unresolved_landmarks_are_no_negatives():
    log = log_of([("t", "a", "Visit", 0), ("t", "b", "Visit", 30)])
    asked = asked_of(log, [("t", "a", 0), ("t", "b", 30)])
    found = label_landmarks(asked, log, converted=("Closed",), horizon_days=14)
    assert found.label.tolist() == [0, -1]


def test_wrong_questions_are_refused_with_names():
    log = log_of([("t", "ann", "Visit", 0), ("u", "bob", "Visit", 0)])
    good = asked_of(log, [("t", "ann", 0)])
    with pytest.raises(UnknownName, match="Did you mean 'Closed'"):
        label_landmarks(good, log, converted=("Close",), horizon_days=7)
    with pytest.raises(UnknownName, match="'anne'"):
        label_landmarks(
            asked_of(log, [("t", "anne", 0)]), log, converted=("Closed",), horizon_days=7
        )
    with pytest.raises(UnknownName, match="'bob'"):
        label_landmarks(
            asked_of(log, [("t", "bob", 0)]), log, converted=("Closed",), horizon_days=7
        )
    with pytest.raises(BadInput, match="horizon"):
        label_landmarks(good, log, converted=("Closed",), horizon_days=0)
    with pytest.raises(BadInput, match="horizon"):
        label_landmarks(good, log, converted=("Closed",), horizon_days=float("nan"))
    with pytest.raises(BadInput, match="another ending"):
        label_landmarks(good, log, converted=("Closed",), ended=("Closed",), horizon_days=7)
    with pytest.raises(BadInput, match="success"):
        label_landmarks(good, log, converted=(), horizon_days=7)
    with pytest.raises(EmptyInput):
        label_landmarks(asked_of(log, []), log, converted=("Closed",), horizon_days=7)

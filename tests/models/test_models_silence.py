from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlab.errors import BadInput, EmptyInput, UnknownName
from leadlab.features import FeatureSet, Moments, build, count, events
from leadlab.models.churn.nights import nights
from leadlab.models.churn.silence import label_silence, outcomes_of, signs_of
from leadlab.schema.log import Coded, EventLog

DAY_US = 86_400_000_000
KINDS = ("Visit", "Reply", "Note", "Closed", "Lost")
HORIZONS = (2.0, 5.0, 9.0)
START_US = int(pd.Timestamp("2026-01-01", tz="UTC").value // 1000)


def log_of(rows):
    """Events (tenant, lead, kind, day); one of each kind belongs to a lead of its own."""
    rows = [*rows, *(("t", "own", kind, 0) for kind in KINDS)]
    frame = pd.DataFrame(rows, columns=["tenant", "lead", "kind", "day"])
    at = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(frame["day"], unit="D")
    return EventLog.from_frame(
        frame.assign(at=at), lead="lead", kind="kind", at="at", tenant="tenant"
    )


def asked_of(rows):
    days = np.array([r[2] for r in rows], np.int64)
    return Moments(
        Coded.of([r[0] for r in rows]), Coded.of([r[1] for r in rows]), START_US + days * DAY_US
    )


def label(log, asked, **options):
    return label_silence(
        asked,
        log,
        **{
            "signs": ("Visit", "Reply"),
            "converted": ("Closed",),
            "ended": ("Lost",),
            "horizons_days": HORIZONS,
            **options,
        },
    )


def naive(rows, tenant, lead, day, end):
    """One landmark at a time, straight from the definition."""
    own = [(k, d) for t, name, k, d in rows if (t, name) == (tenant, lead) and d <= end]
    outcomes = [d for k, d in own if k in ("Closed", "Lost")]
    signs = [d for k, d in own if k in ("Visit", "Reply")]
    coming = [d for k, d in own if k in ("Visit", "Reply", "Closed") and d > day]
    following = min(coming) - day if coming else float("nan")
    if any(d <= day for d in outcomes) or not any(d <= day for d in signs):
        return [-2] * len(HORIZONS), following
    found = []
    for h in HORIZONS:
        if any(d <= day + h for d in coming):
            found.append(0)
        else:
            found.append(1 if day + h <= end else -1)
    return found, following


some_events = st.lists(
    st.tuples(
        st.sampled_from("tu"), st.sampled_from("ab"), st.sampled_from(KINDS), st.integers(0, 20)
    ),
    min_size=1,
    max_size=14,
)


@given(some_events, st.data(), st.one_of(st.none(), st.integers(0, 22)))
def test_labels_equal_the_definition(rows, data, end):
    log = log_of(rows)
    known = sorted({(t, name) for t, name, _, _ in rows})
    asked = data.draw(
        st.lists(st.tuples(st.sampled_from(known), st.integers(-2, 24)), min_size=1, max_size=10)
    )
    asked = [(t, name, day) for (t, name), day in asked]
    end_us = None if end is None else START_US + end * DAY_US
    found = label(log, asked_of(asked), end_us=end_us)
    last = max([0, *(d for *_, d in rows)]) if end is None else end
    expected = [naive(rows, t, name, day, last) for t, name, day in asked]
    assert found.label.tolist() == [e[0] for e in expected]
    np.testing.assert_array_equal(found.next_days, [e[1] for e in expected])
    for row, (labels, _) in enumerate(expected):
        over = [asked[row][2] + h <= last for h in HORIZONS]
        kept = [v if v >= 0 and o else -1 for v, o in zip(labels, over, strict=True)]
        assert found.known[row].tolist() == kept
    assert found.alive.tolist() == [i for i, (e, _) in enumerate(expected) if e[0] != -2]
    assert all(sum(sizes.values()) == len(asked) for sizes in found.counts.values())


@given(some_events, st.integers(0, 20), st.randoms(use_true_random=False))
def test_neither_the_order_of_rows_nor_what_comes_later_matters(rows, end, random):
    log = log_of(rows)
    asked = [(t, name, day) for t, name, _, day in rows]
    end_us = START_US + end * DAY_US
    found = label(log, asked_of(asked), end_us=end_us)
    order = list(range(len(asked)))
    random.shuffle(order)
    shuffled = label(log, asked_of([asked[i] for i in order]), end_us=end_us)
    assert shuffled.label.tolist() == found.label[order].tolist()
    later = [*rows, *((t, name, "Visit", end + 1 + i) for i, (t, name, *_) in enumerate(rows))]
    again = label(log_of(later), asked_of(asked), end_us=end_us)
    assert again.label.tolist() == found.label.tolist()
    np.testing.assert_array_equal(again.next_days, found.next_days)


def test_a_silent_lead_is_asked_about_on_its_silent_days():
    log = log_of([("t", "a", "Visit", 0), ("t", "b", "Visit", 40)])
    features = FeatureSet([count(events("Visit"), "30d")])
    rows = build(log, features, nights(log, features))
    found = label(log, rows)
    own = rows.lead.values() == "a"
    assert own.sum() == 30
    assert (found.label[own] == 1).all()
    thin = nights(log, features, most=20)
    assert 0 < len(thin) <= 25
    with pytest.raises(BadInput, match="landmark"):
        nights(log, features, most=0)


def test_the_vocabulary_says_what_a_sign_is():
    kinds = ["Inquiry", "Outgoing Call", "Unsubscribed", "Closed"]
    frame = pd.DataFrame({"who": ["a"] * 4, "when": ["2026-01-01"] * 4, "what": kinds})
    log = EventLog.from_frame(frame, lead="who", kind="what", at="when")
    assert signs_of(log) == ("Inquiry",)
    assert outcomes_of(log) == (("Closed",), ())
    with pytest.raises(BadInput, match="Name the kinds"):
        signs_of(_of_kind("Note"))


def _of_kind(kind):
    frame = pd.DataFrame({"who": ["a"], "what": [kind], "when": ["2026-01-01"]})
    return EventLog.from_frame(frame, lead="who", kind="what", at="when")


def test_wrong_questions_are_refused_with_names():
    log = log_of([("t", "ann", "Visit", 0), ("u", "bob", "Visit", 0)])
    good = asked_of([("t", "ann", 0)])
    with pytest.raises(UnknownName, match="Did you mean 'Visit'"):
        label(log, good, signs=("Visits",))
    with pytest.raises(UnknownName, match="'bob'"):
        label(log, asked_of([("t", "bob", 0)]))
    for horizons in ((), (7, 7), (14, 7)):
        with pytest.raises(BadInput, match="must rise"):
            label(log, good, horizons_days=horizons)
    with pytest.raises(BadInput, match="horizon"):
        label(log, good, horizons_days=(0, 7))
    with pytest.raises(BadInput, match="signs of life"):
        label(log, good, signs=())
    with pytest.raises(BadInput, match="an ending and a sign"):
        label(log, good, ended=("Visit",))
    with pytest.raises(EmptyInput):
        label(log, asked_of([]))

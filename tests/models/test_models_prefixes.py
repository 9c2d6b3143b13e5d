from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlab.errors import BadInput, EmptyInput, UnknownName
from leadlab.models.protocols.prefixes import Task, auc_by_length, prefixes, sides
from leadlab.schema.log import EventLog

KINDS = ("Step", "O_SENT", "O_YES", "O_NO", "A_TOLD")
TASK = Task(
    deciding=("O_YES", "O_NO"),
    candidates=("O_SENT", "O_YES", "O_NO"),
    telling=("A_TOLD", "A_NEVER_SEEN"),
    longest=4,
)
MINUTE_US = 60_000_000
START = pd.Timestamp("2026-01-01", tz="UTC")


def log_of(rows):
    """Events (case, kind); one a minute, so that no two share a time."""
    frame = pd.DataFrame(rows, columns=["case", "kind"])
    at = START + pd.to_timedelta(np.arange(len(frame)), unit="min")
    return EventLog.from_frame(frame.assign(at=at), lead="case", kind="kind", at="at")


def naive(rows):
    """Each prefix as (case, length, outcome, undecided), cases by start, straight from words."""
    cases = list(dict.fromkeys(case for case, _ in rows))
    told = {}
    for case in cases:
        own = [(minute, kind) for minute, (c, kind) in enumerate(rows) if c == case]
        offers = [(m, k) for m, k in own if k.startswith("O_")]
        if offers and offers[-1][1] in TASK.deciding:
            gives = [m for m, k in own if k in TASK.telling] + [offers[-1][0]]
            told[case] = own, TASK.deciding.index(offers[-1][1]), min(gives)
    return [
        (number, length, outcome, minute < first, minute)
        for number, (own, outcome, first) in enumerate(told.values())
        for length, (minute, _) in enumerate(own, 1)
    ]


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from(KINDS)), max_size=40))
def test_prefixes_are_those_of_the_definition(drawn):
    rows = [("y", "O_YES"), ("n", "O_NO"), *drawn]
    log = log_of(rows)
    expected = naive(rows)
    found = prefixes(log, TASK)
    minute = (log.at_us[found.row] - log.at_us[0]) // MINUTE_US
    got = zip(found.case, found.length, found.outcome, found.undecided, minute, strict=True)
    assert sorted(map(tuple, got)) == expected
    assert found.cases == len({case for case, *_ in expected})
    first_test = int(0.8 * found.cases)
    assert found.train_cases == first_test
    split = next(m for case, length, _, _, m in expected if (case, length) == (first_test, 1))
    for strict in (False, True):
        train, test = sides(found, log.at_us[found.row], 4, strict=strict)
        for side, belongs in (
            (train, lambda case, m: case < first_test and m < split),
            (test, lambda case, m: case >= first_test),
        ):
            got = zip(found.case[side], found.length[side], strict=True)
            assert sorted(map(tuple, got)) == [
                (case, length)
                for case, length, _, undecided, m in expected
                if belongs(case, m) and length <= 4 and (undecided or not strict)
            ]


def test_the_margin_leaves_out_what_the_outcome_itself_records():
    log = log_of([("a", "Step"), ("b", "O_NO"), ("a", "Step"), ("a", "Step"), ("a", "O_YES")])
    for margin_s, kept in ((0.0, 3), (60.0, 2), (60.5, 2), (119.0, 2), (121.0, 1)):
        found = prefixes(log, replace(TASK, margin_s=margin_s))
        assert found.undecided[found.case == 0].sum() == kept


def test_the_longest_prefix_follows_the_positive_cases():
    rows = [("a", "Step"), ("a", "O_YES"), ("b", "O_NO")]
    rows += [("c", "Step")] * 9 + [("c", "O_NO")]
    found = prefixes(log_of(rows), TASK)
    assert found.longest(0, TASK) == 2
    assert found.longest(1, TASK) == 4
    only_no = prefixes(
        log_of([("a", "O_NO"), ("b", "O_NO"), ("c", "O_YES"), ("c", "O_SENT")]), TASK
    )
    with pytest.raises(BadInput, match="no case has this outcome"):
        only_no.longest(0, TASK)


def test_auc_is_taken_within_each_length():
    """Scores that only tell long from short are worth nothing."""
    length = np.repeat([1, 2, 3], 40)
    y = np.tile([0, 1], 60)
    assert auc_by_length(y, length / 10, length) == 0.5
    assert auc_by_length([1, 1, 0, 1], [0.5, 0.5, 0.1, 0.9], [1, 1, 2, 2]) == 1.0
    assert math.isnan(auc_by_length([1, 1], [0.1, 0.2], [1, 1]))


def test_logs_without_outcomes_are_refused():
    with pytest.raises(UnknownName, match="O_NO"):
        prefixes(log_of([("a", "O_YES")]), TASK)
    with pytest.raises(EmptyInput, match="too few cases"):
        prefixes(log_of([("a", "O_YES"), ("a", "O_NO")]), TASK)

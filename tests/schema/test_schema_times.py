# ruff: noqa: DTZ001, DTZ901
"""Times in every form that a table may hold, against the standard library's own arithmetic."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlab.errors import BadInput
from leadlab.schema.times import moment_us, read_times

NOW_US = moment_us("2030-01-01")
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
DENVER = ZoneInfo("America/Denver")


def us(moment):
    return (moment - EPOCH) // dt.timedelta(microseconds=1)


def read(values, *, dtype=None, tz="UTC", at_format=None):
    at_us, problems = read_times(
        pd.Series(values, dtype=dtype, name="at"), tz=tz, now_us=NOW_US, at_format=at_format
    )
    return at_us, {p.reason: np.flatnonzero(p.rows).tolist() for p in problems}


moments = st.datetimes(
    dt.datetime(1973, 4, 1), dt.datetime(2029, 12, 31), timezones=st.just(dt.UTC)
)


@settings(deadline=None)
@given(st.lists(moments, min_size=1, max_size=8))
def test_every_form_of_the_same_moments_reads_the_same(listed):
    expected = [us(m) for m in listed]
    local = [m.astimezone(DENVER) for m in listed]
    forms = [
        pd.Series(listed),
        pd.Series(listed, dtype=object),
        pd.Series([m.replace(tzinfo=None) for m in listed]),
        pd.Series([m.isoformat() for m in listed]),
        pd.Series([m.isoformat().replace("+00:00", "Z") for m in listed], dtype=object),
        pd.Series([m.isoformat(" ") for m in local]),
        pd.Series(local, dtype=object),
        pd.Series(local).astype("category"),
        pd.Series(listed).dt.as_unit("ns"),
        pd.Series(expected),
        pd.Series(expected, dtype="Int64"),
        pd.Series([e * 1000 for e in expected]),
        pd.Series([str(e) for e in expected if e >= 10**15] or ["1000000000000000"]),
        pd.Series(pd.array(listed, dtype=pd.ArrowDtype(pa.timestamp("us", tz="UTC")))),
    ]
    for form in forms:
        at_us, problems = read(form)
        if len(at_us) == len(expected) and not (form.dtype == "str" and form.str.isdigit().all()):
            assert at_us.tolist() == expected
        assert not problems


@given(st.lists(moments, min_size=1, max_size=8))
@settings(deadline=None)
def test_seconds_and_milliseconds(listed):
    seconds = [us(m) // 1_000_000 for m in listed]
    assert read(seconds)[0].tolist() == [s * 1_000_000 for s in seconds]
    millis = [us(m) // 1_000 for m in listed]
    assert read(millis)[0].tolist() == [m * 1_000 for m in millis]
    fractions = [us(m) / 1e6 for m in listed]
    assert np.abs(read(fractions)[0] - [us(m) for m in listed]).max() <= 1


@given(
    st.lists(
        st.datetimes(dt.datetime(1975, 1, 1), dt.datetime(2029, 12, 31)), min_size=1, max_size=8
    )
)
@settings(deadline=None)
def test_times_without_a_zone_are_of_the_zone_given(listed):
    shown = [
        m
        for m in listed
        if m.replace(tzinfo=DENVER).astimezone(dt.UTC).astimezone(DENVER).replace(tzinfo=None) == m
    ]
    expected = [us(m.replace(tzinfo=DENVER, fold=0)) for m in shown]
    for form in (shown, [m.isoformat() for m in shown]):
        at_us, problems = read(form, dtype=object, tz="America/Denver")
        assert at_us.tolist() == expected
        assert not problems
    aware = [m.replace(tzinfo=DENVER) for m in shown]  # these say which of two equal hours they are
    assert read(aware, dtype=object)[0].tolist() == [us(m) for m in aware]


def test_the_hour_that_occurs_twice_is_the_first_and_the_one_that_never_does_is_refused():
    for values in (
        pd.Series(["2025-11-02 01:30:00", "2025-03-09 02:30:00"]),
        pd.to_datetime(pd.Series(["2025-11-02 01:30:00", "2025-03-09 02:30:00"])),
    ):
        at_us, problems = read(values, tz="America/Denver")
        assert at_us[0] == us(dt.datetime(2025, 11, 2, 7, 30, tzinfo=dt.UTC))
        assert problems == {"not a time, or one that no clock shows in America/Denver": [1]}


def test_mixed_zones_in_one_column():
    values = [
        "2025-07-01T12:00:00+02:00",
        "2025-07-01 04:00:00-06",
        "2025-07-01T10:00:00Z",
        "2025-07-01T04:00",
    ]
    at_us, problems = read(values, tz="America/Denver")
    assert set(at_us.tolist()) == {us(dt.datetime(2025, 7, 1, 10, tzinfo=dt.UTC))}
    assert not problems


def test_a_column_of_everything():
    values = [
        dt.datetime(2025, 7, 1, 10, tzinfo=dt.UTC),
        dt.datetime(2025, 7, 1, 4),
        np.datetime64("2025-07-01T04:00"),
        pd.Timestamp("2025-07-01T12:00+02:00"),
        "2025-07-01T10:00:00Z",
        1751364000,
        1751364000.0,
        "1751364000",
        " 1751364000.0 ",
        None,
        pd.NaT,
        "",
        {},
    ]
    at_us, problems = read(values, dtype=object, tz="America/Denver")
    assert set(at_us[:9].tolist()) == {1751364000_000_000}
    assert problems["no time"] == [9, 10, 11]
    assert problems["not a time, or one that no clock shows in America/Denver"] == [12]


def test_one_unit_holds_for_a_column_and_a_stray_is_refused():
    at_us, problems = read([1751364000] * 5 + [1751364000_000])
    assert problems == {"in the future": [5]}
    at_us, problems = read([1751364000_000] * 5 + [1751364000])
    assert not problems and at_us[5] == 1751364000_000, "20 January 1970: stated in the docstring"
    at_us, _ = read([1000, 2000], at_format="ms")
    assert at_us.tolist() == [1_000_000, 2_000_000]


@pytest.mark.parametrize(
    ("values", "dtype", "reason"),
    [
        ([-1], None, "before 1970-01-01"),
        ([2**62], None, "in the future"),
        ([2**63 - 1], None, "not a time"),
        ([2**64 - 1], "uint64", "not a time"),
        ([np.inf], None, "not a time"),
        ([1e308], None, "not a time"),
        ([-(2**62)], None, "before 1970-01-01"),
        (["99991231"], None, "in the future"),
        (["9999-12-31T23:59:59.999999999Z"], None, "in the future"),
        ([dt.datetime.max], "object", "in the future"),
        ([dt.datetime.min], "object", "before 1970-01-01"),
        ([dt.date(2025, 13 - 1, 1)], "object", None),
        (["12345678901"], None, "not a time"),
        ([True], None, "not a time"),
        ([3 + 4j], None, "not a time"),
        ([dt.timedelta(1)], None, "not a time"),
        (np.array(["9999999999-01-01"], "datetime64[s]"), None, "in the future"),
        ([10**40], "object", "not a time"),
    ],
)
def test_absurd_times(values, dtype, reason):
    _, problems = read(values, dtype=dtype)
    assert problems == ({reason: [0]} if reason else {})


def test_a_form_can_be_named():
    at_us, problems = read(
        ["03/04/2025 05:00 PM", "13/04/2025 05:00 PM"], at_format="%m/%d/%Y %I:%M %p"
    )
    assert at_us[0] == us(dt.datetime(2025, 3, 4, 17, tzinfo=dt.UTC))
    assert problems == {"not a time": [1]}
    at_us, _ = read(["03.04.2025 17:00"], at_format="%d.%m.%Y %H:%M", tz="America/Denver")
    assert at_us[0] == us(dt.datetime(2025, 4, 3, 23, tzinfo=dt.UTC))
    with pytest.raises(BadInput, match="cannot read times by this form"):
        read(["x"], at_format="%Q")

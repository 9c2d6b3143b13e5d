"""Anybody's table becomes a log; what cannot be used is kept apart, none of it lost."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlab.errors import BadInput, BadRows, UnknownName
from leadlab.schema import EventLog, concat, log_from_frame

NOW = "2026-06-01T00:00:00Z"
OK_TIME = "2026-01-05T10:00:00Z"


def one(**changed):
    return pd.DataFrame(
        [{"lead": "ann", "kind": "Inquiry", "at": OK_TIME, "value": 1.0, **changed}]
    )


def take(frame, **fields):
    named = {"lead": "lead", "kind": "kind", "at": "at", "now": NOW, **fields}
    if "value" in frame.columns:
        named.setdefault("value", "value")
    return log_from_frame(frame, **named)


@pytest.mark.parametrize(
    ("field", "got", "reason"),
    [
        ("lead", None, "missing"),
        ("lead", "  ", "missing"),
        ("lead", ["ann"], "not text"),
        ("lead", b"ann", "not text"),
        ("lead", "a\ud800", "not valid Unicode"),
        ("lead", "a" * 10_001, "longer than 10000 characters"),
        ("kind", np.nan, "missing"),
        ("kind", "", "missing"),
        ("at", None, "no time"),
        ("at", "", "no time"),
        ("at", "yesterday", "not a time"),
        ("at", True, "not a time"),
        ("at", [OK_TIME], "not a time"),
        ("at", "03/04/2026 10:00", "not a time"),
        ("at", "1969-12-31T23:59:59.999999Z", "before 1970-01-01"),
        ("at", "0001-01-01", "before 1970-01-01"),
        ("at", "9999-12-31T00:00:00Z", "in the future"),
        ("at", "2026-06-02T00:00:00.000001Z", "in the future"),
        ("at", 1e300, "not a time"),
        ("at", float("inf"), "not a time"),
        ("value", "four", "not a number"),
        ("value", [4], "not a number"),
        ("value", 1 + 2j, "not a number"),
        ("value", pd.Timestamp(OK_TIME), "not a number"),
        ("value", float("inf"), "infinite"),
        ("value", "-inf", "infinite"),
        ("value", 1.1e15, "larger than 1e+15"),
        ("value", -(10**30), "larger than 1e+15"),
    ],
)
def test_a_bad_row_is_kept_apart_with_its_reason(field, got, reason):
    good = one()
    frame = pd.concat([good, one(**{field: None}), good.assign(kind="Call")], ignore_index=True)
    frame = frame.astype(object)
    frame.at[1, field] = got
    log = take(frame)
    assert len(log) == 2
    assert log.refused is not None
    assert log.refused[["row", "field", "reason"]].to_numpy().tolist() == [[1, field, reason]]
    record = json.loads(log.refused["record"][0])
    assert list(record) == ["lead", "kind", "at", "value"]
    with pytest.raises(BadRows, match="1 of 3 rows"):
        take(frame, on_bad="raise")


def test_a_row_wrong_in_two_ways_is_refused_once_for_the_first():
    log = take(one(lead=None, kind=None, at="soon"))
    assert log.refused["reason"].tolist() == ["missing"]
    assert log.refused["field"].tolist() == ["lead"]


def test_the_record_of_a_refused_row_is_whole_and_valid_json():
    row = {
        "lead": None,
        "at": pd.Timestamp("2026-01-01"),
        "value": float("nan"),
        "x": [1, {"y": 2}],
    }
    log = take(pd.DataFrame([{"kind": "Call", **row, 7: np.int64(3), "w": np.inf}]))
    record = json.loads(log.refused["record"][0])
    assert record == {
        "kind": "Call",
        "lead": None,
        "at": "2026-01-01 00:00:00",
        "value": None,
        "x": "[1, {'y': 2}]",
        "7": 3,
        "w": "inf",
    }


def test_no_rows_and_no_usable_rows_are_empty_logs():
    frame = one()
    assert len(take(frame.iloc[:0])) == 0
    assert take(frame.iloc[:0]).refused is None
    empty = take(pd.DataFrame({"lead": [], "kind": [], "at": [], "value": []}))
    assert len(empty) == 0 and len(empty.to_frame()) == 0
    none = take(one(lead=None))
    assert len(none) == 0 and len(none.refused) == 1
    assert len(concat([none, take(frame)])) == 1


def test_the_frame_is_not_changed():
    frame = one(lead=" ann ", value="3")
    before = frame.copy(deep=True)
    take(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_odd_frames():
    frame = one().set_index(pd.Index([5]))
    assert take(pd.concat([frame, frame])).lead.values().tolist() == ["ann", "ann"]
    double = pd.concat([one(), one()[["lead"]]], axis=1)
    with pytest.raises(BadInput, match="two columns bear one name"):
        take(double)
    with pytest.raises(BadInput, match="not a table"):
        log_from_frame([1, 2], lead="lead", kind="kind", at="at")
    with pytest.raises(BadInput, match="own field"):
        take(one(), data=["value"])
    with pytest.raises(BadInput, match="several columns"):
        take(one(), data="value")
    with pytest.raises(BadInput, match="unknown way"):
        take(one(), on_bad="ignore")
    with pytest.raises(BadInput, match="no such time zone"):
        take(one(), tz="Mars/Olympus")
    with pytest.raises(BadInput, match="not a moment"):
        take(one(), now="later")


@pytest.mark.parametrize(
    "field", ["lead", "kind", "at", "id", "value", "tenant", "agent", "source"]
)
def test_a_wrong_column_name_is_met_with_a_close_one(field):
    frame = one().assign(id_=1, contact_name="x")
    with pytest.raises(UnknownName, match="Did you mean 'contact_name'"):
        take(frame, **{field: "contact_nam"})


def test_names_of_every_type_become_text():
    frame = pd.DataFrame(
        {
            "lead": [1001.0, np.nan, 7.5],
            "kind": [1, 2, 3],
            "at": [OK_TIME] * 3,
            "agent": [True, 0, None],
        }
    )
    log = take(frame, agent="agent")
    assert sorted(log.lead.values().tolist()) == ["1001", "7.5"]
    assert set(log.kind.names) == {"1", "3"}, "the kind of a refused row alone is no kind"
    category = frame.assign(lead=pd.Categorical(["a", "b", "a"]), kind="Call")
    assert take(category).lead.values().tolist().count("a") == 2


def test_tenant_is_default_or_a_column():
    assert take(one()).tenant.names.tolist() == ["default"]
    log = take(pd.concat([one(t="acme"), one(t=None)]), tenant="t")
    assert log.tenant.names.tolist() == ["acme"]
    assert log.refused["field"].tolist() == ["t"]


def test_further_fields_are_numbers_or_text():
    frame = pd.concat([one()] * 3, ignore_index=True).assign(
        n=[1, None, True],
        t=["a", " b ", ""],
        mixed=["a", 2, 2.5],
        big=[2**60, 2**60 + 1, 3],
        nested=[[1, 2], {"k": "v"}, None],
        when=pd.to_datetime("2026-01-01"),
        blank=None,
        price=["1", "2", "x"],
    )
    frame["n"] = frame["n"].astype(object)
    names = ["n", "t", "mixed", "big", "nested", "when", "blank", "price"]
    log = take(frame.assign(i=["0", "1", "2"]), id="i", data=names)
    order = np.argsort(log.id)
    text = {k: c.values()[order].tolist() for k, c in log.data.items() if k != "n"}
    np.testing.assert_array_equal(log.data["n"][order], [1.0, np.nan, 1.0])
    assert text["t"] == ["a", " b ", None]
    assert text["mixed"] == ["a", "2", "2.5"]
    assert text["big"] == [str(2**60), str(2**60 + 1), "3"]
    assert text["nested"] == ["[1, 2]", '{"k": "v"}', None]
    assert text["when"] == ["2026-01-01T00:00:00"] * 3
    assert text["blank"] == [None] * 3
    assert text["price"] == ["1", "2", "x"]


def test_data_may_rename_and_refuses_the_infinite():
    log = take(one(score=np.inf), data={"engagement": "score"})
    assert log.refused[["field", "reason"]].to_numpy().tolist() == [["score", "infinite"]]
    log = take(one(score=4), data={"engagement": "score"})
    assert log.data["engagement"].tolist() == [4.0]


def test_a_repeated_id_is_one_event_and_is_counted():
    frame = pd.concat([one(i="e1"), one(i="e1", at="2026-01-04"), one(i="e2"), one(i="e1")])
    log = take(frame, id="i")
    assert sorted(log.id) == ["e1", "e2"] and log.repeated == 2
    assert log.at_us[0] == pd.Timestamp("2026-01-04").value // 1000, "the earliest is kept"
    again = concat([log, log])
    assert len(again) == 2 and again.repeated == 2 + 2 + 2


def test_ids_are_told_apart_by_tenant():
    frame = pd.concat([one(i="e1", t="a"), one(i="e1", t="b")])
    assert len(take(frame, id="i", tenant="t")) == 2


def test_missing_ids_get_the_hash_of_the_content():
    frame = pd.concat([one(i=None), one(i="e"), one(i="")], ignore_index=True)
    ids = set(take(frame, id="i").id)
    assert "e" in ids and len(ids) == 3
    assert ids - {"e"} == set(take(pd.concat([one(), one()])).id)


rows = st.lists(
    st.fixed_dictionaries(
        {
            "lead": st.sampled_from(["a", "b", "", None]),
            "kind": st.sampled_from(["x", "y", None]),
            "at": st.sampled_from([OK_TIME, "2026-01-06", "9999-01-01", "soon", None]),
            "value": st.sampled_from([1.0, -0.0, 0.0, None, "inf", "w"]),
            "i": st.sampled_from(["1", "2", "3", None]),
            "note": st.sampled_from(["n", None]),
        }
    ),
    max_size=30,
)


@settings(deadline=None)
@given(rows, st.booleans())
def test_every_row_is_an_event_a_refused_row_or_a_counted_repeat(table, with_id):
    frame = pd.DataFrame(table, columns=["lead", "kind", "at", "value", "i", "note"], dtype=object)
    log = take(frame, data=["note"], **({"id": "i"} if with_id else {}))
    refused = 0 if log.refused is None else len(log.refused)
    assert len(log) + refused + log.repeated == len(frame)
    assert len(set(log.id)) == len(log)
    assert (np.diff(log.at_us) >= 0).all()


@settings(deadline=None)
@given(rows, st.integers(0, 30), st.integers(0, 30), st.randoms(use_true_random=False))
def test_overlapping_exports_in_any_order_give_the_same_log(table, start, end, random):
    columns = ["lead", "kind", "at", "value", "i", "note"]
    table = sorted(table, key=lambda row: str(row["at"]))
    cut = [t["at"] for t in table]
    # Exports cut between moments: rows of one moment come together.
    start = next(
        (i for i in range(start, len(table)) if i == 0 or cut[i] != cut[i - 1]), len(table)
    )
    end = next((i for i in range(end, len(table)) if i == 0 or cut[i] != cut[i - 1]), len(table))
    shuffled = list(table)
    random.shuffle(shuffled)
    whole, early, late = (
        take(pd.DataFrame(part, columns=columns, dtype=object), data=["note"])
        for part in (shuffled, table[:end], table[min(start, end) :])
    )
    joined = concat([early, late])
    pd.testing.assert_frame_equal(joined.to_frame(), whole.to_frame())


def test_the_id_follows_the_content_and_nothing_else():
    base = take(one(agent="k", note="n"), agent="agent", data=["note"]).id[0]
    same = one(agent="k", note="n", blank=None)[
        ["blank", "note", "at", "value", "kind", "agent", "lead"]
    ]
    assert take(same, agent="agent", data=["blank", "note"]).id[0] == base
    assert (
        take(
            one(agent="k", note="n", at="2026-01-05 11:00+01:00"), agent="agent", data=["note"]
        ).id[0]
        == base
    )
    for changed in (
        {"lead": "b"},
        {"kind": "b"},
        {"value": 2},
        {"agent": "b"},
        {"note": "b"},
        {"at": "2026-01-06"},
    ):
        frame = one(**{"agent": "k", "note": "n", **changed})
        assert take(frame, agent="agent", data=["note"]).id[0] != base
    swapped = one(lead="Inquiry", kind="ann")
    assert take(swapped).id[0] != take(one()).id[0], "the same texts in other fields"


def test_a_hundred_thousand_kinds_and_no_two_ids_alike():
    n = 100_000
    frame = pd.DataFrame({"lead": "ann", "kind": [f"kind {i}" for i in range(n)], "at": OK_TIME})
    log = take(frame)
    assert len(log) == len(set(log.id)) == len(log.kind.names) == n


def test_the_log_offers_intake_as_its_own():
    log = EventLog.from_frame(one(), lead="lead", kind="kind", at="at", now=NOW)
    assert len(log) == 1 and np.isnan(log.value[0])


def test_columns_named_by_numbers():
    frame = one(lead="ann").rename(columns={"lead": 0, "kind": 1})
    assert take(frame, lead=0, kind=1).lead.names.tolist() == ["ann"]
    assert (
        take(frame.assign(**{"x": 1}).replace("ann", None), lead=0, kind=1).refused["field"][0]
        == "0"
    )


@pytest.mark.parametrize(
    "dtype",
    ["string[python]", "string[pyarrow]", "object", "category", "str", pd.ArrowDtype(pa.string())],
)
def test_text_of_every_dtype(dtype):
    frame = pd.concat([one(), one(lead="bob"), one(lead=None)], ignore_index=True)
    frame["lead"] = frame["lead"].astype(dtype)
    frame["at"] = frame["at"].astype(dtype)
    log = take(frame)
    assert sorted(log.lead.values()) == ["ann", "bob"]
    assert log.refused["reason"].tolist() == ["missing"]


@pytest.mark.parametrize(
    "dtype",
    [
        "Int64",
        "Float64",
        "int8",
        "float32",
        "object",
        "str",
        "category",
        pd.ArrowDtype(pa.decimal128(30, 2)),
    ],
)
def test_numbers_of_every_dtype(dtype):
    frame = pd.concat([one(value=3), one(value=4)], ignore_index=True)
    frame["value"] = frame["value"].astype("int64").astype(dtype)
    assert sorted(take(frame).value) == [3.0, 4.0]
    assert sorted(take(frame, data={"x": "value"}).to_frame()["x"].astype(float)) == [3.0, 4.0]

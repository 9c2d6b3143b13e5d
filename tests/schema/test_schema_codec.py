"""Logs and events survive every form that they are written in; broken files are named as such."""

from __future__ import annotations

import datetime as dt
import gzip
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlab.errors import BadInput, BrokenFile
from leadlab.schema import (
    Event,
    decode,
    encode,
    from_arrow,
    log_from_events,
    log_from_frame,
    read_log,
    to_arrow,
    to_cloudevent,
    write_log,
)
from leadlab.schema.atomic import atomic_path

NAME = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12).filter(
    lambda t: t.strip() != ""
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
NUMBER = st.floats(-1e15, 1e15)
KEYS = st.sampled_from(["note", "прайс", "a b", "ce_traceparent", "at_us"])
events = st.builds(
    Event,
    id=NAME,
    tenant=NAME | st.just("default"),
    lead=NAME,
    kind=NAME,
    at=st.datetimes(dt.datetime(1970, 1, 1), dt.datetime(2025, 1, 1), timezones=st.just(dt.UTC)),  # noqa: DTZ001
    value=st.none() | NUMBER | st.just(float("nan")),
    agent=st.none() | NAME,
    source=st.none() | NAME,
    data=st.dictionaries(KEYS, TEXT, max_size=3) | st.dictionaries(KEYS, NUMBER, max_size=3),
)


def same(a, b):
    pd.testing.assert_frame_equal(a.to_frame(), b.to_frame())
    assert a.repeated == b.repeated
    assert {k: type(c) for k, c in a.data.items()} == {k: type(c) for k, c in b.data.items()}


@given(events)
@settings(deadline=None)
def test_an_event_survives_the_wire(event):
    assert decode(encode(event)) == event
    assert decode(encode(event).encode()) == event


@given(events)
@settings(deadline=None)
def test_what_is_on_the_wire_is_a_cloudevent(event):
    given_ = to_cloudevent(event)
    assert given_["specversion"] == "1.0"
    assert all(
        isinstance(given_[k], str) and given_[k] for k in ("id", "source", "type", "subject")
    )
    assert all(name.isascii() and name.isalnum() and name == name.lower() for name in given_)
    assert given_["source"].isascii() and " " not in given_["source"]
    assert dt.datetime.fromisoformat(given_["time"]) == event.at
    assert json.loads(json.dumps(given_, allow_nan=False)) == given_


@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".jsonl", ".jsonl.gz"])
@given(listed=st.lists(events, max_size=6))
@settings(deadline=None, max_examples=40)
def test_a_log_survives_every_file(suffix, listed, tmp_path_factory):
    log = log_from_events(listed)
    file = tmp_path_factory.mktemp("codec") / f"log{suffix}"
    again = read_log(write_log(log, file))
    if suffix.startswith(".jsonl"):
        frame = log.to_frame().dropna(axis="columns", how="all")
        pd.testing.assert_frame_equal(frame, again.to_frame()[frame.columns], check_dtype=False)
        assert again.to_frame().drop(columns=frame.columns).isna().all(axis=None)
        assert again.repeated == 0
    else:
        same(log, again)


@given(listed=st.lists(events, max_size=6))
@settings(deadline=None, max_examples=40)
def test_lines_written_from_columns_are_those_of_the_events(listed, tmp_path_factory):
    text = {e.id: e for e in listed if all(isinstance(v, str) for v in e.data.values())}
    log = log_from_events(text.values())
    file = write_log(log, tmp_path_factory.mktemp("codec") / "log.jsonl")
    lines = file.read_text(encoding="utf-8").split("\n")[:-1]
    assert sorted(map(json.loads, lines), key=lambda o: o["id"]) == sorted(
        (json.loads(encode(e)) for e in text.values()), key=lambda o: o["id"]
    )


def small(n=40):
    frame = pd.DataFrame(
        {
            "lead": [f"lead {i % 7}" for i in range(n)],
            "kind": ["Inquiry", "Viewed Property"] * (n // 2),
            "at": pd.date_range("2025-01-01", periods=n, freq="h"),
            "note": ["é", None] * (n // 2),
            "price": np.arange(n) * 1.5,
            "blank": np.nan,
        }
    )
    return log_from_frame(
        frame, lead="lead", kind="kind", at="at", value="price", data=["note", "blank"]
    )


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_columns_that_are_missing_throughout_survive(tmp_path, suffix):
    log = small()
    same(log, read_log(write_log(log, tmp_path / f"log{suffix}")))
    empty = log.take(np.arange(0))
    same(empty, read_log(write_log(empty, tmp_path / f"empty{suffix}")))


@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".jsonl.gz", ".jsonl"])
def test_a_file_cut_anywhere_is_broken(tmp_path, suffix):
    whole = write_log(small(), tmp_path / f"log{suffix}").read_bytes()
    file = tmp_path / f"cut{suffix}"
    cuts = np.unique(np.linspace(0, len(whole) - 1, 60).astype(int))
    for cut in cuts:
        part = whole[:cut]
        if suffix == ".jsonl" and (cut == 0 or part.endswith((b"\n", b"}"))):
            continue  # between two lines: a shorter log, not a broken one
        file.write_bytes(part)
        with pytest.raises(BrokenFile):
            read_log(file)


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl.gz"])
def test_an_altered_file_is_broken_or_reads_the_same(tmp_path, suffix):
    log = small()
    whole = write_log(log, tmp_path / f"log{suffix}").read_bytes()
    file = tmp_path / f"altered{suffix}"
    for place in np.linspace(12, len(whole) - 1, 80).astype(int):
        altered = bytearray(whole)
        altered[place] ^= 0x20
        file.write_bytes(bytes(altered))
        try:
            read = read_log(file)
        except (BrokenFile, BadInput):
            continue
        assert set(read.lead.names) <= set(log.lead.names)


@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".jsonl", ".jsonl.gz"])
@pytest.mark.parametrize(
    "content", [b"PK\x03\x04 a workbook", b"lead,kind\nann,Call\n", b'{"a": 1}\n', b"[]\n"]
)
def test_a_foreign_file_is_broken(tmp_path, suffix, content):
    file = tmp_path / f"foreign{suffix}"
    file.write_bytes(content)
    with pytest.raises(BrokenFile):
        read_log(file)
    file.write_bytes(gzip.compress(content))
    with pytest.raises(BrokenFile):
        read_log(file)


def test_a_foreign_table_needs_its_columns_named(tmp_path):
    table = pd.DataFrame({"who": ["ann"], "what": ["Call"], "when": ["2025-01-01"]})
    pa.parquet.write_table(pa.Table.from_pandas(table), tmp_path / "t.parquet")
    with pytest.raises(BrokenFile, match="Name the columns"):
        read_log(tmp_path / "t.parquet")
    named = {"lead": "who", "kind": "what", "at": "when"}
    table.to_csv(tmp_path / "t.csv", index=False)
    for name in ("t.parquet", "t.csv"):
        assert read_log(tmp_path / name, **named).lead.values().tolist() == ["ann"]
    table.assign(who="0042", price=3).to_csv(tmp_path / "zeros.csv", index=False)
    zeros = read_log(tmp_path / "zeros.csv", **named, value="price")
    assert (zeros.lead.names.tolist(), zeros.value.tolist()) == (["0042"], [3.0])
    with pytest.raises(BadInput, match="needs its columns named"):
        read_log(tmp_path / "t.csv")
    (tmp_path / "t.csv").write_bytes(b"")
    with pytest.raises(BrokenFile):
        read_log(tmp_path / "t.csv", **named)
    with pytest.raises(BadInput, match="no such file"):
        read_log(tmp_path / "none.csv", **named)
    with pytest.raises(BadInput, match="no way to"):
        write_log(small(), tmp_path / "log.xlsx")
    assert not (tmp_path / "log.xlsx").exists()


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("lead", pa.array([None], pa.string())),
        ("at", pa.array([None], pa.timestamp("us", "UTC"))),
        ("at", pa.array([5], pa.int64())),
        ("at", pa.array([-5], pa.timestamp("us", "UTC"))),
        ("value", pa.array(["x"])),
        ("id", pa.array([None], pa.string())),
    ],
)
def test_a_table_with_our_mark_is_not_trusted_blindly(column, values):
    table = to_arrow(small().take(np.arange(1)))
    index = table.column_names.index(column)
    with pytest.raises(BrokenFile):
        from_arrow(table.set_column(index, column, values))
    with pytest.raises(BrokenFile):
        from_arrow(table.drop_columns([column]))


def test_rows_out_of_order_or_repeated_in_a_file_come_back_canonical():
    log = small()
    table = to_arrow(log)
    mixed = pa.concat_tables([table.slice(20), table.slice(0, 25)])
    again = from_arrow(mixed)
    pd.testing.assert_frame_equal(again.to_frame(), log.to_frame())
    assert again.repeated == 5


def test_lines_that_are_no_usable_events_are_kept_apart(tmp_path):
    good = encode(Event(id="1", lead="ann", kind="Inquiry", at="2025-01-01T00:00Z"))
    lines = [
        good,
        good.replace('"ann"', '""'),
        good.replace("2025", "1925"),
        "",
        good.replace('"1.0"', '"0.3"'),
        good.replace('"schemaversion":1', '"schemaversion":9'),
        good.replace('"id":"1"', '"id":"2"').replace('"data":{}', '"data":{"value":1e16}'),
        good.replace('"id":"1"', '"id":"3"'),
    ]
    file = tmp_path / "log.jsonl"
    file.write_text("\n".join(lines))
    log = read_log(file)
    assert sorted(log.id) == ["1", "3"]
    assert log.refused["row"].tolist() == [1, 2, 4, 5, 6]
    assert log.refused["field"].tolist() == ["lead", "at", "specversion", "schemaversion", "value"]
    assert log.refused["record"][0] == lines[1]


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    file = tmp_path / "log.arrow"
    file.write_text("old")

    def write_and_fail():
        with atomic_path(file) as temporary:
            temporary.write_text("half")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_and_fail()
    assert file.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["log.arrow"]


def test_the_same_log_gives_the_same_bytes(tmp_path):
    log = small()
    for suffix in (".parquet", ".arrow", ".jsonl", ".jsonl.gz"):
        one = write_log(log, tmp_path / f"one{suffix}").read_bytes()
        two = write_log(log, tmp_path / f"two{suffix}").read_bytes()
        assert one == two


def test_deep_nesting_is_bad_input_not_a_crash(tmp_path):
    text = "[" * 100_000
    with pytest.raises(BadInput):
        decode(text)
    (tmp_path / "deep.jsonl").write_text(text)
    with pytest.raises(BrokenFile):
        read_log(tmp_path / "deep.jsonl")

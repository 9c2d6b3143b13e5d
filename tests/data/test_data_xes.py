"""XES as a stream: small files by hand, broken ones, and the published log."""

from __future__ import annotations

import gzip

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlab.data import bpic2012
from leadlab.data.xes import read_xes, separate_ties
from leadlab.errors import BrokenFile, DataUnavailable


def event(name, at, lifecycle="COMPLETE", who="112"):
    resource = f'<string key="org:resource" value="{who}"/>' if who else ""
    return (
        f'<event>{resource}<string key="lifecycle:transition" value="{lifecycle}"/>'
        f'<string key="concept:name" value="{name}"/>'
        f'<date key="time:timestamp" value="{at}"/></event>'
    )


def trace(case, amount, *events):
    return (
        f'<trace><string key="AMOUNT_REQ" value="{amount}"/>'
        f'<string key="concept:name" value="{case}"/>{"".join(events)}</trace>'
    )


LOG = (
    '<?xml version="1.0" encoding="UTF-8" ?><log xmlns="http://www.xes-standard.org/">'
    '<global scope="trace"><string key="concept:name" value="UNKNOWN"/></global>'
    '<float key="total" value="2"><float key="trace" value="1"/></float>'
    + trace(
        "7",
        "20000",
        event("A_SUBMITTED", "2011-10-01T00:38:44.546+02:00"),
        event("A_PARTLYSUBMITTED", "2011-10-01T00:38:44.546+02:00"),
        event("W_Beoordelen fraude", "2011-10-01T00:38:44.546+02:00", "SCHEDULE", None),
    )
    + trace(
        "8", "", event("A_SUBMITTED", "2011-12-01T00:00:00.000+01:00"), event("A_DECLINED", "?")
    )
    + "</log>"
)


@pytest.mark.parametrize("zipped", [True, False])
def test_small_log(tmp_path, zipped):
    file = tmp_path / "log.xes"
    file.write_bytes(gzip.compress(LOG.encode()) if zipped else LOG.encode())
    log = bpic2012.read(file)
    assert log.id.tolist() == ["7-0000", "7-0001", "7-0002", "8-0000"]
    assert log.kind.values().tolist()[2] == "W_Beoordelen fraude|SCHEDULE"
    assert log.agent.values().tolist() == ["112", "112", None, "112"]
    start = pd.Timestamp("2011-09-30T22:38:44.546Z").value // 1000
    assert (log.at_us[:3] - start).tolist() == [0, 1, 2]
    np.testing.assert_array_equal(log.data["amount_req"], [20000.0] * 3 + [np.nan])
    assert log.refused["reason"].tolist() == ["no time"]
    assert '"recorded_at": "?"' in log.refused["record"][0]


@pytest.mark.parametrize("keep", [0.0, 0.01, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("zipped", [True, False])
def test_a_file_cut_short_is_broken(tmp_path, keep, zipped):
    whole = gzip.compress(LOG.encode()) if zipped else LOG.encode()
    file = tmp_path / "log.xes.gz"
    file.write_bytes(whole[: int(len(whole) * keep)])
    with pytest.raises(BrokenFile, match=r"cut short|no XES"):
        read_xes(file)


@pytest.mark.parametrize(
    "content", [b"lead,kind,at\n", b"<log></log>", b"<html><p/></html>", b"\x1f\x8b\x00"]
)
def test_a_foreign_file_is_broken(tmp_path, content):
    file = tmp_path / "log.xes"
    file.write_bytes(content)
    with pytest.raises(BrokenFile):
        read_xes(file)


def test_an_altered_gzip_is_broken(tmp_path):
    whole = bytearray(gzip.compress(LOG.encode()))
    whole[len(whole) // 2] ^= 0xFF
    file = tmp_path / "log.xes.gz"
    file.write_bytes(bytes(whole))
    with pytest.raises(BrokenFile):
        read_xes(file)


def test_no_file(tmp_path):
    with pytest.raises(DataUnavailable):
        read_xes(tmp_path / "none.xes")


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 6)), max_size=40))
def test_ties_are_moved_apart_as_by_hand(events):
    case = np.array([c for c, _ in events], dtype=np.int64)
    at_us = np.array([t for _, t in events], dtype=np.int64)
    last: dict[int, int] = {}
    expected = []
    for c, t in events:
        last[c] = max(t, last[c] + 1) if c in last else t
        expected.append(last[c])
    assert separate_ties(case, at_us).tolist() == expected


@pytest.mark.data
def test_the_published_log(challenge):
    log = challenge
    assert (len(log), len(log.lead.names), log.repeated) == (262_200, 13_087, 0)
    assert log.refused is None
    frame = log.to_frame()
    counts = frame["activity"].value_counts()
    assert counts["O_ACCEPTED"] == 2243 and counts["W_Completeren aanvraag"] == 54850
    by_case = frame.sort_values("id")
    gap = by_case.groupby("lead")["at"].diff().dropna()
    assert gap.min() >= pd.Timedelta(microseconds=1)
    # Times are recorded to the millisecond: what is finer was moved.
    assert (log.at_us % 1000 > 0).sum() == 13_995
    assert (log.at_us % 1000).max() < 100

"""Sliding windows against brute force over all events: pandas, and DuckDB for volumes."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlab.errors import BrokenFile
from leadlab.schema.log import Coded, EventLog
from leadlab.stream.outcome import OUTCOME, Outcome
from leadlab.stream.window_buckets import KINDS, SCORE_EDGES, WINDOWS
from leadlab.stream.windows import Windows

BEGIN_US = 1_772_384_400_000_000
ASKS, TOUCHES = ("Inquiry", "Showing Requested"), ("Outgoing Call", "Outgoing Email")
NAMES = [*ASKS, *TOUCHES, "Visited Website", "Closed"]


def outcome(frame: pd.DataFrame) -> Outcome:
    rows = np.zeros(len(frame), OUTCOME)
    for name in ("place", "at_us", "as_of_us", "probability"):
        rows[name] = frame[name]
    n = len(frame)
    events = EventLog(
        id=np.arange(n).astype(str).astype(object),
        tenant=Coded.of(frame["tenant"]),
        lead=Coded.of(frame["place"].astype(str)),
        kind=Coded.of(frame["kind"]),
        at_us=frame["at_us"].to_numpy(),
        value=np.full(n, np.nan),
        agent=Coded.constant(None, n),
        source=Coded.constant(None, n),
    )
    return Outcome(rows, events, (), ())


def stream(rng: np.random.Generator, n: int, step_s: float, disorder: float) -> pd.DataFrame:
    """Events in order of arrival, some with moments before the newest; leads belong to tenants."""
    place = rng.integers(0, max(2, n // 6), n)
    as_of_s = np.cumsum(rng.exponential(step_s, n))
    as_of_s -= np.where(rng.random(n) < disorder, rng.exponential(4000 * disorder, n), 0)
    as_of_us = BEGIN_US + (as_of_s.clip(0) * 1e6).astype(np.int64)
    late_us = (rng.exponential(3600, n) * 1e6 * (rng.random(n) < 0.5)).astype(np.int64)
    return pd.DataFrame(
        {
            "place": place,
            "tenant": np.array(["north", "south", "west"], object)[place % 3],
            "kind": np.array(NAMES, object)[rng.integers(0, len(NAMES), n)],
            "as_of_us": as_of_us,
            "at_us": as_of_us - late_us,
            "probability": np.where(rng.random(n) < 0.05, np.nan, rng.beta(0.3, 9, n)),
        }
    )


def windows() -> Windows:
    return Windows(conversions=("Closed",), asks=ASKS, touches=TOUCHES)


def replies(frame: pd.DataFrame) -> pd.Series:
    """Reply time that each event ends, seconds; told again, one event at a time."""
    waiting: dict[int, int] = {}
    found = []
    for event in frame.itertuples():
        reply = np.nan
        if event.kind in ASKS:
            waiting[event.place] = min(waiting.get(event.place, event.at_us), event.at_us)
        elif event.kind in TOUCHES and waiting.get(event.place, np.inf) <= event.at_us:
            reply = (event.at_us - waiting.pop(event.place)) / 1e6
        found.append(reply)
    return pd.Series(found, frame.index, dtype=float)


def nearest_rank(values: pd.Series, q: float) -> float:
    known = np.sort(values.dropna().to_numpy())
    return float(known[max(1, int(np.ceil(q * len(known) / 100))) - 1]) if len(known) else np.nan


def assert_agrees(given_: Windows, frame: pd.DataFrame, tenant: str, now_us: int) -> None:
    figures = given_.figures(tenant, now_us)
    frame = frame.assign(reply=replies(frame))[frame["tenant"] == tenant]
    for name, (size, width_s) in WINDOWS.items():
        bucket, now = frame["as_of_us"] // (width_s * 10**6), now_us // (width_s * 10**6)
        inside = frame[(bucket > now - size) & (bucket <= now)]
        assert figures[f"events_{name}"] == len(inside)
        kinds = inside["kind"].value_counts()
        assert {k: figures[f"events_{name}[{k}]"] for k in kinds.index} == dict(kinds)
        assert sum(v for k, v in figures.items() if k.startswith(f"events_{name}[")) == len(inside)
        assert figures[f"conversions_{name}"] == kinds.get("Closed", 0)
        assert figures[f"leads_{name}"] == inside["place"].nunique()
        assert figures[f"responses_{name}"] == inside["reply"].notna().sum()
        for figure, q in (("median", 50), ("p90", 90)):
            expected = nearest_rank(inside["reply"].clip(lower=1), q)
            got = figures[f"response_{figure}_{name}"]
            np.testing.assert_allclose(got, expected, rtol=0.032)
        for q in range(10, 100, 10):
            p = nearest_rank(inside["probability"], q)
            got = figures[f"score_p{q}_{name}"]
            assert np.isnan(p) == np.isnan(got)
            if not np.isnan(p):
                logit = np.clip(np.log(p / (1 - p)) if 0 < p < 1 else 99 * (p - 0.5), -8, 8)
                assert np.log(got / (1 - got)) == pytest.approx(logit, abs=0.0417)
        np.testing.assert_array_equal(
            given_.scores(tenant, now_us, name),
            np.histogram(
                inside["probability"].dropna().clip(SCORE_EDGES[0], SCORE_EDGES[-1] - 1e-12),
                SCORE_EDGES,
            )[0],
        )


@settings(max_examples=20, deadline=None)
@given(
    st.integers(0, 2**32),
    st.integers(1, 120),
    st.sampled_from([0.5, 40.0, 900.0, 30_000.0]),
    st.sampled_from([0.0, 0.2, 1.0]),
    st.integers(1, 50),
    st.sampled_from([0, 10**7, 3 * 10**8, 9 * 10**10]),
)
def test_agrees_with_brute_force_in_any_batches(seed, n, step_s, disorder, cut, after_us) -> None:
    frame = stream(np.random.default_rng(seed), n, step_s, disorder)
    live = windows()
    for start in range(0, n, cut):
        live.add(outcome(frame.iloc[start : start + cut]))
        if start % 3 == 0:
            resumed = windows()
            resumed.restore(live.state())
            live = resumed
    for tenant in ("north", "south", "west", "nobody"):
        assert_agrees(live, frame, tenant, int(frame["as_of_us"].max()) + after_us)


def test_volumes_are_those_of_sql_all_along_a_day_and_a_half() -> None:
    frame = stream(np.random.default_rng(5), 6_000, 21.0, 0.1)
    live = windows()
    with duckdb.connect() as db:
        db.register("events", frame)
        for start in range(0, len(frame), 500):
            live.add(outcome(frame.iloc[start : start + 500]))
            now_us = int(frame["as_of_us"][: start + 500].max())
            for name, (size, width_s) in WINDOWS.items():
                rows = db.execute(
                    """SELECT tenant, kind, count(*) FROM (SELECT * FROM events LIMIT ?)
                    WHERE as_of_us // ? > ? // ? - ? GROUP BY ALL""",
                    [start + 500, width_s * 10**6, now_us, width_s * 10**6, size],
                ).fetchall()
                got = {
                    (tenant, kind): n
                    for tenant in live.tenants
                    for kind in NAMES
                    if (n := live.figures(tenant, now_us)[f"events_{name}[{kind}]"])
                }
                assert got == {(tenant, kind): n for tenant, kind, n in rows}


@pytest.mark.parametrize("name", WINDOWS)
def test_a_silence_of_any_length_leaves_nothing_behind(name: str) -> None:
    size, width_s = WINDOWS[name]
    one = stream(np.random.default_rng(0), 1, 1.0, 0.0).assign(tenant="north", as_of_us=BEGIN_US)
    for silence in (0, 1, size - 1, size, size + 1, 2 * size - 1, 2 * size, 9 * size - 1):
        live, now_us = windows(), BEGIN_US + silence * width_s * 10**6
        live.add(outcome(one))
        live.add(outcome(one.assign(as_of_us=now_us)))
        for wait in (0, size - 1):
            figures = live.figures("north", now_us + wait * width_s * 10**6)
            assert figures[f"events_{name}"] == 1 + (silence + wait < size)
            assert figures[f"leads_{name}"] == 1


def test_an_event_too_old_for_a_window_is_counted_as_such_and_changes_nothing() -> None:
    frame = stream(np.random.default_rng(1), 40, 1.0, 0.0).assign(tenant="north")
    live = windows()
    live.add(outcome(frame))
    now_us = int(frame["as_of_us"].max())
    before = live.figures("north", now_us)
    late = frame[frame["kind"] == "Visited Website"].assign(as_of_us=BEGIN_US - 2 * 86_400 * 10**6)
    live.add(outcome(late))
    np.testing.assert_equal(live.figures("north", now_us), before)
    assert live.too_old("north") == 3 * len(late) > 0
    assert live.too_old("nobody") == 0


def test_kinds_without_end_take_no_more_room_and_are_all_counted() -> None:
    frame = stream(np.random.default_rng(2), 3_000, 0.01, 0.0).assign(tenant="north")
    frame["kind"] = [f"kind {k % 500}" for k in range(len(frame))]
    live = windows()
    live.add(outcome(frame))
    now_us = int(frame["as_of_us"].max())
    figures = live.figures("north", now_us)
    by_kind = {k: v for k, v in figures.items() if k.startswith("events_24h[")}
    assert len(by_kind) == KINDS
    assert sum(by_kind.values()) == figures["events_24h"] == 3_000
    assert by_kind["events_24h[other]"] == 6 * (500 - (KINDS - 1))
    resumed = windows()
    resumed.restore(live.state())
    np.testing.assert_equal(resumed.figures("north", now_us), figures)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_a_broken_state_is_refused_or_harmless_and_changes_nothing(data: st.DataObject) -> None:
    frame = stream(np.random.default_rng(3), 20, 5.0, 0.0)
    live = windows()
    live.add(outcome(frame))
    content = bytearray(live.state())
    at = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        content = content[:at]
    else:
        content[at] ^= data.draw(st.integers(1, 255))
    now_us = int(frame["as_of_us"].max())
    before = live.figures("north", now_us)
    try:
        live.restore(bytes(content))
    except BrokenFile:
        np.testing.assert_equal(live.figures("north", now_us), before)
    else:
        live.add(outcome(frame))
        live.figures("north", now_us)


def test_an_empty_batch_changes_nothing() -> None:
    live = windows()
    live.add(outcome(stream(np.random.default_rng(0), 3, 1.0, 0.0).iloc[:0]))
    assert live.tenants == []
    assert live.figures("north", BEGIN_US)["events_24h"] == 0

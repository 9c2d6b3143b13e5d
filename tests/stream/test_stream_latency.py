"""Latencies against sorted values."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from leadlab.errors import BadInput
from leadlab.schema.log import EventLog
from leadlab.stream.latency import LONGEST_S, Latency, Stages
from leadlab.stream.outcome import OUTCOME, STAGES, Outcome

QS = (0, 1, 25, 50, 90, 99, 99.9, 100)
DURATIONS = st.floats(-6, np.log10(LONGEST_S)).map(lambda x: float(min(10.0**x, LONGEST_S)))


def nearest_rank(values: np.ndarray, q: float) -> float:
    return float(np.sort(values)[max(1, int(np.ceil(q * len(values) / 100))) - 1])


@given(st.lists(DURATIONS, min_size=1, max_size=300))
def test_percentiles_are_within_one_percent_of_the_sorted_values(values: list[float]) -> None:
    latency = Latency()
    for start in range(0, len(values), 7):
        latency.record(values[start : start + 7])
    assert len(latency) == len(values)
    assert latency.max_s == max(values)
    assert latency.sum_s == pytest.approx(sum(values))
    for q in QS:
        assert latency.percentile(q) == pytest.approx(nearest_rank(np.array(values), q), rel=0.01)


def test_every_edge_of_every_bucket_is_within_one_percent() -> None:
    octaves = 2.0 ** np.arange(32)[:, None] * (1 + np.arange(64) / 64)
    edges = octaves[octaves <= LONGEST_S * 1e6] / 1e6
    for value in np.concatenate([edges, np.nextafter(edges, 0), np.nextafter(edges, np.inf)]):
        latency = Latency()
        latency.record([value, LONGEST_S])
        assert latency.percentile(50) == pytest.approx(value, rel=0.01)


@given(arrays(np.float64, st.integers(0, 40), elements=st.floats(allow_nan=False)))
def test_any_number_is_counted_and_lands_in_range(values: np.ndarray) -> None:
    latency = Latency()
    with np.errstate(over="ignore", invalid="ignore"):
        latency.record(values)
    assert len(latency) == len(values)
    if len(values):
        assert 1e-6 <= latency.percentile(0) <= latency.percentile(100) <= LONGEST_S


@given(st.lists(DURATIONS, max_size=50), st.lists(DURATIONS, max_size=50), st.integers(1, 4))
def test_merging_and_repeating_is_recording_all(one, two, times) -> None:
    merged, other, whole = Latency(), Latency(), Latency()
    merged.record(one, times)
    other.record(two)
    merged.merge(other)
    whole.record(one * times + two)
    np.testing.assert_equal(merged.to_json(), whole.to_json())
    assert merged.sum_s == pytest.approx(whole.sum_s)


def test_reset_hands_over_what_was_counted_and_begins_anew() -> None:
    latency = Latency()
    latency.record([1.0, 2.0])
    before = latency.reset()
    latency.record([3.0])
    assert (len(before), before.max_s, len(latency), latency.max_s) == (2, 2.0, 1, 3.0)
    assert before.percentile(100) == pytest.approx(2.0, rel=0.01)
    assert Latency().to_json() == {
        "count": 0, "p50_ms": None, "p90_ms": None, "p99_ms": None, "max_ms": None,
    }  # fmt: skip
    assert np.isnan(Latency().percentile(50))


@given(st.lists(DURATIONS, min_size=1, max_size=100))
def test_cumulative_counts_are_those_below_each_bound(values: list[float]) -> None:
    latency = Latency()
    latency.record(values)
    bounds, counts, total = latency.cumulative()
    in_us = np.array(values) * 1e6
    assert counts.tolist() == [int((in_us < b * 1e6).sum()) for b in bounds]
    assert bounds[-1] == np.inf and total == pytest.approx(sum(values))


@pytest.mark.parametrize("q", [-1, 101, float("nan")])
def test_unusable_arguments_are_refused(q: float) -> None:
    with pytest.raises(BadInput):
        Latency().percentile(q)
    with pytest.raises(BadInput):
        Latency().record([1.0, float("nan")])


def test_nothing_is_lost_while_another_thread_takes_it_over() -> None:
    latency, taken, stop = Latency(), [], threading.Event()

    def take() -> None:
        while not stop.is_set():
            taken.append(len(latency.reset()))

    thread = threading.Thread(target=take)
    thread.start()
    for _ in range(500):
        latency.record([0.001, 0.002])
    stop.set()
    thread.join(20)
    assert sum(taken) + len(latency) == 1000


def outcome(n: int, receipt: dict[str, float]) -> Outcome:
    rows = np.zeros(n, OUTCOME)
    rows["arrived_us"] = 2_000_000 * np.arange(n)
    return Outcome(rows, EventLog.from_events([]), (), (), receipt=receipt)


def test_each_stage_takes_the_time_since_the_one_before() -> None:
    receipt = {stage: 100 + 0.001 * 2**k for k, stage in enumerate(STAGES)}
    stages = Stages()
    stages.note(outcome(3, receipt))
    stages.note(outcome(0, receipt))
    figures = stages.to_json()
    assert [figures[s]["count"] for s in (*STAGES, "total")] == [3] * (len(STAGES) + 1)
    took = [figures[s]["p50_ms"] for s in STAGES[1:]]
    assert took == pytest.approx([1, 2, 4, 8, 16], rel=0.01)
    assert figures["total"]["max_ms"] == pytest.approx(31)
    assert figures["arrived"]["max_ms"] == 4000

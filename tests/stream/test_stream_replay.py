"""Replays: each event once, in order, never early, whatever the clock and the controls do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlab.errors import BadInput
from leadlab.schema.log import EventLog
from leadlab.stream import Pace, Replay


def log_at(seconds: list[float]) -> EventLog:
    frame = pd.DataFrame(
        {
            "lead": [f"lead-{i % 3}" for i in range(len(seconds))],
            "kind": "Inquiry",
            "at": np.array([int(s * 1e6) for s in seconds], np.int64) + 1_600_000_000_000_000,
            "id": [f"e{i}" for i in range(len(seconds))],
        }
    )
    return EventLog.from_frame(frame, lead="lead", kind="kind", at="at", id="id", at_format="us")


times = st.lists(st.integers(0, 60), min_size=1, max_size=40)
steps = st.lists(
    st.tuples(
        st.sampled_from(["wait", "pause", "resume", "slow", "fast", "settle"]),
        st.floats(0, 5),
        st.none() | st.integers(1, 4),
    ),
    max_size=40,
)


@given(times, steps)
def test_each_event_comes_once_in_order_and_not_early(seconds: list[float], moves) -> None:
    log = log_at(seconds)
    replay = Replay(log, speed=3.0)
    clock_s, seen, reached_us = 0.0, [], replay.stream_us(0.0)
    for what, wait_s, most in moves:
        clock_s += wait_s
        if what == "pause":
            replay.pause(clock_s)
        elif what == "resume":
            replay.resume(clock_s)
        elif what == "settle":
            replay.settle(clock_s)
        elif what != "wait":
            replay.set_speed({"slow": 0.5, "fast": 20.0}[what], clock_s)
        batch = replay.due(clock_s, most)
        assert most is None or len(batch) <= most
        assert (batch.at_us <= replay.stream_us(clock_s)).all()
        seen.extend(batch.id)
        assert replay.done == len(seen)
    replay.resume(clock_s)
    while not replay.finished:
        clock_s += 1e3
        seen.extend(replay.due(clock_s).id)
    assert seen == log.id.tolist()
    assert replay.stream_us(clock_s) == log.at_us[-1] >= reached_us


@given(times, st.lists(st.floats(0, 30), min_size=1, max_size=20))
def test_how_often_one_asks_makes_no_difference(seconds, readings) -> None:
    log = log_at(seconds)
    often, once = Replay(log, speed=2.0), Replay(log, speed=2.0)
    got = [i for clock_s in sorted(readings) for i in often.due(clock_s).id]
    assert got == once.due(max(readings)).id.tolist()


@given(
    st.lists(
        st.tuples(st.sampled_from(["pause", "resume", "speed"]), st.floats(0, 100)), max_size=30
    )
)
def test_stream_time_never_jumps_and_never_goes_back(changes) -> None:
    pace, clock_s = Pace(7.0, 0.0, 1_000_000), 0.0
    for k, (what, wait_s) in enumerate(changes):
        clock_s += wait_s
        before_us = pace.stream_at(clock_s)
        if what == "pause":
            pace = pace.paused(clock_s)
        elif what == "resume":
            pace = pace.resumed(clock_s)
        else:
            pace = pace.at_speed(1.0 + k, clock_s)
        assert pace.stream_at(clock_s) == before_us
        assert pace.stream_at(clock_s + 1.0) >= before_us


def test_a_paused_replay_gives_nothing_and_goes_on_where_it_stood() -> None:
    replay = Replay(log_at([0, 10, 20]), speed=1.0)
    assert len(replay.due(5.0)) == 1
    replay.pause(5.0)
    assert len(replay.due(1_000.0)) == 0
    replay.resume(1_000.0)
    assert len(replay.due(1_004.0)) == 0
    assert len(replay.due(1_005.0)) == 1


def test_settling_waits_for_those_who_take_the_events() -> None:
    replay = Replay(log_at([0, 1, 2, 3, 4]), speed=1_000.0)
    first = replay.due(1.0, most=2)
    replay.settle(1.0)
    assert replay.stream_us(1.0) == first.at_us[-1]
    assert len(replay.due(1.0)) == 0
    assert len(replay.due(1.001)) == 1


def test_restart_brings_everything_again_and_keeps_pause_and_speed() -> None:
    log = log_at([0, 1, 2])
    replay = Replay(log, speed=5.0)
    assert len(replay.due(100.0)) == 3
    replay.pause(100.0)
    replay.restart(101.0)
    assert (replay.done, len(replay.due(200.0))) == (0, 1)  # the first is due at once
    replay.resume(200.0)
    assert len(replay.due(201.0)) == 2


def test_what_came_before_the_start_is_history() -> None:
    log = log_at([0, 1, 2, 3])
    replay = Replay(log, start_us=int(log.at_us[2]))
    assert replay.history.id.tolist() == log.id[:2].tolist()
    assert (replay.total, replay.done) == (2, 0)


@pytest.mark.parametrize("start_s", [None, 100])
def test_nothing_to_play(start_s: float | None) -> None:
    log = log_at([0, 1])
    empty = log.take(np.arange(0)) if start_s is None else log
    start_us = None if start_s is None else int(log.at_us[0]) + 100_000_000
    replay = Replay(empty, start_us=start_us)
    assert replay.finished
    assert len(replay.due(1e9)) == 0
    assert replay.stream_us(5.0) == replay.end_us == replay.start_us


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan"), float("inf")])
def test_unusable_speeds_are_refused(speed: float) -> None:
    replay = Replay(log_at([0, 1]))
    with pytest.raises(BadInput, match="speed"):
        replay.set_speed(speed, 1.0)
    with pytest.raises(BadInput, match="batch"):
        replay.due(1.0, most=0)


def test_quiet_spells_are_skipped_but_no_event_is() -> None:
    log = log_at([0, 10, 10_000, 10_001])
    replay = Replay(log, speed=1.0)
    replay.due(0.0)
    replay.skip_quiet(0.0, longest_s=30.0)
    assert replay.stream_us(0.0) == log.at_us[0]  # ten seconds are not long
    assert len(replay.due(10.0)) == 1
    replay.skip_quiet(10.0, longest_s=30.0)
    assert len(replay.due(39.9)) == 0
    assert len(replay.due(40.0)) == 1
    replay.pause(40.0)
    replay.skip_quiet(40.0, longest_s=0.0)
    assert replay.stream_us(40.0) == log.at_us[2]
    replay.resume(40.0)
    assert len(replay.due(41.0)) == 1
    replay.skip_quiet(41.0, longest_s=0.0)
    assert replay.finished

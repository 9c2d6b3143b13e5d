"""The player: everything once, fresh boards, and no claim about what is still on its way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlab.errors import BadInput
from leadlab.features import OnlineStore
from leadlab.stream import Engine, Player, Replay
from leadlab.stream.standings import Standings
from leadlab.ui.recording import Recording

DAY_S = 86_400


def player_of(recording: Recording, speed: float = 2 * DAY_S, **options) -> Player:
    replay = Replay(recording.log, speed, recording.start_us)
    return Player(
        replay,
        lambda: Engine(
            OnlineStore(recording.scorer.features), recording.scorer, ends=recording.ends
        ),
        **options,
    )


def run(player: Player, ticks: int, step_s: float = 0.1) -> float:
    clock_s = 0.0
    for _ in range(ticks):
        clock_s += step_s
        player.tick(clock_s)
    return clock_s


def test_the_start_knows_the_history_and_has_scored_its_active_leads(recording: Recording) -> None:
    player = player_of(recording)
    board = player.board(10, 0.05)
    assert board.n_active > 10
    assert player.engine.store.n_events == len(player.replay.history)
    assert len(player.engine.history.since(0)) == 0
    assert (board.places["as_of_us"] < recording.start_us + 1).all()


def test_every_event_is_taken_once_and_the_end_is_known(recording: Recording) -> None:
    player = player_of(recording, speed=20 * DAY_S)
    run(player, 400, 0.05)
    done = player.progress()
    assert done.finished
    assert done.done == done.total == player.replay.total
    assert player.engine.store.n_events == len(recording.log)
    assert done.stream_us == recording.log.at_us[-1]


def test_without_time_to_spare_stream_time_waits_for_the_events(recording: Recording) -> None:
    player = player_of(recording, speed=1e7, batch=16)
    for k in range(1, 60):
        player.tick(0.1 * k, budget_s=0.0)
        taken = player.replay.done
        assert taken == min(16 * k, player.replay.total)
        pending = recording.log.at_us[len(player.replay.history) + taken :]
        assert not len(pending) or player.stream_us <= pending[0]


def test_the_board_is_the_top_of_all_active_leads_as_of_now(recording: Recording) -> None:
    player = player_of(recording, stale_s=0)
    run(player, 40)
    board = player.board(8, 0.1)
    standings = player.engine.standings
    active = standings.active(player.stream_us - player.active_s * 1_000_000)
    everyone = standings.places[active]
    player.engine.reread(active, player.stream_us)
    best = np.sort(standings.places["probability"][active])[::-1][:8]
    assert (board.places["as_of_us"] == player.stream_us).all()
    assert (np.diff(board.places["probability"]) <= 0).all()
    np.testing.assert_allclose(board.places["probability"], best, rtol=0.2)
    assert board.n_active == len(everyone)
    assert board.n_hot >= np.ceil(0.1 * len(everyone))
    assert board.stream_us == player.stream_us


def test_scores_do_not_go_stale(recording: Recording) -> None:
    player = player_of(recording, speed=3_600.0, batch=512, stale_s=1_800)
    run(player, 30)
    places = player.engine.standings.places[player._active()]
    assert (player.stream_us - places["as_of_us"] <= 1_800 * 1_000_000).all()


def test_pause_speed_and_restart(recording: Recording) -> None:
    player = player_of(recording)
    clock_s = run(player, 20)
    player.pause(clock_s)
    stood = player.progress()
    for k in range(1, 60):
        player.tick(clock_s + k)
    still = player.progress()
    assert (still.done, still.stream_us) == (stood.done, stood.stream_us)
    assert (still.playing, still.events_per_s) == (False, 0.0)
    clock_s += 60
    player.resume(clock_s)
    player.set_speed(60.0, clock_s)
    player.tick(clock_s + 1.0)
    assert player.stream_us - stood.stream_us == pytest.approx(60e6, abs=1)
    player.restart(clock_s + 2.0)
    again = player.progress()
    assert (again.done, again.stream_us, again.generation) == (0, recording.start_us, 1)
    assert player.engine.store.n_events == len(player.replay.history)
    assert again.speed == 60.0


def test_a_restart_plays_the_same_scores(recording: Recording) -> None:
    player = player_of(recording, batch=1)
    seen = []
    for start_s in (0.0, 1_000.0):
        for k in range(1, 15):
            player.tick(start_s + 0.1 * k, budget_s=60.0)
        rows = player.engine.history.since(0)
        seen.append(list(zip(rows["lead"], rows["as_of_us"], rows["probability"], strict=True)))
        player.restart(1_000.0)
    assert len(seen[0]) > 10
    assert seen[0] == seen[1]


def test_the_rate_is_events_over_clock_time(recording: Recording) -> None:
    player = player_of(recording)
    run(player, 30)
    first, last = player._pulse[0], player._pulse[-1]
    assert player.progress().events_per_s == pytest.approx(
        (last[1] - first[1]) / (last[0] - first[0])
    )
    assert last[0] - first[0] <= 3.0


def test_what_is_explained_is_what_the_board_shows(recording: Recording) -> None:
    player = player_of(recording)
    clock_s = run(player, 25)
    board = player.board(5, 0.05)
    player.pause(clock_s)
    for place in board.places:
        one = player.explain(place["lead"], place["tenant"], board.stream_us)
        assert one.probability == place["probability"]
        assert one.as_of_us == board.stream_us
    assert (place["tenant"], place["lead"]) in player.leads()


@given(st.lists(st.floats(0, 1), min_size=0, max_size=60), st.integers(1, 20), st.floats(0.01, 1.0))
def test_top_and_threshold_agree_with_sorting(chances, n, share) -> None:
    standings = Standings(1)
    places = standings.places_of([f"lead-{i}" for i in range(len(chances))], "default")
    standings._places["probability"][places] = chances
    top = standings.top(n, places)
    ranked = sorted(chances, reverse=True)
    assert standings.places["probability"][top].tolist() == ranked[:n]
    assert len(set(top.tolist())) == len(top)
    bar = standings.threshold(share, places)
    if chances:
        k = max(1, int(np.ceil(share * len(chances))))
        assert bar == ranked[k - 1]
        assert sum(p >= bar for p in chances) >= k
    else:
        assert np.isnan(bar)


def test_a_share_must_be_one() -> None:
    with pytest.raises(BadInput, match="share"):
        Standings(1).threshold(0.0, np.arange(0))


def test_nobody_waits_through_a_quiet_spell(recording: Recording) -> None:
    player = player_of(recording, speed=60.0, longest_quiet_s=1.0)
    for k in range(1, 40):
        done = player.replay.done
        player.tick(1.01 * k)
        assert player.replay.done > done or k == 1
    assert player.progress().speed == 60.0

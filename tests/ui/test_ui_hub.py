"""The hub: one thread for everybody, honest about what it has not got."""

from __future__ import annotations

import json
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from leadlab.config import Settings
from leadlab.errors import UnknownName
from leadlab.ui.hub import SPEEDS, Hub, first_speed, reset_hubs, shared_hub
from leadlab.ui.recording import paths, read_recording
from tests.ui.recorded import wait_until


def threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("leadlab-hub")]


def copy(home: Settings, to: Path) -> Settings:
    shutil.copytree(home.home, to / "home")
    return Settings(to / "home")


def told(settings: Settings) -> tuple[str, str, str]:
    hub = shared_hub(settings)
    hub.start()
    assert hub.settled(60)
    return hub.picture.state, hub.picture.message, hub.picture.hint


def test_asking_for_the_hub_starts_nothing_and_starting_it_twice_starts_one(home) -> None:
    hub = shared_hub(home)
    assert shared_hub(Settings(home.home)) is hub
    assert threads() == []
    for _ in range(3):
        hub.start()
    assert len(threads()) == 1
    reset_hubs()
    assert threads() == []
    assert shared_hub(home) is not hub


def test_it_plays_and_versions_grow_only_with_change(hub: Hub) -> None:
    start = hub.picture
    hub.set_speed(1_000_000)
    wait_until(lambda: hub.picture.progress.done > start.progress.done + 5)
    assert hub.picture.version > start.version
    hub.pause()
    wait_until(lambda: not hub.picture.progress.playing and hub.picture.progress.events_per_s == 0)
    settled = hub.picture
    with pytest.raises(AssertionError):
        wait_until(lambda: hub.picture is not settled, 1.5)
    assert settled.board.stream_us == settled.progress.stream_us


def test_the_figures_are_the_pipelines(hub: Hub, home: Settings) -> None:
    recording = read_recording(home)
    hub.set_speed(1_000_000)
    wait_until(lambda: hub.picture.progress.finished)
    wait_until(lambda: hub.picture.board.stream_us == recording.log.at_us[-1])
    progress, facts = hub.picture.progress, hub.picture.facts
    after = recording.log.at_us >= recording.start_us
    assert progress.done == progress.total == int(after.sum())
    assert facts.simulated
    assert facts.model == recording.scorer.version
    rows = hub.since(0)
    assert len(rows) > 0
    assert hub.since(int(rows["seq"][-1])).shape == (0,)


def test_restart_begins_a_new_generation(hub: Hub) -> None:
    hub.set_speed(1_000_000)
    wait_until(lambda: hub.picture.progress.done > 20)
    hub.pause()
    hub.restart()
    wait_until(lambda: hub.picture.progress.generation == 1 and hub.picture.progress.done == 0)
    assert len(hub.since(0)) == 0


def test_leads_are_found_as_people_type_them(hub: Hub) -> None:
    lead, tenant = hub.picture.board.places[0][["lead", "tenant"]]
    assert hub.find(f"  {lead.upper()} ") == (lead, tenant)
    with pytest.raises(UnknownName, match="Did you mean"):
        hub.find(lead + "0")
    one = hub.explain(lead, tenant)
    assert one.lead == lead


def test_reasons_are_of_the_same_moment_as_the_board(hub: Hub) -> None:
    key = tuple(hub.picture.board.places[0][["lead", "tenant"]])
    hub.set_speed(86_400)
    seen = 0
    while seen < 4:
        hub.explain(*key)
        picture = hub.picture
        wait_until(lambda picture=picture: hub.picture.board is not picture.board)
        picture = hub.picture
        if key in picture.explanations:
            seen += 1
            one = picture.explanations[key]
            assert hub.explain(*key) is one or hub.picture is not picture
            for place in picture.board.places:
                if (place["lead"], place["tenant"]) == key:
                    assert (one.probability, one.event_us) == (
                        place["probability"],
                        place["event_us"],
                    )


def test_a_lead_that_nobody_looks_at_is_let_go(hub: Hub) -> None:
    key = tuple(hub.picture.board.places[0][["lead", "tenant"]])
    hub.set_speed(3_600)
    hub.explain(*key)
    wait_until(lambda: key in hub.picture.explanations)
    wait_until(lambda: key not in hub.picture.explanations)


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_what_is_missing_is_named_with_the_next_step(home, tmp_path, missing) -> None:
    settings = copy(home, tmp_path)
    paths(settings)[missing].unlink()
    state, message, hint = told(settings)
    assert state == "nothing"
    assert str(paths(settings)[missing]) in message
    assert "make serve" in hint
    assert "leadlab demo" in hint
    assert hint not in message
    assert shared_hub(settings).since(0) is None
    assert shared_hub(settings).explain("lead", "default") is None


@pytest.mark.parametrize("which", [0, 1, 2])
def test_files_cut_in_half_are_told(home, tmp_path, which) -> None:
    settings = copy(home, tmp_path)
    path = paths(settings)[which]
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    state, message, _ = told(settings)
    assert state == "failed"
    assert path.name in message


@pytest.mark.parametrize("field", ["title", "simulated", "replay_from", "outcome"])
def test_a_description_that_lacks_a_field_is_told(home, tmp_path, field) -> None:
    settings = copy(home, tmp_path)
    said = json.loads(paths(settings)[2].read_text())
    del said[field]
    paths(settings)[2].write_text(json.dumps(said))
    state, message, _ = told(settings)
    assert (state, field in message) == ("failed", True)


def test_a_description_of_another_kind_is_told(home, tmp_path) -> None:
    settings = copy(home, tmp_path)
    paths(settings)[2].write_text("[]")
    assert told(settings)[0] == "failed"


class Breaks:
    """A scorer that fails once the replay is under way: the fault that is injected."""

    def __init__(self, scorer) -> None:
        self.scorer, self.features, self.about = scorer, scorer.features, scorer.about
        self.version, self.model, self.broken = scorer.version, scorer.model, False

    def score(self, table):
        if self.broken:
            raise FloatingPointError("broken on purpose")
        return self.scorer.score(table)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_replay_that_breaks_off_says_so(home: Settings) -> None:
    recording = read_recording(home)
    scorer = Breaks(recording.scorer)
    hub = Hub(lambda: replace(recording, scorer=scorer))
    hub.start()
    wait_until(lambda: hub.picture.board is not None)
    scorer.broken = True
    hub.set_speed(1_000_000)
    wait_until(lambda: hub.picture.state == "failed")
    assert "broke off" in hub.picture.message
    assert "restart" in hub.picture.hint
    hub.stop()


def test_the_first_speed_is_lively(home: Settings) -> None:
    recording = read_recording(home)
    speed = first_speed(recording)
    assert speed in SPEEDS
    one = recording.log.take(np.arange(1))
    assert first_speed(replace(recording, log=one)) in SPEEDS

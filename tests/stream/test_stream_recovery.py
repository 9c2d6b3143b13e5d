"""A service that ends in any way goes on as if it had not, to the last bit of every row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from leadlab.errors import BrokenFile
from leadlab.stream import checkpoint, live_engine
from leadlab.stream.live_engine import LiveEngine
from leadlab.stream.outcome import Outcome
from leadlab.stream.plan import Plan
from leadlab.stream.service import Service
from leadlab.stream.sink import Sink
from tests.stream.scenes import entries_of, mismatches, scorer
from tests.stream.serving import (
    CAME,
    EVENTS,
    QUIET,
    die,
    feed,
    keep,
    kept,
    plan_of,
    renamed,
    same,
    service_of,
    switched,
)


@pytest.mark.parametrize("kept_at", [None, 100, 200, 300])
@pytest.mark.parametrize("restarted_as", ["one", "two"])
def test_a_recovery_writes_the_same_rows(
    tmp_path: Path,
    undisturbed: tuple[NDArray[Any], list[str]],
    kept_at: int | None,
    restarted_as: str,
) -> None:
    """Ended at 350 arrivals with a checkpoint at `kept_at` or none; model changed at 200."""
    service = service_of(tmp_path)
    service.start()
    for at in (100, 200, 300, 350):
        feed(service, {100: 0, 200: 100, 300: 200, 350: 300}[at], at)
        service.settled()
        if at == 200:
            service.promote(plan_of("two"))
            switched(service, "two")
        if at == kept_at:
            keep(service)
    before = service.results.read(0, 10**9)[0]["offset"]
    die(service)
    again = service_of(tmp_path, version=restarted_as, pacing=replace(QUIET, batch=29))
    again.start()
    assert again.status.recovered_from.startswith("journal" if kept_at is None else "state-")
    again.settled()
    assert again.status.state == "live"
    if restarted_as == "one":  # what was journalled before is scored by what was in force then
        assert again.results.read(0, 10**9)[0]["offset"].tolist() == before.tolist()
        again.promote(plan_of("two"))
        switched(again, "two")
    feed(again, 350, len(CAME))
    again.stop()
    assert again.status.troubles == {}
    same(kept(tmp_path), undisturbed)


def test_rules_between_two_models_are_made_again_as_rules(tmp_path: Path) -> None:
    for k, version in enumerate(["one", "rules", "two"]):
        service = service_of(tmp_path, version=version)
        service.start()
        feed(service, 100 * k, 100 * k + 100)
        service.settled()
        die(service)
    before = kept(tmp_path)
    assert list(dict.fromkeys(before[1])) == ["one", "rules", "two"]
    again = service_of(tmp_path, version="two")
    again.start()
    assert again.status.replayed == len(before[0])
    again.settled()
    again.stop()
    assert again.status.troubles == {}
    same(kept(tmp_path), before)


def test_a_model_of_then_that_is_gone_is_told(tmp_path: Path) -> None:
    service = service_of(tmp_path)
    service.start()
    feed(service, 0, 50)
    service.settled()
    die(service)
    again = Service(tmp_path, lambda: LiveEngine(plan_of("two")), pacing=QUIET)
    again.start()
    again.settled()
    again.stop()
    assert "not at hand" in again.status.troubles["model one"]
    assert set(kept(tmp_path)[1]) == {"two"}


def _flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 0xFF
    path.write_bytes(bytes(content))


DAMAGE: dict[str, Callable[[Path], object]] = {
    "cut short": lambda path: path.write_bytes(path.read_bytes()[:-200]),
    "empty": lambda path: path.write_bytes(b""),
    "altered": lambda path: _flip(path, path.stat().st_size // 2),
    "altered end": lambda path: _flip(path, path.stat().st_size - 10),
    "something else": lambda path: path.write_bytes(b"\x93NUMPY something else"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_an_unreadable_checkpoint_gives_way_to_an_older_one(
    tmp_path: Path, undisturbed: tuple[NDArray[Any], list[str]], damage: str
) -> None:
    service = service_of(tmp_path)
    service.start()
    for start, end in ((0, 100), (100, 200)):
        feed(service, start, end)
        service.settled()
        keep(service)
    service.promote(plan_of("two"))
    switched(service, "two")
    feed(service, 200, 250)
    service.settled()
    die(service)
    newest, older = checkpoint.listed(tmp_path / "checkpoints")
    DAMAGE[damage](newest)
    again = service_of(tmp_path, version="two")
    again.start()
    assert again.status.recovered_from == older.name
    assert "BrokenFile" in again.status.troubles["checkpoint"]
    feed(again, 250, len(CAME))
    again.stop()
    same(kept(tmp_path), undisturbed)


def test_any_damage_to_a_checkpoint_is_found(tmp_path: Path) -> None:
    """Whichever byte is altered, the state is as it was or the file is refused."""
    engine = LiveEngine(Plan(scorer()))
    entries = entries_of(CAME)
    engine.take(entries.take(0, 60))
    path = checkpoint.write(checkpoint.freeze(engine, {"sink": b"state"}), tmp_path)
    whole = path.read_bytes()
    places = np.arange(len(engine.lanes[""].names))
    rng = np.random.default_rng(5)
    heads = [m for m in range(len(whole)) if whole[m : m + 2] == b"PK"]
    near = [at + int(d) for at in heads for d in rng.integers(0, 180, 3) if at + d < len(whole)]
    refused = 0
    for at in [*rng.choice(near, 120), *rng.integers(0, len(whole), 40)]:
        altered = bytearray(whole)
        altered[at] ^= 1 << int(rng.integers(8))
        path.write_bytes(bytes(altered))
        again = LiveEngine(Plan(scorer()))
        try:
            states = checkpoint.restore(again, path)
        except BrokenFile:
            refused += 1
            continue
        assert states == {"sink": b"state"}
        assert again.offset == 60
        assert (
            again.lanes[""].book.rows[places].tobytes()
            == engine.lanes[""].book.rows[places].tobytes()
        )
        assert mismatches(again.lanes[""], entries.events[:60], 0)[0] == 0
    assert refused > 100


def test_a_checkpoint_of_other_lanes_is_not_taken(tmp_path: Path) -> None:
    """A tenant that now has a plan of its own must not start with an empty past."""
    service = service_of(tmp_path)
    service.start()
    feed(service, 0, 150)
    service.stop()
    plans = {"best": Plan(scorer("two", 20))}
    again = Service(
        tmp_path, lambda: LiveEngine(Plan(scorer()), plans), pacing=QUIET, plan_of=plan_of
    )
    again.start()
    assert again.status.recovered_from == "journal"
    assert "other plans" in again.status.troubles["checkpoint"]
    again.settled()
    stamp_us = again.journal.last_stamp_us
    events = again.journal.read(0, 10**6).events
    for tenant in ("acme", "best"):
        mine = [event for event in events if event.tenant == tenant]
        assert mismatches(again.engine.lane_of(tenant), mine, stamp_us)[0] == 0
    again.stop()


def test_states_of_sinks_come_back(tmp_path: Path) -> None:
    def counting(found: list[int]) -> Sink:
        def restore(state: bytes) -> None:
            found[:] = [int(state)]

        def take(outcome: Outcome) -> None:
            found[0] += int(outcome.rows["offset"].sum())

        return Sink("sum", take, state=lambda: str(found[0]).encode(), restore=restore)

    first, second, third = [0], [0], [0]
    service = service_of(tmp_path, [counting(first)])
    service.start()
    feed(service, 0, 100)
    service.settled()
    keep(service)
    feed(service, 100, 150)
    service.settled()
    n = service.engine.offset
    die(service)
    assert first == [n * (n + 1) // 2]
    again = service_of(tmp_path, [counting(second)])
    again.start()
    again.settled()
    assert second == first
    again.stop()
    last = service_of(tmp_path, [counting(third)])
    last.start()
    last.stop()
    assert third == first
    assert last.status.replayed == 0


def test_a_clock_that_an_event_ran_ahead_of_is_kept(tmp_path: Path) -> None:
    """A later event of another lead is read no earlier than the one that was ahead."""
    first, second = (
        renamed(event, f"ahead {i}", at_us=at_us)
        for i, (event, at_us) in enumerate(zip(EVENTS, (200_000_000, 5_000_000), strict=False))
    )
    for event, stamp_us in ((first, 1_000_000), (second, 6_000_000)):
        service = service_of(tmp_path)
        service.start()
        service.submit([renamed(event, event.id, tenant="acme")], stamp_us=stamp_us)
        service.stop()
    assert kept(tmp_path)[0]["as_of_us"].tolist() == [200_000_000, 200_000_000]


def test_what_a_crash_left_half_written_is_cleared_away(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    (folder / "state-000000000000007.partial").write_bytes(b"half of one")
    service = service_of(tmp_path)
    service.start()
    feed(service, 0, 20)
    service.stop()
    assert [path.suffix for path in folder.iterdir()] == [".npz"]


def test_events_are_let_go_of_at_the_same_offsets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With letting go every 64 entries, a recovery still gives the same rows and features."""
    monkeypatch.setattr(live_engine, "STRIDE", 64)
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    service = service_of(whole)
    service.start()
    feed(service, 0, len(CAME))
    service.stop()
    first = service_of(broken, pacing=replace(QUIET, batch=10))
    first.start()
    feed(first, 0, 250)
    first.settled()
    die(first)
    again = service_of(broken, pacing=replace(QUIET, batch=100))
    again.start()
    feed(again, 250, len(CAME))
    again.settled()
    lane, stamp_us = again.engine.lanes[""], again.journal.last_stamp_us
    assert lane.counts.too_late == 0
    assert mismatches(lane, again.journal.read(0, 10**6).events, stamp_us)[0] == 0
    again.stop()
    same(kept(broken), kept(whole))


def test_the_journal_is_trimmed_behind_two_checkpoints(tmp_path: Path) -> None:
    service = service_of(tmp_path, pacing=replace(QUIET, keep=20))
    service.start()
    for start in range(0, 400, 100):
        feed(service, start, start + 100)
        service.settled()
        keep(service)
    first = service.journal.first
    oldest = checkpoint.offset_of(checkpoint.listed(tmp_path / "checkpoints")[-1])
    assert 1 < first <= oldest
    assert len(service.journal.read(oldest, 10**6)) == service.journal.last - oldest
    last = service.journal.last
    die(service)
    newest, _ = checkpoint.listed(tmp_path / "checkpoints")
    newest.write_bytes(b"")
    again = service_of(tmp_path)
    again.start()
    again.settled()
    assert again.engine.offset == last
    die(again)
    for path in checkpoint.listed(tmp_path / "checkpoints"):
        path.unlink()
    with pytest.raises(BrokenFile, match="let go of"):
        service_of(tmp_path).start()
    with pytest.raises(BrokenFile, match="let go of"):  # and the journal is free again
        service_of(tmp_path).start()

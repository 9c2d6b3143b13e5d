"""What else may go wrong around a service: the disk, the clock, a model's file, who listens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.conftest import PACING
from tests.faults.feeding import Feeder
from tests.faults.load import Request, requests
from tests.faults.verdict import Verdict, verdict
from tests.stream.scenes import DAY_US

NEVER = 1 << 18
"""Nothing is let go of: what was refused is sent again in any order, and may come very late."""


def checked(feeder: Feeder, todo: list[Request]) -> Verdict:
    """All was acknowledged in the end, and all is sound."""
    assert feeder.acknowledged == {(r.tenant, one) for r in todo for one in r.ids}
    found = verdict(feeder.setup, feeder.acknowledged)
    assert found.sound, found
    return found


def largest(home: Path) -> int:
    return max(path.stat().st_size for path in home.rglob("*") if path.is_file())


@pytest.mark.parametrize("killed", [False, True])
def test_a_full_disk(feeder_of: Callable[..., Feeder], killed: bool) -> None:
    feeder, todo = feeder_of(stride=NEVER), requests(4)
    feeder.start()
    assert feeder.send(todo[:60]) == []
    feeder.ask("room", largest(feeder.setup.home) + 20_000)
    left = feeder.send(todo[60:])
    assert "StoreFailed" in feeder.errors
    assert left
    told = feeder.ask("settle")
    assert told["state"] == "live"
    if killed:
        feeder.kill()
        feeder.start()
    else:
        feeder.ask("room", None)
    assert feeder.send(left) == []
    assert feeder.stop()["state"] == "stopped"
    checked(feeder, todo)


def test_a_model_file_that_is_damaged(feeder_of: Callable[..., Feeder], tmp_path: Path) -> None:
    feeder, todo = feeder_of(), requests(5)
    feeder.start()
    third = len(todo) // 3
    assert feeder.send(todo[:third]) == []
    feeder.stop()
    whole = feeder.setup.model.read_bytes()
    damaged = tmp_path / "models" / "one.leadlab"
    damaged.parent.mkdir()
    damaged.write_bytes(whole[: len(whole) // 2])
    ruled = feeder_of(model=damaged)
    told = ruled.start()
    assert told["model"] == "rules"
    assert "BrokenFile" in told["no_model"]
    assert ruled.send(todo[third : 2 * third]) == []
    ruled.stop()
    feeder.start()
    assert feeder.send(todo[2 * third :]) == []
    feeder.stop()
    feeder.acknowledged |= ruled.acknowledged
    assert checked(feeder, todo).versions == ("one", "rules")


def test_a_clock_that_steps_back(feeder_of: Callable[..., Feeder]) -> None:
    """Events then lie ahead of the clock and are refused; sent again later, they count once."""
    feeder, todo = feeder_of(), requests(6)
    feeder.start()
    third = len(todo) // 3
    assert feeder.send(todo[:third]) == []
    behind = [replace(r, stamp_us=r.stamp_us - 3 * DAY_US) for r in todo[third : 2 * third]]
    early = feeder.send(behind)
    assert early
    feeder.ask("settle")
    feeder.kill()
    feeder.start()
    assert feeder.send(todo[third:]) == []
    feeder.stop()
    checked(feeder, todo)


def test_a_consumer_that_never_reads(feeder_of: Callable[..., Feeder]) -> None:
    feeder, todo = feeder_of(pacing=replace(PACING, lag=200), stride=NEVER), requests(7)
    feeder.start()
    feeder.ask("read", False)
    left = feeder.send(todo)
    assert set(feeder.errors) == {"Overloaded"}
    full = feeder.ask("nothing")
    assert full["lag"] <= 200 + 24 * 12
    for _ in range(5):
        left = feeder.send(left)
    again = feeder.ask("nothing")
    assert again["lag"] <= 200 + 24 * 12
    assert again["rss_kb"] - full["rss_kb"] < 20_000
    feeder.ask("read", True)
    while left:
        left = feeder.send(left)
        feeder.ask("settle")
    feeder.stop()
    checked(feeder, todo)

"""Killed at any moment: what was acknowledged counts once, and figures are as they would be."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.faults.feeding import Feeder
from tests.faults.load import requests
from tests.faults.rounds import killed_at_random
from tests.faults.verdict import verdict


@pytest.mark.parametrize("seed", [0, 1])
def test_killed_during_load(feeder_of: Callable[..., Feeder], seed: int) -> None:
    feeder, todo = feeder_of(), requests(seed)
    killed_at_random(feeder, todo, kills=2, seed=seed)
    told = feeder.stop()
    assert feeder.refused >= sum(request.poison for request in todo)
    assert feeder.acknowledged == {(r.tenant, one) for r in todo for one in r.ids}
    found = verdict(feeder.setup, feeder.acknowledged)
    assert found.sound, found
    assert found.leads == 50
    assert found.too_late == 0
    assert told["troubles"] == {}


def test_killed_while_a_model_is_promoted(feeder_of: Callable[..., Feeder]) -> None:
    feeder, todo = feeder_of(), requests(2)
    feeder.start()
    left = feeder.send(todo, until=60)
    feeder.mine.send(("promote", "two"))
    feeder.kill()
    feeder.start()
    left = feeder.send(left, until=40)
    feeder.kill()
    feeder.start()
    assert feeder.send(left) == []
    feeder.stop()
    found = verdict(feeder.setup, feeder.acknowledged)
    assert found.sound, found
    assert set(found.versions) <= {"one", "two"}


def test_a_promoted_model_is_scored_with_again_after_a_kill(
    feeder_of: Callable[..., Feeder],
) -> None:
    feeder, todo = feeder_of(), requests(3)
    feeder.start()
    middle = len(todo) // 2
    assert feeder.send(todo[:middle]) == []
    feeder.ask("settle")
    feeder.ask("promote", "two")
    assert feeder.send(todo[middle:]) == []
    feeder.ask("settle")
    feeder.kill()
    feeder.start()
    feeder.stop()
    found = verdict(feeder.setup, feeder.acknowledged)
    assert found.sound, found
    assert found.versions == ("one", "two")

"""Which model a live command scores with, also where a store fails for a while."""

from __future__ import annotations

from pathlib import Path

import pytest

from leadlab.cli import served
from leadlab.errors import BrokenFile, StoreFailed
from leadlab.explain import Scorer
from leadlab.registry import Registry
from tests.stream.scenes import scorer


def test_a_store_that_fails_twice_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    failures = [StoreFailed("away"), StoreFailed("away")]

    def load(model: str) -> Scorer:
        if failures:
            raise failures.pop()
        return scorer()

    monkeypatch.setattr(served, "scorer_of", load)
    plan, _ = served.plan_from("registry:hot", None)
    assert plan.version == scorer().version


def test_a_model_that_cannot_be_read_leaves_the_rules(tmp_path: Path) -> None:
    broken = tmp_path / "model.leadlab"
    broken.write_bytes(b"no model")
    with pytest.raises(BrokenFile):
        Scorer.load(broken)
    plan, plan_of = served.plan_from(str(broken), None)
    assert plan.version == "rules"
    assert plan_of is None


def test_a_version_that_scored_before_is_found_in_the_registry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEADLAB_REGISTRY", str(tmp_path / "registry"))
    assert Registry(tmp_path / "registry").names() == []
    plan, plan_of = served.plan_from("registry:hot", None)
    assert plan.version == "rules"
    assert plan_of is not None

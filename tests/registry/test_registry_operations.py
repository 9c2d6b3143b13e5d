"""What a registry does, on a folder and on a real S3 service alike."""

from __future__ import annotations

import json
import subprocess

import numpy as np
import pandas as pd
import pytest

import leadlab
from leadlab.errors import BadInput, ConfigError, StoreFailed, UnknownName
from leadlab.features import FeatureSet, count, events, recency
from leadlab.models.conversion import ConversionModel
from leadlab.models.files.model_file import About
from leadlab.registry import Card, Registry
from leadlab.registry.code_version import code_version
from tests.registry.conftest import AT, card, filled, fitted

VISIT = events("Visit", noun="visit")
PLAN = FeatureSet([count(VISIT, "7d"), recency(VISIT)])


def test_a_version_comes_back_as_it_was_registered(registry, model):
    first = registry.register("hot", *model, card=card(), created_at=AT, who="ann")
    second = registry.register("hot", *model, card=card(), created_at=AT, parents=["hot@1"])
    assert (first.number, second.number, second.parents) == (1, 2, ("hot@1",))
    again = Registry(registry.address)
    kept = again.load("hot", 1)
    X = np.random.default_rng(1).normal(size=(50, 2))
    assert np.array_equal(kept.model.predict_proba(X), model[0].predict_proba(X))
    assert kept.about.fingerprint == model[1].fingerprint
    assert kept.version == first
    assert (first.data_hash, first.plan_hash, first.who) == (model[1].fingerprint, "", "ann")
    assert first.features == ("x0", "x1")
    assert first.settings["rounds"] == 3
    assert first.libraries["xgboost"]
    assert first.code["leadlab"] == leadlab.__version__
    assert again.names() == ["hot"]
    assert [(one.number, one.stage, one.problem) for one in again.listed()] == [
        (1, None, None),
        (2, None, None),
    ]


def test_promotion_rollback_and_removal(registry, model):
    filled(registry, model, 4)
    with pytest.raises(UnknownName, match="nobody is"):
        registry.load("hot")
    with pytest.raises(BadInput, match="no champion before"):
        registry.roll_back("hot", at=AT)
    registry.promote("hot", 1, "champion", at=AT)
    registry.promote("hot", 2, "challenger", at=AT)
    registry.promote("hot", 2, "champion", at=AT, who="ann", why="better")
    registry.promote("hot", 3, "challenger", at=AT)
    assert registry.load("hot").version.number == 2
    assert registry.version("hot", "challenger").number == 3
    assert [one.stage for one in registry.listed("hot")] == [
        "archived", "champion", "challenger", None,
    ]  # fmt: skip
    registry.remove_challenger("hot", at=AT)
    back = registry.roll_back("hot", at=AT, who="bob")
    assert (back.version, back.state.champion, back.who) == (1, 1, "bob")
    history = registry.history("hot")
    assert [d.action for d in history] == ["promote"] * 4 + ["remove challenger", "roll back"]
    assert [d.number for d in history] == [1, 2, 3, 4, 5, 6]
    assert (history[2].who, history[2].why) == ("ann", "better")
    with pytest.raises(BadInput, match="already"):
        registry.promote("hot", 1, "champion", at=AT)
    with pytest.raises(BadInput, match="only replaced"):
        registry.promote("hot", 1, "archived", at=AT)
    with pytest.raises(BadInput, match="no challenger"):
        registry.remove_challenger("hot", at=AT)
    assert len(registry.history("hot")) == 6
    found = registry.verify()
    assert (found.versions, found.files, found.decisions) == (4, 12, 6)
    assert found.problems == found.leftovers == ()


def test_wrong_names_offer_close_ones_and_lead_nowhere(registry, model):
    filled(registry, model, 1, name="hot-leads")
    with pytest.raises(UnknownName, match="Did you mean 'hot-leads'"):
        registry.load("hot-lead")
    with pytest.raises(UnknownName, match="version"):
        registry.load("hot-leads", 9)
    with pytest.raises(UnknownName, match="Did you mean 'champion'"):
        registry.promote("hot-leads", 1, "champoin", at=AT)
    with pytest.raises(UnknownName):
        registry.register("b", *model, card=card(), created_at=AT, parents=["hot-leads@7"])
    for name in ("../up", "a/b", ".hidden", "", "A", "a" * 65, "a\n", "a\0b"):
        with pytest.raises(BadInput):
            registry.register(name, *model, card=card(), created_at=AT)
        with pytest.raises(BadInput):
            registry.version(name, 1)
    with pytest.raises(BadInput, match="zone"):
        registry.promote("hot-leads", 1, "champion", at="2026-01-01")
    assert registry.names() == ["hot-leads"]


def test_two_versions_are_compared_in_every_part(folder):
    one, about = fitted(0)
    folder.register("hot", one, about, card=card(), created_at=AT)
    other, later = fitted(1, rounds=5)
    folder.register(
        "hot", other, later, card=card(limits="Rentals."), created_at=AT, parents=["hot@1"]
    )
    found = folder.diff("hot", 1, 2)
    assert found.settings == {"rounds": (3, 5), "seed": (0, 1)}
    assert found.metrics["roc_auc"] == (0.5, 0.6, pytest.approx(0.1))
    assert found.data == (about.fingerprint, later.fingerprint)
    assert found.card == {"limits": ("Everything else.", "Rentals.")}
    assert found.parents == ([], ["hot@1"])
    assert found.libraries == {}
    frame = found.to_frame()
    assert set(frame["part"]) == {"data", "setting", "metric", "card", "parents"}
    json.dumps(found.to_json(), allow_nan=False)
    same = folder.diff("hot", 1, 1)
    assert len(same.to_frame()) == len(same.metrics) == 1


def planned(features, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(60, len(features))).astype(np.float32)
    y = (X[:, 0] > 0).astype(int)
    model = ConversionModel(rounds=2, min_child_weight=1).fit(
        pd.DataFrame(X, columns=features.names), y
    )
    return model, About(features=features.to_json())


def test_features_added_removed_and_redefined_are_told(folder):
    folder.register("hot", *planned(PLAN), card=card(), created_at=AT)
    other = FeatureSet([recency(VISIT), count(VISIT, "30d")], tz="America/Denver")
    folder.register("hot", *planned(other), card=card(), created_at=AT)
    found = folder.diff("hot", 1, 2)
    assert found.features_added == ("visit_count_30d",)
    assert found.features_removed == ("visit_count_7d",)
    assert any("tz" in text for text in found.features_changed)


def test_a_model_is_refused_with_another_plan(folder):
    model, about = planned(PLAN)
    version = folder.register("hot", model, about, card=card(), created_at=AT)
    assert folder.load("hot", 1, plan=PLAN).plan == PLAN
    assert version.plan_hash
    for plan, said in [
        (
            FeatureSet([count(VISIT, "30d"), recency(VISIT)]),
            r"- visit_count_7d; \+ visit_count_30d",
        ),
        (FeatureSet([recency(VISIT), count(VISIT, "7d")]), "another order"),
        (FeatureSet(PLAN, tz="Asia/Tokyo"), "Asia/Tokyo"),
        (FeatureSet([count(events("Call", "Visit", noun="visit"), "7d"), recency(VISIT)]), "Call"),
    ]:
        with pytest.raises(BadInput, match=said):
            folder.load("hot", 1, plan=plan)
    wrong = About(features=FeatureSet([count(VISIT, "30d"), recency(VISIT)]).to_json())
    with pytest.raises(BadInput, match="visit_count_30d"):
        folder.register("hot", model, wrong, card=card(), created_at=AT)
    assert [one.number for one in folder.listed("hot")] == [1]


def test_a_card_leaves_nothing_out():
    with pytest.raises(BadInput, match="fairness"):
        card(fairness=" ")
    with pytest.raises(BadInput, match="other parts"):
        Card.from_json({"intended_use": "x"})
    text = card().markdown("hot")
    assert [line for line in text.splitlines() if line.startswith("#")] == [
        "# Model card: hot", "## Intended use", "## Data", "## Metrics", "## Limits", "## Fairness",
    ]  # fmt: skip


def test_addresses_that_cannot_be_used_are_refused(monkeypatch):
    for address in ("", "http://x/y", "s3://key:secret@bucket/x", "s3://", "memory://x"):
        with pytest.raises(ConfigError) as told:
            Registry(address)
        assert "secret@" not in str(told.value)
    monkeypatch.setitem(__import__("sys").modules, "s3fs", None)
    with pytest.raises(ConfigError, match=r"leadlab\[s3\]"):
        Registry("s3://bucket/x")


def test_a_bucket_that_is_not_there_is_no_empty_registry(s3_env):
    with pytest.raises(StoreFailed, match="no such bucket"):
        Registry("s3://nobody-has-this-one/x").names()


def test_a_service_that_is_not_there_is_one_sentence(monkeypatch, s3_env):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setattr("s3fs.S3FileSystem.retries", 1)
    with pytest.raises(StoreFailed, match="AWS_ENDPOINT_URL") as told:
        Registry("s3://bucket/x").names()
    assert "not-a-secret" not in str(told.value)


def test_the_commit_is_that_of_leadlab_or_none(monkeypatch, tmp_path):
    found = code_version()["commit"]
    assert found is None or len(found.removesuffix("-dirty")) == 40
    installed = tmp_path / "theirs" / "leadlab"
    installed.mkdir(parents=True)
    (installed / "__init__.py").write_text("")
    subprocess.run(["git", "init", "-q", tmp_path / "theirs"], check=True)
    monkeypatch.setattr(leadlab, "__file__", str(installed / "__init__.py"))
    assert code_version()["commit"] is None

"""Models and insight handlers of a user's own package, and packages that are broken."""

from __future__ import annotations

import dataclasses
import importlib
import sys
import textwrap

import numpy as np
import pytest

from leadlab.errors import BadInput, BrokenFile, BrokenPlugin, UnknownName
from leadlab.explain import Scorer, insights
from leadlab.features import FeatureSet, count, events, recency
from leadlab.features.table import FeatureTable
from leadlab.models.conversion import ConversionModel
from leadlab.models.files.plugins import plugins
from leadlab.models.files.stored import Storable, kinds, model_class
from leadlab.schema import Coded
from tests.registry.conftest import AT, card

CODE = """
    import json
    from typing import ClassVar

    import numpy as np


    class Constant:
        kind: ClassVar[str] = "constant"

        def __init__(self, p):
            self.p = p

        def predict_proba(self, X):
            return np.tile([1 - self.p, self.p], (len(X), 1))

        def to_files(self):
            return {"constant.json": json.dumps({"p": self.p}).encode()}

        @classmethod
        def from_files(cls, files):
            return cls(json.loads(files["constant.json"])["p"])


    class Fragile(Constant):
        kind = "fragile"

        @classmethod
        def from_files(cls, files):
            raise ZeroDivisionError("oh")


    class Odd(Exception):
        pass


    def certain(scores, row):
        yield f"Certain to {scores.probability[row]:.0%}."


    def failing(scores, row):
        raise Odd("no such column")


    def wordless(scores, row):
        return [3]


    def endless(scores, row):
        while True:
            yield "More."
"""
ENTRIES = """
    [leadlab.models]
    constant = their_models:Constant
    fragile = their_models:Fragile
    absent = their_models:Absent
    gone = their_gone_module:Model
    number = their_models:json
    renamed = their_models:Constant
    conversion = their_models:Constant

    [leadlab.insights]
    certain = their_models:certain
    failing = their_models:failing
    wordless = their_models:wordless
    endless = their_models:endless
    syntax = their_syntax:say
"""


def install(place, name, entries, **modules):
    """What pip leaves of a package: modules, and metadata with its entry points."""
    info = place / f"{name.replace('-', '_')}-1.2.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(textwrap.dedent(entries))
    for module, code in modules.items():
        (place / f"{module}.py").write_text(textwrap.dedent(code))


@pytest.fixture
def theirs(tmp_path, monkeypatch):
    place = tmp_path / "site"
    install(place, "their-package", ENTRIES, their_models=CODE, their_syntax="def say(:")
    monkeypatch.syspath_prepend(place)
    importlib.invalidate_caches()
    yield place
    for module in ("their_models", "their_syntax", "second"):
        sys.modules.pop(module, None)


def test_a_model_of_a_users_package_is_kept_and_comes_back(theirs, registry):
    constant = model_class("constant")
    version = registry.register("c", constant(0.25), card=card(), created_at=AT)
    assert version.kind == "constant"
    assert registry.load("c", 1).model.predict_proba([[0]]).tolist() == [[0.75, 0.25]]
    assert isinstance(constant(0.5), Storable)
    assert str(kinds()["constant"]) == "'constant' of their-package 1.2 (their_models:Constant)"


def test_broken_packages_are_refused_by_name_and_spare_the_rest(theirs, folder, model):
    for kind, said in [
        ("absent", "AttributeError"),
        ("gone", "their_gone_module"),
        ("number", "no Storable"),
        ("renamed", "another kind"),
    ]:
        with pytest.raises(BrokenPlugin, match=said) as told:
            model_class(kind)
        assert "their-package 1.2" in str(told.value)
    with pytest.raises(UnknownName, match="Did you mean 'constant'"):
        model_class("konstant")
    assert model_class("conversion") is ConversionModel
    fragile = model_class("fragile")
    folder.register("f", fragile(0.5), card=card(), created_at=AT)
    folder.register("hot", *model, card=card(), created_at=AT)
    with pytest.raises(BrokenFile, match="ZeroDivisionError"):
        folder.load("f", 1)
    assert folder.load("hot", 1)
    assert folder.verify().problems == ()


def test_a_kind_that_two_packages_claim_is_refused(theirs, tmp_path, monkeypatch):
    other = tmp_path / "other"
    install(other, "second-package", "[leadlab.models]\nconstant = second:X\n", second="X = 1")
    monkeypatch.syspath_prepend(other)
    importlib.invalidate_caches()
    with pytest.raises(BrokenPlugin, match=r"second-package 1\.2 and their-package 1\.2"):
        model_class("constant")


def test_a_package_that_is_gone_leaves_a_version_that_says_so(theirs, folder, monkeypatch):
    folder.register("c", model_class("constant")(0.5), card=card(), created_at=AT)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p != str(theirs)])
    importlib.invalidate_caches()
    with pytest.raises(UnknownName, match="model kind 'constant'"):
        folder.load("c", 1)
    assert folder.version("c", 1).kind == "constant"
    assert folder.verify().problems == ()


@pytest.fixture(scope="module")
def scores():
    visit = events("Visit", noun="visit")
    plan = FeatureSet([count(visit, "7d"), recency(visit)])
    values = np.random.default_rng(0).normal(size=(60, 2)).astype(np.float32)
    who = Coded.constant("a", 60)
    table = FeatureTable(values, plan, who, who, np.arange(60, dtype=np.int64))
    model = ConversionModel(rounds=3, min_child_weight=1).fit(table, values[:, 0] > 0)
    return Scorer(model, plan, "example").score(table)


def test_insights_of_a_package_stand_beside_reasons_and_broken_ones_are_named(theirs, scores):
    found = insights(scores, 0)
    assert [(i.handler, i.package) for i in found.found] == [("certain", "their-package 1.2")]
    assert found.found[0].text == f"Certain to {scores.probability[0]:.0%}."
    assert len(found.refused) == 4
    for name, said in [
        ("endless", "more than 20"), ("failing", "Odd: no such column"),
        ("syntax", "SyntaxError"), ("wordless", "for a sentence"),
    ]:  # fmt: skip
        (one,) = [str(e) for e in found.refused if f"'{name}'" in str(e)]
        assert said in one


def test_without_packages_there_is_nothing_to_add(scores):
    assert plugins("leadlab.insights") == ()
    found = insights(scores, 0)
    assert (found.found, found.refused) == ((), ())


@pytest.mark.parametrize("kind", ["conversion", "churn", "table"])
def test_own_kinds_are_storable(kind):
    assert model_class(kind).kind == kind


def test_a_plan_is_stated_by_the_model_that_was_trained_with_it(scores):
    model = ConversionModel(rounds=2).fit(scores.table, np.arange(len(scores)) % 2)
    assert ConversionModel.from_files(model.to_files()).plan_hash_ == model.plan_hash_ != ""
    visit = events("Visit", "Call", noun="visit")
    other = FeatureSet([count(visit, "7d"), recency(visit)])
    assert other.names == scores.table.names
    with pytest.raises(BadInput, match="another feature plan"):
        model.predict_proba(dataclasses.replace(scores.table, features=other))
    with pytest.raises(BadInput, match="not the feature plan"):
        Scorer(model, other, "mixed")

"""Every kind of model comes back from the registry as it went in, with its feature plan held."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from leadlab.data import simulate
from leadlab.errors import BadInput
from leadlab.features import FeatureSet, automatic, build
from leadlab.models.churn.model import ChurnModel
from leadlab.models.churn.nights import nights
from leadlab.models.churn.silence import label_silence, outcomes_of, signs_of
from leadlab.models.conversion import ConversionModel
from leadlab.models.files.model_file import About
from leadlab.models.tables.model import TableModel
from tests.registry.conftest import AT, card


@pytest.fixture(scope="module")
def churn():
    log = simulate(250, 200, seed=4).log
    features = automatic(log)
    converted, ended = outcomes_of(log)
    table = build(log, features, nights(log, features, most=3000))
    silence = label_silence(table, log, signs=signs_of(log), converted=converted, ended=ended)
    small = ConversionModel(rounds=5, max_depth=2)
    return ChurnModel(estimator=small, folds=2).fit(table, silence), features, table


def test_a_churn_model_comes_back_with_its_plan(folder, churn):
    model, features, table = churn
    about = About(features=features.to_json())
    folder.register("quiet", model, about, card=card(), created_at=AT)
    found = folder.load("quiet", 1, plan=features)
    assert isinstance(found.model, ChurnModel)
    assert found.model.silence(table) == pytest.approx(model.silence(table), abs=1e-7)
    for kept, own in zip(found.model.interval(table), model.interval(table), strict=True):
        assert kept == pytest.approx(own)


def test_a_churn_model_and_another_plan_cannot_be_mixed_up(folder, churn):
    model, features, _ = churn
    other = FeatureSet(list(features)[:-1])
    with pytest.raises(BadInput, match="plan"):
        folder.register("quiet", model, About(features=other.to_json()), card=card(), created_at=AT)
    with pytest.raises(BadInput, match="plan"):
        folder.register("quiet", model, About(), card=card(), created_at=AT)
    assert folder.names() == []
    folder.register("quiet", model, About(features=features.to_json()), card=card(), created_at=AT)
    with pytest.raises(BadInput, match="not the feature plan"):
        folder.load("quiet", 1, plan=other)


@pytest.mark.parametrize("learner", [None, LogisticRegression()], ids=["boosted", "logistic"])
def test_a_table_model_comes_back_and_has_no_plan(folder, churn, learner):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"age": rng.normal(size=300), "from": rng.choice(["web", "call"], 300)})
    won = rng.random(300) < 1 / (1 + np.exp(-frame["age"]))
    model = TableModel(learner=learner).fit(frame, won)
    folder.register("table", model, card=card(), created_at=AT)
    found = folder.load("table", 1).model
    assert found.predict_proba(frame) == pytest.approx(model.predict_proba(frame), abs=1e-7)
    with pytest.raises(BadInput, match="no feature plan"):
        folder.load("table", 1, plan=churn[1])

"""Shapley importance: by hand, on exact trees, and what is refused."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
import xgboost

from leadlab.errors import BadInput, EmptyInput, UnknownName
from leadlab.explain import TreeShapley
from leadlab.explain.importance import shapley_importance


def test_of_trees_it_is_the_mean_size_of_xgboosts_own_contributions():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3)).astype(np.float32)
    model = xgboost.XGBClassifier(n_estimators=8, max_depth=3, n_jobs=1)
    model.fit(X, X[:, 1] > X[:, 0] ** 2)
    explained = TreeShapley.compile(model, feature_names=["a", "b", "c"]).explain(X)
    found = shapley_importance(explained, resamples=20)
    theirs = model.get_booster().predict(xgboost.DMatrix(X), pred_contribs=True)[:, :-1]
    by_name = found.figures.set_index("name")
    sizes = np.abs(theirs).mean(axis=0)
    assert by_name.loc[["a", "b", "c"], "value"].to_numpy() == pytest.approx(sizes, abs=1e-4)
    assert (by_name["low"] <= by_name["value"]).all()
    assert found.method == "Shapley values (exact table)"
    json.dumps(found.to_json(), allow_nan=False)


def test_what_cancels_within_a_family_counts_for_nothing():
    told = SimpleNamespace(
        contributions=np.array([[2.0, -2.0, 1.0]] * 4), method="m", names=["a", "b", "c"]
    )
    found = shapley_importance(told, columns={"pair": ["a", "b"], "one": ["c"]}, resamples=0)
    assert found.figures["value"].tolist() == [1.0, 0.0]
    assert found.figures["name"].tolist() == ["one", "pair"]


def test_what_cannot_be_averaged_is_refused():
    told = SimpleNamespace(contributions=np.zeros((0, 2)), method="m", names=["a", "b"])
    with pytest.raises(EmptyInput):
        shapley_importance(told)
    told.contributions = np.zeros((3, 2, 2))
    with pytest.raises(BadInput, match="table"):
        shapley_importance(told)
    told.contributions = np.zeros((3, 2))
    with pytest.raises(BadInput, match="one name"):
        shapley_importance(told, names=["a"])
    with pytest.raises(UnknownName):
        shapley_importance(told, columns={"f": ["q"]})
    with pytest.raises(BadInput, match="without names"):
        shapley_importance(SimpleNamespace(contributions=np.zeros((3, 2)), method="m"))

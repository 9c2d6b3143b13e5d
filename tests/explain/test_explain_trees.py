"""Contributions and margins against XGBoost's own, for any model it can train."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlab.errors import BadInput
from leadlab.explain.trees import Explanation, TreeShapley

OBJECTIVES = {
    "binary:logistic": "binary",
    "binary:logitraw": "binary",
    "reg:logistic": "binary",
    "binary:hinge": "binary",
    "reg:squarederror": "real",
    "reg:absoluteerror": "real",
    "reg:pseudohubererror": "real",
    "rank:ndcg": "binary",
    "count:poisson": "positive",
    "reg:gamma": "positive",
    "reg:tweedie": "positive",
    "survival:cox": "positive",
    "multi:softprob": "class",
    "multi:softmax": "class",
}


def table(seed: int, n: int, n_features: int, missing: float) -> np.ndarray:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, n_features)).astype(np.float32)
    X[:, 0] = np.round(X[:, 0] * 2)  # ties with thresholds
    X[rng.random(X.shape) < missing] = np.nan
    return X


def target(X: np.ndarray, kind: str) -> np.ndarray:
    filled = np.nan_to_num(X).astype(np.float64)
    score = filled[:, 0] * filled[:, -1] + np.sin(filled.sum(axis=1))
    made = {
        "binary": score > 0,
        "positive": np.exp(score / 4),
        "class": np.digitize(score, [-0.5, 0.5]),
        "real": score,
    }
    return np.asarray(made[kind], np.float64)


def train(X: np.ndarray, objective: str, rounds: int, **parameters: Any) -> xgboost.Booster:
    kind = OBJECTIVES[objective]
    data = xgboost.DMatrix(X, target(X, kind), nthread=1)
    if objective.startswith("rank"):
        data.set_group([len(X)])
    if kind == "class":
        parameters["num_class"] = 3
    given_parameters = {"objective": objective, "nthread": 1, "seed": 0, **parameters}
    return xgboost.train(given_parameters, data, rounds)


def check(
    booster: xgboost.Booster, X: np.ndarray, rounds: int = 0, threads: int = 1
) -> Explanation:
    """Hold an explanation against XGBoost's; return it."""
    explainer = TreeShapley.compile(booster, iterations=rounds or None)
    assert (explainer.method, explainer.why) == ("exact table", "")
    found = explainer.explain(X, threads)
    data = xgboost.DMatrix(X, nthread=1)
    span = {"iteration_range": (0, explainer.iterations), "strict_shape": True}
    expected = booster.predict(data, pred_contribs=True, **span)
    margin = booster.predict(data, output_margin=True, **span)
    tolerance = 1e-5 * max(1.0, float(np.abs(margin).max()))
    values = found.contributions.reshape(len(X), X.shape[1], -1).transpose(0, 2, 1)
    base = np.atleast_1d(found.base)
    np.testing.assert_allclose(values, expected[:, :, :-1], rtol=0, atol=tolerance)
    np.testing.assert_allclose(
        np.broadcast_to(base, margin.shape), expected[:, :, -1], atol=tolerance
    )
    np.testing.assert_allclose(found.margin.reshape(margin.shape), margin, rtol=0, atol=tolerance)
    np.testing.assert_allclose(values.sum(axis=2) + base, found.margin.reshape(margin.shape))
    one = explainer.explain_one(X[-1])
    np.testing.assert_allclose(one.contributions[0], found.contributions[-1], atol=tolerance)
    np.testing.assert_allclose(one.margin[0], found.margin[-1], atol=tolerance)
    return found


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    objective=st.sampled_from(sorted(OBJECTIVES)),
    depth=st.integers(1, 8),
    rounds=st.integers(1, 12),
    n_features=st.integers(1, 9),
    missing=st.sampled_from([0.0, 0.1, 0.6]),
    n=st.integers(1, 70),
    parallel=st.sampled_from([1, 1, 3]),
    policy=st.sampled_from(["depthwise", "lossguide"]),
)
def test_any_model(
    seed: int,
    objective: str,
    depth: int,
    rounds: int,
    n_features: int,
    missing: float,
    n: int,
    parallel: int,
    policy: str,
) -> None:
    X = table(seed, 300, n_features, missing)
    booster = train(
        X,
        objective,
        rounds,
        max_depth=depth,
        eta=0.5,
        num_parallel_tree=parallel,
        grow_policy=policy,
        min_child_weight=0.01,
    )
    check(booster, table(seed + 1, n, n_features, missing))


@pytest.mark.parametrize("depth", range(1, 9))
def test_each_depth_with_many_trees(depth: int) -> None:
    X = table(depth, 3000, 12, 0.1)
    check(train(X, "binary:logistic", 60, max_depth=depth, min_child_weight=0.1), X[:333])


def test_many_deep_trees_stay_within_tolerance() -> None:
    X = table(3, 4000, 20, 0.05)
    found = check(train(X, "reg:squarederror", 300, max_depth=8, eta=0.05), X[:100])
    assert np.abs(found.contributions).max() > 1e-2


def test_large_scale_targets() -> None:
    X = table(4, 1000, 6, 0.1)
    data = xgboost.DMatrix(X, 3e5 + 1e5 * target(X, "real"))
    check(xgboost.train({"max_depth": 6, "eta": 0.3}, data, 50), X[:100])


@pytest.mark.parametrize("base_score", [0.03, 0.5, 0.9])
def test_base_score_goes_through_the_link(base_score: float) -> None:
    X = table(5, 300, 4, 0.1)
    found = check(train(X, "binary:logistic", 4, base_score=base_score, max_depth=3), X)
    assert isinstance(found.base, float)


def test_rows_without_any_value() -> None:
    X = table(6, 500, 5, 0.3)
    check(train(X, "binary:logistic", 20, max_depth=5), np.full((20, 5), np.nan, np.float32))


def test_one_feature_asked_all_the_way_down() -> None:
    X = np.random.default_rng(7).uniform(0, 1, (4000, 1)).astype(np.float32)
    data = xgboost.DMatrix(X, np.sin(20 * X[:, 0]))
    booster = xgboost.train({"max_depth": 8, "eta": 0.5}, data, 5)
    found = check(booster, X[:200])
    np.testing.assert_allclose(found.contributions[:, 0] + found.base, found.margin)


def test_trees_of_one_leaf() -> None:
    X = table(8, 100, 3, 0.0)
    found = check(train(X, "reg:squarederror", 5, gamma=1e9), X)
    assert not found.contributions.any()


def test_no_trees_at_all() -> None:
    X = table(9, 100, 3, 0.0)
    found = check(train(X, "reg:squarederror", 0), X)
    assert not found.contributions.any()


def test_threads_and_frames_change_nothing() -> None:
    X = table(10, 1000, 6, 0.1)
    explainer = TreeShapley.compile(train(X, "multi:softprob", 10, max_depth=4))
    alone = explainer.explain(X)
    assert alone.contributions.shape == (1000, 6, 3)
    for threads in (2, 3, 64):
        shared = explainer.explain(X, threads)
        np.testing.assert_array_equal(shared.contributions, alone.contributions)
        np.testing.assert_array_equal(shared.margin, alone.margin)
    frame = pd.DataFrame(X, columns=list(alone.names))
    np.testing.assert_array_equal(explainer.explain(frame).margin, alone.margin)
    turned = np.asfortranarray(X.astype(np.float64))
    np.testing.assert_array_equal(explainer.explain(turned).margin, alone.margin)


def test_early_stopping_is_respected() -> None:
    X = table(11, 600, 5, 0.1)
    y = target(X, "binary")
    model = xgboost.XGBClassifier(n_estimators=300, max_depth=6, early_stopping_rounds=3, n_jobs=1)
    model.fit(X[:300], y[:300], eval_set=[(X[300:], y[300:])], verbose=False)
    explainer = TreeShapley.compile(model)
    booster = model.get_booster()
    assert explainer.iterations == model.best_iteration + 1 < booster.num_boosted_rounds()
    margin = explainer.explain(X).margin
    np.testing.assert_allclose(margin, model.predict(X, output_margin=True), atol=1e-5)
    check(booster, X)
    check(booster, X, rounds=2)
    check(booster, X, rounds=booster.num_boosted_rounds())


def test_scikit_learn_models_and_their_missing_value() -> None:
    X = table(12, 400, 4, 0.2)
    y = target(X, "real")
    X = np.nan_to_num(X, nan=-999)
    model = xgboost.XGBRegressor(n_estimators=20, max_depth=4, missing=-999, n_jobs=1)
    model.fit(X, y)
    explanation = TreeShapley.compile(model).explain(X)
    np.testing.assert_allclose(explanation.margin, model.predict(X), atol=1e-5)


def test_an_empty_batch_is_an_empty_explanation() -> None:
    X = table(13, 100, 3, 0.0)
    one = TreeShapley.compile(train(X, "reg:squarederror", 2)).explain(X[:0])
    assert one.contributions.shape == (0, 3)
    assert one.margin.shape == (0,)
    many = TreeShapley.compile(train(X, "multi:softprob", 2)).explain(X[:0], threads=2)
    assert many.contributions.shape == (0, 3, 3)
    assert many.margin.shape == (0, 3)


def test_names() -> None:
    X = table(14, 100, 2, 0.0)
    data = xgboost.DMatrix(X, X[:, 0], feature_names=["calls", "visits"])
    booster = xgboost.train({}, data, 2)
    assert TreeShapley.compile(booster).names == ("calls", "visits")
    renamed = TreeShapley.compile(booster, feature_names=["a", "b"])
    assert renamed.explain(X).names == ("a", "b")
    with pytest.raises(BadInput, match="names do not fit"):
        TreeShapley.compile(booster, feature_names=["a"])


def test_an_explainer_can_be_pickled() -> None:
    X = table(15, 100, 3, 0.1)
    explainer = TreeShapley.compile(train(X, "reg:squarederror", 3))
    again = pickle.loads(pickle.dumps(explainer))
    np.testing.assert_array_equal(
        again.explain(X).contributions, explainer.explain(X).contributions
    )

"""What cannot be explained by the exact table says so; what cannot be explained at all fails."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost

from leadlab.errors import BadInput, NotFitted
from leadlab.explain.ensemble import read_ensemble
from leadlab.explain.trees import TreeShapley

RNG = np.random.default_rng(0)
X = RNG.normal(size=(500, 3)).astype(np.float32)
Y = X[:, 0] * X[:, 1] + X[:, 2]


def trained(rounds: int = 3, **parameters: Any) -> xgboost.Booster:
    return xgboost.train({"nthread": 1, **parameters}, xgboost.DMatrix(X, Y), rounds)


def altered(change: Callable[[dict[str, Any]], None]) -> xgboost.Booster:
    """A booster whose first tree was changed by hand."""
    content = json.loads(trained(max_depth=3, base_score=0.0).save_raw("json"))
    change(content["learner"]["gradient_booster"]["model"]["trees"][0])
    return xgboost.Booster(model_file=bytearray(json.dumps(content).encode()))


@pytest.mark.filterwarnings("ignore:.*deprecated")
@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"max_depth": 9}, "depth 9"),
        ({"booster": "dart", "rate_drop": 0.5, "one_drop": 1}, "dart"),
        ({"booster": "gblinear"}, "gblinear"),
    ],
)
def test_fallback_is_visible_and_right(parameters: dict[str, Any], reason: str) -> None:
    booster = trained(5, **parameters)
    explainer = TreeShapley.compile(booster)
    for found, rows in ((explainer.explain(X), X), (explainer.explain_one(X[4]), X[4:5])):
        assert found.method == explainer.method == "xgboost"
        assert reason in found.why
        expected = booster.predict(xgboost.DMatrix(rows), pred_contribs=True)
        np.testing.assert_allclose(found.contributions, expected[:, :-1], atol=1e-6)
        np.testing.assert_allclose(found.base, expected[0, -1], atol=1e-6)
        margin = booster.predict(xgboost.DMatrix(rows), output_margin=True)
        np.testing.assert_allclose(found.margin, margin, atol=1e-5)


def test_categorical_models_fall_back() -> None:
    frame = pd.DataFrame({"kind": pd.Categorical(RNG.choice(list("abcd"), 500)), "age": X[:, 0]})
    y = frame["kind"].isin(["a", "c"]) * 1.0
    model = xgboost.XGBRegressor(n_estimators=4, max_depth=2, enable_categorical=True, n_jobs=1)
    model.fit(frame, y)
    found = TreeShapley.compile(model).explain(frame)
    assert (found.method, found.why) == ("xgboost", "the model has categorical features")
    np.testing.assert_allclose(found.margin, model.predict(frame), atol=1e-5)


def test_vector_leaves_fall_back() -> None:
    both = np.stack([Y, -Y], axis=1)
    model = xgboost.XGBRegressor(n_estimators=2, multi_strategy="multi_output_tree", n_jobs=1)
    explainer = TreeShapley.compile(model.fit(X, both))
    assert (explainer.method, explainer.why) == ("xgboost", "the model's leaves are vectors")


@pytest.mark.filterwarnings("ignore:.*deprecated")
def test_linear_models_cannot_be_cut() -> None:
    with pytest.raises(BadInput, match="linear booster"):
        TreeShapley.compile(trained(booster="gblinear"), iterations=1)


def test_covers_that_do_not_add_up_fall_back() -> None:
    def double(tree: dict[str, Any]) -> None:
        tree["sum_hessian"][1] *= 2

    def negate(tree: dict[str, Any]) -> None:
        tree["sum_hessian"][1] *= -1

    assert TreeShapley.compile(altered(double)).why == "the covers of tree 0 do not add up"
    assert "negative" in TreeShapley.compile(altered(negate)).why


def test_no_cover_at_all_weighs_branches_alike() -> None:
    def empty(tree: dict[str, Any]) -> None:
        tree["sum_hessian"] = [0.0] * len(tree["sum_hessian"])

    booster = altered(empty)
    explainer = TreeShapley.compile(booster)
    assert explainer.method == "exact table"
    found = explainer.explain(X)
    assert np.isfinite(found.contributions).all()
    np.testing.assert_allclose(
        found.margin, booster.predict(xgboost.DMatrix(X), output_margin=True), atol=1e-5
    )


def test_a_branch_that_no_training_row_took() -> None:
    def starve(tree: dict[str, Any]) -> None:
        left, right = tree["left_children"], tree["right_children"]

        def pour(at: int, cover: float) -> None:
            tree["sum_hessian"][at] = cover
            if left[at] >= 0:
                pour(left[at], cover)
                pour(right[at], 0.0)

        pour(left[0], 0.0)
        pour(right[0], tree["sum_hessian"][0])

    booster = altered(starve)
    found = TreeShapley.compile(booster).explain(X)
    assert found.method == "exact table"
    margin = booster.predict(xgboost.DMatrix(X), output_margin=True)
    np.testing.assert_allclose(found.margin, margin, atol=1e-5)
    np.testing.assert_allclose(found.base + found.contributions.sum(axis=1), margin, atol=1e-5)


def test_a_format_that_reads_wrong_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    booster = trained(max_depth=3)
    raw = booster.save_raw

    def lie(*args: Any, **kwargs: Any) -> bytearray:
        content = json.loads(raw(*args, **kwargs))
        for tree in content["learner"]["gradient_booster"]["model"]["trees"]:
            tree["default_left"] = [1 - side for side in tree["default_left"]]
            tree["left_children"], tree["right_children"] = (
                tree["right_children"],
                tree["left_children"],
            )
        return bytearray(json.dumps(content).encode())

    monkeypatch.setattr(booster, "save_raw", lie)
    assert "margins differ" in TreeShapley.compile(booster).why


def test_untrained_models() -> None:
    for model in (xgboost.XGBClassifier(), xgboost.XGBRegressor(), xgboost.Booster()):
        with pytest.raises(NotFitted):
            TreeShapley.compile(model)


@pytest.mark.parametrize("model", [None, "model.json", object()])
def test_not_a_model(model: object) -> None:
    with pytest.raises(BadInput, match="not a model that can be explained"):
        TreeShapley.compile(model)


@pytest.mark.parametrize("iterations", [0, -1, 4])
def test_rounds_that_the_model_does_not_have(iterations: int) -> None:
    with pytest.raises(BadInput, match="1 to 3"):
        TreeShapley.compile(trained(), iterations=iterations)


def test_reading_gives_the_rounds_asked_for() -> None:
    booster = trained(num_parallel_tree=2)
    assert [len(read_ensemble(booster, rounds).trees) for rounds in (1, 2, 3)] == [2, 4, 6]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.zeros((2, 4)), "wrong number of columns"),
        (np.zeros(3), "explain_one"),
        (np.zeros((1, 2, 3)), "must be a table"),
        ([["a", "b", "c"]], "not numbers"),
        (np.array([[1, "b", None]], object), "not numbers"),
        (np.zeros((1, 3), complex), "not numbers"),
        ([[1.0, np.inf, 0.0]], "row 0, column 'f1'"),
        ([[0, 0, 0], [1.0, 0, -1e39]], "row 1, column 'f2'"),
        ([[1.0, 2.0], [1.0]], "unequal length"),
        (pd.DataFrame(np.zeros((1, 3)), columns=list("abc")), "columns are not"),
        (pd.DataFrame(np.zeros((1, 3)), columns=["f1", "f0", "f2"]), "another order"),
        (pd.DataFrame({"f0": ["x"], "f1": [1], "f2": [1]}), "columns \\['f0'\\]"),
    ],
)
def test_rows_that_cannot_be_used(rows: Any, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        TreeShapley.compile(trained()).explain(rows)


def test_a_single_row_of_the_wrong_width() -> None:
    with pytest.raises(BadInput, match="wrong number of columns"):
        TreeShapley.compile(trained()).explain_one(np.zeros(4))


def test_no_threads() -> None:
    with pytest.raises(BadInput, match="at least one thread"):
        TreeShapley.compile(trained()).explain(X, threads=0)


def test_integers_booleans_and_none_are_numbers() -> None:
    explainer = TreeShapley.compile(trained())
    expected = explainer.explain(np.array([[1, 0, np.nan]])).margin
    mixed = pd.DataFrame(
        {"f0": pd.array([1], "Int64"), "f1": [False], "f2": pd.array([None], "Int64")}
    )
    for rows in ([[1, 0, None]], np.array([[1, False, None]], object), mixed):
        np.testing.assert_array_equal(explainer.explain(rows).margin, expected)

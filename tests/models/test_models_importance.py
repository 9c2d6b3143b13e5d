"""Importance and dependence: zero where nothing is used, brute force where something is."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.inspection import partial_dependence
from sklearn.inspection import permutation_importance as scikit
from sklearn.linear_model import LogisticRegression

from leadlab.errors import BadInput, EmptyInput, UnknownName
from leadlab.models.validation.dependence import dependence
from leadlab.models.validation.importance import permutation_importance


@pytest.fixture(scope="module")
def case():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 4))
    X[:, 3] = X[:, 0] + 0.05 * rng.normal(size=600)
    y = (X[:, 0] + 0.5 * X[:, 1] + rng.normal(size=600) > 0).astype(int)
    return X, y, LogisticRegression().fit(X, y)


def test_an_unused_column_is_exactly_zero(case):
    X, y, _ = case
    deaf = LogisticRegression().fit(X, y)
    deaf.coef_[0, 2] = 0.0
    found = permutation_importance(deaf, X, y, resamples=30).figures.set_index("name")
    assert found.loc["x2", ["value", "low", "high"]].tolist() == [0.0, 0.0, 0.0]
    assert found.loc["x1", "low"] > 0


def test_figures_are_those_of_scikit_learn_up_to_the_permutations(case):
    X, y, model = case
    mine = permutation_importance(model, X, y, repeats=20, resamples=0).figures.set_index("name")
    theirs = scikit(model, X, y, scoring="neg_log_loss", n_repeats=20, random_state=1)
    order = [f"x{j}" for j in range(4)]
    assert mine.loc[order, "value"].to_numpy() == pytest.approx(theirs.importances_mean, abs=0.02)


def test_columns_that_tell_the_same_count_when_they_move_together(case):
    X, y, _ = case
    model = LogisticRegression(C=0.01).fit(X, y)
    alone = permutation_importance(model, X, y, resamples=0).figures.set_index("name")["value"]
    pair = permutation_importance(
        model, X, y, columns={"both": ["x0", "x3"], "other": ["x1"]}, resamples=0
    ).figures.set_index("name")
    assert pair.loc["both", "value"] > 1.3 * (alone["x0"] + alone["x3"])
    assert pair.loc["both", "columns"] == 2


def test_a_seed_repeats_and_rows_are_drawn_openly(case):
    X, y, model = case
    one, two = (permutation_importance(model, X, y, most_rows=200, seed=3) for _ in range(2))
    assert one.to_json() == two.to_json()
    assert one.rows == 200
    json.dumps(one.to_json(), allow_nan=False)


def test_what_cannot_be_permuted_is_refused(case):
    X, y, model = case
    with pytest.raises(BadInput, match="permutation"):
        permutation_importance(model, X, y, repeats=0)
    with pytest.raises(UnknownName):
        permutation_importance(model, X, y, columns={"f": ["x9"]})
    with pytest.raises(EmptyInput):
        permutation_importance(model, X[:0], y[:0])


def test_dependence_is_brute_force(case):
    X, _, model = case
    found = dependence(model, X, ["x1"], points=5, most_rows=10_000).curves
    for at, mean, low in found[["x", "mean", "low"]].to_numpy():
        copy = X.copy()
        copy[:, 1] = at
        p = model.predict_proba(copy)[:, 1]
        assert mean == pytest.approx(p.mean())
        assert low == pytest.approx(np.quantile(p, 0.1))


def test_dependence_is_scikit_learns_where_that_works(case):
    X, _, model = case
    grid = np.unique(np.round(X[:, 1], 0))
    few = X.copy()
    few[:, 1] = np.round(few[:, 1], 0)
    theirs = partial_dependence(
        model, few, [1], kind="average", percentiles=(0, 1), custom_values={1: grid}
    )
    mine = dependence(model, few, ["x1"], most_rows=10_000).curves
    assert mine["x"].to_numpy() == pytest.approx(grid)
    assert mine["mean"].to_numpy() == pytest.approx(theirs["average"][0])


def test_gaps_and_categories_are_points_of_their_own_and_thin_data_is_marked():
    rng = np.random.default_rng(1)
    X = pd.DataFrame({"n": rng.normal(size=400), "k": pd.Categorical(["a", "b"] * 200)})
    X.loc[0, "n"] = 50.0
    X.loc[100:200, "n"] = np.nan
    y = (X["n"].fillna(0) > 0).astype(int)
    model = HistGradientBoostingClassifier(max_iter=5).fit(X, y)
    found = dependence(model, X, ["n", "k"])
    n = found.curves[found.curves["feature"] == "n"]
    assert n.iloc[-1]["label"] == "missing"
    assert n["share"].sum() == pytest.approx(1.0)
    assert n[n["x"] > 20]["extrapolates"].all()
    assert not n[n["x"].abs() < 1]["extrapolates"].all()
    k = found.curves[found.curves["feature"] == "k"]
    assert sorted(k["label"]) == ["a", "b"]
    assert found.rug["quantile"].between(0, 1).all()
    json.dumps(found.to_json(), allow_nan=False)


def test_no_columns_no_curve_and_bad_questions(case):
    X, _, model = case
    assert dependence(model, X, []).curves.empty
    with pytest.raises(UnknownName):
        dependence(model, X, ["zzz"])
    with pytest.raises(BadInput, match="two points"):
        dependence(model, X, ["x0"], points=1)
    with pytest.raises(EmptyInput):
        dependence(model, X[:0], ["x0"])

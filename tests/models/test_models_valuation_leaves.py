"""Leaves found in the table are those that XGBoost itself finds, unknown values included."""

from __future__ import annotations

import numpy as np
import pytest
import xgboost as xgb

from leadlab.models.valuation.tree_table import TreeTable


@pytest.mark.parametrize("depth", [1, 4, 7])
@pytest.mark.parametrize("objective", ["reg:squarederror", "reg:absoluteerror"])
def test_leaves_are_those_of_xgboost(depth, objective):
    rng = np.random.default_rng(depth)
    X = rng.normal(size=(400, 5)).round(1).astype(np.float32)
    X[rng.random(X.shape) < 0.2] = np.nan
    y = np.nan_to_num(X[:, 0]) * np.nan_to_num(X[:, 1], nan=1.0) + rng.normal(size=400)
    settings = {"max_depth": depth, "objective": objective, "nthread": 1, "base_score": 0.0}
    boosters = [xgb.train({**settings, "seed": s}, xgb.DMatrix(X, y), 12) for s in (0, 1)]
    table = TreeTable.of(boosters)
    data = xgb.DMatrix(X)
    expected = np.hstack([b.predict(data, pred_leaf=True) for b in boosters])
    found = np.stack([table.leaves(row) for row in X])
    assert np.array_equal(found, expected)
    margin = sum(b.predict(data, output_margin=True) for b in boosters)
    summed = np.array([table.values(row).sum() for row in X])
    assert summed == pytest.approx(margin, abs=1e-4)


def test_a_tree_that_never_splits_is_one_leaf():
    X = np.zeros((10, 1), np.float32)
    booster = xgb.train({"max_depth": 3}, xgb.DMatrix(X, np.arange(10.0)), 2)
    assert TreeTable.of([booster]).leaves(X[0]).tolist() == [0, 0]

from __future__ import annotations

import json

import numpy as np
import pytest

from leadlab.models.baselines import BaseRate, Logistic
from leadlab.models.metrics import brier, lift_at, roc_auc
from leadlab.models.report import evaluate


def problem(n=400):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 2))
    y = (rng.random(n) < 1 / (1 + np.exp(1 - 2 * X[:, 0]))).astype(int)
    return X, y, np.repeat(np.arange(n // 4), 4)


def test_figures_are_those_of_the_metrics_and_repeat():
    X, y, leads = problem()
    model, base = Logistic().fit(X, y), BaseRate().fit(X, y)
    report = evaluate(model, {"base rate": base}, X, y, groups=leads, capacity=20, seed=3)
    p = model.predict_proba(X)[:, 1]
    assert report.metrics["roc_auc"].value == roc_auc(y, p)
    assert report.metrics["brier"].value == pytest.approx(brier(y, p))
    assert report.metrics["lift"].value == pytest.approx(lift_at(y, p, capacity=20))
    for found in report.metrics.values():
        assert found.low <= found.value <= found.high or found.low == pytest.approx(found.value)
    assert (report.rows, report.leads, report.converted) == (400, 100, int(y.sum()))
    assert report.beats() == report.beats("brier") == {"base rate": True}
    again = evaluate(model, {"base rate": base}, X, y, groups=leads, capacity=20, seed=3)
    assert again.to_json() == report.to_json()


def test_it_is_plain_json_and_one_frame():
    X, y, _ = problem()
    report = evaluate(Logistic().fit(X, y), {"base": BaseRate().fit(X, y)}, X, y, resamples=10)
    told = json.loads(json.dumps(report.to_json(), allow_nan=False))
    assert told["metrics"]["roc_auc"]["value"] == report.metrics["roc_auc"].value
    assert told["baselines"]["base"]["roc_auc"]["value"] == 0.5
    frame = report.to_frame()
    assert set(frame["model"]) == {"model", "base"}
    assert len(frame) == 2 * len(report.metrics)


def test_one_class_in_test_is_a_stated_result():
    X, y, _ = problem()
    fitted = Logistic().fit(X, y)
    report = evaluate(fitted, {"base": BaseRate().fit(X, y)}, X, np.zeros(len(y)), resamples=5)
    assert "both outcomes" in str(report.why)
    told = json.loads(json.dumps(report.to_json(), allow_nan=False))
    assert told["metrics"]["roc_auc"]["value"] is None
    assert report.beats("roc_auc") == {"base": False}
    assert np.isfinite(report.metrics["brier"].value)

from __future__ import annotations

import numpy as np
import pytest

from leadlab.errors import BadInput
from leadlab.models.baselines import BaseRate, LastEventRule, Logistic
from leadlab.models.conversion import ConversionModel
from leadlab.models.metrics import ece, log_loss, pr_auc


def rare(n, seed):
    """About 3% convert; where the two figures agree in sign, more do (no line can say that)."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4)).astype(np.float32)
    margin = -4.6 + 2.2 * (X[:, 0] * X[:, 1] > 0) + 0.5 * X[:, 2]
    chance = 1 / (1 + np.exp(-margin))
    return X, (rng.random(n) < chance).astype(int), chance


def test_it_beats_logistic_regression_where_figures_work_together():
    X, y, _ = rare(20_000, 0)
    later, outcome, _ = rare(20_000, 1)
    side, held, _ = rare(5_000, 2)
    model = ConversionModel().fit(X, y, validation=(side, held))
    line = Logistic().fit(X, y)
    ours, theirs = (m.predict_proba(later)[:, 1] for m in (model, line))
    assert pr_auc(outcome, ours) > 1.3 * pr_auc(outcome, theirs)
    assert log_loss(outcome, ours) < log_loss(outcome, theirs)


def test_few_conversions_leave_probabilities_calibrated():
    X, y, _ = rare(20_000, 0)
    later, outcome, chance = rare(20_000, 1)
    side, held, _ = rare(5_000, 2)
    p = ConversionModel().fit(X, y, validation=(side, held)).predict_proba(later)[:, 1]
    assert abs(p.mean() - outcome.mean()) < 0.004
    assert ece(outcome, p) < 0.008
    assert np.abs(p - chance).mean() < 0.02


def test_trees_after_the_best_round_cannot_predict():
    rng = np.random.default_rng(0)
    X, side = rng.normal(size=(500, 3)), rng.normal(size=(500, 3))
    y, held = (rng.random(500) < 0.3).astype(int), (rng.random(500) < 0.3).astype(int)
    model = ConversionModel(rounds=200, patience=10, learning_rate=0.3, min_child_weight=1)
    model.fit(X, y, validation=(side, held))
    assert model.best_iteration_ < 50
    assert model.booster_.num_boosted_rounds() == model.best_iteration_ + 1
    again = ConversionModel(
        rounds=model.best_iteration_ + 1, learning_rate=0.3, min_child_weight=1
    ).fit(X, y)
    assert np.allclose(again.predict_proba(side), model.predict_proba(side), atol=1e-6)
    assert model.validation_log_loss_ == pytest.approx(
        log_loss(held, model.predict_proba(side)[:, 1]), abs=1e-6
    )


def test_an_uninformative_problem_ends_near_the_base_rate():
    rng = np.random.default_rng(0)
    X, side = rng.normal(size=(4000, 5)), rng.normal(size=(4000, 5))
    y, held = (rng.random(4000) < 0.02).astype(int), (rng.random(4000) < 0.02).astype(int)
    model = ConversionModel().fit(X, y, validation=(side, held))
    base = BaseRate().fit(X, y).predict_proba(side)[:, 1]
    assert log_loss(held, model.predict_proba(side)[:, 1]) < log_loss(held, base) + 0.002


def test_prediction_runs_on_one_thread_whatever_trained():
    X, y, _ = rare(2000, 0)
    model = ConversionModel(rounds=5, threads=2).fit(X, y)
    assert '"nthread":"1"' in model.booster_.save_config().replace(" ", "")


def test_the_seed_matters_and_settings_are_checked():
    X, y, _ = rare(3000, 0)
    one, other = (ConversionModel(rounds=20, seed=s).fit(X, y).predict_proba(X) for s in (0, 1))
    assert not np.array_equal(one, other)
    with pytest.raises(BadInput, match="start at 1"):
        ConversionModel(rounds=0).fit(X, y)


def test_the_last_event_rule_is_a_smoothed_rate():
    X = np.array([[1, 0]] * 10 + [[0, 1]] * 10 + [[0, 0]] * 5, float)
    y = np.array([1] * 5 + [0] * 5 + [0] * 10 + [1] * 5)
    rule = LastEventRule(prefix="x", prior=10.0).fit(X, y)
    b = 10 / 25
    expected = [(5 + 10 * b) / 20, (0 + 10 * b) / 20, (5 + 10 * b) / 15]
    assert list(rule.rate_.values()) == pytest.approx(expected)
    found = rule.predict_proba([[1, 0], [0, 1], [0, 0], [np.nan, np.nan]])[:, 1]
    assert found.tolist() == pytest.approx([*expected, expected[2]])
    with pytest.raises(BadInput, match="is_latest"):
        LastEventRule().fit(X, y)

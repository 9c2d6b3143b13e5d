"""Uplift, off-policy values and Qini curves, against known truths and other people's code."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklift.metrics import qini_auc_score, qini_curve

from leadlab.errors import BadInput, BrokenFile, EmptyInput, NotFitted
from leadlab.models.actions import qini
from leadlab.models.actions.off_policy import (
    always,
    doubly_robust,
    greedy,
    ips,
    logged,
    means,
    row_values,
    scores,
    snips,
    weights,
)
from leadlab.models.actions.uplift import UpliftModel
from leadlab.models.protocols.econml_effects import econml_effects

P = np.array([0.5, 0.3, 0.2])


def world(n, seed):
    """Three arms; the second helps where x0 > 0 and harms elsewhere, the third helps a little."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    truth = np.column_stack([np.zeros(n), 0.3 * np.sign(X[:, 0]), np.full(n, 0.1)]) + 0.4
    arm = rng.choice(3, n, p=P)
    y = (rng.random(n) < truth[np.arange(n), arm]).astype(float)
    return X, arm, y, truth


def noisy(truth, seed):
    """A poor model of the outcomes: biased, and noisy."""
    return 0.5 * truth + 0.3 + np.random.default_rng(seed).normal(0, 0.1, truth.shape)


@pytest.mark.parametrize("estimator", ["ips", "snips", "dr"])
def test_intervals_cover_the_true_value_of_another_policy(estimator):
    covered, spread = 0, []
    for seed in range(60):
        X, arm, y, truth = world(1200, seed)
        policy = greedy((X[:, 0] > 0).astype(int), 3)
        true = 0.55  # 0.7 where the second helps, 0.4 where the control is kept
        log = logged(y, arm, P)
        if estimator == "dr":
            found = doubly_robust(log, policy, noisy(truth, seed), resamples=200, seed=seed)
        else:
            found = {"ips": ips, "snips": snips}[estimator](log, policy, resamples=200, seed=seed)
        covered += found.low <= true <= found.high
        spread.append(found.value)
    assert covered >= 52
    assert np.mean(spread) == pytest.approx(0.55, abs=0.01)


def test_a_true_model_of_outcomes_makes_the_doubly_robust_value_sharper():
    X, arm, y, truth = world(4000, 1)
    log, policy = logged(y, arm, P), greedy((X[:, 0] > 0).astype(int), 3)
    width = [e.high - e.low for e in (doubly_robust(log, policy, truth), ips(log, policy))]
    assert width[0] < 0.8 * width[1]


@given(st.integers(0, 10_000), st.integers(3, 200))
def test_the_acting_policy_is_worth_the_plain_mean(seed, n):
    rng = np.random.default_rng(seed)
    chance = rng.dirichlet(np.ones(3), n) * 0.9 + 0.1 / 3
    arm = (rng.random((n, 1)) > chance.cumsum(axis=1)).sum(axis=1).clip(max=2)
    y = rng.normal(size=n)
    log = logged(y, arm, chance)
    mean = pytest.approx(y.mean(), abs=1e-9)
    assert ips(log, chance, resamples=0).value == mean
    assert snips(log, chance, resamples=0).value == mean
    flat = np.full((n, 3), rng.normal())
    assert doubly_robust(log, chance, flat, resamples=0).value == mean
    by_row = rng.normal(size=(n, 1)) * np.ones(3)
    assert doubly_robust(log, chance, by_row, resamples=0).value == mean


def test_figures_by_hand():
    log = logged([1.0, 0.0, 1.0], [0, 1, 1], [[0.5, 0.5], [0.5, 0.5], [0.2, 0.8]])
    to_one = always(1, 3, 2)
    assert weights(log, to_one).tolist() == [0.0, 2.0, 1.25]
    assert ips(log, to_one, resamples=0).value == pytest.approx(1.25 / 3)
    assert snips(log, to_one, resamples=0).value == pytest.approx(1.25 / 3.25)
    model = np.array([[0.5, 0.5], [0.5, 0.5], [0.5, 0.5]])
    assert scores(log, model)[:, 1].tolist() == pytest.approx([0.5, -0.5, 1.125])
    assert row_values(scores(log, model), to_one).mean() == pytest.approx(1.125 / 3)
    never = snips(logged([1.0], [0], [0.5, 0.5]), always(1, 1, 2), resamples=5)
    assert np.isnan(never.value) and "never" in never.why


def test_differences_are_paired_and_repeat():
    rng = np.random.default_rng(0)
    a = rng.normal(size=500)
    found = means({"a": a, "b": a - 0.1, "difference": np.full(500, 0.1)}, seed=4)
    assert found["difference"].low == pytest.approx(0.1)
    assert found["a"].low - found["b"].low == pytest.approx(0.1)
    assert found == means({"a": a, "b": a - 0.1, "difference": np.full(500, 0.1)}, seed=4)


def test_logs_that_cannot_be_judged_are_refused():
    with pytest.raises(EmptyInput):
        logged([], [], np.empty((0, 2)))
    with pytest.raises(BadInput, match="no chance"):
        logged([1.0], [1], [1.0, 0.0])
    with pytest.raises(BadInput, match="sum to 1"):
        logged([1.0], [1], [0.5, 0.6])
    with pytest.raises(BadInput, match="no column"):
        logged([1.0], [2], [0.5, 0.5])
    with pytest.raises(BadInput, match="finite"):
        logged([np.nan], [1], [0.5, 0.5])
    log = logged([1.0], [0], [1.0, 0.0])
    with pytest.raises(BadInput, match="never tried"):
        ips(log, always(1, 1, 2))
    with pytest.raises(BadInput, match="never tried"):
        doubly_robust(log, always(1, 1, 2), [[0.5, 0.5]])
    with pytest.raises(BadInput, match="other actions"):
        weights(log, [[1.0, 0.0, 0.0]])
    with pytest.raises(BadInput, match="expected outcome"):
        scores(log, [[0.5]])


@given(st.integers(0, 10_000), st.integers(20, 300), st.integers(1, 50))
def test_qini_is_that_of_scikit_uplift(seed, n, levels):
    rng = np.random.default_rng(seed)
    treated = rng.permutation(np.arange(n) % 2)
    y = (rng.random(n) < 0.4).astype(int)
    y[:2], treated[:2] = [0, 1], [0, 1]
    uplift = rng.integers(0, levels, n) / levels
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # it uses what scikit-learn is to drop
        share, gain = qini_curve(y, uplift, treated)
        theirs = qini_auc_score(y, uplift, treated)
    found = qini.curve(y, uplift, treated)
    assert np.allclose(found.share, share / n) and np.allclose(found.gain, gain / n)
    assert qini.coefficient(y, uplift, treated) == pytest.approx(theirs, abs=1e-9)


def test_qini_knows_the_best_the_worst_and_dollars():
    rng = np.random.default_rng(0)
    treated = rng.integers(0, 2, 4000)
    gains = rng.random(4000) < 0.5
    y = (rng.random(4000) < 0.2 + 0.5 * treated * gains).astype(int)
    good = qini.coefficient(y, gains.astype(float), treated)
    bad = qini.coefficient(y, -gains.astype(float), treated)
    noise = qini.coefficient(y, rng.random(4000), treated)
    assert good > 0.2 and bad < -0.2 and abs(noise) < 0.06
    assert qini.coefficient(y, y * (2.0 * treated - 1), treated) == pytest.approx(1.0)
    dollars = qini.curve(40.0 * y, gains.astype(float), treated)
    assert dollars.area == pytest.approx(40 * qini.curve(y, gains.astype(float), treated).area)
    with pytest.raises(BadInput, match="0 or 1"):
        qini.coefficient(40.0 * y, gains.astype(float), treated)
    with pytest.raises(BadInput, match="with and without"):
        qini.curve([1, 0], [0.1, 0.2], [1, 1])
    assert np.isnan(qini.coefficient([0, 0], [0.1, 0.2], [1, 0]))


def test_the_learner_finds_what_was_planted_with_known_unequal_propensities():
    X, arm, y, _ = world(6000, 7)
    model = UpliftModel(members=6).fit(X, arm, y, P)
    fresh, _, _, true = world(2000, 8)
    effect = model.effects(fresh)
    assert effect.shape == (2000, 3) and not effect[:, 0].any()
    aim = true - true[:, :1]
    error = ((effect - aim) ** 2).mean()
    assert error < 0.3 * ((aim.mean(axis=0) - aim) ** 2).mean()
    assert effect.mean(axis=0) == pytest.approx(aim.mean(axis=0), abs=0.05)
    worth = true[np.arange(2000), effect.argmax(axis=1)].mean()
    best_single = true.mean(axis=0).max()
    assert worth > best_single + 0.06
    again = UpliftModel(members=6).fit(X, arm, y, P)
    assert np.array_equal(again.draws(fresh), model.draws(fresh))


def test_the_learner_agrees_with_econml():
    rng = np.random.default_rng(3)
    X = pd.DataFrame(rng.normal(size=(6000, 2)), columns=["a", "b"])
    arm = rng.integers(0, 2, 6000)
    y = (X["b"] + arm * (0.5 + X["a"]) + rng.normal(size=6000)).to_numpy()
    asked = pd.DataFrame(rng.normal(size=(300, 2)), columns=["a", "b"])
    theirs = econml_effects(X, arm, y, asked)[:, 1]
    found = UpliftModel(members=8).fit(X, arm, y, [0.5, 0.5]).effects(asked)[:, 1]
    assert np.corrcoef(found, theirs)[0, 1] > 0.98
    assert found.mean() == pytest.approx(theirs.mean(), abs=0.06)


def test_the_spread_of_draws_is_that_of_the_estimate():
    means = []
    for seed in range(10):
        X, arm, y, _ = world(600, seed)
        model = UpliftModel(members=6, folds=2, seed=seed).fit(X, arm, y, P)
        means.append((model.effects(X)[:, 1].mean(), model.draws(X)[:, :, 1].mean(axis=1).std()))
    found = np.array(means)
    assert 0.6 < found[:, 1].mean() / found[:, 0].std() < 1.7


def test_the_learners_faults_are_named():
    X, arm, y, _ = world(300, 0)
    with pytest.raises(NotFitted):
        UpliftModel().effects(X)
    with pytest.raises(BadInput, match="arm 2"):
        UpliftModel().fit(X, np.minimum(arm, 1), y, P)
    with pytest.raises(BadInput, match="one outcome a row"):
        UpliftModel().fit(X[:-1], arm, y, P)
    with pytest.raises(BadInput, match="two members"):
        UpliftModel(members=1).fit(X, arm, y, P)
    constant = UpliftModel(members=2).fit(X, arm, np.ones(300), P)
    assert np.allclose(constant.draws(X), 0, atol=1e-6)
    gaps = X.copy()
    gaps[::3, 0] = np.nan
    gaps[:, 1] = np.nan
    assert np.isfinite(UpliftModel(members=2).fit(gaps, arm, y, P).draws(gaps)).all()
    with pytest.raises(BadInput):
        constant.effects(X[:, :2])


def test_a_model_comes_back_from_its_files_as_it_was():
    X, arm, y, _ = world(400, 2)
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    model = UpliftModel(members=2, folds=2, seed=5).fit(frame, arm, y, P)
    files = model.to_files()
    found = UpliftModel.from_files(files)
    assert np.array_equal(found.draws(frame), model.draws(frame))
    assert found.get_params() == model.get_params()
    assert found.to_files() == files
    with pytest.raises(BadInput):
        found.effects(frame[["b", "a", "c"]])
    with pytest.raises(NotFitted):
        UpliftModel().to_files()


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("uplift.json", lambda b: b[: len(b) // 2]),
        ("uplift.json", lambda b: b.replace(b"leadlab-uplift/1", b"leadlab-churn/1")),
        ("uplift.json", lambda b: b.replace(b'"members": 2', b'"members": 3')),
        ("uplift.json", lambda b: b.replace(b'"x1",', b"")),
        ("uplift.json", lambda b: b"[]"),
        ("trees-1-2.ubj", lambda b: b[:-9]),
        ("trees-1-2.ubj", None),
    ],
)
def test_files_that_were_altered_are_refused(name, change):
    X, arm, y, _ = world(200, 2)
    files = UpliftModel(members=2, folds=2).fit(X, arm, y, P).to_files()
    altered = {k: v for k, v in files.items() if k != name}
    if change is not None:
        assert change(files[name]) != files[name]
        altered[name] = change(files[name])
    with pytest.raises(BrokenFile):
        UpliftModel.from_files(altered)

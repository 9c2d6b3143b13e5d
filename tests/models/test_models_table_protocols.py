"""Protocols of lead tables: what is planted is found, figures repeat, nothing later is used."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from xgboost import XGBClassifier

from leadlab.errors import BadInput
from leadlab.models.calibration.recent import RecentCalibration
from leadlab.models.protocols import ordered as ordered_protocols
from leadlab.models.protocols import shuffled as table_protocols
from leadlab.models.protocols.delays import Delays
from leadlab.models.protocols.held_out_folds import Sides, held_out_sides, spread, summary
from leadlab.models.protocols.walk_forward import InTime, walk_forward
from leadlab.models.tables.model import TableModel
from leadlab.models.tables.splits import repeated_holdout

SMALL = TableModel(learner=XGBClassifier(n_estimators=15, max_depth=3, n_jobs=1, random_state=0))
FIGURES = {
    *("roc_auc", "pr_auc", "brier", "brier_skill", "log_loss", "ece", "ece_floor", "lift"),
    *("base_rate", "coverage_90"),
}


@pytest.fixture
def quick(monkeypatch):
    """The protocols with a small learner."""

    class Quick(TableModel):
        def __init__(self, *, learner=None, rare=20, most=50, seed=0):
            super().__init__(
                learner=SMALL.learner if learner is None else learner,
                rare=rare,
                most=most,
                seed=seed,
            )

    for room in (table_protocols, ordered_protocols):
        monkeypatch.setattr(room, "TableModel", Quick)


def table(n=1500, seed=0, name="made"):
    """Contract and tenure decide; Tags leak."""
    rng = np.random.default_rng(seed)
    contract = rng.choice(["month", "year"], n)
    tenure = rng.integers(1, 60, n)
    y = (rng.random(n) < 1 / (1 + np.exp(1 - 1.5 * (contract == "month") + tenure / 30))).astype(
        int
    )
    frame = pd.DataFrame(
        {
            "Lead Number": np.arange(n) + 10_000,
            "contract": contract,
            "tenure": tenure,
            "Tags": np.where(y == 1, "won", "open"),
            "y": y,
        }
    )
    return SimpleNamespace(
        name=name,
        frame=frame,
        target="y",
        ids=("Lead Number",),
        leaky=("Tags",),
        constant=(),
        features=["contract", "tenure"],
        groups=np.arange(n) // 2,
        at=np.arange(n),
        known_at=None,
    )


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("protocol", "settings"),
    [
        (table_protocols.evaluate_x_education, {"folds": 2}),
        (table_protocols.evaluate_telco, {"repeats": 2}),
        (ordered_protocols.evaluate_bank_marketing, {"retrain": 400}),
    ],
)
def test_protocols_find_what_was_planted_and_repeat(protocol, settings):
    steps: list[str] = []
    found = protocol(table(), seed=3, tell=steps.append, **settings)
    again = protocol(table(), seed=3, **settings)
    assert found.to_json() == again.to_json()
    assert set(found.metrics) >= FIGURES
    assert found.metrics["roc_auc"] > 0.65
    assert found.metrics["brier_skill"] > 0
    assert set(found.baselines_by_name) >= {"base rate", "logistic regression"}
    assert set(found.baselines) >= FIGURES - {"coverage_90", "ece_floor", "base_rate"}
    assert found.baselines_by_name["base rate"]["lift"] == pytest.approx(1, abs=0.3)
    assert "left out Tags" in found.protocol
    assert "the data set's description" in found.protocol
    assert steps
    json.dumps(found.to_json(), allow_nan=False)


@pytest.mark.usefixtures("quick")
def test_the_funnel_protocol_uses_no_outcome_that_came_after_the_split():
    made = table(2000)
    days = np.arange(2000) // 10
    at = np.datetime64("2026-01-01", "us") + days * np.timedelta64(1, "D")
    rng = np.random.default_rng(1)
    wait = np.where(made.frame["y"] == 1, rng.exponential(8, 2000).clip(0, 30), 30.0)
    known_at = at + (wait * 86400e6).astype("timedelta64[us]")
    made.at, made.known_at = at, known_at
    made.features = ["contract", "tenure"]
    first = ordered_protocols.evaluate_olist_funnel(made, retrain=400)
    start = at[np.argsort(at, kind="stable")][first.counts["train_rows"]]
    late = (known_at >= start) & (at < start)
    assert late.sum() > 50
    turned = made.frame.assign(y=np.where(late & (at < start), 0, made.frame["y"]))
    other = SimpleNamespace(**{**vars(made), "frame": turned})
    other.known_at = np.where(late, at + np.timedelta64(30, "D"), known_at)
    second = ordered_protocols.evaluate_olist_funnel(other, retrain=400)
    same = [name for name in first.metrics if not name.startswith("walked_")]
    assert {n: first.metrics[n] for n in same} == {n: second.metrics[n] for n in same}


def walked(data, **plan):
    plan = {"start": 700, "warm_up": 400, "retrain": 200, "recalibrate": 20} | plan
    return walk_forward(SMALL, data, **plan)


def made_walk(seed=0, n=1000):
    rng = np.random.default_rng(seed)
    X = pd.DataFrame({"x": rng.normal(size=n)})
    y = (rng.random(n) < 1 / (1 + np.exp(1 - X["x"]))).to_numpy(int)
    return InTime(X, y, np.arange(n))


def test_later_rows_change_no_earlier_score():
    data = made_walk()
    first = walked(data)
    y = data.y.copy()
    y[850:] = 1 - y[850:]
    X = data.X.copy()
    X.iloc[900:] = 9.0
    second = walked(replace(data, y=y, X=X))
    assert (first.p[400:851] == second.p[400:851]).all()
    assert (first.score[400:900] == second.score[400:900]).all()
    assert (first.p[880:900] != second.p[880:900]).any()
    assert np.isnan(first.p[:400]).all()
    assert first.interval == second.interval


def test_a_frozen_walk_learns_nothing_after_its_start():
    data = made_walk()
    y = data.y.copy()
    y[700:] = 1 - y[700:]
    first, second = walked(data, frozen=True), walked(replace(data, y=y), frozen=True)
    assert np.array_equal(first.p, second.p, equal_nan=True)
    assert first.figures(data.y)["roc_auc"] > 0.6


def test_rows_of_one_moment_are_scored_together():
    data = replace(made_walk(), at=np.arange(1000) // 50)
    edges = data.edges(400, 20)
    assert edges == list(range(400, 1000, 50))
    rows, _, _ = data.known(430)
    assert rows.max() == 399


def test_what_a_walk_cannot_use_is_refused():
    data = made_walk()
    with pytest.raises(BadInput, match="order of time"):
        replace(data, at=data.at[::-1])
    with pytest.raises(BadInput, match="differ in number"):
        replace(data, y=data.y[:-1])
    with pytest.raises(BadInput, match="warms up"):
        walked(data, warm_up=800)


def test_outcomes_that_may_still_come_are_not_taken_for_failures():
    data = made_walk()
    known_at = data.at + np.where(data.y == 1, 50, 100)
    late = replace(data, known_at=known_at)
    rows, so_far, share = late.known(500)
    assert (so_far[rows > 450] == 0).all()
    assert (share[(so_far == 0) & (rows > 460)] < 0.5).all()
    assert (share[rows < 400] == 1).all()
    assert late.settled(500).max() == 399


def test_delays_agree_with_a_population_that_is_cut_by_age():
    rng = np.random.default_rng(0)
    age = rng.uniform(0, 60, 40_000)
    delay = rng.exponential(15, 40_000)
    seen = (delay <= age) & (delay <= 60)
    found = Delays.of(delay[seen], age[seen]).known_by([5.0, 15.0, 30.0, 90.0])
    whole = (1 - np.exp(-np.array([5, 15, 30, 60]) / 15)) / (1 - np.exp(-60 / 15))
    np.testing.assert_allclose(found, whole, atol=0.02)
    assert Delays.of([], []).known_by([3.0]).tolist() == [1.0]
    with pytest.raises(BadInput, match="between 0 and the age"):
        Delays.of([2.0], [1.0])


def test_a_recent_calibration_leaves_right_scores_alone_and_follows_wrong_ones():
    rng = np.random.default_rng(0)
    p = rng.beta(2, 6, 8000)
    right = RecentCalibration.fit(p, rng.random(8000) < p)
    np.testing.assert_allclose(right.apply([0.1, 0.3, 0.6]), [0.1, 0.3, 0.6], atol=0.06)
    shifted = RecentCalibration.fit(p, rng.random(8000) < np.minimum(2 * p, 1))
    assert (shifted.apply([0.1, 0.3]) > [0.15, 0.45]).all()
    nothing = RecentCalibration.fit([], [])
    np.testing.assert_allclose(nothing.apply([0.2, 0.7]), [0.2, 0.7])
    one_class = RecentCalibration.fit([0.5] * 300, [0] * 300).apply([0.5])
    assert 0 < one_class[0] < 0.05
    with pytest.raises(BadInput, match="one length"):
        RecentCalibration.fit([0.5], [0, 1])


def test_sides_are_summed_up_by_mean_and_pool():
    data = table(600)
    X, y = data.frame[data.features], data.frame["y"].to_numpy()
    folds = repeated_holdout(y, groups=data.groups, repeats=3)
    rate = TableModel(learner=DummyClassifier(strategy="prior"))
    found = held_out_sides(rate, X, y, folds, groups=data.groups)
    assert len(found.figures) == 3
    assert len(found.y) == sum(len(test) for _, test in folds)
    told = summary(found)
    assert told["roc_auc"] == 0.5
    assert told["brier"] == pytest.approx(np.mean([f["brier"] for f in found.figures]))
    assert spread(found)["brier_sd"] == pytest.approx(
        np.std([f["brier"] for f in found.figures], ddof=1)
    )
    alone = Sides(found.figures[:1], found.y, found.p, [])
    assert set(spread(alone)) == {"ece_mean", "ece_floor_mean"}


@pytest.mark.data
@pytest.mark.parametrize(
    ("protocol", "name", "every", "settings", "least"),
    [
        (table_protocols.evaluate_x_education, "x_education", 3, {"folds": 1}, 0.83),
        (table_protocols.evaluate_telco, "telco", 3, {"repeats": 1}, 0.80),
        (ordered_protocols.evaluate_olist_funnel, "olist_funnel", 1, {"retrain": 4000}, 0.65),
        (ordered_protocols.evaluate_bank_marketing, "bank_marketing", 8, {"retrain": 2000}, 0.70),
    ],
)
@pytest.mark.usefixtures("quick")
def test_public_tables_quickly(protocol, name, every, settings, least, monkeypatch, public_data):
    """Some rows, one fold or seed, and a small learner; the commands give the full figures."""
    from leadlab.data import load  # noqa: PLC0415  (only where the data is)

    monkeypatch.setenv("LEADLAB_DATA_DIR", str(public_data))
    whole = load(name)
    rows = np.arange(0, len(whole.frame), every)
    part = replace(
        whole,
        frame=whole.frame.iloc[rows],
        groups=whole.groups[rows],
        at=None if whole.at is None else whole.at[rows],
        known_at=None if whole.known_at is None else whole.known_at[rows],
    )
    found = protocol(part, **settings)
    assert found.metrics["roc_auc"] > least
    assert found.metrics["brier_skill"] > 0
    if name == "bank_marketing":
        assert found.metrics["roc_auc"] > found.metrics["fixed_roc_auc"]

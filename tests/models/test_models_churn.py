from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.base import clone

from leadlab.data.brokerage import simulate
from leadlab.errors import BadInput, BrokenFile, NotFitted
from leadlab.explain import reasons
from leadlab.explain.churn import ChurnScorer
from leadlab.features import FeatureSet, build, count, events, recency
from leadlab.models.churn.figures import beside, compared, flat
from leadlab.models.churn.labels import labels_of
from leadlab.models.churn.model import ChurnModel, levels
from leadlab.models.churn.nights import nights
from leadlab.models.churn.silence import label_silence
from leadlab.models.conversion import ConversionModel
from leadlab.models.files.model_file import About, read_model, save_model
from leadlab.models.metrics import ece, log_loss, roc_auc
from leadlab.models.protocols.curve import FeatureCurve

HORIZONS = np.array([7.0, 14.0, 30.0])
SMALL = ConversionModel(rounds=60, patience=10, max_depth=3, min_child_weight=20, learning_rate=0.1)


def waits(n, seed):
    """Days to the next sign, exponential around a mean that the first figure decides."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    mean = 14 * np.exp(0.8 * X[:, 0])
    days = rng.exponential(mean)
    true = np.exp(-HORIZONS / mean[:, None])
    return X, days, (days[:, None] > HORIZONS).astype(int), true


@pytest.fixture(scope="module")
def fitted():
    X, days, y, _ = waits(6000, 0)
    return ChurnModel(estimator=SMALL, folds=3).fit(X, y, next_days=days)


finite = st.floats(-(2.0**99), 2.0**99, width=32) | st.just(float("nan"))


@settings(max_examples=40)
@given(X=arrays(np.float32, st.tuples(st.integers(1, 8), st.just(3)), elements=finite))
def test_longer_silence_is_never_likelier_whatever_the_input(fitted, X):
    found = fitted.predict(X)
    chance = found[["p_7d", "p_14d", "p_30d"]].to_numpy()
    assert (np.diff(chance, axis=1) <= 0).all()
    assert ((chance > 0) & (chance < 1)).all()
    assert found["expected_days"].between(0, 30).all()
    assert set(found["level"]) <= {"critical", "high", "medium", "low"}
    low, high = fitted.interval(X)
    assert ((low <= chance) & (chance <= high)).all()


def test_probabilities_days_and_intervals_are_those_that_were_planted(fitted):
    X, days, y, true = waits(8000, 1)
    chance = fitted.silence(X)
    for k in range(3):
        assert ece(y[:, k], chance[:, k]) < 0.03  # 6,000 rows taught it
        assert roc_auc(y[:, k], chance[:, k]) > roc_auc(y[:, k], true[:, k]) - 0.02
        constant = np.full(len(X), fitted.base_rates_[k])
        assert log_loss(y[:, k], chance[:, k]) < log_loss(y[:, k], constant) - 0.05
        assert 0.85 < fitted.intervals_[k].coverage(chance[:, k], y[:, k]) < 0.95
    expected = fitted.predict(X)["expected_days"]
    assert abs(expected.mean() - np.minimum(days, 30).mean()) < 0.4
    assert np.corrcoef(expected, 14 * np.exp(0.8 * X[:, 0]))[0, 1] > 0.7


def test_the_chain_is_the_product_of_calibrated_conditionals(fitted):
    X = waits(50, 2)[0]
    conditional = fitted.conditional(X)
    by_hand = np.ones(len(X))
    for k, stage in enumerate(fitted.stages_):
        p = stage.predict_proba(X)[:, 1]
        np.testing.assert_allclose(conditional[:, k], p)
        by_hand = by_hand * fitted.calibrations_[k].apply(p)
        np.testing.assert_allclose(fitted.silence(X)[:, k], by_hand)
    p = fitted.silence(X)
    heard = np.column_stack([1 - p[:, 0], p[:, 0] - p[:, 1], p[:, 1] - p[:, 2]])
    np.testing.assert_allclose(
        fitted.predict(X)["expected_days"], heard @ fitted.wait_days_ + 30 * p[:, 2]
    )


def test_the_same_seed_gives_the_same_model_and_rows_may_come_in_any_order(fitted):
    X, days, y, _ = waits(6000, 0)
    again = clone(fitted).fit(X, y, next_days=days)
    assert again.to_files() == fitted.to_files()
    order = np.random.default_rng(0).permutation(200)
    np.testing.assert_array_equal(fitted.silence(X[:200])[order], fitted.silence(X[order]))


def test_unknown_labels_do_not_train():
    _, days, y, _ = waits(1500, 3)
    unknown = np.where(np.arange(1500)[:, None] % 5 == 0, -1, y)
    kept = np.arange(1500) % 5 != 0
    labels = labels_of(unknown, 1500, (7.0, 14.0, 30.0), None, days)
    for k, rows in enumerate(labels.rows):
        before = y[:, k - 1] == 1 if k else np.ones(1500, bool)
        assert rows.tolist() == np.flatnonzero(kept & before).tolist()
        heard = rows[y[rows, k] == 0]
        assert labels.wait_days[k] == pytest.approx(days[heard].mean())
    assert labels_of(y, 1500, (7.0, 14.0, 30.0)).wait_days.tolist() == [3.5, 10.5, 22.0]


def test_it_is_kept_in_files_and_every_fault_is_named(fitted, tmp_path):
    X = waits(40, 4)[0]
    files = fitted.to_files()
    back = ChurnModel.from_files(files)
    pd.testing.assert_frame_equal(back.predict(X), fitted.predict(X))
    np.testing.assert_array_equal(back.interval(X), fitted.interval(X))
    assert back.to_files() == files
    path = save_model(tmp_path / "churn.leadlab", fitted, About())
    assert read_model(path)[0].to_files() == files
    for name, content in files.items():
        with pytest.raises(BrokenFile):
            ChurnModel.from_files({n: c for n, c in files.items() if n != name})
        with pytest.raises(BrokenFile):
            ChurnModel.from_files({**files, name: content[: len(content) // 2]})
    described = json.loads(files["churn.json"])
    for wrong in (
        {"format": "leadlab-churn/9"},
        {"intervals": described["intervals"][:2]},
        {"features": ["a"]},
        {"settings": {"unheard": 1, "horizons_days": [7.0, 14.0, 30.0]}},
    ):
        text = json.dumps({**described, **wrong}).encode()
        with pytest.raises(BrokenFile):
            ChurnModel.from_files({**files, "churn.json": text})


def test_levels_begin_where_they_are_said_to():
    assert levels([1.0, 0.8, 0.7999, 0.6, 0.5999, 0.4, 0.3999, 0.0]).tolist() == [
        "critical", "critical", "high", "high", "medium", "medium", "low", "low",
    ]  # fmt: skip


def test_the_level_goes_by_the_horizon_that_is_named(fitted):
    X = waits(300, 5)[0]
    other = ChurnModel.from_files(fitted.to_files()).set_params(level_horizon_days=7)
    found = other.predict(X)
    assert found["level"].tolist() == levels(found["p_7d"]).tolist()
    assert fitted.predict(X)["level"].tolist() == levels(found["p_30d"]).tolist()
    with pytest.raises(BadInput, match="level_horizon_days"):
        other.set_params(level_horizon_days=8).predict(X)


def test_bad_input_is_refused_by_name(fitted):
    X, days, y, _ = waits(300, 6)
    model = ChurnModel(estimator=SMALL, folds=2)
    with pytest.raises(NotFitted):
        model.predict(X)
    with pytest.raises(NotFitted):
        model.to_files()
    with pytest.raises(BadInput, match="row and horizon"):
        model.fit(X, y[:, :2])
    with pytest.raises(BadInput, match="1, 0 or -1"):
        model.fit(X, y + 3)
    with pytest.raises(BadInput, match="silent through a longer one"):
        model.fit(X, y[:, ::-1])
    with pytest.raises(BadInput, match="groups"):
        model.fit(X, y, groups=[1, 2])
    with pytest.raises(BadInput, match="next_days"):
        model.fit(X, y, next_days=days[:5])
    with pytest.raises(BadInput, match="horizon of 7 days"):
        model.fit(X, np.ones_like(y))
    with pytest.raises(BadInput, match="horizon of 30 days"):
        model.fit(X, np.column_stack([y[:, :2], np.zeros(300, int)]))
    with pytest.raises(BadInput, match="infinite"):
        fitted.predict(np.full((1, 3), np.inf))
    with pytest.raises(BadInput, match="number of features"):
        fitted.predict(X[:, :2])
    with pytest.raises(BadInput, match="must rise"):
        ChurnModel(horizons_days=(14, 7)).fit(X, y)


@pytest.fixture(scope="module")
def leads():
    log = simulate(200, 150, seed=1).log
    visits, calls = events("Visited Website", noun="visit"), events("Incoming Call", noun="call")
    features = FeatureSet([count(visits, "7d"), count(visits, "30d"), recency(visits),
                           recency(calls), recency(events(noun="event"))])  # fmt: skip
    table = build(log, features, nights(log, features))
    found = label_silence(table, log, ended=("Lost",), converted=("Closed",))
    table, found = table.take(found.alive), found.take(found.alive)
    return log, features, table, found


def test_no_future_event_changes_a_forecast(leads):
    log, features, table, _ = leads
    middle = int(np.median(table.as_of_us))
    before = log.between(0, middle + 1)
    rows = np.flatnonzero(table.as_of_us <= middle)[:400]
    again = build(before, features, nights(before, features))
    early = label_silence(again, before, ended=("Lost",), converted=("Closed",))
    model = ChurnModel(estimator=SMALL, folds=2).fit(
        again.take(early.alive), early.take(early.alive)
    )
    same = {
        (t, name): i
        for i, (t, name) in enumerate(zip(again.as_of_us, again.lead.values(), strict=True))
    }
    where = [same[key] for key in zip(table.as_of_us[rows], table.lead.values()[rows], strict=True)]
    np.testing.assert_array_equal(
        model.silence(table.take(rows)), model.silence(again.take(np.array(where)))
    )


def test_explanations_add_up_in_each_stage_and_together(leads):
    _, features, table, found = leads
    model = ChurnModel(estimator=SMALL, folds=2).fit(table, found)
    told = ChurnScorer(model, features, "v").score(table.take(np.arange(60)))
    conditional = model.conditional(table.take(np.arange(60)))
    for k, stage in enumerate(told.stages):
        assert stage.method == "exact table"
        total = stage.base + stage.contributions.sum(axis=1)
        np.testing.assert_allclose(1 / (1 + np.exp(-total)), conditional[:, k], atol=1e-5)
    joint = sum(w * s.margin for w, s in zip(told.weights, told.stages, strict=True))
    np.testing.assert_allclose(told.scores.margin, joint)
    total = told.scores.base + told.scores.contributions.sum(axis=1)
    np.testing.assert_allclose(total, joint, atol=1e-4)
    assert told.weights.sum() == pytest.approx(1)
    assert reasons(told.scores, 0, 3)
    other = FeatureSet(features.features[:3])
    with pytest.raises(BadInput, match="not the model's features"):
        ChurnScorer(model, features, "v").score(table.__class__(
            table.values[:, :3], other, table.tenant, table.lead, table.as_of_us))  # fmt: skip


def test_every_figure_of_every_horizon_is_there(leads):
    _, _, table, found = leads
    later = found.as_of_us > np.median(found.as_of_us)
    train, test = np.flatnonzero(~later), np.flatnonzero(later)
    model = ChurnModel(estimator=SMALL, folds=2).fit(table.take(train), found.take(train))
    others = beside(table.take(train), found.take(train), table.take(test), curve="event_recency")
    ours, best, theirs = compared(model, table.take(test), found.take(test), others)
    assert set(theirs) == {"base rate", "curve", "logistic regression"}
    assert theirs["base rate"]["roc_auc_7d"] == 0.5
    assert best["brier_30d"] == min(figures["brier_30d"] for figures in theirs.values())
    assert best["roc_auc_30d"] == max(figures["roc_auc_30d"] for figures in theirs.values())
    assert {"coverage_90_7d", "ece_14d", "brier_skill_30d"} <= set(ours)
    assert flat((7,), [{"a": 1.0}]) == {"a_7d": 1.0}


def test_a_curve_is_the_rate_of_each_bin():
    X = pd.DataFrame({"days": [0.0] * 10 + [9.0] * 10 + [np.nan] * 5, "other": 0.0})
    y = np.array([1] * 2 + [0] * 8 + [1] * 7 + [0] * 3 + [1] * 5)
    curve = FeatureCurve(column="days", bins=2, prior=0).fit(X, y)
    assert curve.predict_proba(X)[[0, 10, 20], 1].tolist() == pytest.approx([0.2, 0.7, 1.0])
    with pytest.raises(KeyError, match="unknown feature 'dais'"):
        FeatureCurve(column="dais").fit(X, y)

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from leadlab.errors import BadInput, NotFitted
from leadlab.models import metrics
from leadlab.models.calibration.calibrated import Calibrated
from leadlab.models.conversion import ConversionModel
from leadlab.models.folds import ordered_folds


def leads(n=2500, seed=0, copies=3):
    """Columns that repeat each other: naive Bayes is far too sure of itself."""
    rng = np.random.default_rng(seed)
    wish = rng.normal(size=n)
    X = np.repeat(wish[:, None], copies, axis=1) + rng.normal(0, 0.3, (n, copies))
    return X, (rng.random(n) < 1 / (1 + np.exp(1.5 - 1.2 * wish))).astype(int)


def test_a_too_sure_model_is_mended_and_its_intervals_hold():
    X, y = leads(6000)
    new, outcome = leads(10_000, 1)
    raw = GaussianNB().fit(X, y).predict_proba(new)[:, 1]
    model = Calibrated(GaussianNB()).fit(X, y)
    p = model.predict_proba(new)[:, 1]
    assert metrics.ece(outcome, raw) > 0.05
    assert metrics.ece(outcome, p) < 0.02
    assert metrics.brier(outcome, p) < metrics.brier(outcome, raw)
    assert metrics.roc_auc(outcome, p) == pytest.approx(metrics.roc_auc(outcome, raw), abs=1e-3)
    assert model.interval_.coverage(p, outcome) == pytest.approx(0.9, abs=0.025)
    low, high = model.interval(new)
    assert ((low <= p) & (p <= high)).all()


def test_ranks_are_those_of_the_estimator_trained_on_all_rows():
    X, y = leads()
    model = Calibrated(LogisticRegression(), methods=("venn_abers",)).fit(X, y)
    raw = LogisticRegression().fit(X, y).predict_proba(X)[:, 1]
    order = np.argsort(raw)
    assert (np.diff(model.predict_proba(X)[order, 1]) >= 0).all()
    assert len(np.unique(model.predict_proba(X)[:, 1])) > 0.99 * len(np.unique(raw))


def test_scores_come_from_models_that_did_not_see_the_row():
    X, y = leads(300)
    model = Calibrated(LogisticRegression()).fit(X, y)
    rows, fold, p = model.out_of_fold_
    assert np.array_equal(np.sort(rows), np.arange(300))
    for f in range(5):
        rest = np.sort(rows[fold != f])
        expected = LogisticRegression().fit(X[rest], y[rest]).predict_proba(X[rows[fold == f]])
        np.testing.assert_allclose(p[fold == f], expected[:, 1])


@pytest.mark.parametrize("kind", ["array", "frame", "sparse", "list"])
def test_tables_of_many_kinds_are_taken(kind):
    X, y = leads(400)
    table = {
        "array": X,
        "frame": pd.DataFrame(X, columns=list("abc"), index=np.arange(400)[::-1]),
        "sparse": sparse.csr_matrix(X),
        "list": X.tolist(),
    }[kind]
    expected = Calibrated(LogisticRegression()).fit(X, y).predict_proba(X)
    np.testing.assert_allclose(
        Calibrated(LogisticRegression()).fit(table, y).predict_proba(table), expected
    )


def test_leads_are_kept_whole_and_handed_on():
    X, y = leads(600)
    lead = np.repeat(np.arange(200), 3)
    model = Calibrated(ConversionModel(rounds=20), of=10).fit(X, y, groups=lead, validation=0.2)
    rows, fold, _ = model.out_of_fold_
    assert pd.Series(fold).groupby(lead[rows]).nunique().max() == 1
    assert model.estimator_.best_iteration_ < 20


def test_folds_that_look_forward():
    X, y = leads(1200)
    model = Calibrated(LogisticRegression()).fit(X, y, cv=ordered_folds(1200, 4))
    rows, fold, _ = model.out_of_fold_
    assert rows.min() == 240
    assert (np.diff(fold[np.argsort(rows)]) >= 0).all()


def test_scikit_learn_manners():
    X, y = leads(400)
    model = Calibrated(make_pipeline(StandardScaler(), GaussianNB()), folds=3, seed=4)
    copy = clone(model)
    assert copy.get_params()["folds"] == 3
    with pytest.raises(NotFitted):
        copy.predict_proba(X)
    with pytest.raises(NotFitted):
        copy.to_json()
    one, other = model.fit(X, y), copy.fit(X, y)
    assert (one.predict_proba(X) == other.predict_proba(X)).all()
    assert not hasattr(model.estimator[-1], "theta_")
    np.testing.assert_allclose(one.predict_proba(X).sum(axis=1), 1)
    assert set(one.predict(X)) <= {0, 1}
    assert one.score(X, y) > 0.6


def test_state_goes_through_json():
    X, y = leads(400)
    model = Calibrated(GaussianNB()).fit(X, y)
    found = json.loads(json.dumps(model.to_json()))
    again = Calibrated.restored(model.estimator_, found)
    assert (again.predict_proba(X) == model.predict_proba(X)).all()
    assert (again.interval(X)[1] == model.interval(X)[1]).all()


def test_a_score_that_knows_nothing_gives_the_base_rate():
    X, y = leads(2000)
    model = Calibrated(DummyClassifier()).fit(X, y)
    assert model.predict_proba(X)[:, 1] == pytest.approx(np.full(2000, y.mean()), abs=0.01)


def test_faults_are_refused():
    X, y = leads(60)
    model = Calibrated(LogisticRegression(), of=5)
    thirds = np.array_split(np.arange(60), 3)
    fine = [(np.setdiff1d(np.arange(60), t), t) for t in thirds]
    with pytest.raises(BadInput, match="one class"):
        model.fit(X, np.zeros(60))
    with pytest.raises(BadInput, match="outcomes"):
        model.fit(X, np.arange(60))
    with pytest.raises(BadInput, match="number"):
        model.fit(X, y[:50])
    with pytest.raises(BadInput, match="group"):
        model.fit(X, y, groups=[1, 2])
    with pytest.raises(BadInput, match="held out twice"):
        model.fit(X, y, cv=[*fine, fine[0]])
    with pytest.raises(BadInput, match=r"both sides \(where: fold 1"):
        model.fit(X, y, cv=[fine[0], (np.arange(60), thirds[1])])
    with pytest.raises(BadInput, match="both sides"):
        model.fit(X, y, cv=fine, groups=np.arange(60) % 7)
    with pytest.raises(BadInput, match="two folds"):
        model.fit(X, y, cv=fine[:1])
    with pytest.raises(BadInput, match="empty test side"):
        model.fit(X, y, cv=[fine[0], (thirds[0], [])])
    with pytest.raises(BadInput, match="no validation"):
        model.fit(X, y, validation=0.2)


def test_a_fold_of_one_class_is_named():
    X, _ = leads(60)
    y = np.repeat([0, 1], 30)
    with pytest.raises(BadInput, match="fold 0"):
        Calibrated(LogisticRegression()).fit(X, y, cv=ordered_folds(60, 3))
    with pytest.raises(BadInput, match="fewer than two groups"):
        Calibrated(LogisticRegression()).fit(X, y, groups=y)

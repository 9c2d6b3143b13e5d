"""Any classifier explained: additive, by the method that is named, against closed forms."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier
from xgboost import XGBClassifier

from leadlab.errors import BadInput, NotFitted
from leadlab.explain.column_scores import LOG_ODDS, PROBABILITY
from leadlab.explain.foreign import explain_classifier, summed
from leadlab.explain.reasons import reasons
from leadlab.models.calibration.calibrated import Calibrated
from leadlab.models.conversion import ConversionModel
from leadlab.models.tables.model import TableModel

BOOSTED = XGBClassifier(n_estimators=20, max_depth=3, n_jobs=1, random_state=0)
METHODS = [
    (BOOSTED, "exact tree Shapley, leadlab", True, LOG_ODDS),
    (
        XGBClassifier(n_estimators=3, max_depth=10, n_jobs=1),
        "tree Shapley, xgboost",
        True,
        LOG_ODDS,
    ),
    (
        RandomForestClassifier(15, max_depth=4, random_state=0),
        "shap TreeExplainer",
        True,
        PROBABILITY,
    ),
    (DecisionTreeClassifier(max_depth=4, random_state=0), "shap TreeExplainer", True, PROBABILITY),
    (
        HistGradientBoostingClassifier(max_iter=15, random_state=0),
        "shap TreeExplainer",
        True,
        LOG_ODDS,
    ),
    (
        GradientBoostingClassifier(n_estimators=15, random_state=0),
        "shap TreeExplainer",
        True,
        LOG_ODDS,
    ),
    (LogisticRegression(max_iter=500), "shap LinearExplainer", True, LOG_ODDS),
    (GaussianNB(), "shap permutation, 3 permutations, approximate", False, PROBABILITY),
]


def planted(n=500, seed=0):
    rng = np.random.default_rng(seed)
    source = rng.choice(["web", "ad", "fair"], n)
    visits = rng.poisson(2, n).astype(float)
    y = (rng.random(n) < 1 / (1 + np.exp(2 - 1.5 * (source == "ad") - 0.5 * visits))).astype(int)
    X = pd.DataFrame(
        {
            "source": source,
            "visits": np.where(rng.random(n) < 0.2, np.nan, visits),
            "noise": rng.normal(size=n),
        }
    )
    return X, y


def numbers(n=400, seed=0):
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.normal(size=(n, 3)), columns=["a", "b", "c"])
    return X, (X["a"] + 0.5 * rng.normal(size=n) > 0).to_numpy(int)


@pytest.mark.parametrize(
    ("learner", "method", "exact", "unit"), METHODS, ids=lambda v: type(v).__name__
)
def test_contributions_add_up_and_the_method_is_named(learner, method, exact, unit):
    X, y = planted()
    model = TableModel(learner=learner).fit(X, y)
    asked = X.iloc[:20]
    scores = explain_classifier(model, asked, background=X, permutations=3)
    assert (scores.method, scores.exact, scores.unit) == (method, exact, unit)
    assert scores.learner == type(learner).__name__
    assert scores.contributions.shape == (20, 3)
    assert scores.names == ["source", "visits", "noise"]
    total = scores.base + scores.contributions.sum(axis=1)
    np.testing.assert_allclose(total, scores.margin, atol=1e-9)
    chance = 1 / (1 + np.exp(-total)) if unit == LOG_ODDS else total
    np.testing.assert_allclose(chance, model.predict_proba(asked)[:, 1], atol=1e-4)
    np.testing.assert_allclose(scores.probability, model.predict_proba(asked)[:, 1])
    strength = np.abs(scores.contributions).mean(axis=0)
    assert strength[2] < strength[0]


def test_boosted_trees_agree_with_xgboost_summed_by_hand():
    X, y = planted()
    model = TableModel(learner=BOOSTED).fit(X, y)
    theirs = model.learner_.get_booster().predict(
        xgboost.DMatrix(model.encode(X)), pred_contribs=True
    )
    scores = explain_classifier(model, X)
    for j, name in enumerate(scores.names):
        mine = [i for i, source in enumerate(model.columns_.sources) if source == name]
        np.testing.assert_allclose(
            scores.contributions[:, j], theirs[:, mine].sum(axis=1), atol=1e-4
        )
    assert scores.base == pytest.approx(theirs[0, -1], abs=1e-4)


def test_linear_values_are_weights_times_distance_from_the_background():
    X, y = numbers()
    model = LogisticRegression().fit(X.to_numpy(), y)
    back = X.iloc[:50]
    scores = explain_classifier(model, X, background=back)
    expected = model.coef_[0] * (X - back.mean()).to_numpy()
    np.testing.assert_allclose(scores.contributions, expected, atol=1e-6)
    assert scores.why == "against the mean of 50 background rows"
    told = explain_classifier(model, X).why
    assert told.endswith("100 background rows, drawn from the rows explained")


def test_permutation_values_of_a_linear_probability_are_exact_and_seeded():
    class Sum:
        """P = 0.5 + 0.1 a + 0.02 b, whose Shapley values are known."""

        classes_ = (0, 1)

        def fit(self, X, y):
            return self

        def predict_proba(self, X):
            p = 0.5 + np.asarray(X) @ [0.1, 0.02, 0.0]
            return np.column_stack([1 - p, p])

    X, _ = numbers()
    back = X.iloc[:30]
    scores = explain_classifier(Sum(), X.iloc[:5], background=back, permutations=2)
    expected = (X.iloc[:5] - back.mean()).to_numpy() * [0.1, 0.02, 0.0]
    np.testing.assert_allclose(scores.contributions, expected, atol=1e-9)
    again = explain_classifier(Sum(), X.iloc[:5], background=back, permutations=2)
    assert (again.contributions == scores.contributions).all()
    assert not scores.exact


def test_a_calibrated_model_is_explained_before_its_calibration():
    X, y = planted(900)
    model = Calibrated(TableModel(learner=BOOSTED), folds=3).fit(X, y)
    scores = explain_classifier(model, X)
    np.testing.assert_allclose(scores.probability, model.predict_proba(X)[:, 1])
    raw = model.estimator_.predict_proba(X)[:, 1]
    np.testing.assert_allclose(1 / (1 + np.exp(-scores.margin)), raw, atol=1e-5)


def test_our_conversion_model_is_explained_by_our_trees():
    X, y = numbers()
    scores = explain_classifier(ConversionModel(rounds=20, max_depth=3).fit(X, y), X)
    assert (scores.method, scores.learner) == ("exact tree Shapley, leadlab", "ConversionModel")


def test_reasons_speak_of_columns_and_their_values():
    X, y = planted()
    model = TableModel(learner=BOOSTED).fit(X, y)
    rows = pd.DataFrame({"source": ["ad", None], "visits": [6.0, np.nan], "noise": [0.0, 0.0]})
    scores = explain_classifier(model, rows)
    found = reasons(scores, 0, top=3)
    assert {r.text for r in found} >= {"source is ad", "visits is 6"}
    effects = [abs(r.effect) for r in found]
    assert effects == sorted(effects, reverse=True)
    every = reasons(scores, 1, top=10)
    assert sum(r.effect for r in every) + scores.base == pytest.approx(scores.margin[1])
    assert "source unknown" in {r.text for r in every}


def test_columns_without_an_encoding_get_nothing():
    assert summed(np.ones((2, 1)), ["b"], ["a", "b"]).tolist() == [[0, 1], [0, 1]]


def test_what_cannot_be_explained_is_refused():
    X, y = numbers()
    with pytest.raises(NotFitted):
        explain_classifier(TableModel(), X)
    with pytest.raises(NotFittedError):
        explain_classifier(LogisticRegression(), X)
    model = LogisticRegression().fit(X.to_numpy(), y)
    with pytest.raises(BadInput, match="DataFrame"):
        explain_classifier(model, X.to_numpy())
    with pytest.raises(BadInput, match="DataFrame"):
        explain_classifier(model, X.iloc[:0])
    three = LogisticRegression().fit(X.to_numpy(), np.arange(len(X)) % 3)
    with pytest.raises(BadInput, match="two classes"):
        explain_classifier(three, X)

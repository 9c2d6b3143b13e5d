"""One suite for every two-class estimator; add new ones to MODELS."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from leadlab.errors import BadInput, EmptyInput, NotFitted
from leadlab.features import FeatureSet, FeatureTable, count, events, is_latest, recency
from leadlab.models.baselines import BaseRate, LastEventRule, Logistic
from leadlab.models.conversion import ConversionModel
from leadlab.schema.log import Coded

MODELS = [
    ConversionModel(rounds=30, max_depth=3, min_child_weight=2),
    BaseRate(),
    LastEventRule(prior=5.0),
    Logistic(),
]
LEARNING = [m for m in MODELS if not isinstance(m, BaseRate)]
NAMES = ["kind_is_inquiry", "kind_is_showing", "visits", "gap_days"]


def named(models):
    return pytest.mark.parametrize("model", models, ids=lambda m: type(m).__name__)


def planted(n=600, seed=0):
    """Showings and visits convert; a fifth of the gaps is unknown."""
    rng = np.random.default_rng(seed)
    showing = rng.random(n) < 0.3
    visits = rng.poisson(2, n)
    gap = np.where(rng.random(n) < 0.2, np.nan, rng.exponential(3, n))
    y = (rng.random(n) < 1 / (1 + np.exp(3.0 - 2.5 * showing - 0.5 * visits))).astype(int)
    X = pd.DataFrame(np.column_stack([~showing, showing, visits, gap]), columns=NAMES)
    return X, y


@named(MODELS)
def test_probabilities_have_the_shape_and_range_of_probabilities(model):
    X, y = planted()
    p = clone(model).fit(X, y).predict_proba(X)
    assert p.shape == (len(X), 2)
    assert p.dtype == np.float64
    assert np.allclose(p.sum(axis=1), 1)
    assert (p >= 0).all()
    assert (p <= 1).all()
    assert abs(p[:, 1].mean() - y.mean()) < 0.05


@named(MODELS)
def test_settings_are_only_stored_and_clones_are_unfitted(model):
    settings = model.get_params()
    again = clone(model)
    assert again.get_params() == settings
    X, y = planted()
    fitted = clone(model)
    assert fitted.fit(X, y) is fitted
    assert fitted.get_params() == settings
    added = set(vars(fitted)) - set(settings)
    assert all(name.endswith("_") for name in added)
    assert not hasattr(clone(fitted), "classes_")


@named(MODELS)
def test_the_same_data_and_seed_give_the_same_model(model):
    X, y = planted()
    one, other = clone(model).fit(X, y), clone(model).fit(X, y)
    assert (one.predict_proba(X) == other.predict_proba(X)).all()


@named(MODELS)
def test_arguments_are_not_changed(model):
    X, y = planted()
    before, labels = X.copy(), y.copy()
    clone(model).fit(X, y).predict_proba(X)
    pd.testing.assert_frame_equal(X, before)
    assert (y == labels).all()


@named(MODELS)
def test_rows_are_answered_alone_as_in_company(model):
    X, y = planted()
    fitted = clone(model).fit(X, y)
    p = fitted.predict_proba(X)
    order = np.random.default_rng(1).permutation(len(X))
    assert np.allclose(fitted.predict_proba(X.iloc[order]), p[order], atol=1e-12)
    alone = np.vstack([fitted.predict_proba(X.iloc[[i]]) for i in range(20)])
    assert np.allclose(alone, p[:20], atol=1e-12)


@named(MODELS)
def test_an_untrained_model_says_so(model):
    X, _ = planted()
    with pytest.raises(NotFitted, match=type(model).__name__):
        clone(model).predict_proba(X)
    with pytest.raises(NotFitted):
        clone(model).predict(X)


@named(MODELS)
def test_columns_are_held_to_those_of_training(model):
    X, y = planted()
    fitted = clone(model).fit(X, y)
    assert fitted.feature_names_in_.tolist() == NAMES
    with pytest.raises(BadInput, match="another order"):
        fitted.predict_proba(X[NAMES[::-1]])
    with pytest.raises(BadInput, match=r"missing.*visits"):
        fitted.predict_proba(X.rename(columns={"visits": "views"}))
    with pytest.raises(BadInput, match=r"does not know.*more"):
        fitted.predict_proba(X.assign(more=1.0))
    with pytest.raises(BadInput, match="number of features"):
        fitted.predict_proba(X.to_numpy()[:, :3])
    assert (fitted.predict_proba(X.to_numpy()) == fitted.predict_proba(X)).all()


@named(MODELS)
def test_unknown_values_are_welcome_everywhere(model):
    X, y = planted()
    fitted = clone(model).fit(X, y)
    nothing = pd.DataFrame(np.full((3, 4), np.nan), columns=NAMES)
    assert np.isfinite(fitted.predict_proba(nothing)).all()
    empty_column = X.assign(visits=np.nan)
    assert np.isfinite(clone(model).fit(empty_column, y).predict_proba(X)).all()


@named(MODELS)
@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (lambda X, y: (X, np.zeros(len(y))), "one class only"),
        (lambda X, y: (X.iloc[:1], y[:1]), "one class only"),
        (lambda X, y: (X, y + 1), "0 or 1"),
        (lambda X, y: (X, np.where(y, "yes", "no")), "0 or 1"),
        (lambda X, y: (X, y[:-1]), "one outcome a row"),
        (lambda X, y: (X.assign(visits=np.inf), y), "infinite.*visits"),
        (lambda X, y: (X.assign(visits=1e300), y), "infinite.*visits"),
        (lambda X, y: (X.assign(visits="many"), y), "numbers.*visits"),
        (lambda X, y: (X["visits"].to_numpy(), y), "table"),
        (lambda X, y: (X.set_axis(["a", "a", "kind_is_b", "c"], axis=1), y), "one name"),
    ],
)
def test_what_cannot_be_learnt_from_is_refused_clearly(model, spoil, word):
    X, y = spoil(*planted())
    with pytest.raises(BadInput, match=word):
        clone(model).fit(X, y)


@named(MODELS)
def test_no_rows_or_columns_is_an_empty_input(model):
    X, y = planted()
    for table in (X.iloc[:0], X.iloc[:, :0]):
        with pytest.raises(EmptyInput):
            clone(model).fit(table, y[: len(table)])


@named(MODELS)
def test_a_feature_table_is_taken_as_it_is(model):
    X, y = planted()
    showing, visit = events("Showing", noun="showing"), events("Visit", noun="visit")
    features = FeatureSet(
        [is_latest("kind", "Inquiry"), is_latest("kind", "Showing"), count(visit), recency(showing)]
    )
    n = len(X)
    table = FeatureTable(
        X.to_numpy(np.float32),
        features,
        Coded.constant("t", n),
        Coded.of([f"lead {i}" for i in range(n)]),
        np.arange(n, dtype=np.int64),
    )
    fitted = clone(model).fit(table, y)
    assert fitted.feature_names_in_.tolist() == features.names
    assert np.array_equal(fitted.predict_proba(table), fitted.predict_proba(table.values))


@named(MODELS)
def test_a_share_holds_out_whole_later_leads(model):
    X, y = planted()
    leads = np.repeat(np.arange(150), 4)
    fitted = clone(model).fit(X, y, groups=leads, validation=0.2)
    kept = leads < 120
    by_hand = clone(model).fit(X[kept], y[kept], validation=(X[~kept], y[~kept]))
    assert np.array_equal(fitted.predict_proba(X), by_hand.predict_proba(X))
    for wrong in (0.0, 1.0, -0.5):
        with pytest.raises(BadInput, match="hold out"):
            clone(model).fit(X, y, validation=wrong)
    with pytest.raises(BadInput, match="group"):
        clone(model).fit(X, y, groups=leads[:-1], validation=0.2)


@named(MODELS)
def test_a_validation_side_is_held_to_the_same_columns(model):
    X, y = planted()
    with pytest.raises(BadInput, match="another order"):
        clone(model).fit(X, y, validation=(X[NAMES[::-1]], y))
    with pytest.raises(BadInput, match="one class"):
        clone(model).fit(X, y, validation=(X, np.ones(len(y))))


@named(LEARNING)
def test_a_learner_beats_the_base_rate_on_a_planted_problem(model):
    X, y = planted(3000)
    later, outcome = planted(3000, seed=1)
    p = clone(model).fit(X, y).predict_proba(later)[:, 1]
    base = BaseRate().fit(X, y).predict_proba(later)[:, 1]
    assert np.mean((p - outcome) ** 2) < 0.95 * np.mean((base - outcome) ** 2)


@named(MODELS)
def test_a_fitted_model_survives_a_process_border(model):
    X, y = planted()
    fitted = clone(model).fit(X, y)
    again = pickle.loads(pickle.dumps(fitted))
    assert np.array_equal(again.predict_proba(X), fitted.predict_proba(X))

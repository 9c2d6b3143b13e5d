"""Classifiers of lead tables: columns of every kind, bad input by name, files without pickle."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from xgboost import XGBClassifier

from leadlab.errors import BadInput, BrokenFile, EmptyInput, NotFitted
from leadlab.models.baselines import BaseRate
from leadlab.models.calibration.calibrated import Calibrated
from leadlab.models.metrics import brier, roc_auc
from leadlab.models.tables.columns import ColumnWork, kind_of
from leadlab.models.tables.model import TableModel

SMALL = XGBClassifier(n_estimators=30, max_depth=3, n_jobs=1, random_state=0)
MODELS = [
    TableModel(learner=SMALL),
    TableModel(learner=LogisticRegression(max_iter=500)),
    TableModel(learner=RandomForestClassifier(20, max_depth=4, random_state=0)),
    TableModel(learner=HistGradientBoostingClassifier(max_iter=20, random_state=0)),
]


def named(models):
    return pytest.mark.parametrize("model", models, ids=lambda m: type(m.learner).__name__)


def planted(n=600, seed=0):
    """Source and visits decide; there are rare sources, unknown numbers, dates and a yes/no."""
    rng = np.random.default_rng(seed)
    source = rng.choice(["web", "ad", "fair", "odd"], n, p=[0.5, 0.3, 0.18, 0.02]).astype(object)
    visits = rng.poisson(2, n).astype(float)
    z = 1.5 * (source == "ad") + 0.5 * visits - 2
    y = (rng.random(n) < 1 / (1 + np.exp(-z))).astype(int)
    X = pd.DataFrame(
        {
            "source": np.where(rng.random(n) < 0.1, None, source),
            "visits": np.where(rng.random(n) < 0.2, np.nan, visits),
            "asked": pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 90, n), unit="D"),
            "mobile": rng.random(n) < 0.5,
        }
    )
    return X, y


@named(MODELS)
def test_probabilities_are_sound_repeatable_and_beat_the_base_rate(model):
    X, y = planted(1500)
    later, outcome = planted(1500, seed=1)
    before = X.copy()
    fitted = clone(model).fit(X, y)
    p = fitted.predict_proba(later)
    assert p.shape == (1500, 2)
    assert p.dtype == np.float64
    assert np.allclose(p.sum(axis=1), 1)
    assert brier(outcome, p[:, 1]) < 0.95 * brier(outcome, np.full(len(outcome), y.mean()))
    assert (clone(model).fit(X, y).predict_proba(later) == p).all()
    pd.testing.assert_frame_equal(X, before)
    order = np.random.default_rng(1).permutation(len(later))
    assert np.allclose(fitted.predict_proba(later.iloc[order]), p[order])
    assert np.allclose(fitted.predict_proba(later[later.columns[::-1]]), p)
    assert np.allclose(fitted.predict_proba(later.iloc[[3]]), p[[3]])


@named(MODELS)
def test_a_model_comes_back_from_its_files(model):
    X, y = planted()
    fitted = clone(model).fit(X, y)
    files = fitted.to_files()
    assert not any(b"pickle" in data for data in files.values())
    again = TableModel.from_files(files)
    later, _ = planted(seed=2)
    assert (again.predict_proba(later) == fitted.predict_proba(later)).all()
    assert again.get_feature_names_out().tolist() == fitted.get_feature_names_out().tolist()
    assert again.feature_names_in_.tolist() == fitted.feature_names_in_.tolist()
    strange = later.assign(source="radio")
    assert again.unseen(strange) == fitted.unseen(strange) == {"source": {"radio": 600}}
    assert clone(again).fit(X, y).predict_proba(later).shape == (600, 2)


def test_files_that_were_altered_are_refused():
    X, y = planted()
    files = TableModel(learner=SMALL).fit(X, y).to_files()
    for name in files:
        lacking = {n: data for n, data in files.items() if n != name}
        with pytest.raises(BrokenFile):
            TableModel.from_files(lacking)
        with pytest.raises(BrokenFile):
            TableModel.from_files({**files, name: files[name][: len(files[name]) // 2]})
    other = TableModel(learner=SMALL).fit(X[["visits"]], y).to_files()
    with pytest.raises(BrokenFile, match="not of one model"):
        TableModel.from_files({**files, "learner.ubj": other["learner.ubj"]})
    about = json.loads(files["table.json"])
    newer = json.dumps({**about, "format": "leadlab-table-model/9"}).encode()
    with pytest.raises(BrokenFile, match="another format"):
        TableModel.from_files({**files, "table.json": newer})


def test_types_that_are_not_trusted_are_refused_by_name():
    import skops.io  # noqa: PLC0415  (only here)

    X, y = planted()
    fitted = TableModel(learner=BaseRate()).fit(X, y)
    with pytest.raises(BadInput, match=r"leadlab\.models\.baselines\.BaseRate"):
        fitted.to_files()
    files = TableModel(learner=GaussianNB()).fit(X, y).to_files()
    foreign = skops.io.dumps(BaseRate())
    with pytest.raises(BrokenFile, match="BaseRate"):
        TableModel.from_files({**files, "learner.skops": foreign})


def test_levels_never_seen_are_counted_and_count_as_rare():
    X, y = planted()
    fitted = TableModel(learner=SMALL).fit(X, y)
    assert fitted.columns_.rare_levels() == {"source": ["odd"]}
    assert "source: (rare)" in fitted.get_feature_names_out()
    assert "source: (missing)" in fitted.get_feature_names_out()
    strange = X.assign(source="radio")
    assert fitted.unseen(strange) == {"source": {"radio": len(X)}}
    assert fitted.unseen(X) == {}
    odd = fitted.predict_proba(X.assign(source="odd"))
    assert (fitted.predict_proba(strange) == odd).all()


def test_a_level_missing_for_the_first_time_is_seen_as_new():
    X, y = planted()
    whole = X.assign(source=X["source"].fillna("web"))
    fitted = TableModel(learner=SMALL).fit(whole, y)
    assert fitted.unseen(X) == {"source": {"(missing)": int(X["source"].isna().sum())}}
    assert np.isfinite(fitted.predict_proba(X)).all()


@named(MODELS)
def test_columns_are_held_to_those_of_training(model):
    X, y = planted()
    fitted = clone(model).fit(X, y)
    with pytest.raises(BadInput, match=r"missing.*no visits, mobile"):
        fitted.predict_proba(X[["source", "asked"]])
    with pytest.raises(BadInput, match=r"does not know.*extra"):
        fitted.predict_proba(X.assign(extra=1))
    with pytest.raises(BadInput, match="visits is a category instead of a number"):
        fitted.predict_proba(X.assign(visits="many"))
    with pytest.raises(BadInput, match="source is a number instead of a category"):
        fitted.predict_proba(X.assign(source=3))
    with pytest.raises(BadInput, match=r"infinite.*visits"):
        fitted.predict_proba(X.assign(visits=np.inf))
    with pytest.raises(BadInput, match="DataFrame"):
        fitted.predict_proba(X.to_numpy())
    for name in X.columns:
        assert np.isfinite(fitted.predict_proba(X.assign(**{name: None}))).all()


@named(MODELS)
def test_what_cannot_be_learnt_from_is_refused(model):
    X, y = planted()
    with pytest.raises(BadInput, match="one class only"):
        clone(model).fit(X, np.zeros(len(y)))
    with pytest.raises(BadInput, match="0 or 1"):
        clone(model).fit(X, np.where(y, "yes", "no"))
    with pytest.raises(BadInput, match="one outcome a row"):
        clone(model).fit(X, y[:-1])
    with pytest.raises(BadInput, match=r"all missing.*source"):
        clone(model).fit(X[["source"]].assign(source=None), y)
    with pytest.raises(BadInput, match="one name"):
        clone(model).fit(X.set_axis(["a", "a", "b", "c"], axis=1), y)
    for empty in (X.iloc[:0], X.iloc[:, :0]):
        with pytest.raises(EmptyInput):
            clone(model).fit(empty, y[: len(empty)])
    with pytest.raises(NotFitted):
        clone(model).predict_proba(X)
    with pytest.raises(NotFitted):
        clone(model).to_files()


def test_settings_weights_and_learners_that_cannot_be_used_are_refused():
    X, y = planted()
    with pytest.raises(BadInput, match="classifier"):
        TableModel(learner=Ridge()).fit(X, y)
    with pytest.raises(BadInput, match=r"takes no weights.*KNeighbors"):
        TableModel(learner=KNeighborsClassifier()).fit(X, y, sample_weight=np.ones(len(y)))
    for weight in (np.ones(3), -np.ones(len(y)), np.full(len(y), np.nan)):
        with pytest.raises(BadInput, match="weights"):
            TableModel(learner=SMALL).fit(X, y, sample_weight=weight)
    with pytest.raises(BadInput, match="rare starts at 1"):
        TableModel(rare=0).fit(X, y)


def test_weights_weigh():
    X, y = planted()
    heavy = np.where(y == 1, 5.0, 1.0)
    model = TableModel(learner=LogisticRegression(max_iter=500))
    plain = clone(model).fit(X, y).predict_proba(X)[:, 1].mean()
    assert clone(model).fit(X, y, sample_weight=heavy).predict_proba(X)[:, 1].mean() > plain + 0.1


def test_a_column_all_missing_in_training_is_set_aside_and_told_when_it_fills():
    X, y = planted()
    fitted = TableModel(learner=SMALL).fit(X.assign(note=None), y)
    assert "note" not in "".join(fitted.get_feature_names_out())
    assert fitted.unseen(X.assign(note="hello")) == {"note": {"(any value)": len(X)}}
    same = fitted.predict_proba(X.assign(note="hello")) == fitted.predict_proba(X.assign(note=None))
    assert same.all()


def test_it_is_calibrated_like_any_other_estimator():
    X, y = planted(1200)
    fitted = Calibrated(TableModel(learner=SMALL), folds=3).fit(X, y)
    low, high = fitted.interval(X)
    p = fitted.predict_proba(X)[:, 1]
    assert ((low <= p) & (p <= high)).all()
    assert roc_auc(y, p) > 0.7


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2], "number"),
        ([True, None], "number"),
        (["1", "2"], "category"),
        (pd.Categorical([1, 2]), "category"),
        (["2026-01-01", "2026-01-02T10:00:00+01:00"], "date"),
        (["2026-01-01", "soon"], "category"),
        (["2026-99-99", None], "category"),
        ([None, None], "empty"),
        ([], "empty"),
    ],
)
def test_kinds_of_columns(values, kind):
    assert kind_of(pd.Series(values, dtype=None if len(values) else object)) == kind


def test_dates_are_days_since_the_first_with_month_weekday_and_hour():
    frame = pd.DataFrame({"at": ["2026-03-01T10:00", "2026-03-03T11:00", None]})
    work = ColumnWork(rare=1).fit(frame)
    assert work.names == ["at: days", "at: month", "at: weekday", "at: hour"]
    expected = [[0, 3, 6, 10], [2 + 1 / 24, 3, 1, 11], [np.nan] * 4]
    np.testing.assert_allclose(work.encode(frame), expected, rtol=1e-6)
    stamps = pd.DataFrame({"at": pd.to_datetime(frame["at"]).dt.tz_localize("UTC")})
    np.testing.assert_allclose(work.encode(stamps), expected, rtol=1e-6)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.floats(-1e6, 1e6)),
            st.one_of(st.none(), st.sampled_from(["a", "b", "c d", "", "(rare)"])),
        ),
        min_size=1,
        max_size=30,
    ),
    st.booleans(),
    st.integers(1, 4),
)
def test_encoding_agrees_with_a_table_made_by_hand(rows, complete, rare):
    frame = pd.DataFrame(rows, columns=["n", "c"]).astype({"n": "float64", "c": object})
    work = ColumnWork(rare=rare, complete=complete)
    if frame.isna().all(axis=None):
        with pytest.raises(BadInput, match="all missing"):
            work.fit(frame)
        return
    found = work.fit(frame).encode(frame)
    assert found.shape == (len(frame), len(work.names)) == (len(frame), len(work.sources))
    assert work.unseen(frame) == {}
    text = frame["c"].map(lambda v: "(missing)" if pd.isna(v) else v)
    counts = text.value_counts()
    shared = set(work.rare_levels().get("c", []))
    if frame["c"].notna().any():
        assert shared <= {level for level, n in counts.items() if n < rare}
    for j, name in enumerate(work.names):
        if work.sources[j] != "c":
            continue
        level = name.removeprefix("c: ")
        last = j == len(work.names) - 1
        expected = text.isin(shared) if shared and last else text == level
        assert (found[:, j] == expected).all()
    if not complete and frame["n"].notna().any():
        np.testing.assert_allclose(found[:, 0], frame["n"].astype(np.float32))
    assert complete <= np.isfinite(found).all()

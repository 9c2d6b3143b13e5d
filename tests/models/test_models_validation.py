"""One object for every model: right figures, whole JSON, honest about what cannot be said."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import precision_recall_curve, roc_auc_score, roc_curve

from leadlab.data import simulate
from leadlab.errors import BadInput, EmptyInput, UnknownName
from leadlab.features import build, catalogue
from leadlab.models.baselines import BaseRate, Logistic
from leadlab.models.conversion import ConversionModel
from leadlab.models.draws import draws
from leadlab.models.files.model_file import About
from leadlab.models.metrics import lift_at
from leadlab.models.tabular import column, set_to, shuffled
from leadlab.models.validation.curves import gain as share_found
from leadlab.models.validation.curves import precision_recall, roc, stairs_of
from leadlab.models.validation.discrimination import discrimination
from leadlab.models.validation.gain import gain
from leadlab.models.validation.later_leads import as_known, split_at_test
from leadlab.models.validation.one_outcome import OneOutcome
from leadlab.models.validation.plain import plain
from leadlab.models.validation.reliability import noise_floor, reliability
from leadlab.models.validation.segments import by_period, by_segment
from leadlab.models.validation.validation import validate

SCORES = st.lists(
    st.tuples(st.booleans(), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.8, 1.0])),
    min_size=2,
    max_size=40,
).filter(lambda rows: len({y for y, _ in rows}) == 2)


def planted(n: int = 600, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(
        {
            "calls": rng.normal(size=n),
            "noise": rng.normal(size=n),
            "source": pd.Categorical(rng.choice(["web", "fax"], n)),
        }
    )
    X.loc[::7, "calls"] = np.nan
    p = 1 / (1 + np.exp(-2 * X["calls"].fillna(0).to_numpy()))
    return X, (rng.random(n) < p).astype(int), p


@given(SCORES)
@settings(max_examples=40, deadline=None)
def test_roc_passes_through_scikit_learns_points_and_has_its_area(rows):
    y, p = (np.array(part, float) for part in zip(*rows, strict=True))
    one = next(stairs_of(y, p))
    false, true, _ = roc_curve(y, p, drop_intermediate=False)
    highest = pd.Series(true).groupby(false).max()
    assert roc(one, highest.index.to_numpy()) == pytest.approx(highest.to_numpy())
    assert np.trapezoid(one.hits / one.hits[-1], one.misses / one.misses[-1]) == pytest.approx(
        roc_auc_score(y, p)
    )


@given(SCORES)
@settings(max_examples=40, deadline=None)
def test_precision_at_each_recall_is_scikit_learns(rows):
    y, p = (np.array(part, float) for part in zip(*rows, strict=True))
    precision, recall, _ = precision_recall_curve(y, p)
    found = pd.Series(precision[:-1]).groupby(recall[:-1]).max()
    found = found[found.index > 0]
    mine = precision_recall(next(stairs_of(y, p)), found.index.to_numpy())
    assert mine == pytest.approx(found.to_numpy())


@given(SCORES, st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_curves_do_not_depend_on_the_order_of_rows(rows, random):
    mixed = random.sample(rows, len(rows))
    at = np.linspace(0, 1, 7)
    for reading in (roc, precision_recall, share_found):
        values = []
        for some in (rows, mixed):
            y, p = zip(*some, strict=True)
            values.append(reading(next(stairs_of(np.array(y, float), p)), at))
        assert values[0] == pytest.approx(values[1])


def test_lift_at_capacity_is_the_reports():
    _, y, p = planted()
    curves = gain(y, {"m": p}, capacity=0.13, resamples=5).curves
    at = curves[(curves["curve"] == "lift") & (curves["x"] == 0.13)]["y"].item()
    assert at == pytest.approx(lift_at(y, p, capacity=0.13))


def test_bands_hold_the_curve_and_repeat_with_the_seed():
    _, y, p = planted(200)
    one, two = (discrimination(y, {"m": p}, resamples=60, seed=4).curves for _ in range(2))
    pd.testing.assert_frame_equal(one, two)
    inside = one["y"].between(one["low"] - 1e-9, one["high"] + 1e-9)
    assert inside.mean() > 0.9


def test_doubling_rows_within_leads_does_not_narrow_an_interval():
    _, y, p = planted(150)
    lead = np.arange(150)
    twice = np.tile(lead, 4)
    alone = reliability(y, {"m": p}, groups=lead, resamples=80).ece["m"]
    copied = reliability(np.tile(y, 4), {"m": np.tile(p, 4)}, groups=twice, resamples=80).ece["m"]
    assert copied.high - copied.low == pytest.approx(alone.high - alone.low, rel=0.15)
    apart = reliability(np.tile(y, 4), {"m": np.tile(p, 4)}, resamples=80).ece["m"]
    assert apart.high - apart.low < 0.75 * (copied.high - copied.low)


def test_draws_keep_groups_whole_and_refuse_negative_counts():
    for weight in draws(6, groups=[1, 1, 2, 2, 3, 3], resamples=5):
        assert (weight[::2] == weight[1::2]).all()
        assert weight.sum() == 6
    with pytest.raises(BadInput, match="negative"):
        next(draws(3, resamples=-1))
    with pytest.raises(BadInput, match="one group a row"):
        next(draws(3, groups=[1, 2]))


def test_true_probabilities_lie_at_the_noise_floor_and_wrong_ones_above():
    rng = np.random.default_rng(5)
    p = rng.beta(1, 6, 4000)
    y = (rng.random(4000) < p).astype(int)
    found = reliability(y, {"true": p, "wrong": p**0.5}, resamples=20)
    assert found.ece["true"].value < 2 * found.floor["true"]
    assert found.ece["wrong"].value > 10 * found.floor["wrong"]
    grouped = noise_floor(p, groups=np.arange(4000) // 20)
    assert grouped > 1.4 * noise_floor(p)


def test_a_small_segment_says_so_and_a_large_one_is_right():
    _, y, p = planted(500)
    name = np.array(["large"] * 470 + ["tiny"] * 10 + [None] * 20, dtype=object)
    frame = by_segment(y, p, {"source": name}, resamples=10).figures
    own = frame[(frame["segment"] == "large") & (frame["metric"] == "roc_auc")].iloc[0]
    assert own["value"] == pytest.approx(roc_auc_score(y[:470], p[:470]))
    tiny = frame[frame["segment"] == "tiny"]
    assert tiny["value"].isna().all()
    assert tiny["why"].str.contains("only 10 leads").all()
    assert frame[frame["segment"] == "unknown"]["rows"].eq(20).all()


def test_one_class_in_a_segment_leaves_the_rate_and_says_why_the_rest_is_missing():
    frame = by_segment([0] * 60, [0.2] * 60, {"f": ["a"] * 60}, resamples=5).figures
    frame = frame.set_index("metric")
    assert frame.loc["base_rate", "value"] == 0.0
    assert "only 0 converted" in frame.loc["roc_auc", "why"]


def test_many_segments_are_put_together_not_dropped():
    y = np.tile([0, 1], 100)
    frame = by_segment(y, y * 0.5 + 0.2, {"zip": np.arange(200) % 50}, resamples=0).figures
    rows = frame[frame["metric"] == "brier"]
    assert rows["rows"].sum() == 200
    assert "20 others" in set(rows["segment"])


def test_periods_are_in_order_whatever_the_order_of_rows():
    rng = np.random.default_rng(0)
    at_us = rng.integers(0, 300 * 86_400_000_000, 400)
    y = rng.integers(0, 2, 400)
    frame = by_period(y, np.full(400, 0.5), at_us, resamples=0).figures
    months = frame["segment"].drop_duplicates().tolist()
    assert months == sorted(months)
    assert months[0] == "1970-01-01"
    assert len(months) == 10
    with pytest.raises(BadInput, match="no such period"):
        by_period(y, np.full(400, 0.5), at_us, every="day")


def test_moves_on_tables_leave_the_given_one_alone_and_keep_its_types():
    X, _, _ = planted(20)
    kept = X.copy()
    order = np.random.default_rng(0).permutation(20)
    mixed = shuffled(X, ["calls", "source"], order)
    assert mixed.dtypes.equals(X.dtypes)
    assert mixed["source"].tolist() == X["source"].iloc[order].tolist()
    assert mixed["noise"].equals(X["noise"])
    fixed = set_to(X, {"source": "fax", "calls": 2.0})
    assert set(fixed["source"]) == {"fax"}
    assert fixed.dtypes.equals(X.dtypes)
    pd.testing.assert_frame_equal(X, kept)
    with pytest.raises(UnknownName, match="calls"):
        column(X, "callz")


@pytest.fixture(scope="module")
def table_validation():
    X, y, _ = planted(500)
    X = X.assign(source=X["source"].astype("category"))
    model = HistGradientBoostingClassifier(max_iter=15, random_state=0).fit(X[:250], y[:250])
    numbers = [[0.0]] * 250
    rate = BaseRate().fit(numbers, y[:250])

    class Constant:
        def predict_proba(self, X):
            return rate.predict_proba([[0.0]] * len(X))

    rng = np.random.default_rng(1)
    return validate(
        model,
        X[250:],
        y[250:],
        baselines={"base rate": Constant()},
        segments={"source": X["source"][250:]},
        sensitive={"language": rng.choice(["en", "es"], 250)},
        reference=X[:250],
        at_us=np.arange(250) * 86_400_000_000,
        resamples=15,
        name="trees",
    )


def test_a_model_of_categories_and_gaps_is_judged_whole(table_validation):
    found = table_validation
    assert found.absent == {"shapley": "no Shapley values were given"}
    assert found.importance.figures["name"].iloc[0] == "calls"
    assert found.report.beats()["base rate"]
    assert set(found.dependence.curves["feature"]) == {"calls", "noise", "source"}
    for part in found.parts.values():
        assert isinstance(part.to_frame(), pd.DataFrame)


def test_json_is_strict_and_survives_a_round_trip(table_validation):
    told = table_validation.to_json()
    again = json.loads(json.dumps(told, allow_nan=False))
    assert again == told
    assert again["format"] == "leadlab-validation/1"
    assert again["shapley"] is None
    assert len(again["drift"]["figures"]) == 4


def test_plain_takes_what_frames_hold():
    odd = {"t": pd.Timestamp("2026-01-01"), "n": pd.NaT, "i": np.int64(3), "x": [np.inf]}
    assert plain(odd) == {"t": "2026-01-01T00:00:00", "n": None, "i": 3, "x": [None]}


def test_event_log_models_bring_their_leads_moments_and_families():
    log = simulate(150, 200, seed=2).log
    table = build(log, catalogue(), "each event")
    y = (np.random.default_rng(0).random(len(table)) < 0.3).astype(int)
    half = np.arange(len(table)) < len(table) // 2
    model = ConversionModel(rounds=3, max_depth=2).fit(table.take(half), y[half])
    later = table.take(~half)
    found = validate(model, later, y[~half], baselines={}, reference=table.take(half), resamples=5)
    assert found.report.leads == len(np.unique(later.lead.codes))
    assert found.periods is not None
    assert "messages" in set(found.importance.figures["name"])
    assert found.drift.leads_before < found.drift.rows_before
    json.dumps(found.to_json(), allow_nan=False)


def test_one_class_is_no_error_but_a_reason():
    X = np.random.default_rng(0).normal(size=(60, 2))
    model = Logistic().fit(X, X[:, 0] > 0)
    found = validate(model, X, np.zeros(60, int), baselines={}, resamples=5)
    assert "no row converted" in found.report.why
    assert found.discrimination.curves["y"].isna().all()
    assert json.dumps(found.to_json(), allow_nan=False)


def test_bad_questions_are_refused():
    X, y, _ = planted(60)
    X = X[["noise"]]
    model = Logistic().fit(X, y)
    with pytest.raises(BadInput, match="one outcome a row"):
        validate(model, X, y[:-1], baselines={})
    with pytest.raises(BadInput, match="among the model's features"):
        validate(model, X, y, baselines={}, sensitive={"Noise": y})
    with pytest.raises(BadInput, match="one value a row"):
        validate(model, X, y, baselines={}, segments={"s": y[:5]}, resamples=0)
    with pytest.raises(BadInput, match="no such column"):
        OneOutcome(model, 2).predict_proba(X)


def test_a_horizon_of_several_is_judged_like_any_model():
    class Horizons:
        def predict_proba(self, X):
            p = 1 / (1 + np.exp(-np.asarray(X)[:, 0]))
            return np.column_stack([p, p**2, p**3])

    rng = np.random.default_rng(3)
    X = rng.normal(size=(300, 1))
    y = (rng.random(300) < Horizons().predict_proba(X)[:, 1]).astype(int)
    found = validate(OneOutcome(Horizons(), 1), X, y, baselines={}, resamples=5)
    assert found.report.metrics["ece"].value < 0.1


def test_the_later_leads_of_a_log_are_none_of_the_earlier():
    log = simulate(200, 300, seed=1).log
    start = int(np.quantile(log.at_us, 0.6))
    about = About(converted=("Inquiry",), horizon_days=10.0, notes={"test_start_us": start})
    about = About(converted=("Closed",), ended=("Lost",), horizon_days=10.0, notes=about.notes)
    before, after = split_at_test(log, catalogue(), about)
    assert not set(before.lead) & set(after.lead)
    assert (after.table.as_of_us >= start).all()
    assert (before.table.as_of_us + 10 * 86_400_000_000 <= start).all()
    assert (log.at_us[after.event] == after.table.as_of_us).all()
    with pytest.raises(BadInput, match="does not say what it was tested on"):
        split_at_test(log, catalogue(), About(converted=("Closed",), horizon_days=10.0))
    late = About(converted=("Closed",), horizon_days=10.0, notes={"test_start_us": 2 * 10**18})
    with pytest.raises(EmptyInput, match="from the start"):
        split_at_test(log, catalogue(), late)


def test_a_field_is_told_as_known_then_and_not_from_later_events():
    log = simulate(30, 60, seed=0).log
    agents = as_known(log, "agent")
    raw = log.agent.values()
    for i in range(0, len(log), 17):
        mine = [raw[j] for j in range(i + 1) if log.lead.codes[j] == log.lead.codes[i]]
        known = [one for one in mine if isinstance(one, str)]
        assert agents[i] == (known[-1] if known else None)
    with pytest.raises(UnknownName, match="source"):
        as_known(log, "sorce")

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from leadlab.errors import BadInput, EmptyInput, UnknownName
from leadlab.models import metrics
from leadlab.models.calibration.choice import (
    METHODS,
    STEPPED,
    Calibration,
    choose_calibration,
    fit_calibration,
)
from leadlab.models.calibration.classes import MulticlassCalibration, choose_multiclass
from leadlab.models.calibration.horizons import HorizonCalibration, calibrate_horizons, in_order
from leadlab.models.calibration.maps import fit_venn_abers, venn_abers_pair
from leadlab.models.folds import grouped_folds, ordered_folds

with np.errstate():  # the package switches NumPy's warnings off when imported
    from venn_abers import VennAbers

GRID = np.unique(np.concatenate([np.linspace(0, 1, 301), np.logspace(-9, -1, 50)]))

scored = st.integers(8, 80).flatmap(
    lambda n: st.tuples(
        st.lists(
            st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.2, 0.5, 1.0])),
            min_size=n,
            max_size=n,
        ),
        st.lists(st.integers(0, 1), min_size=n, max_size=n).filter(
            lambda y: 2 <= sum(y) <= len(y) - 2
        ),
    )
)


def drawn(n=3000, seed=0, base=-2.0):
    rng = np.random.default_rng(seed)
    truth = 1 / (1 + np.exp(-rng.normal(base, 1.2, n)))
    return truth, (rng.random(n) < truth).astype(int)


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=60, deadline=None)
@given(rows=scored)
def test_maps_stay_inside_and_rise_strictly(method, rows):
    found = fit_calibration(*rows, method).apply(GRID)
    assert ((found > 0) & (found < 1)).all()
    assert (np.diff(found) >= 0).all()
    apart = np.diff(GRID) > 1e-6
    assert (np.diff(found)[apart] > 0).all()


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=25, deadline=None)
@given(rows=scored, seed=st.integers(0, 9))
def test_order_of_rows_does_not_matter(method, rows, seed):
    p, y = np.array(rows[0]), np.array(rows[1])
    order = np.random.default_rng(seed).permutation(len(p))
    one = fit_calibration(p, y, method).apply(GRID)
    np.testing.assert_allclose(
        fit_calibration(p[order], y[order], method).apply(GRID), one, atol=1e-7
    )


def test_the_choice_does_not_depend_on_the_order_of_rows():
    p, y = drawn(600)
    p = np.round(p**1.5, 2)
    lead = np.arange(600) // 3
    order = np.random.default_rng(1).permutation(600)
    for groups in (None, lead):
        one = choose_calibration(p, y, groups=groups)
        again = choose_calibration(
            p[order], y[order], groups=None if groups is None else groups[order]
        )
        assert one.method == again.method
        assert one.losses == pytest.approx(again.losses)


@pytest.mark.filterwarnings("ignore:All-NaN slice:RuntimeWarning")
@settings(max_examples=40, deadline=None)
@given(rows=scored)
def test_venn_abers_equals_its_package(rows):
    p, y = np.array(rows[0]), np.array(rows[1])
    package = VennAbers()
    with np.errstate(all="ignore"):
        package.fit(np.column_stack([1 - p, p]), y)
        merged, pair = package.predict_proba(np.column_stack([1 - GRID, GRID]))
    ours = venn_abers_pair(fit_venn_abers(p, y.astype(float)), GRID)
    np.testing.assert_allclose(np.column_stack(ours), pair, atol=1e-12)
    found = fit_calibration(p, y, "venn_abers").apply(GRID)
    np.testing.assert_allclose(found, merged[:, 1], atol=4e-6)


def test_the_package_leaves_numpy_warnings_as_they_were():
    before = np.geterr()
    fit_calibration(*drawn(50, base=0.0), "venn_abers")
    assert np.geterr() == before


@settings(max_examples=60, deadline=None)
@given(rows=scored)
def test_isotonic_equals_scikit_learn_but_for_the_ends(rows):
    p, y = rows
    reference = IsotonicRegression(out_of_bounds="clip").fit(p, y)
    expected = reference.predict(GRID)
    found = fit_calibration(p, y, "isotonic").apply(GRID)
    rates = reference.y_thresholds_
    inner = rates[(rates > 0) & (rates < 1)]
    if len(inner):
        settled = (expected >= inner.min()) & (expected <= inner.max())
        np.testing.assert_allclose(found[settled], expected[settled], atol=4e-6)
    assert np.isfinite(metrics.log_loss(y, fit_calibration(p, y, "isotonic").apply(p)))


def test_isotonic_ends_carry_the_rule_of_their_block():
    y = np.array([0] * 9 + [1] * 4)
    found = fit_calibration(np.linspace(0.1, 0.9, 13), y, "isotonic").apply([0.0, 1.0])
    assert found == pytest.approx([0.5 / 10, 1 - 0.5 / 5], abs=1e-5)


def test_beta_finds_a_planted_distortion():
    truth, y = drawn(60_000)
    score = truth**2 / (truth**2 + (1 - truth) ** 1.5)
    found = choose_calibration(score, y)
    assert found.method == "beta"
    at = np.quantile(truth, [0.05, 0.5, 0.95])
    warped = at**2 / (at**2 + (1 - at) ** 1.5)
    assert found.apply(warped) == pytest.approx(at, rel=0.1)


def test_beta_gives_the_base_rate_where_the_score_ranks_the_wrong_way():
    truth, y = drawn(5000)
    found = fit_calibration(1 - truth, y, "beta").apply([0.1, 0.9])
    assert found == pytest.approx([y.mean()] * 2, abs=1e-5)


def test_steps_are_chosen_where_the_truth_has_steps():
    rng = np.random.default_rng(0)
    p = rng.random(20_000)
    y = rng.random(20_000) < np.where(p < 0.5, 0.05, 0.4)
    found = choose_calibration(p, y)
    assert found.method in {"isotonic", "venn_abers"}
    assert found.losses[found.method] == min(found.losses.values())


def test_steps_are_not_chosen_for_the_noise_of_few_conversions():
    chosen = []
    for seed in range(30):
        truth, y = drawn(1500, seed, -2.0)
        chosen.append(choose_calibration(truth**1.3, y).method)
    assert sum(method in STEPPED for method in chosen) <= 2


@pytest.mark.parametrize("base", [-4.0, -2.0, 0.0])
def test_calibration_mends_new_rows(base):
    def sharp(p):
        return p**2 / (p**2 + (1 - p) ** 2)

    truth, y = drawn(8000, 1, base)
    found = choose_calibration(sharp(truth), y)
    new, outcome = drawn(20_000, 2, base)
    before = metrics.log_loss(outcome, sharp(new))
    after = metrics.log_loss(outcome, found.apply(sharp(new)))
    assert after < before
    assert metrics.ece(outcome, found.apply(sharp(new))) < 0.02


@settings(max_examples=30, deadline=None)
@given(
    lead=st.lists(st.integers(0, 12), min_size=30, max_size=60),
    seed=st.integers(0, 5),
    folds=st.integers(2, 6),
)
def test_folds_hold_out_each_row_once_and_keep_leads_whole(lead, seed, folds):
    group = np.array(lead)
    y = np.arange(len(group)) % 2
    if min(len(np.unique(group[y == kind])) for kind in (0, 1)) < 2:
        return
    try:
        sides = grouped_folds(y, group, folds, seed)
    except BadInput as error:  # all but one side's rows are of few small leads
        assert "one class only" in str(error)
        assert np.bincount(group).max() > len(y) / 2
        return
    assert np.array_equal(np.sort(np.concatenate([b for _, b in sides])), np.arange(len(y)))
    for train, test in sides:
        assert not np.intersect1d(group[train], group[test]).size
        assert len(train) + len(test) == len(y)


@given(
    at=st.lists(st.integers(0, 20), min_size=10, max_size=60).filter(lambda v: len(set(v)) > 8),
    folds=st.integers(1, 4),
)
def test_ordered_folds_train_on_what_came_before(at, folds):
    moments = np.array(at)
    try:
        sides = ordered_folds(moments, folds)
    except BadInput:
        assert np.bincount(moments).max() > len(moments) / (folds + 1) / 2
        return
    for train, test in sides:
        assert moments[train].max() < moments[test].min()
    held = np.concatenate([b for _, b in sides])
    assert len(np.unique(held)) == len(held) == len(moments) - len(sides[0][0])


@pytest.mark.parametrize("method", METHODS)
def test_json_keeps_every_digit(method):
    truth, y = drawn(500)
    found = fit_calibration(truth, y, method)
    again = Calibration.from_json(json.loads(json.dumps(found.to_json())))
    assert (again.apply(GRID) == found.apply(GRID)).all()


@pytest.mark.parametrize(
    ("p", "y", "error"),
    [
        ([], [], EmptyInput),
        ([0.1, float("nan")], [0, 1], BadInput),
        ([0.1, 1.2], [0, 1], BadInput),
        ([0.1, 0.2], [0, 0], BadInput),
        ([0.1, 0.2], [0, 2], BadInput),
        ([0.1], [0, 1], BadInput),
        ([0.1, 0.2, 0.3], [0, 0, 1], BadInput),
    ],
)
def test_faults_are_refused(p, y, error):
    with pytest.raises(error):
        choose_calibration(p, y)


def test_other_faults_are_refused():
    with pytest.raises(UnknownName, match="isotonic"):
        choose_calibration([0.1, 0.2], [0, 1], methods=("isotonc",))
    with pytest.raises(BadInput, match="group"):
        choose_calibration([0.1, 0.2], [0, 1], groups=[1])
    with pytest.raises(BadInput, match="scores"):
        Calibration("none").apply([np.nan])
    with pytest.raises(BadInput, match="state"):
        Calibration.from_json({"method": "none", "losses": {}, "n": 1})


@given(
    st.integers(1, 5).flatmap(
        lambda k: st.lists(
            st.lists(st.floats(0, 1), min_size=k, max_size=k), min_size=1, max_size=6
        )
    )
)
def test_order_is_restored_as_isotonic_regression_would(rows):
    values = np.array(rows)
    found = in_order(values)
    place = np.arange(values.shape[1])
    for row, mended in zip(values, found, strict=True):
        expected = IsotonicRegression().fit_transform(place, row) if len(place) > 1 else row
        np.testing.assert_allclose(mended, expected, atol=1e-9)
    assert (np.diff(found, axis=1) >= 0).all()


def horizons(n, seed):
    rng = np.random.default_rng(seed)
    rate = np.exp(rng.normal(-2.5, 1, n))
    truth = np.exp(-rate[:, None] * np.array([7, 14, 30]))
    return truth, (rng.exponential(1 / rate)[:, None] > np.array([7, 14, 30])).astype(int)


def test_horizons_are_calibrated_and_stay_in_order():
    truth, silent = horizons(6000, 0)
    unknown = silent.copy()
    unknown[::3, 2] = -1
    warped = truth**2 / (truth**2 + (1 - truth) ** 2)
    found = calibrate_horizons(warped, unknown)
    assert found.maps[2].n == 4000
    truth, silent = horizons(10_000, 1)
    after = found.apply(truth**2 / (truth**2 + (1 - truth) ** 2))
    assert (np.diff(after, axis=1) <= 0).all()
    assert ((after > 0) & (after < 1)).all()
    for i in range(3):
        assert metrics.ece(silent[:, i], after[:, i]) < 0.02
    again = HorizonCalibration.from_json(json.loads(json.dumps(found.to_json())))
    assert (again.apply(truth) == found.apply(truth)).all()


def test_only_crossing_rows_are_moved():
    maps = (fit_calibration(*drawn(500), "beta"), fit_calibration(*drawn(500, 3), "isotonic"))
    found = HorizonCalibration(maps, rising=True)
    P = np.random.default_rng(0).random((400, 2))
    each, after = found.apply_each(P), found.apply(P)
    fine = each[:, 0] <= each[:, 1]
    assert (after[fine] == each[fine]).all()
    assert found.crossed(P) == pytest.approx(1 - fine.mean())
    np.testing.assert_allclose(after.sum(axis=1), each.sum(axis=1))


def test_a_horizon_that_cannot_be_calibrated_is_named():
    truth, silent = horizons(200, 0)
    silent[:, 1] = 1
    with pytest.raises(BadInput, match="horizon 1"):
        calibrate_horizons(truth, silent)
    with pytest.raises(BadInput, match="horizon"):
        calibrate_horizons(truth, silent[:, :2])


def classes(n, seed, tilt=(1.0, 1.0, 1.0)):
    rng = np.random.default_rng(seed)
    truth = rng.dirichlet([1.5, 1, 0.5], n)
    y = (rng.random((n, 1)) > truth.cumsum(axis=1)).sum(axis=1)
    score = truth * np.array(tilt)
    return truth, y, score / score.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("tilt", "method"), [((1, 1, 1), "none"), ((1.0, 3.0, 1.0), "one_vs_rest")]
)
def test_classes_are_calibrated_by_what_they_need(tilt, method):
    _, y, score = classes(8000, 0, tilt)
    found = choose_multiclass(score, y)
    assert found.method == method
    _, y, score = classes(10_000, 1, tilt)
    after = found.apply(score)
    np.testing.assert_allclose(after.sum(axis=1), 1)
    assert (after > 0).all()
    for c in range(3):
        before = metrics.ece(y == c, score[:, c])
        assert metrics.ece(y == c, after[:, c]) < max(0.015, before / 4)
    again = MulticlassCalibration.from_json(json.loads(json.dumps(found.to_json())))
    assert (again.apply(score) == after).all()


def test_faults_of_classes_are_refused():
    _, y, score = classes(50, 0)
    with pytest.raises(BadInput, match="sum to 1"):
        choose_multiclass(score * 0.5, y)
    with pytest.raises(BadInput, match="fewer than two"):
        choose_multiclass(score, np.zeros(50, int))
    with pytest.raises(BadInput, match="class"):
        choose_multiclass(score, y + 1)
    with pytest.raises(UnknownName):
        choose_multiclass(score, y, methods=("temprature",))

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from leadlab.errors import BadInput, EmptyInput, NotFitted
from leadlab.models.calibration.band import CalibrationBand
from leadlab.models.calibration.choice import choose_calibration
from leadlab.models.calibration.count_distribution import cumulative
from leadlab.models.calibration.prediction_sets import PredictionSets
from leadlab.models.calibration.rate_interval import RateInterval
from leadlab.models.calibration.score_blocks import score_blocks


def expit(margin):
    return 1 / (1 + np.exp(-margin))


def drawn(rng, base, n):
    p = expit(rng.normal(np.log(base / (1 - base)), 1.2, n))
    return p, rng.random(n) < p


@given(p=st.floats(1e-6, 1 - 1e-6), of=st.integers(1, 60), theta=st.floats(1e-4, 3))
def test_counts_are_beta_binomial(p, of, theta):
    expected = stats.betabinom(of, p / theta, (1 - p) / theta).cdf(np.arange(of + 1))
    np.testing.assert_allclose(cumulative(np.array([p]), of, theta)[0], expected, atol=1e-6)
    binomial = stats.binom(of, p).cdf(np.arange(of + 1))
    np.testing.assert_allclose(cumulative(np.array([p]), of, 0.0)[0], binomial, atol=1e-9)


@settings(deadline=None)
@given(
    group=st.lists(st.integers(0, 25), min_size=20, max_size=90),
    of=st.integers(1, 6),
    seed=st.integers(0, 99),
)
def test_a_block_holds_different_leads_of_one_fold(group, of, seed):
    lead = np.array(group)
    rng = np.random.default_rng(seed)
    p, fold = rng.random(len(lead)), lead % 2
    if max(len(np.unique(lead[fold == f])) for f in (0, 1)) < of:
        return
    try:
        drawn_blocks = list(score_blocks(p, lead, fold, of=of, assignments=3, seed=seed))
    except BadInput:
        return
    for blocks in drawn_blocks:
        assert blocks.shape[1] == of
        assert len(np.unique(blocks)) == blocks.size
        assert (np.ptp(fold[blocks], axis=1) == 0).all()
        who = np.sort(lead[blocks], axis=1)
        assert (np.diff(who, axis=1) > 0).all()


@pytest.mark.parametrize("of", [10, 20, 50])
@pytest.mark.parametrize("base", [0.01, 0.03, 0.1, 0.3, 0.5])
def test_coverage_is_as_promised_where_probabilities_are_right(base, of):
    found = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        interval = RateInterval.fit(*drawn(rng, base, 2000), of=of, seed=seed)
        found.append(interval.check(*drawn(rng, base, 6000), seed=seed))
    assert 0.88 <= np.mean([one.share for one in found]) <= 0.92
    assert np.mean([one.inclusive for one in found]) >= 0.89


@pytest.mark.parametrize(
    ("base", "of", "at_most"), [(0.3, 20, 0.82), (0.1, 50, 0.82), (0.03, 100, 0.82)]
)
def test_coverage_is_lost_where_probabilities_are_wrong(base, of, at_most):
    rng = np.random.default_rng(0)
    p, y = drawn(rng, base, 20_000)
    wrong = expit(np.log(p / (1 - p)) + 0.6)
    assert RateInterval(of=of).coverage(wrong, y) < at_most
    assert RateInterval(of=of).coverage(p, y) == pytest.approx(0.9, abs=0.02)


def test_the_interval_prices_in_folds_that_drift():
    aware, plain = [], []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        p, _ = drawn(rng, 0.2, 12_000)
        fold = np.arange(12_000) // 300

        def outcomes(rng=rng, p=p, fold=fold):
            return rng.random(len(p)) < expit(np.log(p / (1 - p)) + rng.normal(0, 0.7, 40)[fold])

        interval, later = RateInterval.fit(p, outcomes(), folds=fold), outcomes()
        assert interval.theta > 0.01
        for f in range(40):
            aware.append(interval.coverage(p[fold == f], later[fold == f]))
            plain.append(RateInterval().coverage(p[fold == f], later[fold == f]))
    assert np.mean(plain) < 0.8
    assert 0.86 < np.mean(aware) < 0.94


@pytest.mark.parametrize("same", [False, True])
def test_coverage_holds_with_several_rows_a_lead(same):
    found, unaware = [], []
    for seed in range(6):
        rng = np.random.default_rng(seed)

        def rows(n, rng=rng):
            score, won = drawn(rng, 0.15, n // 5)
            p = np.repeat(score, 5)
            if same:
                return p, np.repeat(won, 5), np.repeat(np.arange(n // 5), 5)
            p = np.clip(p * rng.uniform(0.8, 1.2, n), 0, 0.99)
            return p, rng.random(n) < p, np.repeat(np.arange(n // 5), 5)

        p, y, lead = rows(7500)
        interval = RateInterval.fit(p, y, groups=lead, seed=seed)
        p, y, lead = rows(10_000)
        found.append(interval.coverage(p, y, lead))
        unaware.append(interval.coverage(p, y))
    assert 0.88 <= np.mean(found) <= 0.92
    if same:
        assert np.mean(unaware) < 0.8


@settings(max_examples=40, deadline=None)
@given(theta=st.floats(0, 0.5), of=st.integers(1, 60), used=st.floats(0.5, 0.999))
def test_intervals_hold_the_probability_and_rise_with_it(theta, of, used):
    interval = RateInterval(of=of, theta=theta, used_level=used)
    p = np.linspace(0, 1, 201)
    low, high = interval.around(p)
    assert ((low <= p) & (p <= high)).all()
    assert (np.diff(low) >= 0).all()
    assert (np.diff(high) >= 0).all()
    assert ((low >= 0) & (high <= 1)).all()


def test_the_order_of_rows_hardly_matters():
    rng = np.random.default_rng(0)
    p, y = drawn(rng, 0.1, 3000)
    order = rng.permutation(3000)
    one, other = RateInterval.fit(p, y), RateInterval.fit(p[order], y[order])
    assert one.used_level == pytest.approx(other.used_level, abs=0.01)
    assert one.band is not None and one.band == other.band
    assert RateInterval.fit(p, y) == one


@pytest.mark.parametrize("warp", [1.0, 1.6])
@pytest.mark.parametrize(("base", "n"), [(0.03, 3000), (0.3, 4000)])
def test_the_band_holds_the_true_rate_of_a_score(base, n, warp):
    held = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        truth, y = drawn(rng, base, 2 * n)
        score = expit(warp * np.log(truth / (1 - truth)))
        fitted = choose_calibration(score[:n], y[:n], methods=("none", "beta")).apply(score)
        interval = RateInterval.fit(fitted[n:], y[n:], seed=seed)
        low, high = interval.probability_bounds(fitted)
        held.append(np.mean((low <= truth) & (truth <= high)))
        assert ((low <= fitted) & (fitted <= high)).all()
    assert np.mean(held) > 0.85


def test_the_band_narrows_with_rows_and_the_rate_of_the_next_leads_does_not():
    rng = np.random.default_rng(0)
    few, many = (RateInterval.fit(*drawn(rng, 0.2, n)) for n in (500, 50_000))
    p = [0.1, 0.2, 0.4]
    width = [np.subtract(*i.probability_bounds(p)[::-1]) for i in (few, many)]
    assert (width[1] < width[0] / 3).all()
    assert (np.subtract(*many.around(p)[::-1]) > 0.1).all()


def test_the_band_widens_where_rows_of_a_lead_go_together():
    rng = np.random.default_rng(0)
    score, won = drawn(rng, 0.2, 600)
    p, y, lead = (np.repeat(part, 8) for part in (score, won, np.arange(600)))
    alone, together = CalibrationBand.fitted(p, y), CalibrationBand.fitted(p, y, lead)
    for at in (0.1, 0.3):
        (low, high), (lower, higher) = alone.around([at]), together.around([at])
        assert higher - lower > 1.8 * (high - low)


@given(p=st.lists(st.floats(0, 1), min_size=2, max_size=40))
@settings(max_examples=40, deadline=None)
def test_a_band_rises_with_the_probability(p):
    chance = np.array(p)
    y = np.arange(len(chance)) % 2
    low, high = CalibrationBand.fitted(chance, y).around(np.linspace(0, 1, 101))
    assert (np.diff(low) >= 0).all()
    assert (np.diff(high) >= 0).all()


def test_json_keeps_the_interval():
    rng = np.random.default_rng(0)
    interval = RateInterval.fit(*drawn(rng, 0.1, 1000), of=10, level=0.8)
    again = RateInterval.from_json(json.loads(json.dumps(interval.to_json())))
    assert again == interval
    with pytest.raises(BadInput, match="fields"):
        RateInterval.from_json({"of": 20})


def test_words():
    interval = RateInterval(of=20)
    assert interval.say(0.02) == "of 20 leads like this, 0 to 2"
    assert interval.say(1e-12) == "of 20 leads like this, 0 to 1"
    assert interval.say(0.0) == "of 20 leads like this, 0 to 1"


@pytest.mark.parametrize(
    ("p", "y", "options", "error"),
    [
        ([], [], {}, EmptyInput),
        ([0.5, np.nan], [0, 1], {"of": 1}, BadInput),
        ([0.5, 1.5], [0, 1], {"of": 1}, BadInput),
        ([0.5, 0.5], [0, 1], {}, BadInput),
        ([0.5, 0.5], [0, 1], {"of": 0}, BadInput),
        ([0.5, 0.5], [0, 1], {"of": 1, "level": 1.0}, BadInput),
        ([0.5, 0.5], [0, 1], {"of": 2, "groups": [1, 1]}, BadInput),
        ([0.5, 0.5], [0, 1], {"of": 1, "groups": [1]}, BadInput),
    ],
)
def test_faults_are_refused(p, y, options, error):
    with pytest.raises(error):
        RateInterval.fit(p, y, **options)


def test_an_interval_without_outcomes_has_no_bounds():
    with pytest.raises(NotFitted):
        RateInterval().probability_bounds([0.1])


@pytest.mark.parametrize("score", ["lac", "aps"])
@pytest.mark.parametrize("level", [0.8, 0.9])
def test_sets_of_classes_hold_the_true_one(score, level):
    held = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        P = rng.dirichlet([1, 0.7, 0.5, 0.3], 3000)
        y = (rng.random((3000, 1)) > P.cumsum(axis=1)).sum(axis=1)
        sets = PredictionSets(level=level, score=score, seed=seed).fit(P[:1000], y[:1000])
        held.append(sets.coverage(P[1000:], y[1000:]))
    assert np.mean(held) == pytest.approx(level, abs=0.02)


def test_faults_of_sets_are_refused():
    with pytest.raises(BadInput, match="too few"):
        PredictionSets(level=0.9).fit(np.full((5, 2), 0.5), [0, 1, 0, 1, 0])
    with pytest.raises(BadInput, match="sum"):
        PredictionSets().fit(np.full((20, 2), 0.1), [0, 1] * 10)
    with pytest.raises(NotFitted):
        PredictionSets().of([[0.5, 0.5]])

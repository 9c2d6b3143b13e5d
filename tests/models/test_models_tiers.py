from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlab.errors import BadInput, EmptyInput
from leadlab.models.tiers import TIERS, Tiers, weekly_capacity

SHARES = {"buyer": 0.6, "seller": 0.36, "luxury": 0.04}
RATES = {"buyer": 0.02, "seller": 0.08, "luxury": 0.2}


def market(n=6000, seed=0):
    rng = np.random.default_rng(seed)
    segment = rng.choice(list(SHARES), n, p=list(SHARES.values()))
    rate = np.array([RATES[name] for name in segment])
    p = np.clip(rng.gamma(1.0, rate), 1e-4, 0.95)
    return p, (rng.random(n) < p).astype(int), segment


def test_hot_leads_fill_the_capacity_and_no_more():
    p, y, segment = market()
    for capacity in (0.02, 0.1, 0.2):
        tier = Tiers.fit(p, y, segment, capacity=capacity, hot_lift=1).of(p, segment).tier
        share = np.mean(tier == "hot")
        assert 0.85 * capacity <= share <= capacity
        alone = Tiers.fit(p, y, capacity=capacity, hot_lift=1).of(p).tier
        assert np.mean(alone == "hot") == pytest.approx(capacity, abs=1e-3)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from([0.0, 0.01, 0.03, 0.1, 0.5, 1.0]),
            st.integers(0, 1),
            st.sampled_from("abc"),
        ),
        min_size=1,
        max_size=80,
    ),
    capacity=st.floats(0.01, 1),
)
def test_capacity_is_never_exceeded_and_tiers_rise(rows, capacity):
    p, y, segment = (np.array(part) for part in zip(*rows, strict=True))
    if not y.any():
        return
    tiers = Tiers.fit(p, y, segment, capacity=capacity)
    for names in (segment, None):
        tier = tiers.of(p, names).tier
        fitted = Tiers.fit(p, y, names, capacity=capacity).of(p, names).tier
        assert np.sum(fitted == "hot") <= capacity * len(p) + 1e-6
        assert set(tier) <= set(TIERS)
    ladder = np.linspace(0, 1, 101)
    for name in ("a", "unseen"):
        rank = np.searchsorted(["cold", "hot", "warm"], tiers.of(ladder, [name] * 101).tier)
        assert (np.diff(np.array([0, 2, 1])[rank]) >= 0).all()
        assert tiers.why(name)


def test_thresholds_follow_segments_and_lean_on_the_whole_where_small():
    p, y, segment = market()
    tiers = Tiers.fit(p, y, segment)
    assert tiers.segments["buyer"].hot < tiers.segments["seller"].hot
    assert tiers.segments["luxury"].own < 0.6
    assert tiers.segments["buyer"].own > 0.9
    own = Tiers.fit(p, y, segment, prior_leads=0).segments["luxury"].hot
    leaning = Tiers.fit(p, y, segment, prior_leads=5000).segments["luxury"].hot
    assert leaning < tiers.segments["luxury"].hot < own


def test_hot_is_never_a_fixed_probability():
    p, y, segment = market()
    rare = p / 10
    y = np.random.default_rng(1).random(len(p)) < rare
    tier = Tiers.fit(rare, y, segment).of(rare, segment).tier
    assert np.mean(tier == "hot") > 0.08
    assert rare[tier == "hot"].min() < 0.05


def test_where_time_is_plenty_hot_must_still_promise_more_than_all():
    p, y, _ = market()
    tiers = Tiers.fit(p, y, capacity=0.9, hot_lift=2.0)
    assert tiers.whole.hot == pytest.approx(2 * y.mean())
    assert "2 times the base rate" in tiers.why()
    assert Tiers.fit(p, y, capacity=0.01, hot_lift=2.0).whole.bound == "capacity"


def test_held_out_lift_falls_from_hot_to_cold():
    p, y, segment = market()
    tiers = Tiers.fit(p, y, segment)
    new, outcome, names = market(20_000, 1)
    table = tiers.held_out(new, outcome, names)
    assert table.index.tolist() == ["hot", "warm", "cold"]
    assert table["lift"].is_monotonic_decreasing
    assert table.loc["hot", "lift"] > 2
    assert table["leads"].sum() == 20_000
    assert table.loc["hot", "share"] == pytest.approx(0.1, abs=0.015)
    hot = tiers.of(new, names).tier == "hot"
    assert table.loc["hot", "rate"] == outcome[hot].mean()


def test_an_unseen_segment_falls_back_and_says_so():
    p, y, segment = market()
    tiers = Tiers.fit(p, y, segment)
    found = tiers.of([0.5, 0.5], ["buyer", "castle"])
    assert found.fell_back.tolist() == [False, True]
    at = np.linspace(0, 1, 501)
    assert (tiers.of(at, ["castle"] * 501).tier == tiers.of(at).tier).all()
    assert not tiers.of(at).fell_back.any()
    assert tiers.why("castle").startswith("'castle' was not seen before")


def test_a_lead_does_not_flicker():
    p, y, _ = market()
    tiers = Tiers.fit(p, y)
    edge = tiers.whole.hot
    rng = np.random.default_rng(0)
    tier, flips = np.array([""]), {True: 0, False: 0}
    steady = tiers.of([edge]).tier
    for noise in rng.normal(0, 0.05, 200):
        chance = [edge * np.exp(noise)]
        new = tiers.of(chance, previous=tier).tier
        flips[True] += int(tier[0] != "" and new[0] != tier[0])
        bare = tiers.of(chance).tier
        flips[False] += int(bare[0] != steady[0])
        tier, steady = new, bare
    assert flips[True] <= 1
    assert flips[False] > 20
    fallen = edge * np.exp(-1.0)
    assert tiers.of([fallen], previous=["hot"]).tier[0] == "warm"
    assert tiers.of([edge * 0.9], previous=["hot"]).tier[0] == "hot"
    assert tiers.of([edge * 0.9], previous=["warm"]).tier[0] == "warm"


def test_leads_that_all_score_alike_are_not_hot():
    tiers = Tiers.fit([0.1] * 50, [0, 1] * 25)
    assert tiers.whole.hot is None
    assert tiers.of([0.99]).tier.tolist() == ["warm"]
    assert tiers.why().startswith("None is hot")


def test_words_give_the_counts_that_were_there():
    p, y, segment = market()
    tiers = Tiers.fit(p, y, segment)
    cut = tiers.segments["buyer"]
    hot = (segment == "buyer") & (p >= cut.hot)
    assert cut.hot_leads == hot.sum()
    assert cut.hot_converted == y[hot].sum()
    assert cut.lift == pytest.approx(y[hot].mean() / y[segment == "buyer"].mean())
    assert f"the {hot.sum()} hottest of {np.sum(segment == 'buyer'):,} leads" in tiers.why("buyer")
    assert f"{cut.lift:.1f} times as often" in tiers.why("buyer")


def test_order_of_rows_does_not_matter_and_json_keeps_all():
    p, y, segment = market(500)
    order = np.random.default_rng(0).permutation(500)
    tiers = Tiers.fit(p, y, segment)
    again = Tiers.fit(p[order], y[order], segment[order])
    assert tiers.segments["buyer"].hot == pytest.approx(again.segments["buyer"].hot)
    assert Tiers.from_json(json.loads(json.dumps(tiers.to_json()))) == tiers


@pytest.mark.parametrize(
    ("p", "y", "options", "error"),
    [
        ([], [], {}, EmptyInput),
        ([0.1, np.nan], [0, 1], {}, BadInput),
        ([0.1, 0.2], [0, 0], {}, BadInput),
        ([0.1, 0.2], [0, 1], {"capacity": 0.0}, BadInput),
        ([0.1, 0.2], [0, 1], {"capacity": 12}, BadInput),
        ([0.1, 0.2], [0, 1], {"segment": ["a"]}, BadInput),
        ([0.1, 0.2], [0, 1], {"hot_lift": 0.5}, BadInput),
        ([0.1, 0.2], [0, 1], {"hysteresis": -1}, BadInput),
    ],
)
def test_faults_are_refused(p, y, options, error):
    with pytest.raises(error):
        Tiers.fit(p, y, **options)


def test_other_faults_are_refused():
    tiers = Tiers.fit(*market(100)[:2])
    with pytest.raises(BadInput, match="no such tier"):
        tiers.of([0.1], previous=["boiling"])
    with pytest.raises(BadInput, match="scores"):
        tiers.of([np.nan])
    with pytest.raises(BadInput, match="positive"):
        weekly_capacity(0, 4, 100)
    assert weekly_capacity(10, 40, 100) == 1.0

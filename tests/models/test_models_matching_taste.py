"""Taste is a function of the deeds so far; rankings learn from it; lists vary."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.metrics import ndcg_score

from leadlab.errors import EmptyInput, NotFitted
from leadlab.models.matching.audit import audit_exposure
from leadlab.models.matching.catalogue import TRAITS, Catalogue
from leadlab.models.matching.match import match
from leadlab.models.matching.ndcg import ndcg
from leadlab.models.matching.pairs import Buyer
from leadlab.models.matching.population import WEEK_US, Popularity, Segments
from leadlab.models.matching.preferences import Preferences
from leadlab.models.matching.ranker import Ranker
from leadlab.models.matching.signals import WEIGHTS, Deeds
from leadlab.models.matching.taste import EVIDENCE, Taste, leaning

N = 300


@pytest.fixture(scope="module")
def homes() -> Catalogue:
    rng = np.random.default_rng(0)
    size = rng.lognormal(7.4, 0.4, N)
    found = pd.DataFrame(
        {
            "listing_key": [f"L{i}" for i in range(N)],
            "list_price": size * 200 * rng.lognormal(0, 0.1, N),
            "living_area": size,
            "bedrooms_total": np.clip(np.round(size / 600), 1, 6),
            "year_built": rng.integers(1900, 2025, N).astype(float),
            "latitude": 39.7 + 0.1 * rng.normal(size=N),
            "longitude": -105 + 0.1 * rng.normal(size=N),
            "property_sub_type": rng.choice(["Townhouse", "House"], N),
            "city": rng.choice(["Bayside", "Fairview", "Alder"], N),
        }
    )
    found.loc[::17, "year_built"] = np.nan
    return Catalogue.prepare(found)


def some_deeds(homes: Catalogue, leads: int = 60, each: int = 12, seed: int = 0) -> Deeds:
    """Half of the leads look at the cheapest fifth, half at the dearest; they save every third."""
    rng = np.random.default_rng(seed)
    order = np.argsort(homes.number["list_price"])
    lead = np.repeat(np.arange(leads), each)
    pick = rng.integers(0, N // 5, len(lead))
    home = np.where(lead % 4 < 2, order[pick], order[::-1][pick])
    saved = np.arange(len(lead)) % 3 == 0
    at_us = np.tile(np.arange(each), leads) * WEEK_US // 2 + lead
    by_time = np.argsort(at_us, kind="stable")
    columns = (home, np.where(saved, 3.0, 1.0), np.where(saved, 2, 1), at_us)
    names = np.array([f"lead {i}" for i in range(leads)], dtype=object)
    return Deeds(lead[by_time], names, *(c[by_time] for c in columns))


deed = st.tuples(st.integers(0, N - 1), st.sampled_from(sorted(set(WEIGHTS.values()))))


@settings(max_examples=50, deadline=None)
@given(done=st.lists(deed, max_size=40), seed=st.integers(0, 99))
def test_taste_one_deed_at_a_time_is_taste_at_once_in_any_order(
    homes: Catalogue, done: list[tuple[int, float]], seed: int
) -> None:
    online = Taste()
    for home, weight in done:
        before = dict(online.weights)
        after = online.after(home, weight)
        assert dict(online.weights) == before
        online = after
    mixed = [done[i] for i in np.random.default_rng(seed).permutation(len(done))]
    rows = np.array([home for home, _ in mixed], np.int64)
    batch = Taste.of(rows, np.array([weight for _, weight in mixed], np.float64))
    assert batch == online
    one, two = leaning(homes, online).total(homes), leaning(homes, batch).total(homes)
    np.testing.assert_allclose(one, two, atol=1e-3)
    assert np.isfinite(one).all()


def test_evidence_is_the_log_ratio_of_two_bells(homes: Catalogue) -> None:
    lean = leaning(homes, Taste.of(np.array([3, 3, 8, 11]), np.array([1.0, 3.0, 1.0, -2.0])))
    found = lean.evidence(homes)
    z = homes.standard.astype(np.float64)
    bells = norm.logpdf(z, lean.mean, np.sqrt(lean.variance)) - norm.logpdf(z)
    np.testing.assert_allclose(found[:, : len(TRAITS)], np.nan_to_num(bells), atol=2e-4)
    np.testing.assert_allclose(found.sum(axis=1), lean.total(homes), atol=1e-3)
    assert found.shape == (N, len(EVIDENCE))
    assert (found[::17, TRAITS.index("year_built")] == 0).all()


def test_no_deeds_say_nothing_and_discards_are_no_likes(homes: Catalogue) -> None:
    assert np.abs(leaning(homes, Taste()).total(homes)).max() < 1e-5
    put_aside = Taste.of(np.array([5, 9]), np.array([-2.0, -2.0]))
    assert leaning(homes, put_aside).weight == 0
    assert leaning(homes, put_aside, sign=-1.0).weight == 4


def test_the_more_is_seen_of_one_sort_the_higher_it_ranks(homes: Catalogue) -> None:
    cheap = np.argsort(homes.number["list_price"])[:40]
    taste, ranks = Taste(), []
    for home in np.random.default_rng(0).choice(cheap, 30):
        place = np.argsort(np.argsort(-leaning(homes, taste).total(homes), kind="stable"))
        ranks.append(place[cheap].mean())
        taste = taste.after(int(home), 1.0)
    assert ranks[29] < ranks[9] < ranks[2] < ranks[0]


def test_popularity_knows_only_full_weeks_before(homes: Catalogue) -> None:
    done = some_deeds(homes)
    found = Popularity.of(done, homes)
    for at_us in (0, WEEK_US - 1, WEEK_US, 3 * WEEK_US + 5, 99 * WEEK_US):
        counts = found.as_of(int(done.at_us.min()) + at_us)
        full = done.at_us < done.at_us.min() + at_us // WEEK_US * WEEK_US
        np.testing.assert_array_equal(counts, np.bincount(done.home[full], minlength=N))


def test_segments_part_those_who_look_at_cheap_and_at_dear_homes(homes: Catalogue) -> None:
    done = some_deeds(homes)
    found = Segments.of(done, homes, k=2)
    label = [
        found.segment(leaning(homes, Taste.of(done.home[rows], done.weight[rows])))
        for rows in done.by_lead()
    ]
    first = [label[i] for i in range(60) if i % 4 < 2]
    rest = [label[i] for i in range(60) if i % 4 >= 2]
    assert len(set(first)) == len(set(rest)) == 1 and first[0] != rest[0]
    assert found.segment(leaning(homes, Taste())) == -1


def test_a_trained_ranker_puts_what_is_like_the_first_deeds_first(homes: Catalogue) -> None:
    ranker, same = (Ranker(seed=1).fit(some_deeds(homes), homes, {}) for _ in range(2))
    order = np.argsort(homes.number["list_price"])
    for likes in (order[:60], order[-60:]):
        buyer = Buyer(Preferences(), Taste.of(likes[::15], np.ones(4)), 5 * WEEK_US)
        rank = ranker.rank(buyer, homes)
        assert sorted(rank.tolist()) == list(range(N))
        assert np.isin(rank[:20], likes).mean() > 0.8
        assert (same.rank(buyer, homes) == rank).all()
    told = match(homes, Preferences(), taste=Taste.of(order[:4], np.ones(4)), ranker=ranker)
    assert told.segment >= 0 and told.homes[0].taste and told.homes[0].fit is None


def test_rankers_without_anything_to_learn_from_say_so(homes: Catalogue) -> None:
    with pytest.raises(NotFitted):
        Ranker().rank(Buyer(Preferences(), Taste(), 0), homes)
    nothing = some_deeds(homes).take(np.zeros(0, np.int64))
    with pytest.raises(EmptyInput):
        Ranker().fit(nothing, homes, {})
    alone = some_deeds(homes, leads=1)
    with pytest.raises(EmptyInput, match="twice"):
        Ranker().fit(alone, homes, {})


@settings(max_examples=40, deadline=None)
@given(
    grade=st.lists(st.integers(0, 3), min_size=12, max_size=40).filter(any),
    seed=st.integers(0, 999),
)
def test_ndcg_is_that_of_scikit_learn(grade: list[int], seed: int) -> None:
    score = np.random.default_rng(seed).permutation(len(grade)).astype(float)
    gain = 2.0 ** np.array(grade) - 1
    theirs = ndcg_score(gain[None], score[None], k=10)
    assert ndcg(np.argsort(-score), np.array(grade)) == pytest.approx(theirs)


def test_lists_vary_where_asked_to_and_no_area_fills_them(homes: Catalogue) -> None:
    wants = Preferences(budget_usd=4e5)
    plain, varied = (match(homes, wants, variety=v).homes for v in (0.0, 0.6))
    spread = [
        np.ptp(homes.filled[[one.row for one in found]], axis=0).mean() for found in (plain, varied)
    ]
    assert spread[1] > spread[0]
    capped = match(homes, wants, area_cap=3, top=20).homes
    assert len(capped) == 9
    assert np.bincount(homes.area[[one.row for one in capped]]).tolist() == [3, 3, 3]


def test_the_audit_rings_where_one_area_is_hardly_shown(homes: Catalogue) -> None:
    areas = [np.flatnonzero(homes.area == a) for a in range(3)]
    rng = np.random.default_rng(0)
    shown = [
        np.concatenate([rng.choice(areas[0], 5, False), rng.choice(areas[1], 5, False)])
        for _ in range(60)
    ]
    found = audit_exposure(shown, homes)
    assert found.alarms and all(homes.areas[2] in alarm for alarm in found.alarms[-1:])
    with pytest.raises(EmptyInput):
        audit_exposure([], homes)

"""Factors stay in bounds and move the right way, limits hold, and nothing speaks of people."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlab.errors import BadInput, BrokenFile, EmptyInput, UnknownName
from leadlab.models.matching.catalogue import TRAITS, Catalogue
from leadlab.models.matching.factors.table import FACTORS, MEETS, score
from leadlab.models.matching.listing_columns import NUMBERS, TEXTS
from leadlab.models.matching.match import match
from leadlab.models.matching.pairs import FEATURES
from leadlab.models.matching.preferences import (
    NAMES,
    Preferences,
    load_preferences,
    read_preferences,
)
from leadlab.models.matching.taste import EVIDENCE
from leadlab.models.matching.walkability import CATEGORIES

SOURCES = {"school_rating": "state report card", "safety_rating": "city statistics"}
EVERYTHING = Preferences(
    budget_usd=500_000, budget_min_usd=200_000, bedrooms_min=2, bedrooms_max=4, bathrooms_min=2,
    living_area_min_sqft=900, living_area_max_sqft=2_500, lot_min_sqft=3_000,
    types=("Townhouse",), areas=("Bayside",), styles=("Ranch",), amenities=("pool", "fireplace"),
    near=(39.7, -105.0), work=(39.75, -104.9), walkability_min=0.6, schools_min=7, safety_min=5,
    built_from=1980, built_to=2015, stories_max=1, garage_min=1, market="reduced",
)  # fmt: skip


def table(n: int = 200, seed: int = 0, missing: float = 0.15) -> pd.DataFrame:
    """Homes with holes and slips in every column."""
    rng = np.random.default_rng(seed)
    found = pd.DataFrame(
        {
            "list_price": np.round(rng.lognormal(13, 0.5, n), -3),
            "original_list_price": np.round(rng.lognormal(13, 0.5, n), -3),
            "bedrooms_total": rng.integers(0, 7, n).astype(float),
            "bathrooms": rng.integers(1, 5, n).astype(float),
            "living_area": np.round(rng.lognormal(7.4, 0.4, n)),
            "lot_size_square_feet": np.round(rng.lognormal(8.6, 0.7, n)),
            "year_built": rng.integers(1900, 2025, n).astype(float),
            "garage_spaces": rng.integers(0, 4, n).astype(float),
            "stories_total": rng.integers(1, 4, n).astype(float),
            "days_on_market": rng.integers(0, 200, n).astype(float),
            "latitude": 39.7 + 0.1 * rng.normal(size=n),
            "longitude": -105 + 0.1 * rng.normal(size=n),
            "walkability": rng.random(n),
            "school_rating": 10 * rng.random(n),
            "safety_rating": 10 * rng.random(n),
            "property_sub_type": rng.choice(["Townhouse", "Condominium", "House"], n),
            "city": rng.choice(["Bayside", "Fairview", "Alder"], n),
            "architectural_style": rng.choice(["Ranch", "Tudor"], n),
            "amenities": rng.choice(["pool; fireplace", "Pool", "view"], n),
        }
    ).astype(object)
    found = found.mask(rng.random(found.shape) < missing, None)
    return found.assign(listing_key=[f"L{i}" for i in range(n)])


@pytest.fixture(scope="module")
def homes() -> Catalogue:
    return Catalogue.prepare(table(), sources=SOURCES)


def test_there_are_fifteen_and_every_one_is_asked_about_and_documented(homes: Catalogue) -> None:
    assert tuple(f.name for f in FACTORS) == NAMES and len(NAMES) == 15
    assert score(homes, EVERYTHING).values.shape == (15, 200)
    assert not score(homes, Preferences()).factors
    assert all(f.score.__doc__ for f in FACTORS)


def test_no_protected_trait_and_no_stand_in_for_one_is_anywhere() -> None:
    words = re.split(
        " ",
        "race ethnic colour color religio church worship mosque sex gender national disab famil "
        "child marital age_group income demograph language postal zip census crime playground",
    )
    wishes = [f.name for f in dataclasses.fields(Preferences)]
    fields = [field for f in FACTORS for field in f.fields]
    kinds = [kind for group, _ in CATEGORIES.values() for kind in group]
    told = [*NAMES, *wishes, *fields, *FEATURES, *EVIDENCE, *TRAITS, *NUMBERS, *TEXTS]
    for text in [*told, *CATEGORIES, *kinds]:
        assert not any(word in text.casefold() for word in words), text
    assert not any(
        "school" in t or "safety" in t for t in (*TRAITS, *EVIDENCE, *CATEGORIES, *kinds)
    )


def test_columns_about_people_change_nothing() -> None:
    plain = table()
    rng = np.random.default_rng(1)
    more = plain.assign(race=rng.random(200), median_income=rng.random(200), postal_code="00001")
    one, two = (score(Catalogue.prepare(t, sources=SOURCES), EVERYTHING) for t in (plain, more))
    np.testing.assert_array_equal(one.values, two.values)


def test_people_are_no_amenity() -> None:
    for wish in ("Church nearby", "no children", "Senior community"):
        with pytest.raises(BadInput, match="people"):
            Preferences(amenities=(wish,))
    frame = table().assign(senior_community_yn=True, pool_private_yn=True)
    homes = Catalogue.prepare(frame)
    assert "pool private" in homes.amenities and "senior community" not in homes.amenities
    assert homes.doubts["amenities that speak of people"] == 1


def test_schools_and_safety_count_only_where_the_buyer_chose_them_and_a_source_is_named() -> None:
    given = {f.name for f in score(Catalogue.prepare(table()), EVERYTHING).factors}
    assert {"schools", "safety"} <= given
    bare = Catalogue.prepare(table())
    assert np.isnan(bare.number["school_rating"]).all()
    silent = EVERYTHING.but(schools_min=None, safety_min=None)
    named = Catalogue.prepare(table(), sources=SOURCES)
    assert not {"schools", "safety"} & {f.name for f in score(named, silent).factors}
    told = match(named, Preferences(schools_min=2)).homes[0].reasons[0].text
    assert "state report card" in told
    with pytest.raises(BadInput, match="source"):
        Catalogue.prepare(table().rename(columns={"school_rating": "s"}),
                          columns={"school_rating": "s"})  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), missing=st.floats(0, 1))
def test_scores_lie_between_0_and_1_or_are_unknown(seed: int, missing: float) -> None:
    found = score(Catalogue.prepare(table(40, seed, missing), sources=SOURCES), EVERYTHING)
    for values in (found.values, found.fit[None], found.known[None]):
        known = values[~np.isnan(values)]
        assert ((known >= 0) & (known <= 1)).all()
    none = np.isnan(found.values).all(axis=0)
    assert (np.isnan(found.fit) == none).all()
    mean = np.nanmean(np.where(none, 0, found.values), axis=0)
    np.testing.assert_allclose(np.where(none, 0, found.fit), mean, atol=1e-5)


MONOTONE = (
    ("budget", "list_price", {"budget_usd": 4e5}, -1),
    ("bedrooms", "bedrooms_total", {"bedrooms_min": 4}, 1),
    ("bathrooms", "bathrooms", {"bathrooms_min": 3}, 1),
    ("living area", "living_area", {"living_area_min_sqft": 2_000}, 1),
    ("lot", "lot_size_square_feet", {"lot_min_sqft": 8_000}, 1),
    ("walkability", "walkability", {"walkability_min": 0.8}, 1),
    ("schools", "school_rating", {"schools_min": 8}, 1),
    ("safety", "safety_rating", {"safety_min": 8}, 1),
    ("age", "year_built", {"built_from": 1990}, 1),
    ("market", "days_on_market", {"market": "new"}, -1),
    ("style", "stories_total", {"stories_max": 1}, -1),
    ("style", "garage_spaces", {"garage_min": 2}, 1),
)


@pytest.mark.parametrize(("name", "field", "wish", "sign"), MONOTONE)
def test_more_of_what_is_wished_is_never_worse(
    homes: Catalogue, name: str, field: str, wish: dict[str, object], sign: int
) -> None:
    found = score(homes, read_preferences(wish))
    assert [f.name for f in found.factors] == [name]
    x, s = homes.number[field], found.values[0]
    assert (np.isnan(x) == np.isnan(s)).all()
    known = ~np.isnan(x)
    order = np.argsort(sign * x[known], kind="stable")
    assert (np.diff(s[known][order]) >= -1e-6).all() and np.ptp(s[known]) > 0.5


def test_a_longer_way_is_never_better(homes: Catalogue) -> None:
    for wish in (Preferences(work=(39.75, -104.9), commute_max_min=8),
                 Preferences(near=(39.75, -104.9), near_km=1)):  # fmt: skip
        km, s = homes.km_to(39.75, -104.9), score(homes, wish).values[0]
        known = ~np.isnan(km)
        assert (np.diff(s[known][np.argsort(km[known])]) <= 1e-6).all() and np.ptp(s[known]) > 0.5


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_order_of_listings_does_not_matter(seed: int) -> None:
    order = np.random.default_rng(seed).permutation(200)
    one = score(Catalogue.prepare(table(), sources=SOURCES), EVERYTHING).values
    shuffled = table().iloc[order].reset_index(drop=True)
    two = score(Catalogue.prepare(shuffled, sources=SOURCES), EVERYTHING).values
    np.testing.assert_array_equal(one[:, order], two)


@settings(max_examples=40, deadline=None)
@given(hard=st.sets(st.sampled_from(NAMES), max_size=4), seed=st.integers(0, 50))
def test_hard_limits_are_never_violated(hard: set[str], seed: int) -> None:
    homes = Catalogue.prepare(table(80, seed), sources=SOURCES)
    wants = EVERYTHING.but(hard=tuple(sorted(hard)))
    found = match(homes, wants, top=80)
    values = dict(zip(NAMES, score(homes, wants).values, strict=True))
    met = np.all([values[name] >= MEETS for name in hard], axis=0) if hard else np.ones(80, bool)
    assert {one.row for one in found.homes} == set(np.flatnonzero(met).tolist())
    assert found.candidates == int(met.sum())
    for limit in found.limits:
        assert limit.excludes == int((~(values[limit.factor] >= MEETS)).sum())
        if limit.change:
            more = match(homes, wants.but(**limit.change), top=80)
            assert more.candidates > found.candidates, limit


def test_what_would_have_to_change_for_a_home_is_enough(homes: Catalogue) -> None:
    for one in match(homes, EVERYTHING, top=30).homes:
        for reason in one.reasons:
            if reason.change:
                again = score(homes, EVERYTHING.but(**reason.change))
                names = [f.name for f in again.factors]
                if reason.factor in names:
                    assert again.values[names.index(reason.factor), one.row] >= MEETS, reason


def test_an_unknown_value_is_said_and_not_counted(homes: Catalogue) -> None:
    for one in match(homes, EVERYTHING, top=50).homes:
        unknown = [r for r in one.reasons if r.score is None]
        assert len(one.reasons) == 15
        assert all(r.text.endswith("unknown") and r.lost == 0 for r in unknown)
        assert one.known == pytest.approx(1 - len(unknown) / 15, abs=1e-5)
        lost = sum(r.lost for r in one.reasons)
        assert one.fit is not None and one.fit == pytest.approx(1 - lost, abs=1e-4)


def test_weights_are_what_one_wish_is_worth_against_another() -> None:
    frame = pd.DataFrame({"listing_key": ["cheap", "large"], "list_price": [3e5, 4.6e5],
                          "bedrooms_total": [2, 4]})  # fmt: skip
    homes = Catalogue.prepare(frame)
    wants = Preferences(budget_usd=4e5, bedrooms_min=4)
    for weights, best in (({"budget": 9.0}, "cheap"), ({"bedrooms": 9.0}, "large")):
        assert match(homes, wants.but(weights=weights)).homes[0].listing == best


def test_values_that_cannot_be_are_taken_as_unknown_and_counted() -> None:
    frame = pd.DataFrame(
        {
            "listing_key": ["a", "b", "c", "d"],
            "list_price": [0, 3e5, -1, "ask"],
            "bedrooms_total": [33, 3, 10, 2],
            "living_area": [1620, 1500, 500, None],
            "latitude": [0.0, 39.7, 95, None],
            "longitude": [0.0, -105, 10, None],
        }
    )
    homes = Catalogue.prepare(frame)
    assert np.isnan(homes.number["list_price"]).tolist() == [True, False, True, True]
    assert np.isnan(homes.number["bedrooms_total"]).tolist() == [True, False, True, False]
    assert np.isnan(homes.number["latitude"]).tolist() == [True, False, True, True]
    assert sum(homes.doubts.values()) == 7
    found = match(homes, Preferences(budget_usd=4e5, work=(39.7, -105.0)))
    assert found.homes[0].listing == "b" and found.doubts == homes.doubts
    assert {r.text for one in found.homes[1:] for r in one.reasons} >= {"commute: unknown"}


def test_catalogues_that_cannot_be_read_are_refused() -> None:
    with pytest.raises(EmptyInput):
        Catalogue.prepare(pd.DataFrame({"listing_key": []}))
    with pytest.raises(BadInput, match="listing_key"):
        Catalogue.prepare(pd.DataFrame({"id": [1]}))
    with pytest.raises(BadInput, match="row 1"):
        Catalogue.prepare(pd.DataFrame({"listing_key": ["a", "a"]}))
    with pytest.raises(UnknownName, match="bedrooms_total"):
        Catalogue.prepare(
            pd.DataFrame({"listing_key": ["a"], "beds": 1}), columns={"bedroom_total": "beds"}
        )
    with pytest.raises(UnknownName, match="beds"):
        Catalogue.prepare(
            pd.DataFrame({"listing_key": ["a"], "beds": 1}), columns={"bedrooms_total": "bed"}
        )
    with pytest.raises(BadInput):
        match(Catalogue.prepare(pd.DataFrame({"listing_key": ["a"]})), Preferences(), top=0)


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"budget_usd": 0}, "budget_usd"),
        ({"budget_usd": float("nan")}, "budget_usd"),
        ({"bedrooms_min": 5, "bedrooms_max": 2}, "bedrooms_min"),
        ({"bedrooms_min": -1}, "bedrooms_min"),
        ({"walkability_min": 70}, "walkability_min"),
        ({"near": [139, 0]}, "near"),
        ({"weights": {"budget": -1}}, "budget"),
        ({"bedrooms_min": "three"}, "bedrooms_min"),
        ({"market": "cheap"}, "market"),
        ({"hard": ["price"]}, "price"),
        ({"religion": "any"}, "religion"),
    ],
)
def test_impossible_preferences_are_refused_by_name(wrong: dict[str, object], where: str) -> None:
    with pytest.raises((BadInput, UnknownName), match=where):
        read_preferences(wrong)


def test_preferences_go_through_a_file(tmp_path) -> None:
    import json  # noqa: PLC0415

    place = tmp_path / "wants.json"
    place.write_text(json.dumps(EVERYTHING.but(weights={"lot": 2.0}, hard=("lot",)).to_json()))
    assert load_preferences(place).to_json() == EVERYTHING.but(
        weights={"lot": 2.0}, hard=("lot",)
    ).to_json()  # fmt: skip
    place.write_text("[1]")
    with pytest.raises(BrokenFile):
        load_preferences(place)
    with pytest.raises(BadInput, match="no such file"):
        load_preferences(tmp_path / "none.json")

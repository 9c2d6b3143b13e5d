"""Valuations: nothing later enters, ranges hold, bad homes get a stated result, files come back."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlab.errors import BadInput, BrokenFile, EmptyInput, NotFitted
from leadlab.models.valuation.cma import cma
from leadlab.models.valuation.comparables import comparables
from leadlab.models.valuation.made_up import made_up_sales
from leadlab.models.valuation.market import Lens, Market
from leadlab.models.valuation.model import ValuationModel
from leadlab.models.valuation.sales import tidy_sales

AT = "2026-01-15"
SALES = made_up_sales(1500, seed=1)
PAST = SALES[SALES["close_date"] < "2025-10-01"]
LATER = SALES[SALES["close_date"] >= "2025-10-01"]


@pytest.fixture(scope="module")
def model() -> ValuationModel:
    return ValuationModel(rounds=80).fit(PAST)


def test_beats_the_area_rate_and_the_range_holds(model):
    live = model.with_sales(LATER).predict(LATER, at=LATER["close_date"])
    price = LATER["close_price"].to_numpy()
    rate = (PAST["close_price"] / PAST["living_area"]).median() * LATER["living_area"]
    ours, theirs = (np.median(np.abs(e / price - 1)) for e in (live["estimate"], rate))
    assert ours < 0.09 < theirs
    inside = ((price >= live["low"]) & (price <= live["high"])).mean()
    assert 0.84 <= inside <= 0.96
    assert (live["low"] < live["estimate"]).all()
    assert (live["estimate"] < live["high"]).all()
    assert live.index.equals(LATER.index)


@settings(max_examples=5, deadline=None)
@given(day=st.integers(0, 60), factor=st.floats(0.1, 10.0), copies=st.integers(0, 3))
def test_later_sales_change_nothing(model, day, factor, copies):
    """Sales on the day of the valuation and after may be altered, dropped or added at will."""
    at = pd.Timestamp("2025-10-01") + pd.to_timedelta(day, unit="D")
    known = LATER[LATER["close_date"] < at]
    late = LATER[LATER["close_date"] >= at]
    altered = late.assign(close_price=late["close_price"] * factor, living_area=700.0)
    altered = altered.assign(latitude=altered["latitude"] + 0.001)
    asked = LATER.head(5)
    plain = model.with_sales(pd.concat([known, late]))
    other = model.with_sales(pd.concat([known, *[altered] * copies, late.head(1)]))
    one, two = plain.predict(asked, at=at), other.predict(asked, at=at)
    pd.testing.assert_frame_equal(one, two)
    alike = [comparables(m, asked.head(1), at).drop(columns="sale") for m in (plain, other)]
    pd.testing.assert_frame_equal(*alike)


def test_earlier_sales_do_matter(model):
    """The same test would notice if known sales were ignored."""
    dear = LATER.head(100).assign(close_date=pd.Timestamp("2025-10-02"))
    dear = dear.assign(close_price=dear["close_price"] * 1.5)
    before = model.predict(LATER, at="2025-10-05")["estimate"]
    after = model.with_sales(dear).predict(LATER, at="2025-10-05")["estimate"]
    assert (after / before).median() > 1.1
    same_day = model.with_sales(dear).predict(LATER, at="2025-10-02")["estimate"]
    pd.testing.assert_series_equal(same_day, model.predict(LATER, at="2025-10-02")["estimate"])


def test_features_of_training_sales_know_only_earlier_ones():
    """What is learned from a sale does not depend on sales of its day or later."""
    sales = tidy_sales(PAST)
    lens = Lens.learn(sales)
    whole = Market.known(lens, sales).asked.features
    cut = sales.before(int(sales.day[700]))
    np.testing.assert_array_equal(whole[: len(cut)], Market.known(lens, cut).asked.features)


def test_a_day_that_training_has_seen_is_refused(model):
    with pytest.raises(BadInput, match="sales of that day or later"):
        model.predict(LATER, at="2025-09-01")
    with pytest.raises(BadInput, match="one date"):
        model.predict(LATER, at=["2026-01-01", "2026-01-02"])
    with pytest.raises(BadInput, match="date"):
        model.predict(LATER, at=pd.NaT)


def test_odd_homes_get_a_stated_result(model):
    odd = pd.DataFrame(
        {
            "living_area": [1500.0, 0.0, np.nan, 1500.0, 1500.0, 1500.0, -3.0],
            "bedrooms_total": [3, 3, 3, 33, 3, 3, 3],
            "quality_score": 3,
            "postal_code": ["00001"] * 5 + ["99999", "00001"],
            "latitude": [40.05, 40.05, 40.05, 40.05, np.nan, 0.0, 40.05],
            "longitude": [-99.95, -99.95, -99.95, -99.95, -99.95, 0.0, -999],
            "list_price": 0,
        }
    )
    found = model.predict(odd, at=AT)
    none = np.array([False, True, True, False, False, False, True])
    assert found["estimate"].isna().to_numpy().tolist() == none.tolist()
    assert found["low"].isna().to_numpy().tolist() == none.tolist()
    assert (found["method"][none] == "none").all()
    caution = found["caution"].tolist()
    assert "bedrooms_total" not in caution[0]
    assert "no living area above 0" in caution[1]
    assert "bedrooms_total 33 is far out" in caution[3]
    assert "place unknown" in caution[4]
    assert "place unknown" in caution[5]
    assert "postal_code 99999 has few known sales" in caution[5]
    assert (found.loc[~none, "estimate"] > 0).all()
    assert "days before" in model.predict(odd, at="2027-01-01")["caution"].iloc[0]
    bare = model.predict(pd.DataFrame({"LivingArea": [1500]}), at=AT)
    assert bare["estimate"].notna().all()


def test_the_price_asked_never_enters(model):
    asked = LATER.head(3)
    found = model.predict(asked.assign(list_price=1.0, close_price=1.0), at=AT)
    pd.testing.assert_frame_equal(found, model.predict(asked, at=AT))


def test_bad_tables_are_refused():
    with pytest.raises(BadInput, match="ClosePrice"):
        ValuationModel().fit(PAST.rename(columns={"close_price": "ClosPrice"}))
    with pytest.raises(BadInput, match="too few sales"):
        ValuationModel().fit(PAST.head(100))
    with pytest.raises(EmptyInput):
        ValuationModel().fit(PAST.head(0))
    with pytest.raises(EmptyInput, match="no sale can be used"):
        ValuationModel().fit(PAST.assign(close_price=0))
    with pytest.raises(BadInput, match="a number is needed"):
        ValuationModel(rounds=2).fit(PAST).predict(PAST.assign(quality_score="high"), at=AT)
    with pytest.raises(NotFitted):
        ValuationModel().predict(PAST, at=AT)
    with pytest.raises(BadInput, match="rounds"):
        ValuationModel(max_depth=9).fit(PAST)


def test_own_names_are_mapped_and_bad_sales_counted():
    own = PAST.rename(columns={"close_price": "paid", "living_area": "LivingArea"})
    own = own.assign(paid=own["paid"].where(np.arange(len(own)) % 10 > 0, 0.0))
    found = ValuationModel(rounds=20, mapping={"paid": "ClosePrice"}).fit(own)
    assert found.set_aside_ == {"no price above 0": -(-len(own) // 10)}


def test_same_seed_same_figures_and_each_home_stands_alone(model):
    again = ValuationModel(rounds=80).fit(PAST)
    pd.testing.assert_frame_equal(model.predict(LATER, at=AT), again.predict(LATER, at=AT))
    some = LATER.sample(frac=0.5, random_state=1)
    whole = model.predict(LATER, at=AT)
    pd.testing.assert_frame_equal(model.predict(some, at=AT), whole.loc[some.index])


def test_files_come_back_the_same_and_faults_are_found(model):
    files = model.with_sales(LATER).to_files()
    back = ValuationModel.from_files(files)
    wanted = model.with_sales(LATER).predict(LATER, at=AT)
    pd.testing.assert_frame_equal(back.predict(LATER, at=AT), wanted)
    for name, content in files.items():
        broken = {**files, name: content[: len(content) // 2]}
        with pytest.raises(BrokenFile):
            ValuationModel.from_files(broken)
        with pytest.raises(BrokenFile):
            ValuationModel.from_files({k: v for k, v in files.items() if k != name})


def test_comparables_are_near_recent_and_alike(model):
    home = PAST.tail(1)
    found = comparables(model, home, AT, top=8)
    assert len(found) == 8
    assert found["weight"].is_monotonic_decreasing
    assert found["weight"].sum() == pytest.approx(1)
    assert found["listing_key"].iloc[0] == home["listing_key"].iloc[0]
    assert found["similarity"].iloc[0] > 0.5
    assert found["km"].iloc[0] == pytest.approx(0, abs=1e-6)
    area = PAST.set_index("listing_key")["living_area"]
    away = np.log(found["listing_key"].map(area) / home["living_area"].iloc[0]).abs()
    assert away.median() < np.log(area / home["living_area"].iloc[0]).abs().median() / 2
    nowhere = comparables(model, home.assign(latitude=np.nan), AT)
    assert nowhere["km"].isna().all()
    with pytest.raises(BadInput, match="one home"):
        comparables(model, PAST.tail(2), AT)


def test_grid_adds_up_and_ends_at_the_subject(model):
    """An adjusted price is the price times the ratio of the model's estimates: a closed form."""
    home = LATER.tail(1)
    found = cma(model, home, AT, top=6)
    price = found.grid["close_price"]
    total = price + found.adjustments.sum(axis=1)
    np.testing.assert_allclose(total, found.grid["adjusted_price"], rtol=1e-9)
    subject = model.predict(home, at=AT)["estimate"].iloc[0]
    seen = model.market_.asked
    own = np.exp(model.trees_.log_price(seen))[found.grid["sale"]]
    np.testing.assert_allclose(found.grid["adjusted_price"], price * subject / own, rtol=1e-4)
    assert found.adjustments.columns[0] == "time"
    np.testing.assert_allclose(found.grid["gross"], found.adjustments.abs().sum(axis=1) / price)
    assert found.low <= found.value <= found.high
    marked = (found.grid["net"] > 0.15) | (found.grid["gross"] > 0.25)
    assert ((found.grid["warning"] != "") == marked).all()


def test_an_inferior_comparable_is_adjusted_upward(model):
    home = LATER.tail(1)
    bigger = home.assign(living_area=home["living_area"] * 1.4)
    found = cma(model, bigger, AT, top=5)
    area = PAST.set_index("listing_key")["living_area"]
    smaller = found.grid["listing_key"].map(area) < 0.9 * bigger["living_area"].iloc[0]
    assert smaller.any()
    assert (found.adjustments.loc[smaller, "living_area"] > 0).all()

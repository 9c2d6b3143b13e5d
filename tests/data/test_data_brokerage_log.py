"""A simulated log: repeatable, labelled as simulated, of a plausible shape, the same in slices."""

from __future__ import annotations

from itertools import islice, pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlab.data.brokerage import Brokerage, Moment, Settings, World, forward, live, simulate
from leadlab.errors import BadInput
from leadlab.schema import KINDS, concat

DAY_US = 86_400_000_000


@pytest.fixture(scope="module")
def made() -> Brokerage:
    return simulate(3_000, 365, seed=7, texts=True)


@pytest.fixture(scope="module")
def frame(made: Brokerage) -> pd.DataFrame:
    return made.log.to_frame()


def test_the_same_seed_gives_the_same_log() -> None:
    one, two, other = (simulate(60, 60, seed=s).log.to_frame() for s in (1, 1, 2))
    pd.testing.assert_frame_equal(one, two)
    assert len(one) != len(other) or not one.equals(other)


def test_texts_change_nothing_but_the_length() -> None:
    plain, told = simulate(200, 60, seed=3).log, simulate(200, 60, seed=3, texts=True).log
    one, two = plain.to_frame(), told.to_frame()
    pd.testing.assert_frame_equal(
        one.drop(columns="length"), two[one.columns].drop(columns="length")
    )
    written = two["kind"].isin(["Incoming Message", "Incoming Email"])
    assert (two["text"].notna() == written).all()
    assert (two.loc[written, "text"].str.len() == two.loc[written, "length"]).all()


def test_it_says_that_it_is_simulated(made: Brokerage, frame: pd.DataFrame) -> None:
    assert (frame["source"] == "simulated").all()
    assert frame["id"].str.startswith("simulated-").all() and frame["id"].is_unique
    assert made.log.refused is None and made.log.repeated == 0
    assert made.log.canonical() is made.log


def test_kinds_are_of_the_vocabulary_and_fields_where_they_belong(frame: pd.DataFrame) -> None:
    assert set(frame["kind"]) <= set(KINDS)
    assert {"Offer Rejected", "Contract Cancelled", "Visited Open House"} <= set(frame["kind"])
    deals = ["Offer Submitted", "Offer Accepted", "Closed"]
    priced = frame["kind"].isin(["Viewed Property", "Saved Property", "Property Inquiry", *deals])
    assert frame.loc[priced, "value"].gt(0).all() and frame.loc[~priced, "kind"].nunique() > 10
    assert frame.loc[frame["kind"] == "Viewed Property", "listing"].notna().all()
    written = frame["kind"].isin(["Incoming Message", "Incoming Email"])
    assert frame.loc[written, "sentiment"].between(-1, 1).all()
    assert frame.loc[written, "urgency"].between(0, 1).all()
    assert frame.loc[written, "length"].ge(1).all() and frame.loc[~written, "length"].isna().all()
    by_team = frame["kind"].map(lambda k: KINDS[k].direction == "from team")
    assert (frame["agent"].notna() == by_team).all()
    channel = frame["kind"].map(lambda k: KINDS[k].channel)
    assert (frame["channel"].fillna("-") == channel.fillna("-")).all()


def test_it_ends_when_it_should_and_begins_with_the_registration(frame: pd.DataFrame) -> None:
    assert frame["at"].min() >= pd.Timestamp("2025-01-01", tz="UTC")
    assert frame["at"].max() < pd.Timestamp("2026-01-01", tz="UTC")
    assert (frame.drop_duplicates("lead")["kind"] == "Registration").all()
    assert frame["lead"].nunique() == 3_000


def test_deals_follow_one_another_as_they_do_in_life(frame: pd.DataFrame) -> None:
    """Offer, answer, contract, closing or cancellation; after a closing no sign of life begins."""
    steps = ["Offer Submitted", "Offer Accepted", "Offer Rejected", "Contract Cancelled", "Closed"]
    after = {
        None: {"Offer Submitted"},
        "Offer Submitted": {"Offer Accepted", "Offer Rejected"},
        "Offer Rejected": {"Offer Submitted"},
        "Offer Accepted": {"Closed", "Contract Cancelled"},
        "Contract Cancelled": {"Offer Submitted"},
        "Closed": set(),
    }
    for _, kinds in frame[frame["kind"].isin(steps)].groupby("lead")["kind"]:
        told = [None, *kinds]
        assert all(b in after[a] for a, b in pairwise(told)), told
    closed = frame[frame["kind"] == "Closed"].set_index("lead")["at"]
    lost = frame[frame["kind"] == "Lost"]
    assert closed.index.is_unique and lost["lead"].is_unique
    assert set(closed.index).isdisjoint(lost["lead"])
    visits = frame[frame["kind"].eq("Visited Website") & frame["lead"].isin(closed.index)]
    assert (visits["at"] < visits["lead"].map(closed)).all()


def test_people_sleep_and_are_busy_in_the_evening_and_on_weekends(frame: pd.DataFrame) -> None:
    visits = frame.loc[frame["kind"] == "Visited Website", "at"]
    by_hour = visits.dt.hour.value_counts(normalize=True)
    assert by_hour[[1, 2, 3, 4]].sum() < 0.03 < by_hour[20]
    assert visits.dt.day_of_week.ge(5).mean() > 2 / 7
    calls = frame.loc[frame["kind"] == "Incoming Call", "at"].dt.hour
    assert calls.between(8, 20).all()
    houses = frame.loc[frame["kind"] == "Visited Open House", "at"]
    assert houses.dt.day_of_week.ge(5).all()


def test_what_leads_do_tells_something_of_what_they_will_do(frame: pd.DataFrame) -> None:
    arrival = frame.groupby("lead")["at"].transform("min")
    early = frame[frame["at"] < arrival + pd.Timedelta(days=21)]
    bought = frame.loc[frame["kind"] == "Offer Accepted", "lead"]
    views = early["kind"].eq("Viewed Property").groupby(early["lead"]).sum()
    seen = early["kind"].eq("Showing Completed").groupby(early["lead"]).sum()
    buyers = seen.index.isin(bought)
    assert views[buyers].mean() > 1.5 * views[~buyers].mean()
    assert seen[buyers].mean() > 4 * seen[~buyers].mean() > 0


def test_listings_are_reso_and_the_hidden_value_explains_their_prices(made: Brokerage) -> None:
    from leadlab.schema import Property  # noqa: PLC0415

    homes = made.listings
    one = Property.model_validate(homes.iloc[0].to_dict())
    assert not one.model_extra and one.list_price > 0
    assert "hidden_value" not in homes
    hidden = homes.merge(made.truth.listings, on="listing_key")
    ratio = hidden["list_price"] / hidden["hidden_value"]
    assert 0.99 < ratio.median() < 1.04 and 0.03 < ratio.std() < 0.08
    used = set(made.log.data["listing"].names)
    assert used <= set(homes["listing_key"])


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(-5, 2**63),
    step_s=st.floats(20_000, 40 * 86_400),
    n=st.integers(1, 60),
    days=st.integers(1, 40),
)
def test_a_log_in_slices_is_the_log_at_once(seed: int, step_s: float, n: int, days: int) -> None:
    start = "2025-03-05T17:31:00Z"
    whole = simulate(n, days, seed, start=start, texts=True)
    slices = list(islice(forward(n, days, seed, start=start, texts=True, step_s=step_s),
                         int(np.ceil(days * 86_400 / step_s))))  # fmt: skip
    told = concat(slices).between(0, whole.settings.start_us + days * DAY_US)
    one, two = whole.log.to_frame(), told.to_frame()
    pd.testing.assert_frame_equal(one, two[one.columns])
    ends = [(log.at_us[0], log.at_us[-1]) for log in slices if len(log)]
    assert all(a[1] < b[0] for a, b in pairwise(ends))


def test_it_goes_on_beyond_the_first_leads() -> None:
    logs = list(islice(forward(200, 20, seed=1), 70))
    told = concat(logs)
    assert 600 < len(told.lead.names) <= 800
    assert len(set(told.id)) == len(told)
    registered = told.take(told.kind.values() == "Registration")
    counts = np.histogram(
        registered.at_us, bins=3, range=(told.at_us[0], told.at_us[0] + 60 * DAY_US)
    )
    assert (np.abs(counts[0] - 200) < 40).all()


class Watch:
    """A clock that only waiting moves, and that a slow reader can push."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, s: float) -> None:
        assert s > 0
        self.now_s += s


def test_live_keeps_step_with_the_clock_and_leaves_nothing_out() -> None:
    asked, watch = Settings(800, 30, 2), Watch()
    logs, seen_s = [], []
    for log in live(
        Moment.first(World.of(asked)), 7_200, for_s=120, clock=watch, sleep=watch.sleep
    ):
        logs.append(log)
        seen_s.append(watch.now_s)
        elapsed_us = (log.at_us - asked.start_us).max()
        assert elapsed_us < watch.now_s * 7_200 * 1e6
        watch.now_s += 3.0 * (len(logs) == 5)  # a reader that dawdles once
    told, whole = concat(logs).to_frame(), simulate(800, 30, 2).log
    expected = whole.between(0, asked.start_us + 10 * DAY_US).to_frame()
    pd.testing.assert_frame_equal(expected, told[expected.columns])
    assert watch.now_s <= 120 + 1e-9


def test_bounds() -> None:
    assert simulate(1, 1, 0).log.lead.names.tolist() == ["lead-000000"]
    far = simulate(5, 5, 0, tenant="acme", start="2030-01-01").log
    assert far.tenant.names.tolist() == ["acme"]
    assert far.at_us.min() >= pd.Timestamp("2030-01-01").value // 1_000
    for wrong in ((0, 10), (10, 0)):
        with pytest.raises(BadInput):
            simulate(*wrong, 0)
    with pytest.raises(BadInput, match="step_s"):
        next(forward(5, 5, step_s=0))
    moment = Moment.first(World.of(Settings(5, 5, 0)))
    with pytest.raises(BadInput, match="backwards"):
        moment.until(moment.now_us - 1)
    with pytest.raises(BadInput, match="speed"):
        next(live(moment, 0.0))

"""Hidden tastes show in what leads do, and nowhere else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leadlab.data.brokerage import Brokerage, simulate
from leadlab.data.brokerage.taste import TRAITS, Tastes, liking, traits_of
from leadlab.errors import UnknownName


@pytest.fixture(scope="module")
def made() -> Brokerage:
    return simulate(3_000, 365, seed=3)


@pytest.fixture(scope="module")
def liked(made: Brokerage) -> pd.DataFrame:
    """Liking of the home of every event on a home, and the mean over all homes for that lead."""
    frame = made.log.to_frame()
    frame = frame[frame["listing"].notna()]
    row = pd.Index(made.listings["listing_key"]).get_indexer(frame["listing"])
    tastes, lead = (
        Tastes.of_frame(made.truth.leads),
        made.truth.rows(frame["lead"].to_numpy(object)),
    )
    value = liking(tastes, lead, traits_of(made.listings), row)
    rng = np.random.default_rng(0)
    anyhow = liking(tastes, lead, traits_of(made.listings), rng.integers(0, 2_000, len(lead)))
    return pd.DataFrame({"kind": frame["kind"].astype(str), "liking": value, "other": anyhow})


def test_better_liked_homes_are_viewed_saved_and_shown_and_worse_ones_put_aside(
    liked: pd.DataFrame,
) -> None:
    mean = liked.groupby("kind")["liking"].mean()
    assert mean["Viewed Property"] > liked["other"].mean() + 0.5
    assert mean["Saved Property"] > mean["Viewed Property"] + 0.5
    assert mean["Discarded Property"] < mean["Viewed Property"] - 0.5
    assert mean["Showing Requested"] > mean["Viewed Property"]


def test_saves_and_inquiries_are_as_frequent_as_without_taste(made: Brokerage) -> None:
    """The factor on their rates is 1 on average, so the published rates stand."""
    counts = made.log.to_frame()["kind"].value_counts()
    views = counts["Viewed Property"]
    assert counts["Saved Property"] / views == pytest.approx(0.088, abs=0.012)
    assert counts["Property Inquiry"] / views == pytest.approx(0.0157, abs=0.004)
    assert 0.02 < counts["Discarded Property"] / views < 0.05


def test_no_home_is_looked_at_out_of_all_proportion(made: Brokerage) -> None:
    frame = made.log.to_frame()
    views = frame.loc[frame["kind"] == "Viewed Property", "listing"].value_counts()
    assert views.max() < 12 * len(frame[frame["kind"] == "Viewed Property"]) / 2_000


def test_what_a_lead_writes_is_near_to_what_it_wants_and_not_the_truth(made: Brokerage) -> None:
    leads, form = made.truth.leads, made.stated
    assert form["lead"].tolist() == leads["lead"].tolist()
    shares = form.drop(columns="lead").notna().mean()
    assert ((shares > 0.2) & (shares < 0.95)).all()
    right = form["property_sub_type"] == leads["liked_sort"]
    assert right[form["property_sub_type"].notna()].all()
    both = form["bedrooms_min"].notna()
    assert np.corrcoef(form["bedrooms_min"][both], leads["ideal_bedrooms"][both])[0, 1] > 0.6
    hidden = {f"{what}_{name}" for what in ("ideal", "weight") for name in TRAITS}
    assert hidden <= set(leads.columns) and not hidden & set(form.columns)


def test_what_appeals_most_is_what_serious_leads_look_at(made: Brokerage) -> None:
    frame = made.log.to_frame()
    shown = frame[frame["kind"] == "Showing Requested"].head(400)
    names = shown["lead"].to_numpy(object)
    appeal = made.appeal(names)
    row = pd.Index(made.listings["listing_key"]).get_indexer(shown["listing"])
    place = (appeal > appeal[np.arange(len(row)), row][:, None]).mean(axis=1)
    assert np.median(place) < 0.06
    with pytest.raises(UnknownName):
        made.appeal(["nobody"])

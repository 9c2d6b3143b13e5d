"""Simulated events: repeatable, labelled as simulated, and of a plausible shape."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leadlab.data import generated_log
from leadlab.errors import BadInput
from leadlab.schema import KINDS


@pytest.fixture(scope="module")
def log():
    return generated_log(3_000, 365, seed=7)


@pytest.fixture(scope="module")
def frame(log):
    return log.to_frame()


def test_the_same_seed_gives_the_same_log():
    one, two, other = (generated_log(60, 60, seed=s).to_frame() for s in (1, 1, 2))
    pd.testing.assert_frame_equal(one, two)
    assert len(one) != len(other) or not one.equals(other)


def test_it_says_that_it_is_simulated(log, frame):
    assert (frame["source"] == "simulated").all()
    assert frame["id"].str.startswith("simulated-").all()
    assert log.refused is None and log.repeated == 0


def test_kinds_are_of_the_vocabulary_and_fields_where_they_belong(frame):
    assert set(frame["kind"]) <= set(KINDS)
    priced = frame["kind"].isin(["Viewed Property", "Saved Property", "Closed", "Offer Submitted"])
    assert frame.loc[priced, "value"].gt(0).all()
    assert frame.loc[frame["kind"] == "Viewed Property", "listing"].notna().all()
    written = frame["kind"].isin(["Incoming Message", "Incoming Email"])
    assert frame.loc[written, "sentiment"].between(-1, 1).all()
    assert frame.loc[written, "urgency"].between(0, 1).all()
    assert frame.loc[written, "length"].ge(1).all()
    by_team = frame["kind"].map(lambda k: KINDS[k].direction == "from team")
    assert (frame["agent"].notna() == by_team).all()


def test_it_ends_when_it_should_and_nothing_precedes_the_registration(frame):
    assert frame["at"].min() >= pd.Timestamp("2025-01-01", tz="UTC")
    assert frame["at"].max() < pd.Timestamp("2026-01-01", tz="UTC")
    first = frame.drop_duplicates("lead")
    assert (first["kind"] == "Registration").all()


def test_few_buy_and_many_have_no_outcome_yet(frame):
    leads = frame["lead"].nunique()
    closed = frame[frame["kind"] == "Closed"]
    lost = frame[frame["kind"] == "Lost"]
    assert closed["lead"].is_unique and lost["lead"].is_unique
    assert set(closed["lead"]).isdisjoint(lost["lead"])
    assert 0.02 < len(closed) / leads < 0.045
    assert 0.3 < 1 - (len(closed) + len(lost)) / leads < 0.8


def test_what_leads_do_tells_something_of_what_they_will_do(frame):
    """Showings in the first month are more frequent among the leads that buy later."""
    arrival = frame.groupby("lead")["at"].transform("min")
    early = frame[frame["at"] < arrival + pd.Timedelta(days=30)]
    bought = frame[frame["kind"] == "Closed"].set_index("lead")["at"]
    seen = early["kind"].eq("Showing Completed").groupby(early["lead"]).sum()
    views = early["kind"].eq("Viewed Property").groupby(early["lead"]).sum()
    buyers = seen.index.isin(bought.index)
    assert views[buyers].mean() > 1.2 * views[~buyers].mean()
    assert seen[buyers].mean() > 2 * seen[~buyers].mean()


def test_agents_answer_late_and_not_always(frame):
    team = frame["kind"].isin(["Outgoing Message", "Outgoing Email", "Outgoing Call"])
    first = frame[team].groupby("lead")["at"].min()
    registered = frame[frame["kind"] == "Registration"].set_index("lead")["at"]
    delay_h = (first - registered).dt.total_seconds() / 3600
    assert 0.05 < delay_h.isna().mean() < 0.5
    assert 1 < delay_h.median() < 24


def test_bounds():
    assert generated_log(1, 1, 0).lead.names.tolist() == ["lead-000000"]
    assert generated_log(5, 5, 0, tenant="acme", start="2030-01-01").tenant.names.tolist() == [
        "acme"
    ]
    with pytest.raises(BadInput):
        generated_log(0, 10, 0)
    assert (np.diff(generated_log(40, 40, 3).at_us) >= 0).all()

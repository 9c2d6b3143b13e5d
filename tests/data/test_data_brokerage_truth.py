"""The planted truth is the simulator's own: what it foretells is what happens when it goes on."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leadlab.data.brokerage import Brokerage, simulate
from leadlab.data.brokerage.behaviour import Stays
from leadlab.data.brokerage.draws import child, first_key
from leadlab.data.brokerage.foresight import Question, chance
from leadlab.data.brokerage.happening import CODE
from leadlab.data.brokerage.intent import (
    ACTIVE,
    BROWSING,
    CLOSED,
    CONTRACT,
    DORMANT,
    GONE,
    OFFERING,
    READY,
    SIZE,
    TRANSITIONS,
)
from leadlab.data.brokerage.leads import Leads
from leadlab.data.brokerage.log import BY_LEAD
from leadlab.data.brokerage.process import Standing, advance, happenings
from leadlab.data.brokerage.settings import Settings
from leadlab.data.brokerage.world import World
from leadlab.errors import BadInput, UnknownName

DAY_US = 86_400_000_000
COPIES = 6_000
LIFT, ZEAL = 1.3, 1.1


@pytest.fixture(scope="module")
def made() -> Brokerage:
    return simulate(1_500, 300, seed=11)


def continued(state: int, start: float, days: float) -> tuple[World, Stays]:
    """Many copies of one lead, in a state at a waking time, each going its own way."""
    world = World.of(Settings(n_leads=COPIES, days=30, seed=5))
    leads, n = world.leads, COPIES
    changed = {
        **{name: getattr(leads, name) for name in Leads.__dataclass_fields__},
        "key": child(first_key(99, f"copies {state}"), np.arange(n)),
        "lift": np.full(n, LIFT),
        "zeal": np.full(n, ZEAL),
    }
    world = World(**{**vars(world), "leads": Leads(**changed)})
    standing = Standing(
        np.full(n, state), np.full(n, state), np.full(n, start), np.zeros(n, np.int64)
    )
    _, stays = advance(standing, world, float(world.clock.waking(np.array(days))))
    return world, stays


def foretold(question: Question, world: World, state: int, start: float, end: float) -> float:
    one = np.ones(1)
    found = chance(
        question, world.market, np.array([state]), start * one, end * one, LIFT * one, ZEAL * one
    )
    return float(found[0])


@pytest.mark.parametrize("state", [BROWSING, ACTIVE, READY, OFFERING, CONTRACT, CONTRACT + 30])
@pytest.mark.parametrize("outcome", ["Offer Accepted", "Closed"])
def test_the_chance_of_an_outcome_is_its_frequency(state: int, outcome: str) -> None:
    """From one state, over the turn of three months whose paces differ."""
    start_day, days = 20.3, 62.0
    world, stays = continued(state, 20.0, start_day + days)
    start = 20.0
    end = float(world.clock.waking(np.array(start_day + days)))
    hit = (stays.state == CLOSED) if outcome == "Closed" else (
        (stays.came_from == OFFERING) & (stays.state == CONTRACT)
    )  # fmt: skip
    first = np.zeros(COPIES, bool)
    first[stays.lead[hit & (stays.entered <= end)]] = True
    target = {"Closed": (None, CLOSED), "Offer Accepted": (OFFERING, CONTRACT)}[outcome]
    question = Question(
        TRANSITIONS,
        lambda way: float(way.target == target[1] and target[0] in (None, way.origin)),
        np.zeros(SIZE),
    )
    p = foretold(question, world, state, start, end)
    error = np.sqrt(max(p * (1 - p), 1e-4) / COPIES)
    assert abs(first.mean() - p) < 4 * error, (first.mean(), p)


@pytest.mark.parametrize("state", [DORMANT, BROWSING, ACTIVE, READY, CONTRACT + 4])
@pytest.mark.parametrize("days", [2.0, 20.0])
def test_the_chance_of_silence_is_its_frequency(state: int, days: float) -> None:
    start = 10.4
    world, stays = continued(state, start, 11.0 + days)
    begun = float(world.clock.day(np.array(start)))
    events = happenings(stays, world)
    alive = BY_LEAD[events.kind] & (events.day > begun) & (events.day <= begun + days)
    quiet = np.ones(COPIES, bool)
    quiet[events.lead[alive]] = False
    from leadlab.data.brokerage.truth import _sign_of_life  # noqa: PLC0415

    end = float(world.clock.waking(np.array(begun + days)))
    p = 1 - foretold(_sign_of_life(), world, state, start, end)
    error = np.sqrt(max(p * (1 - p), 1e-4) / COPIES)
    assert abs(quiet.mean() - p) < 4 * error, (quiet.mean(), p)


def landmarks(made: Brokerage, days: float, n: int = 8_000) -> tuple[np.ndarray, np.ndarray]:
    """Leads at random moments after their arrival, `days` before the end at the latest."""
    rng = np.random.default_rng(0)
    leads = made.truth.leads
    end_us = made.settings.start_us + made.settings.days * DAY_US - round(days * DAY_US)
    row = rng.integers(0, len(leads), n)
    arrived = leads["arrived_us"].to_numpy()[row]
    ok = arrived < end_us
    row, arrived = row[ok], arrived[ok]
    at_us = arrived + (rng.random(len(row)) ** 2 * (end_us - arrived)).astype(np.int64)
    return leads["lead"].to_numpy(object)[row], at_us


def observed(made: Brokerage, lead: np.ndarray, at_us: np.ndarray, days: float, kinds: list[str]):
    """Whether an event of `kinds` of the lead lies within the days after each moment."""
    log = made.log
    rows = np.isin(log.kind.values(), kinds)
    events = pd.DataFrame({"lead": log.lead.values()[rows], "at": log.at_us[rows]})
    asked = pd.DataFrame({"lead": lead, "from": at_us, "row": np.arange(len(lead))})
    both = asked.merge(events, on="lead")
    hit = (both["at"] > both["from"]) & (both["at"] <= both["from"] + round(days * DAY_US))
    found = np.zeros(len(lead), bool)
    found[both["row"][hit].unique()] = True
    return found


def calibrated(p: np.ndarray, found: np.ndarray, lead: np.ndarray) -> None:
    """Observed and foretold agree in each part of the range, within what chance allows."""
    part = np.digitize(p, [0.02, 0.1, 0.3, 0.6, 0.9])
    for one in np.unique(part):
        rows = part == one
        distinct = len(np.unique(lead[rows]))
        if distinct >= 30:
            spread = np.sqrt(max(np.mean(p[rows] * (1 - p[rows])), 1e-3) / distinct)
            assert abs(found[rows].mean() - p[rows].mean()) < 4 * spread, (one, rows.sum())


def test_in_the_log_outcomes_come_as_often_as_the_truth_says(made: Brokerage) -> None:
    for outcome, days in (("Offer Accepted", 30.0), ("Closed", 60.0)):
        lead, at_us = landmarks(made, days)
        p = made.truth.probability(lead, at_us, days, outcome)
        calibrated(p, observed(made, lead, at_us, days, [outcome]), lead)
        assert p.max() > 0.2


@pytest.mark.parametrize("days", [1.0, 14.0])
def test_in_the_log_leads_are_silent_as_often_as_the_truth_says(
    made: Brokerage, days: float
) -> None:
    from leadlab.schema.kinds import kinds  # noqa: PLC0415

    lead, at_us = landmarks(made, days)
    p = made.truth.silence(lead, at_us, days)
    calibrated(p, ~observed(made, lead, at_us, days, kinds(direction="from lead")), lead)


def test_in_the_midst_of_a_visit_nobody_is_silent(made: Brokerage) -> None:
    frame = made.log.to_frame()
    views = frame[frame["kind"] == "Viewed Property"].head(200)
    before_us = views["at"].astype("int64").to_numpy() - 1_000
    truth = made.truth.silence(views["lead"].to_numpy(object), before_us, 1.0)
    assert (truth == 0).all()


def test_silence_and_outcomes_are_monotone_over_horizons(made: Brokerage) -> None:
    lead, at_us = landmarks(made, 30.0, 400)
    silent = [made.truth.silence(lead, at_us, h) for h in (0.5, 7.0, 14.0, 30.0)]
    accepted = [made.truth.probability(lead, at_us, h) for h in (0.5, 7.0, 14.0, 30.0)]
    assert (np.diff(silent, axis=0) <= 1e-9).all()
    assert (np.diff(accepted, axis=0) >= -1e-9).all()


def test_the_state_at_a_moment_is_that_of_the_path(made: Brokerage) -> None:
    paths = made.truth.paths
    some = paths[paths["entered_us"] <= made.log.at_us[-1]].iloc[::7]
    lead = made.truth.leads["lead"].to_numpy(object)[some["lead"]]
    entered = some["entered_us"].to_numpy()
    assert (made.truth.state(lead, entered) == some["state"].to_numpy()).all()
    inside = some["left_us"].to_numpy() > entered + 2
    stays = made.truth.mood(lead[inside], entered[inside] + 1)
    assert (stays == some["mood"].to_numpy(object)[inside]).all()
    gone = made.truth.state(lead, np.full(len(lead), made.log.at_us[-1])) >= CLOSED
    p = made.truth.probability(lead[gone], np.full(gone.sum(), made.log.at_us[-1]), 99.0)
    assert gone.any() and (p == 0).all()


def test_no_event_names_the_state_and_a_state_shows_in_what_leads_do(made: Brokerage) -> None:
    frame = made.log.to_frame()
    assert not ({"state", "mood", "segment"} & set(frame.columns))
    written = frame.astype(str).to_numpy().ravel()
    assert not np.isin(written, ["dormant", "browsing", "ready", "under contract"]).any()
    visits = frame[frame["kind"] == "Visited Website"]
    mood = made.truth.mood(visits["lead"].to_numpy(object), visits["at"].astype("int64").to_numpy())
    paths = made.truth.paths.merge(
        made.truth.leads[["lead"]].rename_axis("row").reset_index(), left_on="lead", right_on="row"
    )
    end = made.settings.start_us + made.settings.days * DAY_US
    days = (paths["left_us"].clip(upper=end) - paths["entered_us"].clip(upper=end)) / DAY_US
    spent = days.groupby(paths["mood"]).sum()
    rate = pd.Series(mood).value_counts() / spent
    assert rate["active"] > 2.5 * rate["browsing"] > 10 * rate["dormant"]


def test_questions_without_an_answer_are_refused(made: Brokerage) -> None:
    lead = made.truth.leads["lead"].to_numpy(object)[-1:]
    early = made.truth.leads["arrived_us"].to_numpy()[-1:] - 1
    late = np.array([made.settings.start_us + (made.settings.days + 1) * DAY_US])
    with pytest.raises(BadInput, match="not arrived"):
        made.truth.probability(lead, early, 30)
    with pytest.raises(BadInput, match="beyond the end"):
        made.truth.silence(lead, late, 30)
    with pytest.raises(UnknownName, match="lead-9"):
        made.truth.probability(["lead-999999"], late, 30)
    with pytest.raises(UnknownName, match="outcome"):
        made.truth.probability(lead, early + 1, 30, "Sold")
    with pytest.raises(BadInput, match="horizon"):
        made.truth.probability(lead, early + 1, 0)
    assert GONE == SIZE - 1
    assert CODE["Lost"] >= 0

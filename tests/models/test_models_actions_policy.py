"""Drawing, logging and learning from recommendations."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from leadlab.errors import BadInput, BrokenFile, EmptyInput
from leadlab.models.actions import recommendation
from leadlab.models.actions.beliefs import Belief, Beliefs, learn
from leadlab.models.actions.catalogue import WAIT, catalogue
from leadlab.models.actions.eligibility import Contact
from leadlab.models.actions.policy import propensities, recommend
from leadlab.models.actions.quiet_hours import Place
from leadlab.models.actions.recommendation import Recommendation, settled
from leadlab.models.churn.interventions import REACHING
from leadlab.schema.codec import read_log
from leadlab.schema.log import EventLog

TABLE = catalogue()
NOON = dt.datetime(2026, 7, 1, 18, tzinfo=dt.UTC)
OPEN = Contact(dict.fromkeys(REACHING, True), Place(("America/New_York",), ("NY",)))
DAY = dt.timedelta(days=1)


@given(
    arrays(np.float64, st.tuples(st.integers(1, 30), st.integers(1, 4), st.just(5)),
           elements=st.integers(-3, 3)),
    st.floats(0, 0.2),
    st.data(),
)  # fmt: skip
def test_propensities_sum_to_one_respect_the_floor_and_leave_out_what_is_not_open(
    drawn, floor, data
):
    shape = drawn.shape[1:]
    fine = data.draw(arrays(np.bool_, shape))
    fine[:, data.draw(st.integers(0, 4))] = True
    found = propensities(drawn, floor, fine)
    assert np.allclose(found.sum(axis=-1), 1, atol=1e-12)
    assert (found[fine] >= floor - 1e-12).all()
    assert (found[~fine] == 0).all()


def test_propensities_are_the_shares_of_draws_won():
    rng = np.random.default_rng(0)
    drawn = rng.normal([0.0, 1.0], size=(100_000, 2))
    found = propensities(drawn, 0.0)
    assert found[1] == pytest.approx(0.7602, abs=0.005)  # P(N(1, 2) > 0)
    assert propensities([[1.0, 1.0, 0.0]], 0.1).tolist() == pytest.approx([0.45, 0.45, 0.1])
    with pytest.raises(BadInput, match="floor"):
        propensities([[1.0, 2.0]], 0.6)
    with pytest.raises(EmptyInput, match="no action"):
        propensities([[1.0, 2.0]], 0.1, [False, False])
    with pytest.raises(BadInput, match="finite"):
        propensities([[np.nan, 2.0]], 0.1)


@given(st.integers(0, 5), st.sampled_from(["ann", "bob"]), st.integers(0, 47))
def test_a_recommendation_tells_all_open_and_refused_actions_and_repeats(seed, lead, hour):
    at = NOON + dt.timedelta(hours=hour)
    known = {"property_view_count_30d": 4.0, "touch_recency": 2.0}
    options, one = recommend(
        Beliefs(TABLE), lead, at, known=known, contact=OPEN, model="m", seed=seed
    )
    again = recommend(Beliefs(TABLE), lead, at, known=known, contact=OPEN, model="m", seed=seed)
    assert again == (options, one)
    assert sum(one.eligible.values()) == pytest.approx(1, abs=1e-9)
    assert min(one.eligible.values()) >= TABLE.terms.floor - 1e-12
    assert {o.action.name for o in options} == set(one.eligible)
    assert {r.action for r in one.refused} | set(one.eligible) == set(TABLE.names)
    assert not {r.action for r in one.refused} & set(one.eligible)
    assert one.propensity == one.eligible[one.action]
    assert one.basis == "prior" and one.low <= one.expected_uplift <= one.high
    net = [o.net_usd for o in options]
    assert net == sorted(net, reverse=True)
    for o in options:
        cost = o.action.minutes * TABLE.terms.minute_usd + o.action.usd
        assert o.net_usd == pytest.approx(o.uplift * TABLE.terms.worth_usd - cost)


def test_the_logged_propensities_are_those_drawn_with():
    names = [
        recommend(Beliefs(TABLE), f"lead {i}", NOON, known={}, contact=OPEN)[1] for i in range(1500)
    ]
    chances = pd.DataFrame([one.eligible for one in names])
    seen = pd.Series([one.action for one in names]).value_counts(normalize=True)
    for name, expected in chances.mean().items():
        assert seen.get(name, 0.0) == pytest.approx(expected, abs=4 * (expected / 1500) ** 0.5)


def record(day, action, eligible, lead="ann", situation="quiet"):
    return Recommendation(
        lead, NOON + day * DAY, action, eligible[action], 0.1, 0.0, 0.2, eligible, (), ("why",),
        "m", situation,
    )  # fmt: skip


def test_events_and_lines_give_the_record_back(tmp_path):
    contact = Contact({"call": False}, Place(("America/New_York",), ("NY",)))
    one = recommend(Beliefs(TABLE), "ann", NOON - DAY / 2, known={"touch_recency": 0.01},
                    contact=contact, reasons=("a", "b"), model="m")[1]  # fmt: skip
    late = record(1, WAIT, {WAIT: 0.5, "call now": 0.5})
    assert recommendation.from_event(one.to_event()) == one
    place = tmp_path / "next.jsonl"
    assert recommendation.read(place) == []
    for each in (late, one, late):
        recommendation.append(place, each)
    assert recommendation.read(place) == [one, late]
    log = read_log(place)
    assert log.kind.values().tolist() == [recommendation.KIND] * 2
    with place.open("a") as file:
        file.write('{"specversion": "1.0"\n')
    with pytest.raises(BrokenFile, match="line 4"):
        recommendation.read(place)
    with pytest.raises(BadInput, match="cannot log"):
        recommendation.append(tmp_path / "no" / "next.jsonl", one)


@pytest.mark.parametrize(
    "eligible", [{WAIT: 0.9, "call now": 0.2}, {WAIT: 1.0}, {WAIT: 1.0, "call now": 0.0}]
)
def test_records_whose_propensities_are_wrong_cannot_be_made(eligible):
    with pytest.raises((BadInput, KeyError)):
        record(0, "call now", eligible)


def test_outcomes_count_once_within_the_horizon_and_never_later_than_now():
    half = {WAIT: 0.5, "call now": 0.5}
    told = [record(0, WAIT, half), record(3, WAIT, half), record(8, "call now", half),
            record(9, WAIT, half, lead="bob"), record(20, WAIT, half)]  # fmt: skip
    rows = [
        ("ann", "Incoming Message", NOON),
        ("ann", "Incoming Message", NOON + 15 * DAY),
        ("ann", "Viewed Property", NOON + DAY),
        ("bob", "Incoming Call", NOON + 17 * DAY),
    ]
    log = EventLog.from_frame(
        pd.DataFrame(rows, columns=["lead", "kind", "at"]), lead="lead", kind="kind", at="at"
    )
    found = settled(told, log, TABLE.terms, NOON + 20 * DAY)
    assert [(one.lead, (one.as_of - NOON).days, y) for one, y in found] == [
        ("ann", 0, 0.0), ("ann", 8, 1.0), ("bob", 9, 0.0),
    ]  # fmt: skip
    assert settled(told, log, TABLE.terms, NOON + 6.99 * DAY) == []


def simulated(n, effect, rng, p=0.3, third=0.3):
    for i in range(n):
        acted = rng.random() < p
        eligible = {"call now": p, WAIT: 1 - p - third, "weekly list": third}
        other = not acted and rng.random() < third / (1 - p)
        action = "call now" if acted else "weekly list" if other else WAIT
        y = float(rng.random() < 0.3 + effect * acted)
        yield record(i * 8, action, eligible), y


@pytest.mark.parametrize("effect", [-0.2, 0.0, 0.35])
def test_beliefs_learn_the_true_effect_of_what_was_drawn(effect):
    found = learn(TABLE, simulated(4000, effect, np.random.default_rng(1)))
    belief = found.of(TABLE["call now"], "quiet")
    assert belief.mean == pytest.approx(effect, abs=3 * belief.sd)
    assert 0.01 < belief.sd < 0.025
    assert belief.basis == f"learned, n={belief.n}" and 2600 < belief.n < 3000
    assert found.of(TABLE["call now"], "active").basis == "prior"
    assert found.of(TABLE["personal word"], "quiet").basis == "prior"
    assert found.of(TABLE[WAIT], "quiet") == Belief(0.0, 0.0)


def test_learned_beliefs_cover_the_truth_as_often_as_they_say():
    hits, rng = 0, np.random.default_rng(2)
    for _ in range(60):
        effect = rng.normal(0.08, 0.12)  # drawn from the prior of "call now" itself
        effect = float(np.clip(effect, -0.3, 0.7))
        low, high = learn(TABLE, simulated(60, effect, rng)).of(TABLE["call now"], "quiet").interval
        hits += low <= effect <= high
    assert hits >= 48


def test_learning_changes_the_ranking_and_says_so():
    options, _ = recommend(Beliefs(TABLE), "ann", NOON, known={}, contact=OPEN)
    assert options[0].action.name != "call now"
    beliefs = learn(TABLE, simulated(3000, 0.4, np.random.default_rng(3)))
    options, one = recommend(beliefs, "ann", NOON, known={}, contact=OPEN)
    assert options[0].action.name == "call now"
    assert options[0].basis.startswith("learned, n=")
    assert one.eligible["call now"] > 0.5
    with pytest.raises(BadInput, match="0 or 1"):
        learn(TABLE, [(record(0, WAIT, {WAIT: 1.0}), 0.5)])


def test_the_loop_of_drawing_logging_and_learning_finds_what_works():
    """A wrong prior is put right by the log, and what is drawn gets better by it."""
    effects = {WAIT: 0.0, "call now": -0.1, "weekly list": 0.0, "personal word": 0.4}
    rng = np.random.default_rng(5)
    beliefs, told, worth = Beliefs(TABLE), [], []
    for i in range(1000):
        _, one = recommend(beliefs, f"lead {i}", NOON, known={}, contact=OPEN)
        effect = effects.get(one.action, 0.0)
        told.append((one, float(rng.random() < 0.2 + effect)))
        worth.append(effect)
        if i % 100 == 99:
            beliefs = learn(TABLE, told)
    assert np.mean(worth[-300:]) > np.mean(worth[:300]) + 0.1
    found = {name: beliefs.of(TABLE[name], "quiet").mean for name in effects}
    assert max(found, key=found.get) == "personal word"
    believed = TABLE["personal word"].believed("quiet")
    assert abs(found["personal word"] - 0.4) < 0.5 * abs(believed - 0.4)
    assert found["call now"] < TABLE["call now"].believed("quiet")

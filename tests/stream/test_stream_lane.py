"""A lane is a function of the journal: of no batching, and of no other tenant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from leadlab.errors import BadInput, UnknownName
from leadlab.explain.scorer import Scorer
from leadlab.explain.scores import Scores
from leadlab.features import FeatureSet, OnlineStore, catalogue, count, events
from leadlab.features.table import FeatureTable
from leadlab.stream.entries import Entries
from leadlab.stream.lane import Lane
from leadlab.stream.lead_book import LEAD, RECENT
from leadlab.stream.live_engine import LiveEngine
from leadlab.stream.outcome import NO_TIER, TOP, Outcome
from leadlab.stream.plan import Plan
from tests.stream.scenes import DAY_US, as_they_come, entries_of, mismatches, scorer, tenants

BOTH = ("acme", "best")


@pytest.fixture(scope="module")
def came() -> Entries:
    return entries_of(as_they_come(tenants(BOTH), seed=1))


@pytest.fixture(scope="module")
def plan() -> Plan:
    return Plan(scorer())


def cut(entries: Entries, cuts: Sequence[int]) -> list[Entries]:
    ends = sorted({min(at, len(entries)) for at in cuts} | {len(entries)})
    return [entries.take(a, b) for a, b in zip([0, *ends], ends, strict=False) if b > a]


def run(lane: Lane, parts: Sequence[Entries]) -> list[Outcome]:
    return [lane.take(part) for part in parts]


def rows_of(outcomes: Sequence[Outcome]) -> NDArray[Any]:
    return np.concatenate([outcome.rows for outcome in outcomes])


def same(one: NDArray[Any], other: NDArray[Any]) -> None:
    """Field by field, to the last bit; NaN is NaN."""
    assert one.dtype == other.dtype
    assert len(one) == len(other)
    for name in one.dtype.names or ():
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


@settings(deadline=None, max_examples=15)
@given(
    st.integers(0, 5),
    st.lists(st.integers(1, 500), max_size=12),
    st.lists(st.integers(1, 500), max_size=3),
)
def test_cuts_change_nothing(seed: int, cuts: list[int], others: list[int]) -> None:
    entries = entries_of(as_they_come(tenants(BOTH), seed=seed))
    lanes = [Lane(Plan(scorer())) for _ in range(2)]
    one, other = (
        run(lane, cut(entries, at)) for lane, at in zip(lanes, (cuts, others), strict=True)
    )
    same(rows_of(one), rows_of(other))
    n = len(lanes[0].names)
    assert lanes[0].names == lanes[1].names
    assert lanes[0].counts == lanes[1].counts
    assert lanes[0].clocks == lanes[1].clocks
    same(lanes[0].book.rows[:n], lanes[1].book.rows[:n])
    for part in ("effects", "seen", "recent"):
        np.testing.assert_array_equal(
            getattr(lanes[0].book, part)[:n], getattr(lanes[1].book, part)[:n], err_msg=part
        )


def strongest(effects: NDArray[np.float32]) -> tuple[list[int], list[float]]:
    order = sorted(range(len(effects)), key=lambda f: -abs(effects[f]))
    order = [f for f in order if abs(effects[f]) >= 1e-9][:TOP]
    gap = TOP - len(order)
    return [*order, *[-1] * gap], [*(float(effects[f]) for f in order), *[0.0] * gap]


def test_rows_against_a_loop_over_events(came: Entries, plan: Plan) -> None:
    """Each event alone: features by `add` and `read`, score by the scorer, sums by hand."""
    lane = Lane(plan)
    rows = rows_of(run(lane, cut(came, [50, 51, 200])))
    store, model = OnlineStore(plan.features), scorer()
    family = [lane.families.index(f.family) for f in plan.features]
    clock: dict[str, int] = {}
    newest: dict[tuple[str, str], int] = {}
    before: dict[tuple[str, str], tuple[float, int, NDArray[np.float32]]] = {}
    places: dict[tuple[str, str], int] = {}
    log = Lane(plan).take(came).events  # only the columns of it
    for k, event in enumerate(came.events):
        row, key = rows[k], (event.tenant, event.lead)
        store.add(log.take(np.array([k])))
        as_of_us = max(clock.get(event.tenant, 0), int(came.stamps_us[k]), event.at_us)
        clock[event.tenant] = as_of_us
        table = store.read([event.lead], as_of_us, tenant=event.tenant)
        scores = model.score(table)
        assert row["offset"] == came.offsets[k]
        assert row["place"] == places.setdefault(key, len(places))
        assert row["as_of_us"] == as_of_us
        assert row["at_us"] == event.at_us
        assert row["arrived_us"] == came.stamps_us[k]
        assert row["late"] == (event.at_us < newest.get(key, 0)) or event.at_us == newest[key]
        newest[key] = max(newest.get(key, 0), event.at_us)
        assert row["probability"] == scores.probability[0]
        assert row["tier"] == plan.tiers(scores.probability)[0]
        effects = np.zeros(len(lane.families), np.float32)
        for j, f in enumerate(family):
            effects[f] += scores.contributions[0, j]
        last = before.get(key, (np.nan, NO_TIER, effects))
        np.testing.assert_equal(float(row["previous"]), float(last[0]))
        assert row["tier_before"] == last[1]
        for given_, which, size in (
            (effects, "reason", "effect"),
            (effects - last[2], "mover", "moved"),
        ):
            names, sizes = strongest(given_)
            np.testing.assert_allclose(row[size], sizes, atol=1e-6)
            assert row[which].tolist() == names
        before[key] = (float(row["probability"]), int(row["tier"]), effects)
    assert mismatches(lane, came.events, max(clock.values())) == (0, len(places))


def test_contributions_sum_to_the_margin(came: Entries, plan: Plan) -> None:
    scores = Lane(plan).take(came).scores
    assert scores is not None
    total = scores.base + scores.contributions.sum(axis=1, dtype=np.float64)
    np.testing.assert_allclose(total, scores.margin, atol=1e-5)
    assert len(np.unique(scores.margin)) > 10


class Broken(Scorer):
    """A model that fails on busy leads, as a broken one might."""

    error: type[Exception] = ValueError

    def score(self, table: FeatureTable, *, alike: bool = False) -> Scores:
        if (table.column("activity_count_7d") > 5).any():
            raise self.error("broken")
        return super().score(table, alike=alike)


@pytest.mark.parametrize("size", [1, 10, 1000])
@pytest.mark.parametrize("error", [ValueError, IndexError, ZeroDivisionError, BadInput, TypeError])
def test_rules_stand_in_where_the_model_raises_and_say_so(
    came: Entries, error: type[Exception], size: int
) -> None:
    """On the rows that it fails on by themselves, and on no other in the same batch."""
    broken = Broken(scorer().model, catalogue(), "broken")
    broken.error = error
    lane, rules = Lane(Plan(broken)), Lane(Plan())
    outcomes = run(lane, cut(came, range(size, 500, size)))
    rows = rows_of(outcomes)
    by_model = rows_of(run(Lane(Plan(scorer())), [came]))
    by_rules = rows_of(run(rules, [came]))
    fallen = rows["fallback"]
    assert 0 < fallen.sum() < len(rows)
    assert lane.counts.model_failures == lane.counts.fallbacks == fallen.sum()
    assert "broken" in lane.counts.last_failure
    np.testing.assert_array_equal(rows["probability"][fallen], by_rules["probability"][fallen])
    seen = Lane(Plan(scorer())).take(came).scores
    assert seen is not None
    np.testing.assert_array_equal(fallen, seen.table.column("activity_count_7d") > 5)
    np.testing.assert_array_equal(rows["probability"][~fallen], by_model["probability"][~fallen])
    names = np.array(outcomes[-1].models)[rows["model"]]
    assert set(names[fallen]) == {"rules"}
    assert set(names[~fallen]) == {"broken"}
    assert mismatches(lane, came.events, int(came.stamps_us[-1]))[0] == 0


def test_without_a_model_every_row_says_so(came: Entries) -> None:
    outcome = Lane(Plan()).take(came)
    assert outcome.rows["fallback"].all()
    assert outcome.models == ("rules",)
    assert np.isfinite(outcome.rows["probability"]).all()
    assert np.isnan(outcome.rows["low"]).all()


def test_a_swapped_model_scores_the_next_event(came: Entries, plan: Plan) -> None:
    lane, only_one, only_two = Lane(plan), Lane(plan), Lane(Plan(scorer("two", 20)))
    at = len(came) // 2
    first = lane.take(came.take(0, at))
    lane.use(lane.plan.with_conversion(scorer("two", 20)))
    second = lane.take(came.take(at, len(came)))
    one, two = only_one.take(came).rows, only_two.take(came).rows
    same(first.rows, one[:at])
    np.testing.assert_array_equal(second.rows["probability"], two["probability"][at:])
    assert (one["probability"][at:] != two["probability"][at:]).any()
    assert {second.models[code] for code in second.rows["model"]} == {"two"}
    assert {first.models[code] for code in first.rows["model"]} == {"one"}
    back = lane.plan.with_conversion(scorer())
    assert back.features.names == plan.features.names
    other = FeatureSet([count(events("Sneezed"), "7d")])
    with pytest.raises(BadInput, match="not computed"):
        lane.plan.with_conversion(Foreign(other))


class Foreign(Scorer):
    """A model of features that nobody computes."""

    def __init__(self, features: FeatureSet) -> None:
        self.model, self.features, self.version = scorer().model, features, "foreign"
        self.about = None


def only(entries: Entries, tenant: str) -> Entries:
    rows = np.array([i for i, event in enumerate(entries.events) if event.tenant == tenant])
    return Entries(
        [entries.events[i] for i in rows], entries.offsets[rows], entries.stamps_us[rows]
    )


@pytest.mark.parametrize("own", [False, True])
def test_a_tenant_is_scored_as_if_it_were_alone(came: Entries, plan: Plan, own: bool) -> None:
    """Both tenants have leads, agents and ids of the same names."""
    engine = LiveEngine(plan, {"best": Plan(scorer("two", 20))} if own else None)
    found: dict[str, list[NDArray[Any]]] = {tenant: [] for tenant in BOTH}
    for part in cut(came, range(7, 500, 7)):
        for outcome in engine.take(part):
            names = outcome.events.tenant.values()
            for tenant in BOTH:
                found[tenant].append(outcome.rows[names == tenant])
    for tenant in BOTH:
        alone = LiveEngine(Plan(scorer("two", 20)) if own and tenant == "best" else plan)
        (outcome,) = alone.take(only(came, tenant))
        mine = np.concatenate(found[tenant])
        for name in set(mine.dtype.names or ()) - {"place", "model"}:
            np.testing.assert_array_equal(mine[name], outcome.rows[name], err_msg=name)
        lane, by_itself = engine.lane_of(tenant), alone.lane_of(tenant)
        for lead in {event.lead for event in came.events}:
            one = by_itself.read(tenant, [lead], 0).values
            np.testing.assert_array_equal(lane.read(tenant, [lead], 0).values, one)
            place = lane.place_of(tenant, lead)
            assert lane.names[place] == (tenant, lead)
            offsets = lane.book.timeline(place)
            assert {came.events[o - 1].tenant for o in offsets} == {tenant}
            assert {came.events[o - 1].lead for o in offsets} == {lead}
    with pytest.raises(UnknownName) as caught:
        engine.lane_of("nobody").place_of("nobody", came.events[0].lead)
    assert "Did you mean" not in str(caught.value)


def test_the_book_is_the_last_row_of_each_lead(came: Entries, plan: Plan) -> None:
    lane = Lane(plan)
    rows = rows_of(run(lane, cut(came, range(13, 500, 13))))
    for place in range(len(lane.names)):
        mine = rows[rows["place"] == place]
        book = lane.book.rows[place]
        for name in ("offset", "probability", "tier", "as_of_us", "arrived_us", "model", "churn"):
            np.testing.assert_equal(book[name], mine[name][-1])
        assert book["events"] == len(mine)
        assert book["event_us"] == mine["at_us"].max()
        assert lane.book.timeline(place).tolist() == mine["offset"][::-1][:RECENT].tolist()
        own = [came.events[o - 1] for o in mine["offset"]]
        agents = [event.agent for event in own if event.agent is not None]
        said = [name for name, code in lane.agents.items() if code == book["agent"]]
        assert said == agents[-1:]
        ended = [event.kind for event in own if event.kind in ("Offer Accepted", "Closed", "Lost")]
        assert [name for name, code in lane.kinds.items() if code == book["ended"]] == ended[-1:]


def test_reading_again_moves_what_is_now_and_nothing_else(came: Entries, plan: Plan) -> None:
    lane, untouched = Lane(plan), Lane(plan)
    at = len(came) // 2
    for one in (lane, untouched):
        one.take(came.take(0, at))
    places = np.arange(len(lane.names))
    now_us = int(came.stamps_us[at - 1]) + 20 * DAY_US
    was = lane.book.rows[places].copy()
    same(lane.reread(places, now_us), was)
    now = lane.book.rows[places]
    moving = {"now", "now_churn", "now_us"}
    for name in set(LEAD.names or ()) - moving:
        np.testing.assert_array_equal(now[name], was[name], err_msg=name)
    assert (now["now_us"] == now_us).all()
    for place, (tenant, lead) in enumerate(lane.names):
        table = lane.read(tenant, [lead], now_us)
        assert now["now"][place] == scorer().score(table).probability[0]
    rest = came.take(at, len(came))
    same(lane.take(rest).rows, untouched.take(rest).rows)


def test_more_models_do_not_disturb_the_features(came: Entries, plan: Plan) -> None:
    """A plan with features in front of the model's gives the model its own columns."""
    front = FeatureSet([count(events("Inquiry"), "3d")])
    wider = Lane(replace(plan, extra=front)).take(came)
    narrow = Lane(plan).take(came)
    np.testing.assert_array_equal(wider.rows["probability"], narrow.rows["probability"])
    assert wider.scores is not None
    assert narrow.scores is not None
    np.testing.assert_array_equal(wider.scores.contributions[:, 1:], narrow.scores.contributions)
    assert not wider.scores.contributions[:, 0].any()


def test_one_leads_infinite_feature_costs_no_other_lead_its_score(
    came: Entries, plan: Plan
) -> None:
    odd = [
        msgspec.structs.replace(event, data={**event.data, "urgency": 1e300})
        if k % 5 == 0
        else event
        for k, event in enumerate(came.events)
    ]
    entries = Entries(odd, came.offsets, came.stamps_us)
    whole = rows_of(run(Lane(plan), [entries]))
    single = rows_of(run(Lane(plan), cut(entries, range(1, 500))))
    for name in set(whole.dtype.names or ()) - {"model"}:
        np.testing.assert_array_equal(whole[name], single[name], err_msg=name)
    sound, fallen = rows_of(run(Lane(plan), [came])), whole["fallback"]
    assert 0 < fallen.sum() < len(fallen) / 2
    np.testing.assert_array_equal(whole["probability"][~fallen], sound["probability"][~fallen])

"""Health of leads: against a naive reading of the weights, monotone, blind to what came later."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from leadlab.data import simulate
from leadlab.errors import BadInput, EmptyInput
from leadlab.features import Moments, build, catalogue
from leadlab.models.health.assess import assess_health
from leadlab.models.health.health import MOMENTA, part_shares
from leadlab.models.health.raising import LEVERS, Lever, what_raises
from leadlab.models.health.weights import LEVELS, PARTS
from leadlab.schema import Coded, EventLog, concat
from tests.models.health_rows import FEATURES, PLACE, WEIGHTS, table_of

DAY_US = 86_400_000_000


def numbers(feature: str) -> st.SearchStrategy[float]:
    """Values that such a feature can take, or unknown where it can be."""
    op = FEATURES[feature].op
    if op in ("count", "distinct", "decay"):
        return st.integers(0, 60).map(float)
    if op == "trend":
        return st.integers(-40, 40).map(float)
    if "sentiment" in feature:
        return st.floats(-1, 1) | st.just(math.nan)
    if "urgency" in feature:
        return st.floats(0, 1) | st.just(math.nan)
    return st.floats(0, 1e6) | st.just(math.nan)


ROW = st.tuples(*(numbers(name) for name in FEATURES.names))
ROWS = st.lists(ROW, min_size=1, max_size=5)


@pytest.fixture(scope="module")
def log() -> EventLog:
    return simulate(150, 120, seed=5).log


@pytest.fixture(scope="module")
def middle(log) -> int:
    return int(log.at_us[len(log) // 2])


def naive_score(row: dict[str, float]) -> float:
    """The score by the words of the weights' file, one number at a time."""
    told, count = WEIGHTS.to_json(), 0.0
    total = 0.0
    for part in told["parts"]:
        hits = mass = 0.0
        for m in part["measures"]:
            x = row[m["feature"]]
            if m["shape"] == "change":
                now = row[m["over"]]
                before = now - x
                if now + before <= 0 or not row["activity_tenure"] >= 14:
                    continue
                points = 50 + 50 * (now - before) / (now + before + m["half"])
                points = min(max(points, 0), 100)
            elif math.isnan(x):
                if "absent" not in m:
                    continue
                points = m["absent"]
            else:
                if "over" in m:
                    if not row[m["over"]] > 0:
                        continue
                    x /= row[m["over"]]
                if m["shape"] == "more":
                    points = 100 * x / (x + m["half"])
                elif m["shape"] == "sooner":
                    points = 100 * m["half"] / (x + m["half"])
                else:
                    points = 100 * min(max((x - m["low"]) / (m["high"] - m["low"]), 0), 1)
            hits += m["weight"] * points
            mass += m["weight"]
        if mass:
            total += part["weight"] * hits / mass
            count += part["weight"]
    return total / count


def test_the_score_is_what_the_file_of_weights_says(log, middle):
    table = build(log, FEATURES, np.array([middle]))
    found = assess_health(table)
    assert len(found) > 50
    for i in range(len(table)):
        row = dict(zip(table.names, map(float, table.values[i]), strict=True))
        assert found.score[i] == pytest.approx(naive_score(row), abs=1e-3)


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_score_parts_and_points_stay_within_their_range(rows):
    found = assess_health(table_of(rows))
    for figures in (found.score, found.parts, found.points):
        known = figures[~np.isnan(figures)]
        assert ((known >= 0) & (known <= 100)).all()
    assert not np.isnan(found.score).any()
    shares = part_shares(WEIGHTS, found.parts).sum(axis=1)
    assert np.allclose(shares, 1.0)
    assert found[0].known <= 1 + 1e-9


@settings(max_examples=60, deadline=None)
@given(ROW, st.sampled_from([(p, m) for p in WEIGHTS.parts for m in p.measures]), st.data())
def test_more_of_a_good_thing_never_lowers_its_part_or_the_score(row, which, data):
    part, measure = which
    better = list(row)
    j = PLACE[measure.feature]
    more = abs(data.draw(numbers(measure.feature)))
    assume(not math.isnan(more) and not math.isnan(row[j]))
    falls = measure.shape == "sooner" or (measure.shape == "between" and measure.low > measure.high)
    better[j] = max(row[j] - more, 0.0) if falls else row[j] + more
    if measure.shape == "change":
        assume(row[PLACE[measure.over]] >= row[j])
        better[PLACE[measure.over]] = row[PLACE[measure.over]] + more  # the week before as it was
    for other in (m for one in WEIGHTS.parts for m in one.measures if m.over == measure.feature):
        better[PLACE[other.feature]] += more  # more this week, the week before as it was
    found = assess_health(table_of([row, better]))
    assume((np.isnan(found.points[0]) == np.isnan(found.points[1])).all())  # else over more of them
    p = PARTS.index(part.name)
    if measure.shape == "change":  # the count belongs to other measures too
        k = [m for one in WEIGHTS.parts for m in one.measures].index(measure)
        assert not found.points[1, k] < found.points[0, k] - 1e-3
        return
    assert not found.parts[1, p] < found.parts[0, p] - 1e-3
    assert not found.score[1] < found.score[0] - 1e-3


STEPS = ["Showing Completed", "Saved Property", "Offer Submitted", "Showing Requested"]


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(STEPS))
def test_another_step_never_lowers_qualification_or_engagement(seed, kind):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 12))
    kinds = rng.choice(["Inquiry", "Viewed Property", "Showing Completed", "Offer Submitted",
                        "Offer Rejected", "Outgoing Call", "Incoming Message"], n)  # fmt: skip
    frame = pd.DataFrame({"lead": "a", "kind": kinds, "at": rng.integers(0, 40 * DAY_US, n)})
    frame["at"] = pd.to_datetime(frame["at"], unit="us")
    step = pd.DataFrame(
        {"lead": ["a"], "kind": [kind], "at": pd.to_datetime([41 * DAY_US], unit="us")}
    )
    names = {"lead": "lead", "kind": "kind", "at": "at"}
    before = EventLog.from_frame(frame, **names)
    after = EventLog.from_frame(pd.concat([frame, step]), **names)
    at_us = np.array([41 * DAY_US])
    was, now = (assess_health(build(one, FEATURES, at_us)) for one in (before, after))
    for name in ("engagement", "qualification"):
        p = PARTS.index(name)
        assert now.parts[0, p] >= was.parts[0, p] - 1e-3


@settings(max_examples=50, deadline=None)
@given(ROWS.filter(lambda rows: len(rows) > 1))
def test_the_level_rises_with_the_score(rows):
    found = assess_health(table_of(rows))
    order = np.argsort(found.score, kind="stable")
    assert (np.diff(found.level[order]) >= 0).all()
    for i in range(len(found)):
        below = [cut for cut in WEIGHTS.cuts if cut <= found.score[i]]
        assert found[i].level == LEVELS[len(below)]


def test_what_came_later_changes_nothing(log, middle):
    known = assess_health(log.take(log.at_us <= middle), str(np.datetime64(middle, "us")))
    later = log.take(log.at_us > middle)
    wild = dataclasses.replace(later, kind=Coded.constant("Offer Submitted", len(later)))
    for other in (log, concat([log.take(log.at_us <= middle), wild])):
        found = assess_health(other, str(np.datetime64(middle, "us")))
        assert found.to_frame().equals(known.to_frame())


def test_the_order_of_rows_and_of_leads_changes_nothing(log, middle):
    table = build(log, FEATURES, np.array([middle]))
    shuffled = np.random.default_rng(0).permutation(len(table))
    one, other = assess_health(table), assess_health(table.take(shuffled))
    assert np.array_equal(one.score[shuffled], other.score)
    assert np.array_equal(one.parts[shuffled], other.parts, equal_nan=True)
    mixed = log.take(np.random.default_rng(1).permutation(len(log)))
    again = assess_health(mixed, str(np.datetime64(middle, "us"))).to_frame()
    keys = ["lead", "score", "level"]
    first = one.to_frame()[keys].sort_values("lead", ignore_index=True)
    assert again[keys].sort_values("lead", ignore_index=True).equals(first)


def test_a_lead_alone_is_assessed_as_among_others(log, middle):
    many = assess_health(log, str(np.datetime64(middle, "us"))).to_frame().set_index("lead")
    for name in many.index[:5]:
        alone = assess_health(log.for_leads([name]), str(np.datetime64(middle, "us")))
        assert alone[0].score == many.loc[name, "score"]


def test_a_lead_without_events_is_said_to_be_unknown(log, middle):
    asked = Moments(Coded.constant("brokerage", 2), Coded.of(["lead-000000", "nobody"]),
                    np.array([middle, middle]))  # fmt: skip
    found = assess_health(build(log, catalogue(), asked))[1]
    assert math.isnan(found.score) and found.level == "unknown" and found.momentum == "unknown"
    assert found.known == 0 and "nothing is known" in found.note
    assert all(math.isnan(part.points) and part.share == 0 for part in found.parts)
    with pytest.raises(EmptyInput):
        assess_health(log.take(np.zeros(len(log), bool)))


def test_what_is_unknown_leaves_the_mean():
    base = [0.0] * len(PLACE)
    for name in FEATURES.names:
        if FEATURES[name].op not in ("count", "distinct", "decay", "trend"):
            base[PLACE[name]] = math.nan
    found = assess_health(table_of([base]))[0]
    momentum = found.parts[PARTS.index("momentum")]
    assert math.isnan(momentum.points) and momentum.share == 0
    assert found.momentum == "unknown"
    assert 0 < found.known < 1


@pytest.mark.parametrize(("now", "trend", "said"), [(10, 9, 2), (5, 0, 1), (1, -12, 0)])
def test_momentum_is_named_by_the_weeks(now, trend, said):
    row = [0.0] * len(PLACE)
    row[PLACE["activity_tenure"]] = 40.0
    row[PLACE["activity_count_7d"]], row[PLACE["activity_trend_7d"]] = now, trend
    assert assess_health(table_of([row]))[0].momentum == MOMENTA[said]
    row[PLACE["activity_tenure"]] = 9.0
    assert assess_health(table_of([row]))[0].momentum == "unknown"


def test_rows_of_another_moment_or_other_features_are_refused(log, middle):
    table = build(log, FEATURES, np.array([middle]))
    with pytest.raises(BadInput, match="another moment"):
        assess_health(table, "2020-01-01")
    with pytest.raises(BadInput, match="no feature that health reads"):
        other = catalogue().select(["hour", "weekday"])
        assess_health(build(log, other, np.array([middle])))

    class Chance:
        probability = low = high = np.array([0.5])
        of = 20

    with pytest.raises(BadInput, match="one chance a row"):
        assess_health(table, chance=Chance())
    assert assess_health(table.take(np.array([0])), chance=Chance())[0].probability == 0.5


def test_a_lever_gives_what_the_event_itself_would(log, middle):
    name = str(log.lead.values()[np.flatnonzero(log.at_us <= middle)[-1]])
    own = log.for_leads([name])
    lever = Lever("Hold a showing", ("Showing Completed",))
    (raised,) = what_raises(own, middle, levers=(lever,))
    past = own.take(own.at_us <= middle)
    event = dataclasses.replace(
        past.take(np.array([0])), id=np.array(["next"], dtype=object), data={},
        kind=Coded.of(["Showing Completed"]), at_us=np.array([middle]), value=np.array([np.nan]),
        agent=Coded.constant(None, 1),
    )  # fmt: skip
    before = assess_health(past, str(np.datetime64(middle, "us")))[0]
    after = assess_health(concat([past, event]), str(np.datetime64(middle, "us")))[0]
    assert raised.score == pytest.approx(after.score, abs=1e-3)
    assert raised.gain == pytest.approx(after.score - before.score, abs=1e-3)
    assert raised.level == after.level


def test_levers_are_ranked_raise_and_do_not_look_ahead(log, middle):
    for name in ("lead-000001", "lead-000007", "lead-000020"):
        own = log.for_leads([name])
        found = what_raises(own, middle, top=9)
        gains = [one.gain for one in found]
        assert gains == sorted(gains, reverse=True) and all(g > 0 for g in gains)
        assert found == what_raises(own.take(own.at_us <= middle), middle, top=9)
        if not (own.at_us <= middle).any():
            assert found == []
    assert {kind for lever in LEVERS for kind in lever.kinds} <= catalogue().kinds

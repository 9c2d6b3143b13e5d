"""The engine against the batch path: what it says live is what a rebuild from the log says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadlab.errors import BadInput, UnknownName
from leadlab.explain import changes
from leadlab.features import Moments, OnlineStore, build
from leadlab.schema.kinds import LOST
from leadlab.schema.log import Coded, EventLog, concat
from leadlab.stream import Engine
from leadlab.stream.results import change, processing_ms
from leadlab.ui.recording import Recording

DAY_US = 86_400_000_000


def engine_of(recording: Recording, **options) -> Engine:
    return Engine(
        OnlineStore(recording.scorer.features), recording.scorer, ends=recording.ends, **options
    )


def first(log: EventLog, n: int) -> EventLog:
    return log.take(np.arange(n))


def asked(log: EventLog, leads: list[str], at_us: int) -> Moments:
    return Moments(
        Coded.constant(str(log.tenant.names[0]), len(leads)),
        Coded.of(leads),
        np.full(len(leads), at_us, np.int64),
    )


def test_a_score_is_what_a_rebuild_from_the_log_gives(recording: Recording) -> None:
    log, engine = first(recording.log, 900), engine_of(recording)
    for batch in log.batches(37):
        results = engine.take(batch)
        at_us = int(batch.at_us[-1])
        known = first(recording.log, engine.store.n_events)
        table = build(known, recording.scorer.features, asked(log, results["lead"].tolist(), at_us))
        expected = recording.scorer.score(table).probability
        np.testing.assert_allclose(results["probability"], expected, rtol=1e-5)
        assert set(results["lead"]) == set(batch.lead.values())
        assert (results["as_of_us"] == at_us).all()
        assert results["events"].sum() == len(batch)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=12))
def test_batching_makes_no_difference_in_the_end(recording: Recording, sizes: list[int]) -> None:
    log = first(recording.log, sum(sizes))
    one, many = engine_of(recording), engine_of(recording)
    one.take(log)
    start = 0
    for size in sizes:
        many.take(log.take(np.arange(start, start + size)))
        start += size
    at_us = int(log.at_us[-1]) + DAY_US
    for engine in (one, many):
        engine.reread(np.arange(len(engine.standings)), at_us)
    by_lead = [
        {p["lead"]: (p["probability"], p["event_us"], p["events"]) for p in e.standings.places}
        for e in (one, many)
    ]
    assert by_lead[0] == by_lead[1]


def test_results_are_numbered_and_carry_the_score_before(recording: Recording) -> None:
    engine, last = engine_of(recording, capacity=5_000), {}
    for batch in first(recording.log, 600).batches(11):
        for row in engine.take(batch):
            before = last.get(row["lead"])
            assert np.isnan(row["previous"]) if before is None else row["previous"] == before
            last[row["lead"]] = row["probability"]
    seen = engine.history.since(0)
    assert seen["seq"].tolist() == list(range(1, len(seen) + 1))
    assert (processing_ms(seen) > 0).all()
    known = ~np.isnan(seen["previous"])
    np.testing.assert_allclose(change(seen)[known], (seen["probability"] - seen["previous"])[known])


def test_a_silent_lead_moves_as_time_passes(recording: Recording) -> None:
    log, engine = first(recording.log, 500), engine_of(recording)
    engine.take(log)
    newest = engine.history.newest
    before = engine.standings.places["probability"].copy()
    at_us = int(log.at_us[-1]) + 45 * DAY_US
    places = np.arange(len(engine.standings))
    engine.reread(places, at_us)
    after = engine.standings.places
    assert not np.allclose(before, after["probability"])
    assert (after["as_of_us"] == at_us).all()
    assert engine.history.newest == newest  # nothing happened, so history has nothing new
    table = build(log, recording.scorer.features, asked(log, after["lead"].tolist(), at_us))
    expected = recording.scorer.score(table).probability
    np.testing.assert_allclose(after["probability"], expected, rtol=1e-5)


def test_repeated_and_late_events(recording: Recording) -> None:
    log = first(recording.log, 400)
    late = np.arange(100, 110)
    engine, whole = engine_of(recording), engine_of(recording)
    engine.take(log.take(np.setdiff1d(np.arange(400), late)))
    end_us = int(log.at_us[-1])
    engine.take(log.take(late), end_us)
    engine.take(log.take(late), end_us)  # the same ids again
    whole.take(log)
    for one in (engine, whole):
        one.reread(np.arange(len(one.standings)), end_us)
    scores = [{p["lead"]: p["probability"] for p in e.standings.places} for e in (engine, whole)]
    assert scores[0] == pytest.approx(scores[1], rel=1e-6)
    for place in engine.standings.places:  # a late event is not the last one
        own = log.for_leads([place["lead"]])
        assert place["event_us"] == own.at_us[-1]
        assert place["kind"] == own.kind.values()[-1]


def test_ended_leads_are_scored_but_stand_nowhere(recording: Recording) -> None:
    engine = engine_of(recording)
    engine.learn(recording.log)
    at_us = int(recording.log.at_us[-1])
    engine.reread(np.arange(len(engine.standings)), at_us)
    frame = recording.log.to_frame()
    ended = set(frame.loc[frame.kind.isin(["Offer Accepted", LOST]), "lead"])
    places = engine.standings.places
    assert ended
    assert {p["lead"] for p in places if not p["open"]} == ended
    active = set(places["lead"][engine.standings.active(0)])
    assert active == set(frame.lead) - ended


def test_an_explanation_adds_up_and_names_the_event(recording: Recording) -> None:
    log, engine = first(recording.log, 1_500), engine_of(recording)
    for batch in log.batches(25):
        results = engine.take(batch)
    lead = str(results["lead"][0])
    one = engine.explain(lead, int(log.at_us[-1]), top=100)
    effects = sum(r.effect for r in one.reasons)
    assert one.scores.base + effects == pytest.approx(
        np.log(one.probability / (1 - one.probability))
    )
    assert one.event_kind == log.for_leads([lead]).kind.values()[-1]
    assert one.before_probability == results["previous"][0]
    assert one.probability == results["probability"][0]
    assert {c.event for c in one.changes} <= {None, *log.kind.names}
    before = engine.explain(lead, int(log.at_us[-1])).before_us
    assert before is not None
    assert before < one.as_of_us


def test_changes_account_for_the_whole_step(recording: Recording) -> None:
    log, engine = first(recording.log, 1_500), engine_of(recording)
    for batch in log.batches(25):
        results = engine.take(batch)
    place = engine.standings.find(str(results["lead"][0]), str(results["tenant"][0]))
    at = engine.standings.places[place]
    now = engine._again(place, engine.standings.rows[place], int(at["as_of_us"]))
    then = engine._again(place, engine.standings.rows_before[place], int(at["before_us"]))
    moved = sum(c.effect for c in changes(then, now, 0, at["arrived"], top=100))
    assert moved == pytest.approx(now.margin[0] - then.margin[0], abs=1e-5)


def test_reasons_are_as_fresh_as_asked_for(recording: Recording) -> None:
    log, engine = first(recording.log, 500), engine_of(recording)
    engine.take(log)
    end_us, later_us = int(log.at_us[-1]), int(log.at_us[-1]) + 9 * DAY_US
    lead = str(log.lead.values()[-1])
    assert engine.explain(lead, later_us, since_us=end_us).as_of_us == end_us
    assert engine.explain(lead, later_us).as_of_us == later_us


def test_two_tenants_may_have_a_lead_of_one_name(recording: Recording) -> None:
    part = first(recording.log, 300)
    other = replace(
        first(recording.log, 80),
        tenant=Coded.constant("other", 80),
        id=np.array([f"other-{i}" for i in range(80)], object),
    )
    engine, alone = engine_of(recording), engine_of(recording)
    both = concat([part, other])
    results = engine.take(both)
    alone.take(other, int(both.at_us[-1]))
    ours = {r["lead"]: r["probability"] for r in results if r["tenant"] == "other"}
    expected = {p["lead"]: p["probability"] for p in alone.standings.places}
    assert ours == expected
    lead = str(other.lead.values()[0])
    end_us = int(both.at_us[-1])
    assert engine.explain(lead, end_us, "other").scores.table.tenant.values()[0] == "other"
    assert engine.explain(lead, end_us, "default").tenant == "default"


def test_errors_say_what_is_wrong(recording: Recording) -> None:
    engine = engine_of(recording)
    assert len(engine.take(first(recording.log, 0))) == 0
    engine.learn(first(recording.log, 0))
    engine.take(first(recording.log, 50))
    with pytest.raises(BadInput, match="from the future"):
        engine.take(recording.log.take(np.arange(50, 60)), int(recording.log.at_us[50]) - 1)
    lead = str(recording.log.lead.values()[0])
    with pytest.raises(UnknownName, match=f"Did you mean.*{lead}"):
        engine.explain(lead + "x", int(recording.log.at_us[60]))

"""The queue that all clients share, against a list that keeps everything."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlab.api.backlog import Backlog
from leadlab.api.filters import Filters
from leadlab.errors import BadInput
from leadlab.stream.message import Message, Topic

KEYS = st.tuples(st.sampled_from(["scores", "alerts"]), st.sampled_from("abcdef"))


def said(topic: Topic, key: str, tier: str | None = None) -> Message:
    return Message(topic=topic, tenant="t", at_us=0, key=key, tier=tier)


@given(st.lists(KEYS, max_size=40), st.integers(0, 40), st.integers(1, 12))
def test_a_reader_gets_the_newest_of_each_key_in_order_or_is_told(keys, seen, capacity):
    backlog = Backlog(capacity)
    for number, (topic, key) in enumerate(keys, 1):
        backlog.add(said(topic, key), number)
    newest = {key: number for number, key in enumerate(keys, 1)}
    due = sorted(number for number in newest.values() if number > seen)
    got = backlog.since(seen)
    assert len(backlog) <= capacity
    assert [(one.message.topic, one.message.key) for one in got] == [
        keys[one.number - 1] for one in got
    ]
    if seen >= backlog.floor:
        assert [one.number for one in got] == due
    else:
        assert len(due) > capacity or backlog.floor in range(seen + 1, len(keys) + 1)
        assert [one.number for one in got] == due[-len(got) :]


@given(st.lists(KEYS, max_size=30), st.lists(st.integers(0, 30), max_size=5))
def test_what_all_have_seen_goes_and_nothing_else(keys, places):
    backlog, kept = Backlog(), Backlog()
    for number, (topic, key) in enumerate(keys, 1):
        backlog.add(said(topic, key), number)
        kept.add(said(topic, key), number)
    low = min(places, default=0)
    backlog.forget(low)
    for place in places:
        numbers = [[one.number for one in some.since(place)] for some in (backlog, kept)]
        assert numbers[0] == numbers[1]
    assert all(one.number > low for one in backlog.since(-1))


TIERS = st.sampled_from(["cold", "warm", "hot"])


@given(st.lists(TIERS, min_size=1, max_size=12), st.data())
def test_who_watches_a_tier_learns_of_every_lead_that_left_it(tiers, data):
    """Against the whole history: what the reader knew, and all that was said since."""
    seen = data.draw(st.integers(0, len(tiers) - 1))
    watched = data.draw(st.frozensets(TIERS, min_size=1))
    backlog = Backlog(3)
    for number, tier in enumerate(tiers, 1):
        backlog.add(said("scores", "ann", tier), number)
    (entry,) = backlog.since(seen)
    since = tiers[max(seen - 1, 0) :]
    assert Filters(tiers=watched).passes(entry, seen) == any(tier in watched for tier in since)


def test_the_engine_may_say_which_tier_a_lead_left():
    backlog = Backlog()
    before = {"tier_before": "hot"}
    backlog.add(Message(topic="scores", tenant="t", at_us=0, key="a", tier="warm", body=before), 5)
    (entry,) = backlog.since(0)
    assert Filters(tiers=frozenset({"hot"})).passes(entry, 4)
    assert not Filters(tiers=frozenset({"hot"})).passes(entry, 5)
    assert not Filters(tiers=frozenset({"cold"})).passes(entry, 4)


def test_a_backlog_needs_room():
    with pytest.raises(BadInput, match="at least 1"):
        Backlog(0)

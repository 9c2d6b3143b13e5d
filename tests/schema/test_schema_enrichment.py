"""Hooks add to an event and never cost it."""

from __future__ import annotations

import pytest

from leadlab.errors import BadInput
from leadlab.schema import Enrichment, Event, log_from_events

EVENT = Event(id="1", lead="ann", kind="Inquiry", at="2026-01-01T00:00Z", data={"channel": "web"})


def raises(event):
    raise RuntimeError("no connection")


def test_hooks_run_in_order_and_see_what_came_before():
    enrichment = (
        Enrichment()
        .then("one", lambda e: {"length": len(e.data["channel"])})
        .then("two", lambda e: {"double": 2 * e.data["length"]})
    )
    assert enrichment.names == ["one", "two"]
    assert enrichment.apply(EVENT).data == {"channel": "web", "length": 3, "double": 6}
    assert EVENT.data == {"channel": "web"}, "the event given is not changed"


def test_a_failing_hook_is_visible_and_costs_neither_the_event_nor_the_next_hook():
    enrichment = (
        Enrichment().then("geo", raises).then("ok", lambda e: {"x": 1}).then("late", raises)
    )
    enriched = enrichment.apply(EVENT)
    assert enriched.data["x"] == 1
    told = "geo: RuntimeError: no connection; late: RuntimeError: no connection"
    assert enriched.data["enrichment_failed"] == told
    log = log_from_events(enrichment.apply_all([EVENT]))
    assert log.data["enrichment_failed"].values().tolist() == [told]


@pytest.mark.parametrize(
    ("result", "told"),
    [
        (None, "a hook returns a mapping"),
        ([("x", 1)], "a hook returns a mapping"),
        ({"channel": "call"}, "would change channel"),
        ({"lead": "bob"}, "event's own field"),
        ({"x": float("inf")}, "infinite"),
        ({"x": "t" * 10_001}, "longer than"),
    ],
)
def test_what_a_hook_may_not_return(result, told):
    enriched = Enrichment().then("hook", lambda e: result).apply(EVENT)
    assert told in enriched.data["enrichment_failed"]
    assert enriched.model_copy(update={"data": EVENT.data}) == EVENT


def test_a_name_is_taken_once():
    with pytest.raises(BadInput, match="is there already"):
        Enrichment().then("geo", raises).then("geo", raises)


def test_an_endless_message_is_cut():
    def wordy(event):
        raise ValueError("x" * 100_000)

    enrichment = Enrichment()
    for i in range(100):
        enrichment = enrichment.then(str(i), wordy)
    assert len(log_from_events([enrichment.apply(EVENT)])) == 1, "never oversize"

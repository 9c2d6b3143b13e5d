"""Alerts in the running service: from events, from silence, from a score that fades, each once."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from leadlab.schema.wire import WireEvent
from leadlab.stream.alerting import silent_outcome
from leadlab.stream.alerts import parse_rules
from leadlab.stream.entries import Entries
from leadlab.stream.lane import Lane
from leadlab.stream.message import Message
from leadlab.stream.pacing import Pacing
from leadlab.stream.plan import Plan
from leadlab.stream.station import Station

RULES = """
version: 1
routes: {app: {type: app}}
rules:
  - name: offer
    when: {type: threshold, field: kind, op: "==", value: Offer Submitted}
    message: "{lead} made an offer"
  - name: unanswered
    when: {type: absence, kinds: [Outgoing Call], after: [Inquiry], span: 1s}
    message: "Nobody answers {lead}"
  - name: many
    when: {type: threshold, of: window, field: events_5m, op: ">", value: 1}
    per: tenant
    message: "{value:.0f} events"
"""
DAY_US = 86_400_000_000


def until(true: Callable[[], bool]) -> None:
    end_s = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end_s, "it did not come to pass"
        time.sleep(0.02)


def event(n: int, lead: str, kind: str, tenant: str = "acme") -> WireEvent:
    return WireEvent(f"e{n}", tenant, lead, kind, time.time_ns() // 1000)


def test_the_service_raises_each_alert_once_also_across_a_restart(tmp_path: Path) -> None:
    rules = parse_rules(RULES, "rules.yaml")
    told: list[Message] = []
    pacing = Pacing(tick_s=0.05)

    def started() -> Station:
        station = Station(
            tmp_path, Plan(), publish=told.extend, watched=lambda: None, rules=rules, pacing=pacing
        )
        station.start()
        return station

    def raised(station: Station, tenant: str = "acme") -> list[str]:
        assert station.alerting is not None
        now_us = time.time_ns() // 1000
        page = station.alerting.store.find(tenant, now_us=now_us)
        return sorted(kept.alert.rule for kept in page.alerts)

    station = started()
    station.submit([event(0, "ann", "Offer Submitted"), event(1, "bob", "Inquiry")])
    station.submit([event(2, "cay", "Offer Submitted", "other")])
    until(lambda: raised(station) == ["many", "offer", "unanswered"])
    assert raised(station, "other") == ["offer"]
    until(lambda: sum(m.topic == "alerts" for m in told) == 4)
    station.stop()
    station = started()
    time.sleep(0.3)
    assert raised(station) == ["many", "offer", "unanswered"]
    station.stop()
    assert sum(m.topic == "alerts" for m in told) == 4


def test_a_score_that_fades_without_an_event_is_a_row_of_its_own(tmp_path: Path) -> None:
    lane = Lane(Plan())
    lane.take(Entries([WireEvent("e1", "acme", "ann", "Offer Submitted", 5)], np.array([1]),
                      np.array([6])))  # fmt: skip
    places = np.array([0])
    before = lane.reread(places, 40 * DAY_US)
    outcome = silent_outcome(lane, places, before)
    row = outcome.rows[0]
    assert row["offset"] == -1
    assert row["previous"] == before["now"][0] > row["probability"] == lane.book.rows["now"][0]
    assert row["as_of_us"] == 40 * DAY_US
    assert outcome.events.lead.values().tolist() == ["ann"]
    assert outcome.events.kind.values().tolist() == [None]

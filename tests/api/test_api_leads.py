"""Leads over HTTP: the figures are those of a rebuild from the log, and whose they are is kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlab.explain.reasons import reasons
from leadlab.features import Moments, build
from leadlab.schema.log import Coded
from leadlab.schema.wire import WireEvent
from leadlab.schema.wire_columns import columns_of
from tests.api.running import ACME, AGENT, Running


@pytest.fixture(scope="module")
def client(whole: Running) -> Iterator[httpx.Client]:
    with whole.client("manager", sub="reader") as one:
        yield one


def listed(client: httpx.Client, **given: Any) -> dict[str, Any]:
    answer = client.get("/v1/leads", params=given)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def every(client: httpx.Client, **given: Any) -> list[dict[str, Any]]:
    """All pages."""
    found, cursor = [], None
    while True:
        page = listed(client, **given, **({} if cursor is None else {"cursor": cursor}))
        found += page["leads"]
        cursor = page["next"]
        if cursor is None:
            assert len(found) == page["total"]
            return found


@dataclass(frozen=True)
class Known:
    """What plain Python says of a lead after all events in the order they were journalled."""

    events: int
    agent: str | None
    at_us: int


def known(whole: Running) -> dict[str, Known]:
    found: dict[str, Known] = {}
    for e in (e for e in whole.events if e.tenant == ACME):
        one = found.get(e.lead, Known(0, None, 0))
        found[e.lead] = Known(one.events + 1, e.agent or one.agent, max(one.at_us, e.at_us))
    return found


def test_the_list_holds_every_lead_of_the_tenant_once(whole: Running, client: httpx.Client) -> None:
    expected = known(whole)
    for limit in (7, 500):
        found = every(client, limit=limit)
        assert {one["lead"] for one in found} == set(expected)
        assert len(found) == len(expected)
    for one in found:
        own = expected[one["lead"]]
        assert (one["events"], one["agent"]) == (own.events, own.agent)
        assert one["last_event"]["at_us"] == own.at_us
    assert [one["probability"] for one in found] == sorted(
        (one["probability"] for one in found), reverse=True
    )


def test_filters_are_those_of_plain_python(client: httpx.Client) -> None:
    everybody = every(client)
    agents = sorted({one["agent"] for one in everybody if one["agent"]})
    checks: list[tuple[dict[str, Any], Any]] = [
        ({"tier": "warm"}, lambda one: one["tier"] == "warm"),
        ({"agent": agents[0]}, lambda one: one["agent"] == agents[0]),
        ({"ended": True}, lambda one: one["ended"] is not None),
        ({"ended": False}, lambda one: one["ended"] is None),
        ({"at_least": 0.08}, lambda one: one["probability"] >= 0.08),
        ({"agent": "nobody"}, lambda one: False),
        ({"tier": "cold", "ended": False, "agent": agents[-1]},
         lambda one: (one["tier"], one["ended"], one["agent"]) == ("cold", None, agents[-1])),
    ]  # fmt: skip
    for given_, holds in checks:
        expected = {one["lead"] for one in everybody if holds(one)}
        assert {one["lead"] for one in every(client, limit=3, **given_)} == expected, given_
    recent = [one["last_event"]["at_us"] for one in every(client, order="recent", limit=11)]
    assert recent == sorted(recent, reverse=True)


@pytest.mark.parametrize(
    "given_",
    [
        {"limit": 0}, {"limit": 501}, {"limit": "many"}, {"tier": "tepid"}, {"order": "name"},
        {"at_least": 1.1}, {"at_least": "nan"}, {"cursor": "x"}, {"cursor": "bmFuLDE="},
        {"cursor": "é"}, {"ended": "maybe"},
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_a_problem(client: httpx.Client, given_: dict[str, Any]) -> None:
    answer = client.get("/v1/leads", params=given_)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


@settings(max_examples=40, deadline=None)
@given(cursor=st.text(max_size=60))
def test_any_cursor_is_answered(client: httpx.Client, cursor: str) -> None:
    encoded = cursor.encode(errors="surrogatepass")
    assert client.get("/v1/leads", params={"cursor": encoded}).status_code in (200, 422)


def table_of(whole: Running, lead: str, at_us: int) -> Any:
    """The lead's features, built from the log in one go."""
    mine = [e for e in whole.events if e.tenant == ACME]
    log, misfits = columns_of(mine, whole.station.service.engine.lanes[""].fields)
    assert misfits == 0
    moments = Moments(Coded.constant(ACME, 1), Coded.of([lead]), np.array([at_us]))
    return build(log.canonical(), whole.scorer.features, moments)


def same(told: dict[str, Any], whole: Running, table: Any) -> None:
    scores = whole.scorer.score(table, alike=True)
    for name in ("probability", "low", "high", "margin"):
        expected = float(getattr(scores, name)[0])
        assert told[name] == (None if np.isnan(expected) else expected), name
    assert told["reasons"] == [
        {"text": r.text, "family": r.family, "effect": r.effect, "features": list(r.features)}
        for r in reasons(scores, 0, 6)
    ]
    assert (told["model"], told["fallback"]) == (whole.scorer.version, False)


def test_a_lead_is_exactly_what_the_scorer_says_of_the_row_built_in_one_go(
    whole: Running, client: httpx.Client
) -> None:
    found = every(client)
    for one in [*found[:6], *found[-3:]]:
        told = client.get(f"/v1/leads/{one['lead']}").json()
        same(told, whole, table_of(whole, one["lead"], told["as_of_us"]))
        mine = [e for e in whole.events if e.lead == one["lead"]]
        newest = sorted(mine, key=lambda e: e.at_us)[-1]
        assert (told["events"], told["last_event"]["kind"]) == (len(mine), newest.kind)
        assert {e["id"] for e in told["timeline"]} == {e.id for e in mine[-20:]}
    assert len({one["probability"] for one in found}) > 5, "the model tells leads apart"


def test_what_if_is_the_scorer_on_the_changed_row(whole: Running, client: httpx.Client) -> None:
    lead = whole.lead_of(None)
    why = client.get(f"/v1/leads/{lead}").json()["reasons"]
    changed = {name: None for reason in why for name in reason["features"]}
    changed |= {"offer_count_30d": 3.0, "season": 0.5}
    told = client.post("/v1/score", json={"lead": lead, "features": changed}).json()
    table = table_of(whole, lead, told["now"]["as_of_us"])
    same(told["now"], whole, table)
    values = table.values.copy()
    for name, value in changed.items():
        values[0, table.names.index(name)] = np.nan if value is None else value
    other = type(table)(values, table.features, table.tenant, table.lead, table.as_of_us)
    same(told["then"], whole, other)
    assert told["now"]["margin"] != told["then"]["margin"]
    for body in ({"lead": lead, "features": {"no_such": 1}}, {"lead": "nobody"}):
        assert client.post("/v1/score", json=body).status_code == 404
    for body in ({"features": {}}, {"lead": lead, "more": 1}, {"lead": lead, "features": [1]},
                 {"lead": lead, "features": {"offer_count_30d": "x"}}):  # fmt: skip
        assert client.post("/v1/score", json=body).status_code == 422


def test_the_same_list_and_lead_need_not_be_sent_again(
    whole: Running, client: httpx.Client
) -> None:
    for path in ("/v1/leads?tier=cold", f"/v1/leads/{whole.lead_of(None)}"):
        first = client.get(path)
        tag = first.headers["etag"]
        again = client.get(path, headers={"If-None-Match": f'"x", {tag}'})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        other = client.get(path, headers={"If-None-Match": '"x"'})
        assert (other.status_code, other.json()) == (200, first.json())
        assert "private" in first.headers["cache-control"]


def test_a_tag_changes_with_what_happens(whole: Running) -> None:
    event = WireEvent("t1", "tags", "ann", "Inquiry", whole.station.clock() - 5_000_000)
    whole.station.submit([event])
    whole.station.service.settled()
    with whole.client(tenant="tags") as client:
        tag = client.get("/v1/leads/ann").headers["etag"]
        body = {"id": "t2", "lead": "ann", "kind": "Viewed Property", "at": "2026-03-01T10:00:00Z"}
        assert client.post("/v1/events", json=body).status_code == 202
        whole.station.service.settled()
        told = client.get("/v1/leads/ann", headers={"If-None-Match": tag})
        assert (told.status_code, told.json()["events"]) == (200, 2)


def test_next_actions_hold_to_consent(whole: Running, client: httpx.Client) -> None:
    path = f"/v1/leads/{whole.lead_of(None)}/next-actions"
    none = client.get(path).json()
    asks_nobody = {"none", "task"}
    assert {one["channel"] for one in none["actions"]} <= asks_nobody
    assert none["refused"]
    place = {"zone": "America/New_York", "state": "NY"}
    some = client.get(path, params={"consent": "email", **place}).json()
    assert {one["channel"] for one in some["actions"]} <= asks_nobody | {"email"}
    assert some["model"] == whole.scorer.version
    both = client.get(path, params={"consent": "email", "refused": "email", **place}).json()
    assert {one["channel"] for one in both["actions"]} <= asks_nobody
    assert client.get(path, params={"zone": "Mars/Base"}).status_code == 422
    assert client.get(path, params={"consent": "pigeon"}).status_code == 422


def test_matches_are_homes_of_the_file(whole: Running, client: httpx.Client) -> None:
    viewed = next(e for e in whole.events if e.tenant == ACME and "listing" in e.data)
    told = client.get(f"/v1/leads/{viewed.lead}/matches", params={"top": 3}).json()
    assert len(told["homes"]) == 3
    assert all(one["listing"].startswith("listing-") for one in told["homes"])
    assert client.get(f"/v1/leads/{viewed.lead}/matches", params={"top": 51}).status_code == 422


def test_another_tenants_lead_is_told_as_one_that_does_not_exist(
    whole: Running, client: httpx.Client
) -> None:
    for lead in ("", "/next-actions", "/matches"):
        unknown = client.get(f"/v1/leads/nobody{lead}")
        other = client.get(f"/v1/leads/{whole.other_lead}{lead}")
        assert (unknown.status_code, other.status_code) == (404, 404)
        told = [dict(one.json(), correlation_id="") for one in (unknown, other)]
        told[1]["detail"] = told[1]["detail"].replace(whole.other_lead, "nobody")
        assert told[0] == told[1]


@pytest.mark.parametrize("lead", ["a/b", "crm/1/matches/x", "ü €", "a%2Fb", "..", "a?b#c", "a b"])
def test_any_name_of_a_lead_can_be_asked_for(whole: Running, lead: str) -> None:
    at_us = whole.station.clock() - 5_000_000
    whole.station.submit([WireEvent(f"n-{lead}", "names", lead, "Inquiry", at_us)])
    whole.station.service.settled()
    quoted = "".join(f"%{byte:02X}" for byte in lead.encode())
    with whole.client(tenant="names") as client:
        for more in ("", "/next-actions", "/matches"):
            answer = client.get(f"/v1/leads/{quoted}{more}")
            assert (answer.status_code, answer.json()["lead"]) == (200, lead)


def test_an_agent_sees_their_own_leads_only(whole: Running) -> None:
    expected = {lead for lead, one in known(whole).items() if one.agent == AGENT}
    foreign = next(lead for lead, one in known(whole).items() if one.agent != AGENT)
    own = next(iter(expected))
    with whole.client("agent") as agent:
        assert {one["lead"] for one in every(agent, limit=5)} == expected
        assert listed(agent, agent="agent-000") == {"leads": [], "total": 0, "next": None}
        for more in ("", "/next-actions", "/matches"):
            assert agent.get(f"/v1/leads/{own}{more}").status_code == 200
            assert agent.get(f"/v1/leads/{foreign}{more}").status_code == 404
            assert agent.get(f"/v1/leads/{whole.other_lead}{more}").status_code == 404
        assert agent.post("/v1/score", json={"lead": own}).status_code == 200
        assert agent.post("/v1/score", json={"lead": foreign}).status_code == 404


def test_every_read_and_prediction_is_on_record(whole: Running) -> None:
    lead, version = whole.lead_of(None), whole.scorer.version
    with whole.client("manager", sub="audited") as client:
        page = listed(client, limit=3)
        ids = [
            client.request(method, path, json=body).headers["x-correlation-id"]
            for method, path, body in (
                ("GET", f"/v1/leads/{lead}", None),
                ("GET", f"/v1/leads/{lead}/next-actions", None),
                ("GET", f"/v1/leads/{lead}/matches", None),
                ("POST", "/v1/score", {"lead": lead}),
            )
        ]
        client.get("/v1/leads/nobody")
    rows = [entry for _, entry in whole.app.state.desk.trail.read(ACME, subject="audited")][::-1]
    assert [(one.action, one.lead, one.model) for one in rows] == [
        *(("lead.list", one["lead"], version) for one in page["leads"]),
        ("lead.read", lead, version), ("lead.next", lead, version),
        ("lead.matches", lead, None), ("score.predict", lead, version),
    ]  # fmt: skip
    assert [one.correlation_id for one in rows[3:]] == ids
    assert whole.app.state.desk.trail.verify().problem is None

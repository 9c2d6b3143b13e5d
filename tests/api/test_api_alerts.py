"""Alerts and the audit over HTTP: whose they are, what is decided, and who hears of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from leadlab.schema.wire import WireEvent
from tests.api.running import AGENT, PATIENCE_S, Running, bearer

TENANT = "alerting"
AGENTS = {"a1": AGENT, "a2": "agent-000", "a3": None}


@pytest.fixture(scope="module")
def client(whole: Running) -> Iterator[httpx.Client]:
    """A manager of a tenant whose leads made an offer each, twice, a day apart."""
    now_us = whole.station.clock()
    for tenant in (TENANT, "alerting-2"):
        for k, days in enumerate((2, 1)):
            events = [
                WireEvent(f"{lead}-{k}", tenant, lead, "Offer Submitted",
                          now_us - days * 86_400_000_000 + n, 350_000.0, agent)
                for n, (lead, agent) in enumerate(AGENTS.items())
            ]  # fmt: skip
            whole.station.service.submit(events)
    whole.station.service.settled()
    with whole.client("manager", tenant=TENANT, sub="mia") as one:
        yield one


def listed(client: httpx.Client, **given: Any) -> list[dict[str, Any]]:
    """All pages."""
    found, cursor = [], None
    while True:
        asked = {**given, **({} if cursor is None else {"cursor": cursor})}
        answer = client.get("/v1/alerts", params=asked)
        assert answer.status_code == 200, answer.text
        found += answer.json()["alerts"]
        cursor = answer.json()["next"]
        if cursor is None:
            return found


def offers(client: httpx.Client, **given: Any) -> list[dict[str, Any]]:
    return listed(client, rule="offer-submitted", **given)


def test_what_was_raised_is_listed_once_whatever_the_size_of_pages(client: httpx.Client) -> None:
    everything = listed(client)
    for limit in (1, 2, 500):
        assert [one["id"] for one in listed(client, limit=limit)] == [
            one["id"] for one in everything
        ]
    assert len({one["id"] for one in everything}) == len(everything)
    assert [one["at_us"] for one in everything] == sorted(
        (one["at_us"] for one in everything), reverse=True
    )
    found = offers(client)
    assert {(one["lead"], one["severity"], one["state"]) for one in found} == {
        (lead, "critical", "open") for lead in AGENTS
    }
    assert found[0]["message"].endswith("made an offer of 350,000")
    assert {one["lead"] for one in listed(client, lead="a1")} == {"a1"}
    assert offers(client, severity="info") == []


@pytest.mark.parametrize(
    "given",
    [{"state": "gone"}, {"severity": "grave"}, {"limit": 0}, {"limit": 501}, {"cursor": "x"},
     {"cursor": "1:"}, {"cursor": "9" * 30 + ":a"}],
)  # fmt: skip
def test_what_cannot_be_asked_is_a_problem(client: httpx.Client, given: dict[str, Any]) -> None:
    assert client.get("/v1/alerts", params=given).status_code == 422


def test_what_people_decide_is_kept_and_told(whole: Running, client: httpx.Client) -> None:
    one = offers(client, lead="a2")[0]["id"]
    url = whole.url.replace("http", "ws") + "/v1/stream?topic=alerts"
    headers = bearer("viewer", tenant=TENANT)
    with connect(url, additional_headers=headers, proxy=None, open_timeout=PATIENCE_S) as socket:
        assert json.loads(socket.recv(PATIENCE_S))["frame"] == "ready"
        snoozed = client.post(f"/v1/alerts/{one}/snooze", json={"minutes": 30})
        assert (snoozed.status_code, snoozed.json()["state"]) == (200, "snoozed")
        assert [a["id"] for a in offers(client, state="snoozed")] == [one]
        acknowledged = client.post(f"/v1/alerts/{one}/acknowledge").json()
        assert (acknowledged["state"], acknowledged["snoozed_until_us"]) == ("acknowledged", None)
        assert client.post(f"/v1/alerts/{one}/resolve").json()["state"] == "resolved"
        states: list[str] = []
        while "resolved" not in states:
            states += [m["body"]["state"] for m in json.loads(socket.recv(PATIENCE_S))
                       if m["key"] == one]  # fmt: skip
    read = client.get(f"/v1/alerts/{one}").json()
    decided = [step for step in read["history"] if step["who"]]
    assert [(step["what"], step["who"]) for step in decided] == [
        ("snoozed", "mia"), ("acknowledged", "mia"), ("resolved", "mia")
    ]  # fmt: skip
    assert client.post(f"/v1/alerts/{one}/snooze", json={"minutes": 1}).status_code == 422
    for body in ({}, {"minutes": 0}, {"minutes": 10**6}, {"minutes": 1, "more": 1}):
        assert client.post(f"/v1/alerts/{one}/snooze", json=body).status_code == 422
    entries = client.get("/v1/audit", params={"subject": "mia", "lead": "a2"}).json()["entries"]
    actions = [entry["action"] for entry in entries]
    for action in ("alert.resolve", "alert.acknowledge", "alert.snooze", "alert.read"):
        assert actions.count(action) == 1


def test_an_agent_sees_and_decides_on_alerts_of_their_own_leads(
    whole: Running, client: httpx.Client
) -> None:
    by_lead = {one["lead"]: one["id"] for one in offers(client)}
    with whole.client("agent", tenant=TENANT) as agent:
        for limit in (1, 50):
            assert {one["lead"] for one in listed(agent, limit=limit)} == {"a1"}
        assert listed(agent, lead="a2") == []
        assert agent.get(f"/v1/alerts/{by_lead['a1']}").status_code == 200
        assert agent.post(f"/v1/alerts/{by_lead['a1']}/acknowledge").status_code == 200
        for lead in ("a2", "a3"):
            assert agent.get(f"/v1/alerts/{by_lead[lead]}").status_code == 404
            for what, body in (
                ("acknowledge", None),
                ("resolve", None),
                ("snooze", {"minutes": 1}),
            ):
                path = f"/v1/alerts/{by_lead[lead]}/{what}"
                assert agent.post(path, json=body).status_code == 404
    assert offers(client, lead="a3")[0]["state"] == "open"


def test_other_tenants_and_viewers_decide_nothing(whole: Running, client: httpx.Client) -> None:
    one = offers(client, lead="a3")[0]["id"]
    with whole.client("viewer", tenant=TENANT) as viewer:
        assert viewer.get(f"/v1/alerts/{one}").status_code == 200
        assert viewer.post(f"/v1/alerts/{one}/resolve").status_code == 403
    with whole.client(tenant="alerting-2") as other:
        assert {a["id"] for a in listed(other)}.isdisjoint(a["id"] for a in listed(client))
        assert other.get(f"/v1/alerts/{one}").status_code == 404
        for what, body in (("acknowledge", None), ("resolve", None), ("snooze", {"minutes": 1})):
            assert other.post(f"/v1/alerts/{one}/{what}", json=body).status_code == 404
    assert offers(client, lead="a3")[0]["state"] == "open"


def test_the_audit_is_paged_filtered_and_a_tenants_own(whole: Running) -> None:
    tenant = "auditing"
    event = WireEvent("x1", tenant, "ann", "Inquiry", whole.station.clock() - 5_000_000)
    whole.station.service.submit([event])
    whole.station.service.settled()
    with whole.client("manager", tenant=tenant, sub="mia") as mia:
        for _ in range(5):
            mia.get("/v1/leads/ann")
        found: list[dict[str, Any]] = []
        cursor = None
        while True:
            given = {"limit": 2, "subject": "mia", "lead": "ann"}
            page = mia.get("/v1/audit", params=given | ({"cursor": cursor} if cursor else {}))
            found += page.json()["entries"]
            cursor = page.json()["next"]
            if cursor is None:
                break
        reads = [one for one in found if one["action"] == "lead.read"]
        assert [one["seq"] for one in found] == sorted({one["seq"] for one in found}, reverse=True)
        assert len(reads) == 5
        assert all((one["lead"], one["model"]) == ("ann", whole.scorer.version) for one in reads)
        assert "tenant" not in reads[0]
        assert mia.get("/v1/audit", params={"cursor": 0}).status_code == 422
    with whole.client("manager", tenant="nobody-here") as other:
        assert other.get("/v1/audit", params={"lead": "ann"}).json()["entries"] == []
    for role in ("viewer", "agent"):
        with whole.client(role, tenant=tenant) as one:
            assert one.get("/v1/audit").status_code == 403

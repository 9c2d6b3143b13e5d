"""How the service says it is: health, readiness, metrics, models, figures, correlation ids."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families

from leadlab.api.app import create_app
from leadlab.api.audit import Trail
from leadlab.api.broadcast import Broadcast
from leadlab.api.desk import Desk
from leadlab.schema.wire import WireEvent
from leadlab.stream.plan import Plan
from leadlab.stream.sink import Sink
from leadlab.stream.station import Station
from tests.api.running import ACME, OTHER, Running, bearer, settings_in
from tests.ui.recorded import wait_until


@pytest.fixture(scope="module")
def client(whole: Running) -> Iterator[httpx.Client]:
    with whole.client() as one:
        yield one


def asked(app: FastAPI, path: str, **headers: str) -> httpx.Response:
    """Ask an application that is not served."""

    async def get() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            return await client.get(path, headers=headers)

    return asyncio.run(get())


def test_a_service_at_work_is_live_ready_and_in_real_time(client: httpx.Client) -> None:
    for name in ("live", "ready", "realtime"):
        answer = client.get(f"/health/{name}")
        assert (answer.status_code, answer.json()[name]) == (200, True), answer.text
        bare = httpx.get(f"{client.base_url}/health/{name}", trust_env=False)
        assert bare.status_code == 200, "health needs no token"
        for tenant in (ACME, OTHER):
            assert tenant not in bare.text


def test_a_disk_that_is_nearly_full_makes_it_not_ready_but_alive(
    whole: Running, tmp_path: Path
) -> None:
    desk = replace(whole.app.state.desk, least_free_bytes=1 << 60)
    app = create_app(desk, replace(whole.settings, home=tmp_path), Broadcast())
    told = asked(app, "/health/ready")
    assert (told.status_code, told.json()["problems"]) == (503, ["the disk is nearly full"])
    assert asked(app, "/health/live").status_code == 200
    app.state.gate.keys.close()


class Fatal(BaseException):
    """What no sink may raise."""


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_engine_that_failed_is_neither_ready_nor_alive(tmp_path: Path) -> None:
    def fail(outcome: Any) -> None:
        raise Fatal

    station = Station(tmp_path / "live", Plan(), sinks=[Sink("fatal", fail)])
    station.start()
    trail = Trail(tmp_path / "audit.db")
    app = create_app(Desk(station, trail), settings_in(tmp_path), Broadcast())
    try:
        assert asked(app, "/health/ready").status_code == 200
        station.submit([WireEvent("e1", "acme", "ann", "Inquiry", 5)])
        wait_until(lambda: station.service.status.state != "live")
        for name in ("live", "ready", "realtime"):
            told = asked(app, f"/health/{name}")
            assert (told.status_code, told.json()[name]) == (503, False)
            assert "Fatal" not in told.text
    finally:
        station.stop()
        trail.close()
        app.state.gate.keys.close()
        app.state.desk.pool.shutdown()


def test_what_cannot_be_put_on_record_is_not_answered(whole: Running, tmp_path: Path) -> None:
    trail = Trail(tmp_path / "audit.db")
    trail.close()
    desk = replace(whole.app.state.desk, trail=trail)
    app = create_app(desk, replace(whole.settings, home=tmp_path), Broadcast())
    lead = whole.lead_of(None)
    for path in (f"/v1/leads/{lead}", f"/v1/leads/{lead}/matches", "/v1/leads", "/v1/alerts"):
        told = asked(app, path, **bearer())
        assert told.status_code == 503
        assert lead not in told.text
    app.state.gate.keys.close()


def test_metrics_are_what_prometheus_reads_and_agree_with_the_engine(
    whole: Running, client: httpx.Client
) -> None:
    whole.station.service.settled()
    answer = client.get("/v1/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = list(text_string_to_metric_families(answer.text))
    names = [family.name for family in families]
    assert len(names) == len(set(names))
    assert all(family.documentation and family.type != "unknown" for family in families)
    samples = {(s.name, tuple(sorted(s.labels.items()))): s.value for f in families
               for s in f.samples}  # fmt: skip
    lane = whole.station.service.engine.lanes[""]
    assert samples["leadlab_events_total", (("plan", "0"),)] == lane.counts.events
    assert samples["leadlab_leads", (("plan", "0"),)] == len(lane.names)
    assert samples["leadlab_waiting_events", ()] == 0
    assert samples["leadlab_skew_differing_total", ()] == 0
    assert [key for key, value in samples.items() if not math.isfinite(value)] == []
    for tenant in (ACME, OTHER):
        assert tenant not in answer.text


def test_models_and_figures_are_the_tenants_own(whole: Running, client: httpx.Client) -> None:
    told = client.get("/v1/models").json()
    assert (told["conversion"], told["fallback"]) == (whole.scorer.version, False)
    assert told["base_rate"] == pytest.approx(whole.scorer.model.base_rate_)
    with whole.client(tenant="nobody-yet") as other:
        mine, theirs = client.get("/v1/figures").json(), other.get("/v1/figures").json()
    sent = sum(event.tenant == ACME for event in whole.events)
    assert mine["events_24h"] >= sent
    assert theirs.get("events_24h", 0) == 0


def test_a_ticket_opens_one_stream_once(whole: Running, client: httpx.Client) -> None:
    answer = client.post("/v1/tickets")
    assert answer.status_code == 201
    ticket = answer.json()["ticket"]
    url = f"{whole.url}/v1/stream?ticket={ticket}"
    with (
        httpx.Client(trust_env=False) as bare,
        bare.stream("GET", url) as first,
        bare.stream("GET", url) as second,
    ):
        assert (first.status_code, second.status_code) == (200, 401)
    assert httpx.get(f"{whole.url}/v1/leads?ticket={ticket}", trust_env=False).status_code == 401


def test_the_callers_id_is_in_answer_problem_and_audit(
    whole: Running, client: httpx.Client
) -> None:
    own = "order-4711-step-2"
    told = client.get("/v1/leads/nobody", headers={"X-Correlation-ID": own})
    assert (told.headers["x-correlation-id"], told.json()["correlation_id"]) == (own, own)
    lead = whole.lead_of(None)
    client.get(f"/v1/leads/{lead}", headers={"X-Correlation-ID": own})
    trail = whole.app.state.desk.trail
    assert [e.action for _, e in trail.read(ACME, lead=lead) if e.correlation_id == own] == [
        "lead.read"
    ]
    for bad in ("short", "x" * 65, "with blank", "+41446681800"):
        made = client.get("/health/live", headers={"X-Correlation-ID": bad})
        assert made.headers["x-correlation-id"] != bad


@pytest.mark.parametrize("path", ["/nowhere", "/v1", "/v1/leads/x/../../..", "/v1/events/"])
def test_what_there_is_not_is_a_problem_too(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code in (404, 405, 307)
    if answer.status_code != 307:
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_method_that_there_is_not_is_a_405_that_says_which(client: httpx.Client) -> None:
    answer = client.delete("/v1/leads")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")


def test_the_documentation_needs_nobody_elses_server(client: httpx.Client) -> None:
    page = client.get("/docs").text
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page

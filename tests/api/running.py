"""The whole service behind a real server on the loopback, with two tenants and every role."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import jwt
import msgspec
from fastapi import FastAPI

from leadlab.api.listening import listening_socket
from leadlab.api.serving import application, server_of
from leadlab.api.settings import ApiSettings
from leadlab.data import simulate
from leadlab.explain import Scorer
from leadlab.schema.rows import events_of
from leadlab.schema.wire import WireEvent, wire_of
from leadlab.stream.plan import Plan
from leadlab.stream.service import wall_us
from leadlab.stream.station import Station
from leadlab.ui.recording import paths
from tests.ui.recorded import make_home

SECRET = "a shared secret of more than thirty-two bytes"
ACME, OTHER = "acme", "umbra"
AGENT = "agent-001"
OFTEN = "1000000/second"
PATIENCE_S = 60.0


def token(**changed: Any) -> str:
    """A token of an admin of `ACME`; None leaves a claim out."""
    now_s = int(time.time())
    given = {
        "iss": "leadlab", "aud": "leadlab", "sub": "tester", "tenant": ACME, "role": "admin",
        "iat": now_s, "nbf": now_s, "exp": now_s + 3600, **changed,
    }  # fmt: skip
    return jwt.encode({k: v for k, v in given.items() if v is not None}, SECRET, algorithm="HS256")


def bearer(role: str = "admin", **claims: Any) -> dict[str, str]:
    """Headers of somebody with a role."""
    if role == "agent":
        claims.setdefault("agent", AGENT)
    return {"Authorization": f"Bearer {token(role=role, **claims)}"}


def wire(tenant: str, n_leads: int, seed: int) -> list[WireEvent]:
    """Events of simulated leads up to an hour ago, whose names begin with the tenant's."""
    log = simulate(n_leads, 60, seed=seed, tenant=tenant).log
    later_us = wall_us() - 3_600_000_000 - int(log.at_us[-1])
    return [
        msgspec.structs.replace(
            one, id=f"{tenant}-{one.id}", lead=f"{tenant}-{one.lead}", at_us=one.at_us + later_us
        )
        for one in map(wire_of, events_of(log))
    ]


@dataclass
class Running:
    """The service at work.

    Attributes
    ----------
    app, station, settings
    url : str
    model : Path
        File of the model that scores.
    events : list of WireEvent
        Of both tenants, as submitted at the start.
    homes : Path
    """

    app: FastAPI
    station: Station
    settings: ApiSettings
    url: str
    model: Path
    events: list[WireEvent]
    homes: Path

    def client(self, role: str = "admin", **claims: Any) -> httpx.Client:
        """Somebody who asks."""
        headers = bearer(role, **claims)
        return httpx.Client(base_url=self.url, headers=headers, timeout=PATIENCE_S, trust_env=False)

    @cached_property
    def other_lead(self) -> str:
        """A lead of the other tenant."""
        return next(e.lead for e in self.events if e.tenant == OTHER)

    @cached_property
    def scorer(self) -> Scorer:
        """The same model, loaded once more."""
        return Scorer.load(self.model)

    def lead_of(self, agent: str | None) -> str:
        """A lead of `ACME` that an agent looks after."""
        with self.client() as client:
            given = {} if agent is None else {"agent": agent}
            return str(client.get("/v1/leads", params=given).json()["leads"][0]["lead"])


def settings_in(home: Path) -> ApiSettings:
    """Settings that limit nobody."""
    rates = dict.fromkeys(("admin", "manager", "agent", "viewer", "anonymous"), OFTEN)
    return ApiSettings(
        home,
        secret=SECRET,
        rates=rates,
        body_bytes=1 << 20,
        operators=frozenset({ACME, "contract"}),
    )


@contextmanager
def running(home: Path) -> Iterator[Running]:
    """Train a small model, take events of two tenants, and serve until the context ends."""
    model, _, _ = paths(make_home(home / "made", n_leads=300, days=180, rounds=20))
    homes = home / "homes.parquet"
    simulate(60, 60, seed=11).listings.to_parquet(homes)
    settings = settings_in(home)
    kept = logging.getLogger().handlers[:], logging.getLogger().level
    app, station = application(
        home / "live", Plan.of(Scorer.load(model)), homes=homes, settings=settings
    )
    logging.getLogger().handlers[:], level = kept
    logging.getLogger().setLevel(level)
    events = [*wire(ACME, 60, 11), *wire(OTHER, 12, 12)]
    try:
        station.service.submit(events)
        station.service.settled()
        with served(app) as url:
            yield Running(app, station, settings, url, model, events, homes)
    finally:
        station.stop()
        app.state.desk.trail.close()


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Serve an application on a free port of the loopback, the way ``leadlab serve`` does."""
    server, opened = server_of(app), listening_socket("127.0.0.1", 0)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [opened]})
    thread.start()
    try:
        end_s = time.monotonic() + PATIENCE_S
        while not server.started:
            assert thread.is_alive() and time.monotonic() < end_s, "the server did not start"
            time.sleep(0.01)
        yield f"http://127.0.0.1:{opened.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(PATIENCE_S)
        opened.close()
        assert not thread.is_alive()

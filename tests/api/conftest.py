"""Keys and settings that the tests of the API share, and a small application behind the gate."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from fastapi import Depends, FastAPI, Request, WebSocket

from leadlab.api.body import BodyLimit
from leadlab.api.correlation import Correlation
from leadlab.api.deps import Gate, chosen_protocol, require, require_stream
from leadlab.api.identity import Principal
from leadlab.api.keys import KeyStore
from leadlab.api.limits import LimitHeaders, Limits
from leadlab.api.problems import install
from leadlab.api.settings import RATES, ApiSettings
from leadlab.api.signing import new_key
from leadlab.api.tickets import Tickets
from leadlab.api.tokens import Verifier
from leadlab.errors import StoreFailed, UnknownName
from tests.api.running import Running, running

SECRET = "a shared secret of more than thirty-two bytes"
NOW_S = 1_780_000_000


@dataclass(frozen=True)
class Keys:
    """A private key of each algorithm, and their public halves in a file."""

    private: dict[str, dict[str, Any]]
    file: Path


def public(jwk: dict[str, Any]) -> dict[str, Any]:
    names = ("kty", "crv", "x", "n", "e", "kid", "alg", "use")
    return {name: jwk[name] for name in names if name in jwk}


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    private = {"EdDSA": new_key("EdDSA"), "RS256": new_key("RS256")}
    file = tmp_path_factory.mktemp("keys") / "jwks.json"
    file.write_text(json.dumps({"keys": [public(jwk) for jwk in private.values()]}))
    return Keys(private, file)


@pytest.fixture(scope="session")
def settings(keys: Keys) -> ApiSettings:
    return ApiSettings(keys.file.parent, secret=SECRET, jwks=keys.file)


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The whole service over HTTP, for all tests that leave nothing behind which others mind."""
    with running(tmp_path_factory.mktemp("whole")) as one:
        yield one


def claims(**changed: Any) -> dict[str, Any]:
    """Claims that hold at `NOW_S`; None leaves one out."""
    given = {
        "iss": "leadlab", "aud": "leadlab", "sub": "ann", "tenant": "acme", "role": "viewer",
        "iat": NOW_S - 10, "nbf": NOW_S - 10, "exp": NOW_S + 600, **changed,
    }  # fmt: skip
    return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True)
class Service:
    """A small application behind the gate, and what its gate is made of."""

    app: FastAPI
    gate: Gate
    settings: ApiSettings


@pytest.fixture
def service(settings: ApiSettings, tmp_path: Path) -> Iterator[Service]:
    store = KeyStore(tmp_path / "api.db")
    rates = {**RATES, "viewer": "3/hour", "anonymous": "4/hour"}
    settings = replace(settings, rates=rates)
    gate = Gate(Verifier(settings), store, Tickets(), Limits(rates), time.time)
    app = FastAPI()
    app.state.gate = gate
    install(app)
    app.add_middleware(BodyLimit, most_bytes=1000, within_s=0.2)
    app.add_middleware(LimitHeaders)
    app.add_middleware(Correlation)
    _routes(app)
    yield Service(app, gate, settings)
    store.close()


def _routes(app: FastAPI) -> None:
    reader, writer = Depends(require("leads:read")), Depends(require("events:write"))
    watcher = Depends(require_stream("stream:read"))

    @app.get("/who")
    async def who(by: Principal = reader) -> dict[str, str]:
        return {"tenant": by.tenant, "subject": by.subject}

    @app.get("/leads/{lead}")
    async def lead(lead: str, by: Principal = reader) -> None:
        raise UnknownName("lead", lead, ["ann"])

    @app.post("/events")
    async def events(request: Request, by: Principal = writer) -> int:
        return len(await request.body())

    @app.post("/checked")
    async def checked(content: dict[str, int], by: Principal = writer) -> int:
        return len(content)

    @app.get("/full")
    async def full() -> None:
        raise StoreFailed("disk is full", where="/var/lib/secret.db")

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("ann@example.com broke it")

    @app.get("/watch")
    async def watch(by: Principal = watcher) -> str:
        return by.subject

    @app.websocket("/socket")
    async def socket(socket: WebSocket, by: Principal = watcher) -> None:
        await socket.accept(chosen_protocol(socket))
        await socket.send_json({"subject": by.subject})
        await socket.close()

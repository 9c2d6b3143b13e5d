"""A served broadcast, and clients that listen to it the way programs outside do."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from starlette.requests import HTTPConnection
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from leadlab.api.broadcast import Broadcast
from leadlab.api.identity import Principal
from leadlab.api.listening import listening_socket
from leadlab.api.stream_routes import stream_router
from leadlab.api.subscription import Subscription
from leadlab.errors import BadInput, LeadlabError, UnknownName
from leadlab.stream.message import Message

PATIENCE_S = 30.0


def principal(tenant: str = "t", role: Any = "viewer", agent: str | None = None) -> Principal:
    return Principal(tenant, "somebody", role, frozenset({"stream:read"}), agent, "key")


def standing(**options: Any) -> Broadcast:
    return Broadcast(**{"capacity": 5_000, "epoch": "e", "grace_s": PATIENCE_S, **options})


def score(lead: str, tenant: str = "t", **fields: Any) -> Message:
    return Message(topic="scores", tenant=tenant, at_us=1, key=lead, lead=lead, **fields)


async def named_principal(connection: HTTPConnection) -> Principal:
    """``Authorization: tenant role agent``."""
    words = connection.headers.get("authorization", "").split()
    if not words:
        raise HTTPException(401, "say who you are")
    if words[0] == "barred":
        raise HTTPException(403, "not you")
    return principal(*words)


async def heard(member: Subscription) -> list[Any]:
    """Every frame that a client can take now, decoded."""
    frames = []
    while True:
        asked = asyncio.ensure_future(member.next())
        for _ in range(6):
            await asyncio.sleep(0)
        if not asked.done():
            asked.cancel()
            await asyncio.wait([asked])
            return frames
        payload = asked.result()
        if payload is None:
            return frames
        frames.append(json.loads(payload))


def messages(frames: list[Any]) -> list[dict[str, Any]]:
    """The messages among frames, without notices."""
    return [one for frame in frames if isinstance(frame, list) for one in frame]


def frame(connection: Any) -> Any:
    return json.loads(connection.recv(PATIENCE_S))


def taken(connection: Any, n: int) -> list[Any]:
    """The next `n` messages."""
    found: list[Any] = []
    while len(found) < n:
        got = frame(connection)
        found += got if isinstance(got, list) else []
    return found


def closed(connection: Any) -> tuple[int, str]:
    with pytest.raises(ConnectionClosed) as ending:
        while True:
            connection.recv(PATIENCE_S)
    assert ending.value.rcvd is not None
    return ending.value.rcvd.code, ending.value.rcvd.reason


class Served:
    """A broadcast behind a real server."""

    def __init__(self, broadcast: Broadcast, server: uvicorn.Server, port: int) -> None:
        self.broadcast = broadcast
        self.server = server
        self.port = port

    def socket(self, query: str = "", who: str = "t", **options: Any) -> ClientConnection:
        headers = {"Authorization": who} if who else {}
        url = f"ws://127.0.0.1:{self.port}/v1/stream{query}"
        return connect(
            url, additional_headers=headers, open_timeout=PATIENCE_S, proxy=None, **options
        )

    @contextmanager
    def events(
        self, query: str = "", who: str = "t", last: str | None = None
    ) -> Iterator[Iterator[dict[str, Any]]]:
        headers = {"Authorization": who}
        if last is not None:
            headers["Last-Event-ID"] = last
        url = f"http://127.0.0.1:{self.port}/v1/stream{query}"
        with (
            httpx.Client(timeout=PATIENCE_S, trust_env=False) as client,
            client.stream("GET", url, headers=headers) as response,
        ):
            assert response.status_code == 200, response.read()
            yield _events(response)

    def until(self, holds: Callable[[], bool]) -> None:
        end_s = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < end_s, "waited in vain"
            time.sleep(0.01)


def _events(response: httpx.Response) -> Iterator[dict[str, Any]]:
    event: dict[str, Any] = {}
    for line in _lines(response):
        name, _, value = line.partition(": ")
        if line:
            event[name] = json.loads(value) if name == "data" else value
        elif "data" in event:
            yield event
            event = {}


def _lines(response: httpx.Response) -> Iterator[str]:
    """Lines as the standard cuts them, which is not as Python's text does."""
    rest = b""
    for part in response.iter_raw():
        *lines, rest = (rest + part).split(b"\n")
        yield from (line.decode() for line in lines)


@contextmanager
def served(broadcast: Broadcast, unread_ms: int = 60_000) -> Iterator[Served]:
    """Serve `broadcast` until the context ends."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with broadcast.serving():
            yield

    app = FastAPI(lifespan=lifespan)
    app.include_router(stream_router(broadcast, named_principal))

    @app.exception_handler(LeadlabError)
    async def problem(request: Request, error: LeadlabError) -> JSONResponse:
        status = 400 if isinstance(error, BadInput | UnknownName) else 503
        return JSONResponse({"title": error.what, "detail": str(error)}, status)

    config = uvicorn.Config(
        app, ws="websockets-sansio", loop="uvloop", http="httptools", log_level="error",
        ws_per_message_deflate=False, timeout_graceful_shutdown=1,
    )  # fmt: skip
    server, opened = uvicorn.Server(config), listening_socket("127.0.0.1", 0, unread_ms)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [opened]})
    thread.start()
    try:
        place = Served(broadcast, server, opened.getsockname()[1])
        place.until(lambda: server.started)
        yield place
    finally:
        server.should_exit = True
        thread.join(PATIENCE_S)
        opened.close()
        assert not thread.is_alive()

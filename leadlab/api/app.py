"""The application: routes, gate, limits and problems around one station."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, Response

from leadlab import __version__
from leadlab.api import (
    alert_routes,
    audit_routes,
    event_routes,
    lead_routes,
    problems,
    state_routes,
)
from leadlab.api.body import BodyLimit
from leadlab.api.broadcast import Broadcast
from leadlab.api.correlation import Correlation
from leadlab.api.deps import Gate, require_stream
from leadlab.api.desk import Desk, desk_of
from leadlab.api.docs_page import docs_page
from leadlab.api.identity import Principal
from leadlab.api.keys import KeyStore
from leadlab.api.limits import LimitHeaders, Limits
from leadlab.api.settings import ApiSettings
from leadlab.api.stream_routes import stream_router
from leadlab.api.tickets import Tickets
from leadlab.api.tokens import Verifier

ABOUT = """Every event scored at once and exactly explained.

Send events to `/v1/events`; read leads from `/v1/leads`; follow `/v1/stream`. Each request proves
who asks by `Authorization: Bearer <token>` or `X-API-Key: <key>` (`leadlab token --help`), and sees
what belongs to its tenant only. Errors are problem details (RFC 9457).
"""


PROOFS_S = 5.0
"""Between two looks at whether those who listen may still."""


def create_app(desk: Desk, settings: ApiSettings, broadcast: Broadcast) -> FastAPI:
    """Put the application together.

    Parameters
    ----------
    desk : Desk
        With a station that was started; it is not stopped here.
    settings : ApiSettings
    broadcast : Broadcast
        Where the station's messages go.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with broadcast.serving():
            watch = asyncio.create_task(_end_proofs(broadcast, keys, desk))
            yield
            watch.cancel()
        desk.pool.shutdown()
        keys.close()

    keys = KeyStore(settings.keys_file)
    app = FastAPI(
        title="leadlab",
        version=__version__,
        description=ABOUT,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        default_response_class=Response,
    )
    app.state.desk, app.state.settings = desk, settings
    app.state.broadcast = broadcast
    app.state.gate = Gate(
        Verifier(settings),
        keys,
        Tickets(),
        Limits(settings.rates, settings.limits),
        time.time,
    )
    problems.install(app)
    app.include_router(event_routes.router)
    app.include_router(lead_routes.router)
    app.include_router(alert_routes.router)
    app.include_router(audit_routes.router)
    app.include_router(state_routes.router)
    app.include_router(stream_router(broadcast, _watcher))
    app.add_api_route(
        "/docs", lambda: HTMLResponse(docs_page(app.openapi())), include_in_schema=False
    )
    app.add_middleware(LimitHeaders)
    app.add_middleware(BodyLimit, most_bytes=settings.body_bytes)
    app.add_middleware(Correlation)
    return app


async def _watcher(connection: HTTPConnection) -> Principal:
    """Who opens a stream, if they may; on record before the first message."""
    who = await require_stream("stream:read")(connection)
    desk = desk_of(connection)
    await desk.note(who, "stream.open", model=desk.version(who.tenant))
    return who


async def _end_proofs(broadcast: Broadcast, keys: KeyStore, desk: Desk) -> None:
    """End streams whose token expired, or whose key was taken back."""
    while True:
        await asyncio.sleep(PROOFS_S)
        if broadcast.clients:
            broadcast.end_proofs(time.time(), await desk.aside(keys.revoked))

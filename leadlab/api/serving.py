"""From files and addresses to a running station with the application around it."""

from __future__ import annotations

import os
import resource
import signal
import socket
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd
import uvicorn
from fastapi import FastAPI

from leadlab.api.app import create_app
from leadlab.api.audit import Trail
from leadlab.api.broadcast import Broadcast
from leadlab.api.desk import Desk
from leadlab.api.filters import Filters
from leadlab.api.listening import listening_socket
from leadlab.api.logs import log_json
from leadlab.api.patient_http import PatientHttp
from leadlab.api.settings import ApiSettings
from leadlab.errors import BadInput, BrokenFile
from leadlab.models.conversation.reader import ConversationReader
from leadlab.models.matching.catalogue import Catalogue
from leadlab.stream.alerts import default_rules, read_rules
from leadlab.stream.cache_redis import RedisLevel
from leadlab.stream.message import Message
from leadlab.stream.pacing import Pacing
from leadlab.stream.plan import Plan
from leadlab.stream.redis_bus import RedisBus
from leadlab.stream.station import Station
from leadlab.stream.telling import standing_messages


def application(
    home: Path,
    plan: Plan,
    *,
    plan_of: Callable[[str], Plan] | None = None,
    homes: Path | None = None,
    rules: Path | None = None,
    keep: int | None = None,
    redis: str | None = None,
    reader: ConversationReader | None = None,
    settings: ApiSettings | None = None,
) -> tuple[FastAPI, Station]:
    """A started station and the application that serves it.

    Raises
    ------
    StoreFailed
        If another process holds the journal.
    ConfigError
        If a setting cannot be used.
    """
    log_json(sys.stderr)
    settings = settings or ApiSettings.from_environment()
    station: Station

    def snapshot(tenant: str, filters: Filters) -> Iterable[Message]:
        agents = filters.agents if filters.own is None else filters.own
        if filters.own is not None and not agents:
            return []
        with station.service.reading() as engine:
            lane = engine.lane_of(tenant)
            return list(standing_messages(lane, tenant, agents=agents, leads=filters.leads))

    broadcast = Broadcast(snapshot=snapshot)
    pacing = replace(Pacing(), keep=keep)
    station = Station(
        home,
        plan,
        publish=broadcast.publish,
        watched=lambda: broadcast.tenants,
        pacing=pacing,
        plan_of=plan_of,
        reader=reader,
        homes=None if homes is None else read_homes(homes),
        rules=default_rules() if rules is None else read_rules(rules),
        environ=os.environ,
        levels=None if redis is None else {"redis": RedisLevel(redis)},
        open_bus=None if redis is None else partial(RedisBus, redis),
    )
    trail = Trail(settings.audit_file, settings.audit_key)
    desk = Desk(station, trail, settings.least_free_bytes)
    app = create_app(desk, settings, broadcast)
    station.start()
    return app, station


class _Server(uvicorn.Server):
    """Tells those who watch that it ends, before it waits for them."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.config.app.state.broadcast.close()  # type: ignore[union-attr]
        await super().shutdown(sockets)


def server_of(app: FastAPI) -> uvicorn.Server:
    """The server of an application, to be given a listening socket."""
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=PatientHttp,
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_max_size=131_072,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )
    return _Server(config)


def run(app: FastAPI, host: str, port: int) -> None:
    """Serve an application until a signal ends it, with as many connections as one may have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    # uvicorn raises the signal that ended it once more: then the caller's cleaning up comes first.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server_of(app).run(sockets=[listening_socket(host, port)])


def read_homes(path: Path) -> Catalogue:
    """Homes of a file, with RESO names in snake_case.

    Raises
    ------
    BadInput, BrokenFile
        If there is no such file, or it cannot be read.
    """
    if path.suffix not in (".csv", ".parquet") or not path.is_file():
        raise BadInput("no file of homes", where=str(path), expected="a .csv or .parquet file")
    try:
        frame = pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
    except (ValueError, OSError) as error:
        raise BrokenFile("cannot read homes", where=str(path), got=str(error)[:100]) from error
    return Catalogue.prepare(frame)

"""Requests to an application without a network."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import httpx
from starlette.types import ASGIApp, Message


def request(app: ASGIApp, method: str, path: str, **given: Any) -> httpx.Response:
    """One request as httpx sends it."""

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://leadlab.test") as client:
            return await client.request(method, path, **given)

    return asyncio.run(send())


def get(app: ASGIApp, path: str, **headers: str) -> httpx.Response:
    return request(app, "GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()})


def messages(
    app: ASGIApp,
    kind: str,
    path: str,
    *,
    incoming: Iterable[Message | float] = (),
    headers: Iterable[tuple[bytes, bytes]] = (),
    query: bytes = b"",
    **scope: Any,
) -> list[Message]:
    """What an application answers to bare ASGI messages; a number among them is a pause in seconds,
    and after the last one nothing ever comes."""
    sent: list[Message] = []
    waiting = iter(incoming)

    async def receive() -> Message:
        for one in waiting:
            if not isinstance(one, float):
                return one
            await asyncio.sleep(one)
        return await asyncio.get_running_loop().create_future()

    async def send(message: Message) -> None:
        sent.append(message)

    full = {
        "type": kind, "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST",
        "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": query,
        "root_path": "", "headers": list(headers), "client": ("198.51.100.7", 1),
        "server": ("leadlab.test", 80), "state": {}, **scope,
    }  # fmt: skip
    asyncio.run(asyncio.wait_for(app(full, receive, send), 20))
    return sent

"""From an HTTP request to everybody's screen: event posted, scored, and read by WebSocket clients.

``python benchmarks/arrival_to_socket.py [--json] [--quick]``

``leadlab serve`` in a process of its own with a model of SIMULATED leads; one client process posts
single events at a steady rate and reads all sockets. A time runs from before the POST to the moment
that a socket has read the score of that very event, so it holds everything: HTTP, the journal's
flush, features, score, contributions, fan-out. Beside the targets.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import live_model
import msgspec
import numpy as np
import uvloop
import websockets
from record import finish, record

from leadlab.api.identity import Principal
from leadlab.api.roles import ROLES
from leadlab.api.settings import ApiSettings
from leadlab.api.signing import issue

PLANS = {100: (100.0, 50.0, 95), 1000: (20.0, 100.0, 99)}
"""By clients: events a second, target in ms, and at which percentile."""


async def measured(url: str, token: str, clients: int, rate: float, seconds: float) -> np.ndarray:
    """Milliseconds from POST to each client, over all events and clients."""
    sent_s: dict[str, float] = {}
    took_ms: list[float] = []
    ready = 0
    bearer = {"Authorization": f"Bearer {token}"}

    async def listen(gate: asyncio.Semaphore) -> None:
        nonlocal ready
        address = f"ws{url.removeprefix('http')}/v1/stream?topic=scores"
        async with gate:
            socket = await websockets.connect(
                address, additional_headers=bearer, compression=None, open_timeout=60
            )
            await socket.recv()
            ready += 1
        async with socket:
            async for frame in socket:
                now_s = time.perf_counter()
                found = msgspec.json.decode(frame)
                events = [one.get("event") for one in found] if isinstance(found, list) else []
                took_ms.extend((now_s - sent_s[one]) * 1e3 for one in events if one in sent_s)

    gate = asyncio.Semaphore(50)
    listening = [asyncio.create_task(listen(gate)) for _ in range(clients)]
    async with httpx.AsyncClient(base_url=url, headers=bearer) as client:
        while ready < clients:
            await asyncio.sleep(0.1)
        start_s = time.perf_counter()
        for n in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, start_s + n / rate - time.perf_counter()))
            event = {
                "id": f"{clients}-{n}", "lead": f"lead-{n % 500}", "kind": "Viewed Property",
                "at": datetime.now(UTC).isoformat(), "value": 400_000.0,
            }  # fmt: skip
            sent_s[event["id"]] = time.perf_counter()
            (await client.post("/v1/events", json=event)).raise_for_status()
        await asyncio.sleep(1.0)
    for task in listening:
        task.cancel()
    await asyncio.gather(*listening, return_exceptions=True)
    return np.array(took_ms)


def run(quick: bool) -> list[dict[str, Any]]:
    """Measure; records as in `benchmarks/record.py`."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        model, secret = live_model.trained(home), secrets.token_hex(32)
        settings = ApiSettings(home, secret=secret)
        who = Principal("acme", "bench", "admin", ROLES["admin"], None, "jwt:bench")
        token = issue(settings, who, now_s=int(time.time()), seconds=3600)
        environment = {
            **os.environ, "LEADLAB_HOME": folder, "LEADLAB_JWT_SECRET": secret,
            "LEADLAB_RATES": "admin=10000000/minute",
        }  # fmt: skip
        for clients, (rate, target_ms, percentile) in PLANS.items():
            port = 18_000 + os.getpid() % 2_000 + clients % 7
            command = [
                str(Path(sys.executable).with_name("leadlab")),
                "serve",
                "--model",
                str(model),
                "--port",
                str(port),
            ]
            child = subprocess.Popen(
                [*command, "--no-dashboards"], env=environment, stderr=subprocess.DEVNULL
            )
            try:
                url = f"http://127.0.0.1:{port}"
                until_s = time.monotonic() + 60
                while time.monotonic() < until_s:
                    with contextlib.suppress(httpx.TransportError):
                        httpx.get(f"{url}/health/live")
                        break
                    time.sleep(0.2)
                took_ms = uvloop.run(measured(url, token, clients, rate, 4 if quick else 15))
            finally:
                child.terminate()
                child.wait()
            name = f"posted to read by {clients:,} sockets, {rate:g} events/s"
            for q in sorted({50, percentile, 99}):
                value = float(np.percentile(took_ms, q))
                target = target_ms if q == percentile else None
                found.append(record(f"{name}, p{q}", value, "ms", "target" if target else "none",
                                    target))  # fmt: skip
    return found


if __name__ == "__main__":
    sys.exit(finish(run, __doc__))

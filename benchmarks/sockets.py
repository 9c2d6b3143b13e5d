"""From publishing to a WebSocket client, with many clients: p50, p95, p99, and how many got it.

``python benchmarks/sockets.py [--clients N ...] [--rate R] [--seconds S] [--json] [--short]``

A server process (`socket_server.py`) publishes SIMULATED scores of 2,000 leads from a thread; every
client listens to all of them. This process is the clients: bare asyncio protocols on uvloop that
cut frames by their headers and read the stamp out of each message, no more, so that it takes less
than the server does; both shares of a core are printed. The peer encodes and sends each message
for each client in turn.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import uvloop
from record import record, table
from rich.console import Console

HERE = Path(__file__).parent
TARGETS = {100: ("p95", 95, 50.0), 1_000: ("p99", 99, 100.0)}
AT_ONCE = 100
DELIVERIES = 100_000
"""Messages times clients a second."""
_STAMP = re.compile(rb'"at_us": ?(\d+)')
_HELLO = (
    b"GET /v1/stream HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Client(asyncio.Protocol):
    """Reads frames and keeps how old each message was, in milliseconds."""

    def __init__(self, ages_ms: list[float]) -> None:
        self.ready = asyncio.get_running_loop().create_future()
        self._ages_ms = ages_ms
        self._rest = b""
        self.got = 0
        self.cut = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the stream."""
        self.transport = transport
        transport.write(_HELLO)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        """Cut off whole frames."""
        now_us = time.time_ns() / 1_000
        data = self._rest + data
        if not self.ready.done():
            end = data.find(b"\r\n\r\n")
            if end >= 0:
                self.ready.set_result(None)
            data = data[end + 4 :] if end >= 0 else data
        start = 0
        while len(data) - start >= 4:
            size, head = data[start + 1], 2
            if size == 126:
                size, head = int.from_bytes(data[start + 2 : start + 4]), 4
            elif size == 127:
                size, head = int.from_bytes(data[start + 2 : start + 10]), 10
            end = start + head + size
            if end > len(data):
                break
            for stamp in _STAMP.findall(data, start, end):
                self._ages_ms.append((now_us - int(stamp)) / 1_000)
                self.got += 1
            start = end
        self._rest = data[start:]

    def connection_lost(self, error: Exception | None) -> None:
        """Note it."""
        self.cut = True


async def listen(port: int, n: int, seconds: float, server: Any) -> tuple[list[float], list[int]]:
    """Connect `n` clients, let the server publish; ages, and how many messages each client got."""
    loop = asyncio.get_running_loop()
    ages_ms: list[float] = []
    clients: list[Client] = []
    while len(clients) < n:
        more = [
            loop.create_connection(lambda: Client(ages_ms), "127.0.0.1", port)
            for _ in range(min(AT_ONCE, n - len(clients)))
        ]
        fresh = [client for _, client in await asyncio.gather(*more)]
        await asyncio.gather(*(client.ready for client in fresh))
        clients += fresh
    await asyncio.sleep(0.5)
    ages_ms.clear()
    server.stdin.write("go\n")
    await asyncio.sleep(seconds)
    found, got = [*ages_ms], [0 if client.cut else client.got for client in clients]
    for client in clients:
        client.transport.abort()  # type: ignore[attr-defined]
    return found, got


def measure(kind: str, n: int, rate: float, seconds: float) -> dict[str, float]:
    """One server, `n` clients."""
    command = [sys.executable, str(HERE / "socket_server.py"), kind, str(rate)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        port = int(server.stdout.readline())
        before_s = time.process_time()
        ages_ms, got = uvloop.run(listen(port, n, seconds, server))
        client_s = time.process_time() - before_s
        server.stdin.write("end\n")
        server_s = float(server.stdout.readline())
    p50, p95, p99 = np.percentile(ages_ms, [50, 95, 99]) if ages_ms else [np.inf] * 3
    return {
        "p50": p50, "p95": p95, "p99": p99, "served": sum(count > 0 for count in got),
        "share": float(np.mean(got)) / (rate * seconds), "server_cores": server_s / seconds,
        "client_cores": client_s / seconds,
    }  # fmt: skip


def run(counts: list[int], wanted: float | None, seconds: float) -> list[dict[str, Any]]:
    """Records as in `benchmarks/record.py`; what they rest on goes to the terminal."""
    found = []
    for n in counts:
        rate = DELIVERIES / n if wanted is None else wanted
        ours, peer = (measure(kind, n, rate, seconds) for kind in ("ours", "naive"))
        for kind, figures in (("ours", ours), ("peer", peer)):
            said = ", ".join(f"{name} {value:.3g}" for name, value in figures.items())
            print(f"{n} clients, {rate:g} messages/s, {kind}: {said}", file=sys.stderr)
        for q in ("p50", "p95", "p99"):
            name = f"published to {n:,} sockets, {rate:g}/s each, {q}"
            found.append(record(name, ours[q], "ms", "dumps and send in a loop", peer[q]))
        if n in TARGETS:
            q, _, target_ms = TARGETS[n]
            name = f"published to {n:,} sockets, {q}"
            found.append(record(name, ours[q], "ms", "target", target_ms))
        found.append(record(f"of {n:,} sockets served", ours["served"], "clients",
                            "dumps and send in a loop", peer["served"], "higher"))  # fmt: skip
    return found


def main() -> int:
    """Be the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, nargs="*", default=[100, 1_000, 5_000])
    parser.add_argument("--rate", type=float, help="messages a second; by default 100,000 / N")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--json", action="store_true", help="print a list of records")
    parser.add_argument("--short", "--quick", action="store_true", help="100 clients, 2 seconds")
    arguments = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    counts, seconds = arguments.clients, arguments.seconds
    if arguments.short:
        counts, seconds = [100], 2.0
    records = run(counts, arguments.rate, seconds)
    if arguments.json:
        json.dump(records, sys.stdout, indent=1)
        print()
    else:
        Console(width=None if sys.stdout.isatty() else 140).print(table(records))
    return 0


if __name__ == "__main__":
    sys.exit(main())

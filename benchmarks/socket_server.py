"""The server side of `sockets.py`: our broadcast, or a loop over clients, publishing at a rate.

``python benchmarks/socket_server.py (ours|naive) RATE``: prints the port, publishes SIMULATED
messages at RATE a second from a thread once it reads a line, prints its CPU seconds at the end of
its input.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec
import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from starlette.requests import HTTPConnection

from leadlab.api.broadcast import Broadcast
from leadlab.api.identity import Principal
from leadlab.api.listening import listening_socket
from leadlab.api.stream_routes import stream_router
from leadlab.stream.message import Message

LEADS = 2_000
TICK_S = 0.005
Publish = Callable[[list[Message]], None]


def message(number: int) -> Message:
    """A score as the engine sends it, stamped with the moment it was published."""
    lead = f"lead-{number % LEADS}"
    body = {"probability": 0.123456, "low": 0.05, "high": 0.2, "model": "conversion-v12",
            "reasons": [["visits", 0.81], ["recency", -0.33], ["messages", 0.12]]}  # fmt: skip
    return Message(
        topic="scores", tenant="t", at_us=time.time_ns() // 1_000, key=lead, lead=lead,
        agent=f"agent-{number % 20}", tier="warm", event=f"event-{number}", body=body,
    )  # fmt: skip


def ours() -> tuple[FastAPI, Publish]:
    """Our stream."""
    broadcast = Broadcast()

    async def anybody(connection: HTTPConnection) -> Principal:
        return Principal("t", "bench", "viewer", frozenset(), None, "k")

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with broadcast.serving():
            yield

    app = FastAPI(lifespan=lifespan)
    app.include_router(stream_router(broadcast, anybody))
    return app, broadcast.publish


def naive() -> tuple[FastAPI, Publish]:
    """What tutorials do: every message is encoded and sent to every client in turn."""
    clients: list[WebSocket] = []
    waiting: asyncio.Queue[Message] = asyncio.Queue()
    loops: list[asyncio.AbstractEventLoop] = []

    async def send() -> None:
        while True:
            one = msgspec.to_builtins(await waiting.get())
            for client in [*clients]:
                await client.send_text(json.dumps(one))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        loops.append(asyncio.get_running_loop())
        task = asyncio.create_task(send())
        yield
        task.cancel()

    app = FastAPI(lifespan=lifespan)

    @app.websocket("/v1/stream")
    async def stream(socket: WebSocket) -> None:
        await socket.accept()
        clients.append(socket)
        try:
            while True:
                await socket.receive_text()
        except WebSocketDisconnect:
            clients.remove(socket)

    def publish(messages: list[Message]) -> None:
        for one in messages:
            loops[0].call_soon_threadsafe(waiting.put_nowait, one)

    return app, publish


def play(publish: Publish, rate: float, end: threading.Event) -> None:
    """Publish `rate` messages a second until `end`."""
    start, sent = time.monotonic(), 0
    while not end.wait(TICK_S):
        due = int((time.monotonic() - start) * rate)
        if due > sent:
            publish([message(number) for number in range(sent, due)])
            sent = due


def main() -> None:
    """Serve until the input ends."""
    app, publish = {"ours": ours, "naive": naive}[sys.argv[1]]()
    rate = float(sys.argv[2])
    config = uvicorn.Config(
        app, ws="websockets-sansio", loop="uvloop", http="httptools", log_level="error",
        ws_per_message_deflate=False, ws_ping_interval=None, timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = uvicorn.Server(config)
    opened = listening_socket("127.0.0.1", 0)
    print(opened.getsockname()[1], flush=True)
    end = threading.Event()

    def command() -> None:
        sys.stdin.readline()
        before_s = time.process_time()
        player = threading.Thread(target=play, args=(publish, rate, end))
        player.start()
        sys.stdin.readline()
        print(time.process_time() - before_s, flush=True)
        end.set()
        player.join()
        server.should_exit = True

    threading.Thread(target=command).start()
    server.run(sockets=[opened])


if __name__ == "__main__":
    main()

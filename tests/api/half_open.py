"""Connections that begin a request and never end it."""

from __future__ import annotations

import resource
import select
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

BEGUN = (
    b"",
    b"GET /v1/leads HTTP/1.1\r\nHost: x\r\n",
    b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n{",
    b"GET /v1/stream HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n",
)
"""What is sent: nothing, half a head, half a body, half a handshake."""
SPARE = 500
"""Files that the process needs for other things."""


def allowed(wanted: int) -> int:
    """As many of `wanted` connections as this process may hold, with its limit raised."""
    soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted + SPARE:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, wanted + SPARE), most))
    return min(wanted, most - SPARE)


@contextmanager
def half_open(port: int, count: int) -> Iterator[list[socket.socket]]:
    """Hold `count` connections open, each stuck somewhere else."""
    with ExitStack() as held:
        found = []
        for k in range(count):
            one = held.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))
            one.sendall(BEGUN[k % len(BEGUN)])
            found.append(one)
        yield found


def ended(sockets: list[socket.socket], within_s: float) -> int:
    """How many were ended by the server, after `within_s` at the most."""
    waiting = select.poll()
    left = {one.fileno(): one for one in sockets}
    for number in left:
        waiting.register(number, select.POLLIN | select.POLLHUP)
    until_s = time.monotonic() + within_s
    while left and time.monotonic() < until_s:
        for number, _ in waiting.poll(200):
            try:
                over = not left[number].recv(65_536)
            except ConnectionError:
                over = True
            if over:
                waiting.unregister(number)
                del left[number]
    return len(sockets) - len(left)

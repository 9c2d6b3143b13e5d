"""``leadlab serve`` in a process of its own, to be killed."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.api.running import PATIENCE_S, SECRET, bearer


@dataclass(frozen=True)
class Child:
    """A server.

    Attributes
    ----------
    process : Popen
    port : int
    home : Path
        ``LEADLAB_HOME``.
    log : Path
        What it writes to its error stream.
    """

    process: subprocess.Popen[bytes]
    port: int
    home: Path
    log: Path

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def client(self, role: str = "admin") -> httpx.Client:
        """Somebody who asks."""
        return httpx.Client(
            base_url=self.url, headers=bearer(role), timeout=PATIENCE_S, trust_env=False
        )

    def kill(self) -> None:
        """End it as a lack of power would."""
        self.process.kill()
        self.process.wait(PATIENCE_S)


@contextmanager
def child(home: Path, *arguments: str, **environment: str) -> Iterator[Child]:
    """Serve in another process; it is ended with the context."""
    port, log = _free_port(), home / f"serve-{time.monotonic_ns()}.log"
    own = {"LEADLAB_HOME": str(home), "LEADLAB_JWT_SECRET": SECRET, **environment}
    program = [sys.executable, "-c", "from leadlab.cli import main; main()"]
    command = [*program, "serve", "--port", str(port), "--no-dashboards", *arguments]
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command, env={**os.environ, **own}, stdout=subprocess.DEVNULL, stderr=stream
        )
    one = Child(process, port, home, log)
    try:
        _wait(one)
        yield one
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(PATIENCE_S)
        finally:
            process.kill()


def _wait(one: Child) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while True:
        try:
            if httpx.get(f"{one.url}/health/live", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
        assert one.process.poll() is None, one.log.read_text()
        assert time.monotonic() < end_s, "the server did not start in time"


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])

"""A Redis server of the tests' own: on a free port, in a folder of its own, ended by its id."""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
import redis


class RedisServer:
    """Started at once; may be killed, started again on the same files, frozen and thawed."""

    def __init__(self, folder: Path, *, lasting: bool = True) -> None:
        if shutil.which("redis-server") is None:
            pytest.fail(
                "no redis-server here: apt install redis-server, or conda install redis-server",
                pytrace=False,
            )
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.folder, self.lasting = folder, lasting
        self.url = f"redis://127.0.0.1:{self.port}/0"
        folder.mkdir(parents=True, exist_ok=True)
        self.start()

    def start(self) -> None:
        options = {
            "port": str(self.port), "bind": "127.0.0.1", "dir": str(self.folder), "save": "",
            "appendonly": "yes" if self.lasting else "no", "appendfsync": "always",
            "enable-debug-command": "yes",
        }  # fmt: skip
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        with (self.folder / "redis.log").open("a") as log:
            self.process = subprocess.Popen(["redis-server", *words], stdout=log, stderr=log)
        deadline_s = time.monotonic() + 30
        with redis.Redis(port=self.port, socket_timeout=5) as client:
            while time.monotonic() < deadline_s:
                assert self.process.poll() is None, (self.folder / "redis.log").read_text()
                with contextlib.suppress(redis.exceptions.ConnectionError):
                    client.ping()
                    return
                time.sleep(0.02)
        pytest.fail("redis-server did not start")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.thaw()
            self.process.terminate()
            self.process.wait()

"""Limits: counted over all processes in Redis, and here while Redis is away."""

from __future__ import annotations

import asyncio
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from leadlab.api.limits import PAUSE_S, Allowance, Limits
from leadlab.api.settings import ApiSettings
from leadlab.errors import ConfigError, TooMuch


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    server = shutil.which("redis-server")
    assert server, "redis-server is missing: install Debian's package redis-server"
    port = free_port()
    process = subprocess.Popen(
        [server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)],
        stdout=subprocess.DEVNULL,
    )
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.02)
    yield process, f"redis://127.0.0.1:{port}/0"
    process.kill()
    process.wait()


def taken(limits: Limits, times: int, who: str = "acme:ann") -> list[Allowance | None]:
    async def ask() -> list[Allowance | None]:
        found: list[Allowance | None] = []
        for _ in range(times):
            try:
                found.append(await limits.take("viewer", who))
            except TooMuch as full:
                assert full.retry_after_s is not None
                assert full.retry_after_s >= 1
                found.append(None)
        return found

    return asyncio.run(ask())


def test_two_processes_share_one_count_in_redis(
    redis: tuple[subprocess.Popen[bytes], str],
) -> None:
    _, address = redis
    one, other = (Limits({"viewer": "3/hour"}, address) for _ in range(2))
    assert [a and a.remaining for a in taken(one, 2)] == [2, 1]
    assert [a and a.remaining for a in taken(other, 2)] == [0, None]
    assert taken(one, 1) == [None]
    assert not one.degraded


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGSTOP])
def test_without_redis_each_counts_for_itself_and_says_so(
    redis: tuple[subprocess.Popen[bytes], str],
    caplog: pytest.LogCaptureFixture,
    end: signal.Signals,
) -> None:
    process, address = redis
    clock = [0.0]
    limits = Limits({"viewer": "3/hour"}, address, clock=lambda: clock[0])
    assert [a and a.shared for a in taken(limits, 1)] == [True]
    process.send_signal(end)
    if end == signal.SIGKILL:
        process.wait()
    alone = taken(limits, 4)
    assert [a and (a.shared, a.remaining) for a in alone] == [
        (False, 2), (False, 1), (False, 0), None,
    ]  # fmt: skip
    assert limits.degraded
    assert [record.message for record in caplog.records] == [
        "requests are counted here, Redis is away"
    ]
    clock[0] = PAUSE_S + 1
    assert not limits.degraded


def test_the_window_moves() -> None:
    limits = Limits({"viewer": "2/second"})
    assert None in taken(limits, 200)
    time.sleep(1.1)
    assert None not in taken(limits, 2)


@pytest.mark.parametrize("rate", ["", "many", "5", "-1/minute", "5/fortnight"])
def test_a_rate_that_cannot_be_read_is_a_wrong_setting(rate: str) -> None:
    with pytest.raises(ConfigError):
        Limits({"viewer": rate})


@pytest.mark.parametrize(
    "address", ["", "nowhere", "ftp://host", "memcached://h", "redis://h:port"]
)
def test_an_address_that_cannot_count_is_a_wrong_setting(address: str) -> None:
    with pytest.raises(ConfigError):
        Limits({"viewer": "1/minute"}, address)


@pytest.mark.parametrize(
    "environ",
    [
        {"LEADLAB_RATES": "root=1/minute"}, {"LEADLAB_RATES": "viewer"},
        {"LEADLAB_RATES": "viewer="}, {"LEADLAB_BODY_BYTES": "-5"}, {"LEADLAB_BODY_BYTES": "1e6"},
        {"LEADLAB_BODY_BYTES": "0"}, {"LEADLAB_AUDIT_KEY": "short"},
    ],
)  # fmt: skip
def test_settings_that_cannot_be_used_say_so(environ: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=next(iter(environ))):
        ApiSettings.from_environment(environ)

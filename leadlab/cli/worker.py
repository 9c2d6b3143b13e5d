"""``leadlab worker``: score what comes through Redis, beside other workers."""

from __future__ import annotations

import os
import random
import re
import signal
import socket
import threading
from pathlib import Path
from typing import Annotated

import typer

from leadlab.cli.console import err
from leadlab.cli.score import Model
from leadlab.cli.served import at_home, model_watch, plan_from, take_turns
from leadlab.config import Settings
from leadlab.errors import BadInput
from leadlab.stream.engine_keeper import EngineKeeper, check_together
from leadlab.stream.redis_bus import RedisBus
from leadlab.stream.redis_messages import RedisMessages
from leadlab.stream.worker import Worker, WorkerStatus

HELP = """Take a share of the events that come through Redis; journal, score and explain them.

Partitions are shared among the workers of one home and taken over when one dies. On several
machines each has a home of its own and is given its partitions by number.

Example: `leadlab worker --redis redis://localhost:6379/0`
"""


def worker(
    redis: Annotated[
        str, typer.Option(envvar="LEADLAB_REDIS", metavar="URL", help="The Redis server.")
    ],
    home: Annotated[
        Path | None,
        typer.Option(help="Journals, checkpoints and results; LEADLAB_HOME/live when not given."),
    ] = None,
    partitions: Annotated[
        str, typer.Option(metavar="auto|0-3,7", help="Which it may take.")
    ] = "auto",
    model: Model = None,
    churn: Annotated[Path | None, typer.Option(help="Churn model, a file.")] = None,
    namespace: Annotated[str, typer.Option(help="Which bus on the server.")] = "main",
    name: Annotated[str | None, typer.Option(help="Unique among workers.")] = None,
    trust_redis: Annotated[
        bool, typer.Option("--trust-redis", help="Do not check that Redis flushes what it takes.")
    ] = False,
) -> None:
    """Work until told to stop."""
    settings = Settings.from_environment()
    take_turns()
    named = model or at_home(settings)
    plan, plan_of = plan_from(named, churn)
    if plan.conversion is None:
        err.print("No model is at work: rules stand in, and every result says so.")
    bus = RedisBus(redis, namespace=namespace, lasting=not trust_redis)
    check_together(plan, bus.by)
    messages = RedisMessages(redis, namespace=namespace, timeout_s=1.0)

    keepers: list[EngineKeeper] = []

    def start(_partition: int, folder: Path) -> EngineKeeper:
        keeper = EngineKeeper(
            folder, plan, publish=messages.send, watched=messages.watched, plan_of=plan_of
        )
        keepers.append(keeper)
        return keeper

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with model_watch(named, lambda: [k.station for k in keepers if k.at_work]):
        Worker(
            bus,
            home or settings.home / "live",
            start,
            name=name or f"{socket.gethostname()}-{os.getpid()}",
            rng=random.Random(),
            partitions=_numbers(partitions, bus.partitions),
            tell=_tell,
        ).run(stop)
    messages.close()
    bus.close()


def _numbers(text: str, partitions: int) -> list[int] | None:
    """Partitions by number; None for "auto".

    Examples
    --------
    >>> _numbers("0-2,7", 8), _numbers("auto", 8)
    ([0, 1, 2, 7], None)
    """
    if text == "auto":
        return None
    found: set[int] = set()
    for part in text.split(","):
        span = re.fullmatch(r"([0-9]+)(?:-([0-9]+))?", part.strip())
        if span is None:
            raise BadInput("no partitions", where="--partitions", got=text, expected="auto or 0-3")
        first, last = span[1], span[2] or span[1]
        found.update(range(int(first), int(last) + 1))
    if not found or max(found) >= partitions:
        expected = f"0 to {partitions - 1}"
        raise BadInput("no such partition", where="--partitions", got=text, expected=expected)
    return sorted(found)


def _tell(status: WorkerStatus) -> None:
    held = ", ".join(map(str, status.held)) or "none"
    line = f"{status.state}; partitions {held}"
    if status.elsewhere:
        line += f"; at home elsewhere {', '.join(map(str, status.elsewhere))}"
    if status.state == "waiting":
        line += f"; {status.error}"
    err.print(line)


worker.__doc__ = HELP

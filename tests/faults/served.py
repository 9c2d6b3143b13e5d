"""A service in a process of its own, that a test feeds, starves and kills."""

from __future__ import annotations

import resource
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from leadlab.errors import LeadlabError
from leadlab.explain.scorer import Scorer
from leadlab.schema.received import receive
from leadlab.stream import live_engine
from leadlab.stream.live_engine import LiveEngine
from leadlab.stream.outcome import Outcome
from leadlab.stream.pacing import Pacing
from leadlab.stream.plan import Plan
from leadlab.stream.service import Service
from leadlab.stream.sink import Sink

SENDERS = 3


@dataclass(frozen=True)
class Setup:
    """How to serve.

    Attributes
    ----------
    home : Path
    model : Path
        Model file; rules stand in where it cannot be read.
    pacing : Pacing
    stride : int
        Entries between two moments of letting go.
    """

    home: Path
    model: Path
    pacing: Pacing
    stride: int


def plan_at(path: Path) -> tuple[Plan, str]:
    """Plan of a model's file, and why there is no model in it."""
    try:
        return Plan.of(Scorer.load(path)), ""
    except LeadlabError as error:
        return Plan(), f"{type(error).__name__}: {error}"


def plan_beside(path: Path, version: str) -> Plan:
    """Plan of a version: a file of that name in the same folder."""
    return Plan.of(Scorer.load(path.with_name(f"{version}.leadlab")))


class Served:
    """Answers what comes over a connection; each request of rows is acknowledged once durable."""

    def __init__(self, answers: Connection, setup: Setup) -> None:
        self.answers, self.setup = answers, setup
        self.sending = threading.Lock()
        self.open = threading.Event()
        self.open.set()
        self.now_us = 0
        plan, self.no_model = plan_at(setup.model)
        self.service = Service(
            setup.home,
            lambda: LiveEngine(plan),
            [Sink("consumer", self.consume)],
            pacing=setup.pacing,
            plan_of=lambda version: plan_beside(setup.model, version),
            clock=lambda: self.now_us,
        )

    def consume(self, outcome: Outcome) -> None:
        """Read nothing for as long as the consumer is told not to."""
        self.open.wait()

    def say(self, *answer: Any) -> None:
        with self.sending:
            self.answers.send(answer)

    def take(self, number: int, tenant: str, body: bytes, stamp_us: int) -> None:
        """Submit a body's rows; says (number, ids acknowledged, rows refused, error)."""
        self.now_us = stamp_us
        got = receive(body, tenant=tenant, now_us=stamp_us, lines=True)
        try:
            self.service.submit(got.events, stamp_us=stamp_us)
        except LeadlabError as error:
            self.say(number, [], len(got.refused), type(error).__name__)
            return
        self.say(number, [event.id for event in got.events], len(got.refused), "")

    def told(self) -> dict[str, Any]:
        status, engine = self.service.status, self.service.engine
        return {
            "state": status.state, "failure": status.failure, "troubles": dict(status.troubles),
            "recovered_from": status.recovered_from, "replayed": status.replayed,
            "checkpoints": status.checkpoints, "lag": self.service.lag,
            "model": engine.lanes[""].plan.version, "no_model": self.no_model,
            "rss_kb": _rss_kb(),
        }  # fmt: skip

    def run(self) -> None:
        self.service.start()
        self.say(-1, self.told())
        with ThreadPoolExecutor(SENDERS) as senders:
            while True:
                what, *of = self.answers.recv()
                if what == "rows":
                    senders.submit(self.take, *of).add_done_callback(lambda done: done.result())
                elif what == "stop":
                    break
                else:
                    self.obey(what, *of)
        self.open.set()
        self.service.stop()
        self.say(-1, self.told())

    def obey(self, what: str, *of: Any) -> None:
        if what == "settle":
            self.service.settled()
        elif what == "promote":
            self.service.promote(plan_beside(self.setup.model, of[0]))
        elif what == "room":
            most = of[0] if of[0] is not None else resource.RLIM_INFINITY
            _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
        elif what == "read":
            (self.open.set if of[0] else self.open.clear)()
        self.say(-1, self.told())


def _rss_kb() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def serve(answers: Connection, setup: Setup) -> None:
    """Run until told to stop, or killed."""
    live_engine.STRIDE = setup.stride
    Served(answers, setup).run()

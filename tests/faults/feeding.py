"""The other end of a served process: sends, keeps what was acknowledged, kills."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections import deque
from collections.abc import Sequence
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from tests.faults.load import Request
from tests.faults.served import Setup, serve

IN_FLIGHT = 24
WAIT_S = 120.0


def forking() -> ForkServerContext:
    """Processes forked from one that has everything loaded."""
    root = str(Path(__file__).parents[2])
    before = os.environ.get("PYTHONPATH", "")
    if root not in before.split(os.pathsep):
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [root, before]))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.faults.warmed"])
    return context


class Feeder:
    """Sends requests to a served process and remembers what became of them.

    Attributes
    ----------
    acknowledged : set of (tenant, id)
        Over all processes that served this home.
    refused : int
        Rows refused in requests that were acknowledged.
    """

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.acknowledged: set[tuple[str, str]] = set()
        self.refused = 0
        self.errors: list[str] = []
        self.started: dict[str, Any] = {}
        self.process: BaseProcess | None = None
        self.start_s = 0.0
        self.flying: dict[int, Request] = {}

    def start(self) -> dict[str, Any]:
        """Serve; gives the status once events are taken."""
        context = forking()
        self.mine, theirs = context.Pipe()
        process = context.Process(target=serve, args=(theirs, self.setup), daemon=True)
        self.process = process
        begun_s = time.monotonic()
        process.start()
        theirs.close()
        self.started = self.answer()
        self.start_s = time.monotonic() - begun_s
        return self.started

    def answer(self) -> dict[str, Any]:
        if not self.mine.poll(WAIT_S):
            raise TimeoutError("the served process does not answer")
        number, told = self.mine.recv()
        assert number == -1
        return dict(told)

    def ask(self, what: str, *of: object) -> dict[str, Any]:
        self.mine.send((what, *of))
        return self.answer()

    def send(self, todo: Sequence[Request], *, until: int | None = None) -> list[Request]:
        """Send requests, several in flight; gives those that were not acknowledged.

        Ends early when `until` requests were answered: what is in flight then stays unanswered.
        """
        waiting, flying = deque(enumerate(todo)), dict[int, Request]()
        self.flying = flying
        failed: list[Request] = []
        done = 0
        while (waiting or flying) and until != 0:
            while waiting and len(flying) < IN_FLIGHT:
                number, request = waiting.popleft()
                flying[number] = request
                self.mine.send(("rows", number, request.tenant, request.body, request.stamp_us))
            if not self.mine.poll(WAIT_S):
                raise TimeoutError("requests are not answered")
            number, ids, refused, error = self.mine.recv()
            request = flying.pop(number)
            if error:
                self.errors.append(error)
                failed.append(request)
            else:
                self.note(request, ids, refused)
                failed += [request] if set(ids) != set(request.ids) else []
            done += 1
            if done == until:
                break
        return [*failed, *flying.values(), *(request for _, request in waiting)]

    def note(self, request: Request, ids: Sequence[str], refused: int) -> None:
        assert set(ids) <= set(request.ids)
        assert refused == request.poison + len(request.ids) - len(ids)
        self.refused += refused
        self.acknowledged.update((request.tenant, one) for one in ids)

    def kill(self) -> None:
        """What the kernel does to a process out of memory; what was acknowledged by then counts."""
        self.end()
        try:
            while self.mine.poll():
                number, ids, refused, error = self.mine.recv()
                if not error:
                    self.note(self.flying[number], ids, refused)
        except (EOFError, OSError):  # the rest of an answer died with it
            pass
        self.mine.close()

    def stop(self) -> dict[str, Any]:
        """End in good order."""
        told = self.ask("stop")
        assert self.process is not None
        self.process.join(WAIT_S)
        self.mine.close()
        return told

    def end(self) -> None:
        """See that no process stays behind."""
        if self.process is not None and self.process.is_alive():
            self.process.kill()
            self.process.join(WAIT_S)

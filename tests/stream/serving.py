"""A service of two tenants and a small model, fed the same requests in every test."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from numpy.typing import NDArray

from leadlab.schema.wire import WireEvent
from leadlab.stream.live_engine import LiveEngine
from leadlab.stream.pacing import Pacing
from leadlab.stream.plan import Plan
from leadlab.stream.result_store import ResultStore
from leadlab.stream.service import Service
from leadlab.stream.sink import Sink
from tests.stream.scenes import as_they_come, entries_of, scorer, tenants

CAME = as_they_come(tenants(("acme", "best")), seed=2)

EVENTS = entries_of(CAME).events

GRID = sorted({*range(0, len(CAME), 7), *range(0, len(CAME), 50)})

QUIET = Pacing(batch=16, tick_s=60.0, checkpoint_s=3600.0)

PLANS: dict[str, Callable[[], Plan]] = {
    "one": lambda: Plan(scorer()),
    "two": lambda: Plan(scorer("two", 20)),
    "rules": Plan,
}


def plan_of(version: str) -> Plan:
    return PLANS[version]()


def service_of(
    home: Path, sinks: Sequence[Sink] = (), *, version: str = "one", pacing: Pacing = QUIET,
    clock: Callable[[], int] | None = None,
) -> Service:  # fmt: skip
    ticking = {} if clock is None else {"clock": clock}
    return Service(
        home, lambda: LiveEngine(plan_of(version)), sinks, pacing=pacing, plan_of=plan_of, **ticking
    )


def feed(service: Service, start: int, end: int) -> None:
    """Arrivals between two multiples of 50, always in the same requests."""
    ends = sorted({*(at for at in GRID if start < at < end), start, end})
    for at, until in itertools.pairwise(ends):
        part = CAME[at:until]
        service.submit([event for event, _ in part], stamp_us=part[-1][1])


def keep(service: Service) -> None:
    """Write a checkpoint now."""
    service._keep()
    assert service._writer is not None
    service._writer.join()


def die(service: Service) -> None:
    """End without a checkpoint or a farewell, as far as a process can do it to itself."""
    service.status.state = "failed"
    service.stop()


def kept(home: Path) -> tuple[NDArray[Any], list[str]]:
    """Rows on disk, and the version that each was scored by."""
    store = ResultStore(home / "results.db")
    rows, models = store.read(0, 10**9)
    store.close()
    names = [models[code] for code in rows["model"]]
    rows["model"] = 0
    return rows, names


def same(one: tuple[NDArray[Any], list[str]], other: tuple[NDArray[Any], list[str]]) -> None:
    assert one[0].tobytes() == other[0].tobytes()
    assert one[1] == other[1]


def switched(service: Service, version: str) -> None:
    wait(lambda: service.engine.lanes[""].plan.version == version)


def wait(true: Callable[[], bool]) -> None:
    for _ in range(10_000):
        if true():
            return
        threading.Event().wait(0.005)
    pytest.fail("what was waited for did not come")


def room(db: Any, pages: int) -> None:
    used = db.execute("PRAGMA page_count").fetchone()[0]
    db.execute(f"PRAGMA max_page_count={used + pages}")


def renamed(event: WireEvent, name: str, **fields: Any) -> WireEvent:
    return msgspec.structs.replace(event, id=name, **fields)

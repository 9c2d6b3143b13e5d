"""What tests of the live service share: a small trained model, and events as they come."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import msgspec
import numpy as np

from leadlab.data import simulate
from leadlab.explain.scorer import Scorer
from leadlab.features import Moments, build, catalogue
from leadlab.models.conversion import ConversionModel
from leadlab.schema.event import Event
from leadlab.schema.log import Coded, EventLog
from leadlab.schema.rows import event_fields
from leadlab.schema.wire import WireEvent, wire_of
from leadlab.stream.entries import Entries
from leadlab.stream.lane import Lane

DAY_US = 86_400_000_000


@cache
def scorer(version: str = "one", rounds: int = 30) -> Scorer:
    """A model of a small SIMULATED brokerage; another number of rounds is another model."""
    table = build(simulate(60, 90, seed=3).log, catalogue())
    busy = table.column("activity_count_30d") + 5 * table.column("showing_count_30d")
    model = ConversionModel(rounds=rounds).fit(table, busy > np.quantile(busy, 0.9))
    return Scorer(model, catalogue(), version)


@cache
def simulated(leads: int, days: int, seed: int) -> tuple[WireEvent, ...]:
    """SIMULATED events of one tenant in order of time."""
    log = simulate(leads, days, seed=seed).log
    return tuple(wire_of(Event(**fields)) for fields in event_fields(log))


def tenants(names: Sequence[str], leads: int = 12, days: int = 60) -> list[WireEvent]:
    """Events of several tenants by time: the same names of leads, agents and ids in each."""
    found = [
        msgspec.structs.replace(event, tenant=tenant)
        for seed, tenant in enumerate(names)
        for event in simulated(leads, days, seed)
    ]
    return sorted(found, key=lambda event: event.at_us)


def as_they_come(
    events: Sequence[WireEvent], seed: int, *, again: float = 0.2, late_days: float = 5.0
) -> list[tuple[WireEvent, int]]:
    """Events with the moment of their arrival: days late, ahead of the clock, more than once."""
    rng = np.random.default_rng(seed)
    n = len(events)
    delay_us = np.where(
        rng.random(n) < 0.1, rng.random(n) * late_days * DAY_US, rng.random(n) * 2e6
    ).astype(np.int64)
    delay_us[rng.random(n) < 0.05] = -150_000_000  # the clocks of sources differ
    came = [
        (event.at_us + int(delay), event) for event, delay in zip(events, delay_us, strict=True)
    ]
    for k in np.flatnonzero(rng.random(n) < again):
        at_us, event = came[k]
        came.append((at_us + int(rng.random() * 3 * DAY_US), event))
    came.sort(key=lambda pair: pair[0])
    return [(event, at_us) for at_us, event in came]


def entries_of(came: Sequence[tuple[WireEvent, int]]) -> Entries:
    """What a journal would make of arrivals: each event once, stamped when it came."""
    seen: set[tuple[str, str]] = set()
    kept = []
    for event, stamp_us in came:
        if (event.tenant, event.id) not in seen:
            seen.add((event.tenant, event.id))
            kept.append((event, stamp_us))
    stamps_us = np.maximum.accumulate(np.array([stamp for _, stamp in kept], np.int64))
    return Entries([event for event, _ in kept], np.arange(1, len(kept) + 1), stamps_us)


def log_of(events: Sequence[WireEvent]) -> EventLog:
    """Events as a log for batch work, by the records' own door and not by that of the engine."""
    moments = np.array([e.at_us for e in events]).astype("datetime64[us]").tolist()
    return EventLog.from_events(
        Event(
            id=e.id, tenant=e.tenant, lead=e.lead, kind=e.kind, at=f"{at.isoformat()}Z",
            value=e.value, agent=e.agent, source=e.source, data=e.data,
        )
        for e, at in zip(events, moments, strict=True)
    )  # fmt: skip


def mismatches(lane: Lane, events: Sequence[WireEvent], as_of_us: int) -> tuple[int, int]:
    """Leads whose features in the lane's store are not those of a batch rebuild; and leads in all.

    Bits are compared, not numbers, so that NaN equals NaN and nothing else.
    """
    log, wrong, leads = log_of(events), 0, 0
    for tenant in log.tenant.names:
        names = list(dict.fromkeys(e.lead for e in events if e.tenant == tenant))
        live = lane.read(tenant, names, as_of_us)
        moments = Moments(Coded.constant(tenant, len(names)), Coded.of(names), live.as_of_us.copy())
        again = build(log, lane.plan.features, at=moments)
        same = live.values.view(np.uint32) == again.values.view(np.uint32)
        both_nan = np.isnan(live.values) & np.isnan(again.values)
        wrong += int((~(same | both_nan)).any(axis=1).sum())
        leads += len(names)
    return wrong, leads

"""After a fault: every acknowledged event counted once, and all as if nothing had happened."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlab.stream import checkpoint, live_engine
from leadlab.stream.entries import Entries
from leadlab.stream.journal import Journal
from leadlab.stream.live_engine import LiveEngine
from leadlab.stream.plan import Plan
from leadlab.stream.result_store import KEPT, ResultStore
from leadlab.stream.rules import VERSION as RULES
from tests.faults.served import Setup, plan_beside
from tests.stream.scenes import mismatches


@dataclass(frozen=True)
class Verdict:
    """What was found in a home after a clean stop.

    Attributes
    ----------
    acknowledged, counted, lost, doubled : int
        Events; lost were acknowledged and have no result, doubled have two.
    rows_other : int
        Results that differ from those of one undisturbed pass over the journal.
    leads, mismatches : int
        Leads whose features were compared with a batch rebuild, and those that differ in a bit.
    too_late : int
        Events that came after their time was let go of.
    foreign : int
        Results whose lead is not of the event's tenant.
    versions : tuple of str
        Models that scored, in order.
    """

    acknowledged: int
    counted: int
    lost: int
    doubled: int
    rows_other: int
    leads: int
    mismatches: int
    too_late: int
    foreign: int
    versions: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """Nothing lost, doubled, different or foreign."""
        wrong = (self.lost, self.doubled, self.rows_other, self.mismatches, self.foreign)
        return self.counted == self.acknowledged and not any(wrong)


def verdict(setup: Setup, acknowledged: set[tuple[str, str]]) -> Verdict:
    """Look into what a stopped service left."""
    with Journal(setup.home / "journal.db") as journal:
        entries = journal.read(0, 10**9)
        switches = journal.switches("")
    store = ResultStore(setup.home / "results.db")
    rows, models = store.read(0, 10**9)
    store.close()
    names = [(event.tenant, event.id) for event in entries.events]
    counted = Counter(names[offset - 1] for offset in rows["offset"])
    state = LiveEngine(_plan(setup, switches[-1][1]))
    checkpoint.restore(state, checkpoint.listed(setup.home / "checkpoints")[0])
    assert state.offset == len(entries)
    lane, stamp_us = state.lanes[""], int(entries.stamps_us[-1])
    wrong, leads = mismatches(lane, entries.events, stamp_us)
    wanted, versions = _undisturbed(setup, entries, switches)
    told = [models[code] for code in rows["model"]]
    return Verdict(
        acknowledged=len(acknowledged),
        counted=len(counted),
        lost=len(acknowledged - set(counted)),
        doubled=sum(n > 1 for n in Counter(names).values()) + sum(n > 1 for n in counted.values()),
        rows_other=_different(rows, wanted)
        + sum(a != b for a, b in zip(told, versions, strict=True)),
        leads=leads,
        mismatches=wrong,
        too_late=lane.counts.too_late,
        foreign=sum(
            lane.names[place]
            != (entries.events[offset - 1].tenant, entries.events[offset - 1].lead)
            for place, offset in zip(rows["place"], rows["offset"], strict=True)
        ),
        versions=tuple(dict.fromkeys(told)),
    )


def _plan(setup: Setup, version: str) -> Plan:
    return Plan() if version == RULES else plan_beside(setup.model, version)


def _undisturbed(
    setup: Setup, entries: Entries, switches: list[tuple[int, str]]
) -> tuple[NDArray[Any], list[str]]:
    """One pass over the journal in one process, as if nothing had ever happened."""
    before, live_engine.STRIDE = live_engine.STRIDE, setup.stride
    engine = LiveEngine(_plan(setup, switches[0][1]))
    parts, versions = [], []
    places = {0, len(entries), *(behind for behind, _ in switches)}
    places.update(range(0, len(entries), setup.stride))
    for start, end in pairwise(sorted(places)):
        version = [name for behind, name in switches if behind <= start][-1]
        lane = engine.lanes[""]
        lane.use(lane.plan.with_conversion(_plan(setup, version).conversion))
        for outcome in engine.take(entries.take(start, end)):
            kept = np.zeros(len(outcome), KEPT)
            for name in KEPT.names or ():
                kept[name] = outcome.rows[name]
            parts.append(kept)
            versions += [outcome.models[code] for code in outcome.rows["model"]]
    live_engine.STRIDE = before
    return np.concatenate(parts), versions


def _different(rows: NDArray[Any], wanted: NDArray[Any]) -> int:
    """Rows that are not the same to the last bit, their code of a model apart."""
    if len(rows) != len(wanted):
        return abs(len(rows) - len(wanted))
    found = np.zeros(len(rows), np.bool_)
    for name in set(KEPT.names or ()) - {"model"}:
        one, other = rows[name], wanted[name]
        same = one == other
        if one.dtype.kind == "f":
            same |= np.isnan(one) & np.isnan(other)
        found |= ~same
    return int(found.sum())

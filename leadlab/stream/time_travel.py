"""Recorded hours scored again by another model, from the journal of a service.

What comes out is a function of journal and model alone, so that the same model writes the very rows
that were recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlab.errors import BadInput, BrokenFile, EmptyInput
from leadlab.stream import checkpoint
from leadlab.stream.journal import Journal
from leadlab.stream.live_engine import DEFAULT, LiveEngine
from leadlab.stream.outcome import OUTCOME, Outcome
from leadlab.stream.plan import Plan
from leadlab.stream.result_store import ResultStore

BATCH = 4096
Told = Callable[[str, int, int], None]
"""Told (what is done, entries done, entries in all) as it goes."""
Watch = Callable[[Outcome], Iterable[str]]
"""Given outcomes in order; names of the alerts that each raises."""
I64 = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Stretch:
    """Entries of a journal from one moment to another, by the stamps of their arrival.

    Attributes
    ----------
    first, last : int
        Offsets, both included.
    """

    first: int
    last: int

    def __len__(self) -> int:
        return self.last - self.first + 1


@dataclass(frozen=True, eq=False)
class Scored:
    """Results of a stretch.

    Attributes
    ----------
    rows : structured array of `OUTCOME`, or of `KEPT` where read from disk, shape (n,)
        By offset, ascending.
    models : list of str
        Versions by the code in ``rows["model"]``.
    tenant, lead, kind, event : object arrays of str, shape (n,)
        Empty for results that were read from disk.
    families : tuple of str
        By the code in ``rows["reason"]``.
    alerts : frozenset of str
        Names of those raised.
    """

    rows: NDArray[Any]
    models: list[str]
    tenant: NDArray[np.object_] = field(default_factory=lambda: np.empty(0, object))
    lead: NDArray[np.object_] = field(default_factory=lambda: np.empty(0, object))
    kind: NDArray[np.object_] = field(default_factory=lambda: np.empty(0, object))
    event: NDArray[np.object_] = field(default_factory=lambda: np.empty(0, object))
    families: tuple[str, ...] = ()
    alerts: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(self.rows)

    def versions(self) -> NDArray[np.object_]:
        """Version of the model behind each row."""
        names: NDArray[np.object_] = np.array(self.models, dtype=object)
        return names.take(self.rows["model"])


def stretch_of(journal: Journal, start_us: int, end_us: int) -> Stretch:
    """Entries that arrived from `start_us` on and before `end_us`.

    Raises
    ------
    BadInput
        If the end is not after the start, or the journal no longer holds the start.
    EmptyInput
        If nothing arrived then.
    """
    if end_us <= start_us:
        raise BadInput("the end is not after the start", got=_moments(start_us, end_us))
    stretch = Stretch(journal.offset_at(start_us), journal.offset_at(end_us) - 1)
    if len(stretch) < 1:
        raise EmptyInput(
            "nothing arrived in this stretch",
            where=str(journal.path),
            got=_moments(start_us, end_us),
            hint=f"The last entry is of {_moments(journal.last_stamp_us)}.",
        )
    if stretch.first == journal.first > 1:
        raise BadInput(
            "the journal may have let go of the start of this stretch",
            where=str(journal.path),
            got=_moments(start_us),
            hint="Ask for a later start.",
        )
    return stretch


def rerun(
    home: Path,
    journal: Journal,
    stretch: Stretch,
    plan: Plan,
    *,
    tell: Told = lambda step, done, of: None,
    watch: Watch | None = None,
) -> Scored:
    """Score a stretch as if a plan's models had been in force.

    The state before it comes from the newest checkpoint that lies before the stretch and holds the
    plan's features, else from the journal's start.

    Raises
    ------
    BadInput
        If there is no such checkpoint and the journal's start was let go of.
    """
    engine = _engine_before(home, journal, stretch, plan)
    before = stretch.first - 1
    start = engine.offset
    while engine.offset < before:
        tell("take what came before", engine.offset - start, before - start)
        engine.learn(journal.read(engine.offset, min(BATCH, engine.room, before - engine.offset)))
    parts: list[Outcome] = []
    alerts: set[str] = set()
    while engine.offset < stretch.last:
        tell(f"score by {plan.version}"[:38], engine.offset - before, len(stretch))
        most = min(BATCH, engine.room, stretch.last - engine.offset)
        for outcome in engine.take(journal.read(engine.offset, most)):
            parts.append(outcome)
            if watch is not None:
                alerts.update(watch(outcome))
    return _scored(engine, parts, frozenset(alerts))


def _engine_before(home: Path, journal: Journal, stretch: Stretch, plan: Plan) -> LiveEngine:
    for path in checkpoint.listed(home / "checkpoints"):
        if not journal.first - 1 <= checkpoint.offset_of(path) < stretch.first:
            continue
        engine = LiveEngine(plan)
        try:
            checkpoint.restore(engine, path)
        except BrokenFile:
            continue  # of other features, or a newer one took its place: the journal serves too
        engine.lanes[DEFAULT].models[:] = [plan.version]
        return engine
    if journal.first > 1:
        raise BadInput(
            "no state from before this stretch can be had for these features",
            where=str(journal.path),
            got=f"a journal from entry {journal.first:,} on",
            hint="Keep more of the journal, or use a model of the recorded model's features.",
        )
    return LiveEngine(plan)


def _scored(engine: LiveEngine, parts: list[Outcome], alerts: frozenset[str]) -> Scored:
    def texts(columns: Iterator[NDArray[Any]]) -> NDArray[np.object_]:
        return np.concatenate([np.empty(0, object), *columns])

    return Scored(
        np.concatenate([np.zeros(0, OUTCOME), *(part.rows for part in parts)]),
        list(engine.lanes[DEFAULT].models),
        texts(part.events.tenant.values() for part in parts),
        texts(part.events.lead.values() for part in parts),
        texts(part.events.kind.values() for part in parts),
        texts(part.events.id for part in parts),
        engine.lanes[DEFAULT].families,
        alerts,
    )


def recorded(home: Path, stretch: Stretch) -> Scored:
    """What a service made of a stretch when it came.

    Raises
    ------
    BadInput
        If no results are kept beside the journal.
    """
    path = home / "results.db"
    if not path.is_file():
        raise BadInput("no recorded results", where=str(path), hint="Compare with a model instead.")
    store = ResultStore(path, read_only=True)
    try:
        rows, models = store.read(stretch.first, stretch.last)
    finally:
        store.close()
    return Scored(rows, models)


def strayed(one: Scored, other: Scored) -> tuple[int, int]:
    """Rows of one model version in both, and how many of them differ in any bit; must be 0.

    Examples
    --------
    >>> rows = np.zeros(2, OUTCOME)
    >>> rows["offset"] = 1, 2
    >>> changed = rows.copy()
    >>> changed["probability"][1] = 1e-17
    >>> strayed(Scored(rows, ["v1"]), Scored(changed, ["v1"]))
    (2, 1)
    """
    _, mine, theirs = np.intersect1d(
        one.rows["offset"], other.rows["offset"], assume_unique=True, return_indices=True
    )
    alike = one.versions()[mine] == other.versions()[theirs]
    mine, theirs = mine[alike], theirs[alike]
    differs = np.zeros(len(mine), np.bool_)
    for name in ("place", "as_of_us", "probability", "low", "high", "tier", "fallback"):
        a, b = one.rows[name][mine], other.rows[name][theirs]
        differs |= (a != b) & ~((a != a) & (b != b))
    return len(mine), int(differs.sum())


def _moments(*at_us: int) -> str:
    return " to ".join(str(np.datetime64(us, "us").astype("datetime64[s]")) for us in at_us)

"""The online store: the same replay that makes training sets, still going."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from leadlab.errors import BadInput, UnknownName
from leadlab.features.batch import AGENT
from leadlab.features.columns import translate
from leadlab.features.entity_store import UNKNOWN, Arrivals, EntityStore
from leadlab.features.feature import Entity
from leadlab.features.feature_set import ENTITIES, FeatureSet, by_entity
from leadlab.features.moments import as_micros
from leadlab.features.table import FeatureTable
from leadlab.schema.log import MISSING, Coded, EventLog

I32 = NDArray[np.int32]
F32 = NDArray[np.float32]
SEPARATOR = "\x1f"
"""Between tenant and name in the key of an entity."""


class Taken(NamedTuple):
    """What `OnlineStore.take` gives: a row an event.

    Attributes
    ----------
    values : float32 array, shape (n, n_features)
    status : int8 array, shape (n,)
        `ADDED`, `LATE`, `DUPLICATE` or `TOO_LATE` of `leadlab.features.arrival`, for the lead.
    slots : int32 array, shape (n,)
        Number of the lead in the store, in order of first appearance.
    """

    values: F32
    status: NDArray[np.int8]
    slots: I32


class OnlineStore:
    """Features of live leads, exact at any moment that is asked for.

    Parameters
    ----------
    features : FeatureSet
        The very set that the training set was built with.

    Examples
    --------
    >>> import pandas as pd
    >>> from leadlab.features import FeatureSet, count, events
    >>> from leadlab.schema import EventLog
    >>> frame = pd.DataFrame({"who": ["ann", "ann"], "what": ["Inquiry", "Inquiry"],
    ...                       "when": ["2026-01-01", "2026-01-03"]})
    >>> store = OnlineStore(FeatureSet([count(events("Inquiry"), "7d")]))
    >>> store.add(EventLog.from_frame(frame, lead="who", kind="what", at="when"))
    Arrivals(added=2, late=0, duplicates=0, too_late=0)
    >>> [store.read(["ann"], day).values.item() for day in ("2026-01-03", "2026-01-09")]
    [2.0, 1.0]
    """

    def __init__(self, features: FeatureSet) -> None:
        self.features = features
        groups = by_entity(features)
        self.stores: dict[Entity, EntityStore] = {}
        self._places: dict[Entity, NDArray[np.int64]] = {}
        place = {name: i for i, name in enumerate(features.names)}
        for entity in ENTITIES:
            chosen = groups.get(entity, [])
            self._places[entity] = np.array([place[f.name] for f in chosen], np.int64)
            if entity == "lead":
                chosen = [*chosen, AGENT]
            if chosen:
                self.stores[entity] = EntityStore(chosen, features.tz)

    def add(self, log: EventLog) -> Arrivals:
        """Take a batch; late events go where they belong, repeated ids change nothing.

        Returns
        -------
        Arrivals
            Counts for the leads' chains: added (late ones among them), late, duplicates, and
            too_late, which came after the store had let go of their time and were left out.
        """
        arrivals = Arrivals(0, 0, 0, 0)
        for entity, store in self.stores.items():
            slots = self._slots(log, entity, store)
            took = store.add(log, slots)
            if entity == "lead":
                arrivals = took
        return arrivals

    def take(self, log: EventLog, as_of_us: NDArray[np.int64]) -> Taken:
        """Take events one by one in order of arrival; after each, read its lead.

        The rows are those that `read` gives after `add` of the events up to and including that
        one, at the cost of a batch.

        Parameters
        ----------
        log : EventLog
            n events, in any order.
        as_of_us : int64 array, shape (n,)
            As of when; never descending within a tenant from call to call, and not before the
            event's own time.

        Examples
        --------
        >>> import pandas as pd
        >>> from leadlab.features import FeatureSet, count, events
        >>> frame = pd.DataFrame({"who": ["ann", "ann"], "what": ["Inquiry", "Inquiry"],
        ...                       "when": ["2026-01-01", "2026-01-03"]})
        >>> log = EventLog.from_frame(frame, lead="who", kind="what", at="when")
        >>> store = OnlineStore(FeatureSet([count(events("Inquiry"), "7d")]))
        >>> store.take(log, log.at_us).values.tolist()
        [[1.0], [2.0]]
        """
        out = np.full((len(log), len(self.features)), np.nan, np.float32)
        lead = self.stores["lead"]
        slots = self._slots(log, "lead", lead)
        values, status = lead.take(log, slots, slots, as_of_us)
        agents, out[:, self._places["lead"]] = values[:, -1], values[:, :-1]
        for entity, store in self.stores.items():
            if entity == "lead":
                continue
            own = self._slots(log, entity, store)
            asked = own if entity == "tenant" else self._agents_of(log, agents)
            out[:, self._places[entity]] = store.take(log, own, asked, as_of_us)[0]
        return Taken(out, status, slots)

    def _agents_of(self, log: EventLog, codes: F32) -> I32:
        """Slots of the agents that the rows name, each in its event's tenant."""
        asked = np.full(len(log), UNKNOWN, np.int32)
        for code, tenant in enumerate(log.tenant.names):
            rows = np.flatnonzero((log.tenant.codes == code) & ~np.isnan(codes))
            if len(rows):
                found, back = np.unique(codes[rows], return_inverse=True)
                asked[rows] = self._agent_slots(found, tenant + SEPARATOR)[back]
        return asked

    def _slots(self, log: EventLog, entity: Entity, store: EntityStore) -> I32:
        """Slot of each event's entity; -1 where it has none."""
        names = {"lead": log.lead, "agent": log.agent, "tenant": log.tenant}[entity]
        if len(log.tenant.names) == 1:
            prefix = log.tenant.names[0] + SEPARATOR
            return translate(names, lambda text: store.slot_of(prefix + text))
        tenants, width = log.tenant.names, len(names.names)
        pair = np.where(
            names.codes == MISSING, -1, log.tenant.codes * np.int64(width) + names.codes
        )
        used, first, inverse = np.unique(pair, return_index=True, return_inverse=True)
        slots = np.full(len(used), UNKNOWN, np.int32)
        for i in np.argsort(first):  # numbered by first appearance, however events are cut
            if used[i] >= 0:
                tenant, name = tenants[used[i] // width], names.names[used[i] % width]
                slots[i] = store.slot_of(tenant + SEPARATOR + name)
        return slots[inverse]

    @property
    def leads(self) -> list[tuple[str, str]]:
        """(tenant, lead) of every lead known."""
        keys = self.stores["lead"].slots
        return [(key.split(SEPARATOR, 1)[0], key.split(SEPARATOR, 1)[1]) for key in keys]

    def read(
        self,
        leads: Sequence[str],
        as_of: datetime | str | int | NDArray[np.int64],
        *,
        tenant: str = "default",
        strict: bool = False,
    ) -> FeatureTable:
        """Features of leads as of a moment; nothing is changed by asking.

        Parameters
        ----------
        leads : sequence of str
            One row each, in this order.
        as_of : datetime, str, int (microseconds UTC), or int64 array with one entry a lead
            Any moment that the store still reaches, also a past one.
        tenant : str
            Whose leads.
        strict : bool
            Raise for an unknown lead; else its row is NaN.

        Raises
        ------
        UnknownName
            With `strict`, for a lead that has no event.
        BadInput
            For a moment before what the store has let go of.
        """
        as_of_us = np.broadcast_to(_micros(as_of), len(leads)).astype(np.int64)
        known = self.stores["lead"].slots
        prefix = tenant + SEPARATOR
        slots = np.array([known.get(prefix + lead, UNKNOWN) for lead in leads], np.int32)
        if strict and (slots < 0).any():
            raise UnknownName("lead", leads[int(np.argmin(slots))], (key[1] for key in self.leads))
        out = np.full((len(leads), len(self.features)), np.nan, np.float32)
        agent_codes = np.empty(0, np.float32)
        for entity, store in self.stores.items():
            if entity == "agent":
                slots = self._agent_slots(agent_codes, prefix)
            elif entity == "tenant":
                slots = np.full(len(leads), store.slots.get(prefix + tenant, UNKNOWN), np.int32)
            self._reach(store, slots, as_of_us)
            values = store.read(slots, as_of_us)
            if entity == "lead":
                agent_codes, values = values[:, -1], values[:, :-1]
            out[:, self._places[entity]] = values
        out[np.isnan(agent_codes)] = np.nan
        names = list(dict.fromkeys(leads))
        codes = {name: i for i, name in enumerate(names)}
        lead = Coded(np.array([codes[n] for n in leads], np.int32), np.array(names, dtype=object))
        return FeatureTable(out, self.features, Coded.constant(tenant, len(leads)), lead, as_of_us)

    def _agent_slots(self, codes: F32, prefix: str) -> I32:
        """Slots of the agents that the leads' rows name."""
        texts = list(self.stores["lead"].texts["agent"])
        known = self.stores["agent"].slots
        return np.array(
            [known.get(prefix + texts[int(c)], UNKNOWN) if c >= 0 else UNKNOWN for c in codes],
            np.int32,
        )

    def _reach(self, store: EntityStore, slots: I32, as_of_us: NDArray[np.int64]) -> None:
        reached = store.reaches(slots, as_of_us)
        if not reached.all():
            raise BadInput(
                "the store no longer reaches back that far",
                where="as_of",
                got=np.datetime64(int(as_of_us[~reached][0]), "us"),
                hint="Build from the event log instead, or evict later.",
            )

    def evict(self, now: datetime | str | int) -> int:
        """Let go of events that no window reaches at `now` or later.

        Last values, totals since ever and the like stay exact. Afterwards an event older than
        what was let go of for its lead is counted as too late, and reads before `now` are refused
        where they would need what is gone. To leave room for late events, pass a moment that far
        in the past.

        Returns
        -------
        int
            Events let go of.
        """
        now_us = int(_micros(now)[0])
        return sum(store.evict(now_us) for store in self.stores.values())

    @property
    def n_events(self) -> int:
        """Events held in the leads' chains."""
        return self.stores["lead"].n_events

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays of the store, without the dictionaries of names."""
        return sum(store.nbytes for store in self.stores.values())

    def save(self, path: str | Path) -> None:
        """Write everything to one file, in one step; see `leadlab.features.snapshot`."""
        from leadlab.features.snapshot import save  # noqa: PLC0415  (cycle)

        save(self, Path(path))

    @classmethod
    def load(cls, path: str | Path) -> OnlineStore:
        """Read a snapshot; the store goes on as if it had never stopped."""
        from leadlab.features.snapshot import load  # noqa: PLC0415  (cycle)

        return load(Path(path))


def _micros(moment: datetime | str | int | NDArray[np.int64]) -> NDArray[np.int64]:
    if isinstance(moment, np.ndarray):
        return as_micros(moment)
    if isinstance(moment, (int, np.integer)):
        return np.array([moment], np.int64)
    return as_micros([moment])

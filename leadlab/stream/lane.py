"""One plan at work: events in, features, scores and reasons out, and where each lead stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import time
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from leadlab.errors import LeadlabError, UnknownName
from leadlab.explain.scores import Scores
from leadlab.features.arrival import DUPLICATE, LATE, TOO_LATE
from leadlab.features.feature_set import FeatureSet
from leadlab.features.online import SEPARATOR, OnlineStore
from leadlab.features.table import FeatureTable
from leadlab.schema.log import Coded, EventLog
from leadlab.schema.wire_columns import columns_of
from leadlab.stream.alone import failing
from leadlab.stream.entries import Entries
from leadlab.stream.lead_book import LeadBook
from leadlab.stream.names import Names
from leadlab.stream.outcome import OUTCOME, TOP, Outcome
from leadlab.stream.plan import Plan
from leadlab.stream.rules import VERSION as RULES
from leadlab.stream.rules import rule_scores
from leadlab.stream.settle import settle

I64 = NDArray[np.int64]
BROKEN = (LeadlabError, ArithmeticError, LookupError, TypeError, ValueError, RuntimeError)
"""What a model that is broken may raise; rules stand in then."""
_OWN = ("agent", "source", "kind", "lead", "tenant", "value", "")


@dataclass(slots=True)
class Counts:
    """What a lane has met.

    Attributes
    ----------
    events, late, repeated, too_late : int
    misfits : int
        Data fields of another type than a feature needs, taken as missing.
    fallbacks : int
        Results by rules.
    model_failures : int
        Rows that a model failed on.
    last_failure : str
    """

    events: int = 0
    late: int = 0
    repeated: int = 0
    too_late: int = 0
    misfits: int = 0
    fallbacks: int = 0
    model_failures: int = 0
    last_failure: str = ""


class Lane:
    """Store, book and models of one plan. Not for several threads at once.

    Results depend on the journal alone: on the events, their order and their stamps, never on how
    they were cut into batches.

    Parameters
    ----------
    plan : Plan

    Examples
    --------
    >>> from leadlab.schema.wire import WireEvent
    >>> event = WireEvent("e1", "acme", "ann", "Inquiry", 5)
    >>> lane = Lane(Plan())
    >>> outcome = lane.take(Entries([event], np.array([1]), np.array([6])))
    >>> row = outcome.rows[0]
    >>> int(row["as_of_us"]), bool(row["fallback"]), outcome.models[row["model"]]
    (6, True, 'rules')
    """

    def __init__(self, plan: Plan, store: OnlineStore | None = None) -> None:
        self.plan = plan
        self.store = OnlineStore(plan.features) if store is None else store
        self.models: list[str] = [plan.version]
        self.kinds, self.agents, self.tenants = Names(), Names(), Names()
        self._ending = np.zeros(0, np.bool_)
        self.clocks: dict[str, int] = {}
        self.names: list[tuple[str, str]] = []
        self.counts = Counts()
        families = list(dict.fromkeys(f.family for f in plan.features))
        self.families = tuple(families)
        self.book = LeadBook(len(families))
        self._family = np.array([families.index(f.family) for f in plan.features], np.int64)
        self.fields = _fields_of(self.store)
        self.use(plan)

    def use(self, plan: Plan) -> None:
        """Take other models of the same features; the next event is scored by them."""
        if plan.version not in self.models:
            self.models.append(plan.version)
        conversion = None if plan.conversion is None else plan.columns(plan.conversion.features)
        churn = None if plan.churn is None else plan.columns(plan.churn.features)
        self._ends = frozenset((*plan.converted, *plan.ended))
        self._ending = np.zeros(0, np.bool_)
        self._at_work = (plan, conversion, churn)  # at once, for who scores in another thread
        self.plan = plan

    # -- events ------------------------------------------------------------------------------------

    def take(self, entries: Entries) -> Outcome:
        """Take entries of the journal in order; each new event gets one row."""
        log, misfits = columns_of(entries.events, self.fields, entries.keys)
        self.counts.misfits += misfits
        as_of_us = self._as_of(log, entries.stamps_us)
        taken = self.store.take(log, as_of_us)
        featured_s = time()
        self._learn_names(log, taken.slots)
        fresh = np.flatnonzero(taken.status != DUPLICATE)
        self._count(taken.status)
        offsets, stamps_us, slots, status = (
            entries.offsets, entries.stamps_us, taken.slots, taken.status,
        )  # fmt: skip
        values = taken.values
        if len(fresh) < len(log):
            log, values, as_of_us = log.take(fresh), values[fresh], as_of_us[fresh]
            offsets, stamps_us, slots = offsets[fresh], stamps_us[fresh], slots[fresh]
            status = status[fresh]
        table = FeatureTable(values, self.plan.features, log.tenant, log.lead, as_of_us)
        rows = np.zeros(len(log), OUTCOME)
        rows["offset"], rows["place"], rows["at_us"] = offsets, slots, log.at_us
        rows["arrived_us"], rows["as_of_us"] = stamps_us, as_of_us
        rows["late"] = (status == LATE) | (status == TOO_LATE)
        scores = self._score(table, rows)
        scored_s = time()
        self._settle(log, rows, scores)
        now_s = time()
        receipt = {"features": featured_s, "scored": scored_s, "explained": now_s}
        return Outcome(
            rows, log, tuple(self.models), self.families, scores, receipt, agents=self.agents.listed
        )

    def learn(self, entries: Entries) -> None:
        """Take entries without scoring them: history that was scored before."""
        log, _ = columns_of(entries.events, self.fields, entries.keys)
        as_of_us = self._as_of(log, entries.stamps_us)
        taken = self.store.take(log, as_of_us)
        self._learn_names(log, taken.slots)
        self.book.note_offsets(taken.slots, entries.offsets)

    def _as_of(self, log: EventLog, stamps_us: I64) -> I64:
        """Running clock of each tenant: never before an event that was taken, nor its stamp."""
        as_of_us = np.maximum(stamps_us, log.at_us)
        for code, tenant in enumerate(log.tenant.names):
            mine = np.flatnonzero(log.tenant.codes == code)
            if not len(mine):
                continue
            start = self.clocks.get(tenant, 0)
            running = np.maximum.accumulate(np.maximum(as_of_us[mine], start))
            as_of_us[mine] = running
            self.clocks[tenant] = int(running[-1])
        return as_of_us

    def _learn_names(self, log: EventLog, slots: NDArray[np.int32]) -> None:
        known = len(self.names)
        codes = []
        met, first = np.unique(slots, return_index=True)  # new ones are not in order of rows
        for k in first[met >= known]:
            tenant = log.tenant.names[log.tenant.codes[k]]
            self.names.append((tenant, log.lead.names[log.lead.codes[k]]))
            codes.append(self.tenants.code(tenant))
        self.book.reserve(len(self.names))
        self.book.rows["tenant"][known : len(self.names)] = codes

    def _count(self, status: NDArray[np.int8]) -> None:
        n = np.bincount(status, minlength=4)
        counts = self.counts
        counts.events += int(len(status) - n[DUPLICATE])
        counts.late += int(n[LATE])
        counts.repeated += int(n[DUPLICATE])
        counts.too_late += int(n[TOO_LATE])

    # -- scores ------------------------------------------------------------------------------------

    def _score(self, table: FeatureTable, rows: NDArray[Any]) -> Scores:
        scores, fallen = self._scores_each(table)
        rows["probability"], rows["low"], rows["high"] = (
            scores.probability, scores.low, scores.high,
        )  # fmt: skip
        rows["tier"] = self.plan.tiers(scores.probability)
        rows["fallback"] = fallen
        rows["model"] = self._code_of(scores.model_version)
        if fallen.any():
            rows["model"][fallen] = self._code_of(RULES)
            self.counts.fallbacks += int(fallen.sum())
        rows["churn"] = self.silence_of(table)
        return scores

    def _scores_each(self, table: FeatureTable) -> tuple[Scores, NDArray[np.bool_]]:
        """Scores by the model but for rows that it fails on by themselves; which these are."""
        plan, columns, _ = self._at_work
        conversion = plan.conversion
        scores = self.scores_of(table)
        everything = np.full(len(table), scores.method == RULES)
        if scores.method != RULES or conversion is None or columns is None:
            return scores, everything

        def fails(part: FeatureTable) -> bool:
            try:
                conversion.score(_part(part, conversion.features, columns), alike=True)
            except BROKEN as error:
                self._failed(error, len(part))
                return True
            return False

        bad = failing(table, fails)
        if bad.all():
            return scores, bad
        values = table.values.copy()
        values[bad] = table.values[np.argmin(bad)]  # in their place, a row that can be scored
        by_model = self.scores_of(replace(table, values=values))
        if by_model.method == RULES:
            return scores, everything
        for name in ("probability", "low", "high", "margin", "contributions"):
            getattr(by_model, name)[bad] = getattr(scores, name)[bad]
        return replace(by_model, table=table), bad

    def scores_of(self, table: FeatureTable) -> Scores:
        """Scores of rows with all of the plan's features; by rules where no model can."""
        plan, columns, _ = self._at_work
        if plan.conversion is None or columns is None:
            return rule_scores(table, "no model is loaded")
        try:
            part = _part(table, plan.conversion.features, columns)
            own = plan.conversion.score(part, alike=True)
        except BROKEN as error:
            self.counts.last_failure = _said(error)
            return rule_scores(table, f"the model failed: {type(error).__name__}")
        if len(plan.conversion.features) == len(plan.features):
            return own
        contributions = np.zeros(table.values.shape, own.contributions.dtype)
        contributions[:, columns] = own.contributions
        return Scores(
            table, own.probability, own.low, own.high, own.margin, contributions, own.base,
            own.method, own.why, own.model_version, own.of, own.calibration,
        )  # fmt: skip

    def silence_of(self, table: FeatureTable) -> NDArray[np.float64]:
        """Chance of silence over the churn model's longest horizon; NaN where there is none."""
        plan, _, columns = self._at_work
        if plan.churn is None or columns is None:
            return np.full(len(table), np.nan)
        chance = np.full(len(table), np.nan)
        churn = plan.churn

        def fails(part: FeatureTable) -> bool:
            try:
                churn.model.silence(_part(part, churn.features, columns))
            except BROKEN as error:
                self._failed(error, len(part))
                return True
            return False

        try:
            return np.asarray(churn.model.silence(_part(table, churn.features, columns))[:, -1])
        except BROKEN as error:
            self.counts.last_failure = _said(error)
        good = np.flatnonzero(~failing(table, fails))
        if len(good):
            part = _part(table.take(good), churn.features, columns)
            chance[good] = churn.model.silence(part)[:, -1]
        return chance

    def forecast_of(self, table: FeatureTable) -> dict[str, float | str] | None:
        """What the churn model foresees of the first row; None where there is none."""
        plan, _, columns = self._at_work
        if plan.churn is None or columns is None:
            return None
        frame = plan.churn.model.predict(_part(table, plan.churn.features, columns))
        return {str(name): value for name, value in frame.iloc[0].to_dict().items()}

    def _failed(self, error: BaseException, rows: int) -> None:
        """Count what fails by itself: then the count does not hang on how events were cut."""
        self.counts.model_failures += rows == 1
        self.counts.last_failure = _said(error)

    def _code_of(self, version: str) -> int:
        if version not in self.models:
            self.models.append(version)
        return self.models.index(version)

    def _settle(self, log: EventLog, rows: NDArray[Any], scores: Scores) -> None:
        self.book.note_offsets(rows["place"], rows["offset"])
        kind, agent = _coded(self.kinds, log.kind), _coded(self.agents, log.agent)
        ending = self._ends_at(len(self.kinds))
        n = len(rows)
        reason, effect = np.empty((n, TOP), np.int16), np.empty((n, TOP), np.float32)
        mover, moved = np.empty((n, TOP), np.int16), np.empty((n, TOP), np.float32)
        book = self.book
        settle(
            np.ascontiguousarray(scores.contributions), self._family, rows, book.rows,
            book.effects, book.seen, reason, effect, mover, moved, kind, agent, ending,
        )  # fmt: skip
        rows["reason"], rows["effect"] = reason, effect
        rows["mover"], rows["moved"] = mover, moved

    def _ends_at(self, kinds: int) -> NDArray[np.bool_]:
        """By code of kind, whether it ends a lead."""
        known = len(self._ending)
        if kinds > known:
            more = [name in self._ends for name in self.kinds.listed[known:]]
            self._ending = np.concatenate([self._ending, np.array(more, np.bool_)])
        return self._ending

    # -- reading -----------------------------------------------------------------------------------

    def place_of(self, tenant: str, lead: str) -> int:
        """Place of a lead.

        Raises
        ------
        UnknownName
            Where the tenant has no such lead; other tenants' names are not told.
        """
        place = self.store.stores["lead"].slots.get(tenant + SEPARATOR + lead)
        if place is None or place >= len(self.names):
            raise UnknownName("lead", lead, None)
        return int(place)

    def read(self, tenant: str, leads: Sequence[str], as_of_us: int) -> FeatureTable:
        """Features of leads, as of a moment that is not before the tenant's clock."""
        return self.store.read(leads, max(as_of_us, self.clocks.get(tenant, 0)), tenant=tenant)

    def reread(self, places: I64, now_us: int) -> NDArray[Any]:
        """Read leads again though nothing happened; gives their rows of the book as they were.

        Only `now`, `now_churn` and `now_us` change: results stay a function of the journal.
        """
        before = self.book.rows[places].copy()
        tenants = np.array([self.names[p][0] for p in places], dtype=object)
        for tenant in dict.fromkeys(tenants):
            mine = places[tenants == tenant]
            table = self.read(tenant, [self.names[p][1] for p in mine], now_us)
            self.book.rows["now"][mine] = self.scores_of(table).probability
            self.book.rows["now_churn"][mine] = self.silence_of(table)
            self.book.rows["now_us"][mine] = table.as_of_us
        return before


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:300]


def _part(table: FeatureTable, features: FeatureSet, columns: I64) -> FeatureTable:
    if len(columns) == table.values.shape[1] and (np.diff(columns) == 1).all():
        values = table.values
    else:
        values = np.ascontiguousarray(table.values[:, columns])
    return FeatureTable(values, features, table.tenant, table.lead, table.as_of_us)


def _coded(known: Names, column: Coded) -> NDArray[np.int32]:
    """Codes of a column's names in a vocabulary that grows; missing stays -1."""
    table = [known.code(name) for name in column.names]
    return np.array([*table, -1], np.int32)[column.codes]


def _fields_of(store: OnlineStore) -> dict[str, Literal["text", "number"]]:
    """Data fields that a store's features read, and as what."""
    fields: dict[str, Literal["text", "number"]] = {}
    for own in store.stores.values():
        c = own.compiled
        fields.update({name: "number" for name in c.numbers if name not in _OWN})
        texts = [*c.fields, *(field for field, _ in c.conditions)]
        fields.update({name: "text" for name in texts if name not in _OWN})
    return fields

"""The engine: events in, explained scores out, one micro-batch at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from time import perf_counter
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from leadlab.errors import BadInput
from leadlab.explain.reasons import Change, Reason, changes, reasons
from leadlab.explain.scores import Scores
from leadlab.features import FeatureTable, OnlineStore
from leadlab.schema.log import Coded, EventLog
from leadlab.stream.results import RESULT, Results
from leadlab.stream.ring import Ring
from leadlab.stream.standings import NEVER, Standings

I64 = NDArray[np.int64]


class Scoring(Protocol):
    """Whatever scores and explains a feature table in one pass."""

    def score(self, table: FeatureTable) -> Scores:
        """Scores of every row, with their contributions."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why one lead stands where it stands.

    Attributes
    ----------
    lead, tenant : str
    as_of_us : int
        Moment of the score.
    probability, base_probability : float
        The score, and what it would be if nothing were known of the lead.
    reasons : list of Reason
        Strongest first; effects in log-odds.
    before_us, before_probability : int or None, float or None
        The score just before the last event; None where there is none.
    event_us, event_kind : int, str
        The last event.
    changes : list of Change
        What moved the score since then, strongest first.
    ended : str or None
        Kind of the event that ended the lead.
    scores : Scores
        One row: contributions, method, model version.
    """

    lead: str
    tenant: str
    as_of_us: int
    probability: float
    base_probability: float
    reasons: list[Reason]
    before_us: int | None
    before_probability: float | None
    event_us: int
    event_kind: str
    changes: list[Change]
    ended: str | None
    scores: Scores = field(repr=False)


class Engine:
    """Keeps an online store and the standing of every lead up to date with what comes.

    Not for several threads at once: whoever owns the engine lets one in at a time. `history` may
    be read by any thread.

    Parameters
    ----------
    store : OnlineStore
        With the feature set that the model was trained on.
    scorer : Scoring
        Such as `leadlab.explain.Scorer`.
    ends : iterable of str
        Kinds of event after which a lead's outcome is known: it is still scored, but stands on no
        scoreboard.
    capacity : int
        Results that `history` keeps.

    Examples
    --------
    >>> from leadlab.data import simulate
    >>> from leadlab.explain import Scorer
    >>> from leadlab.features import build, catalogue
    >>> from leadlab.models.conversion import ConversionModel
    >>> log, features = simulate(60, 90, seed=3).log, catalogue()
    >>> table = build(log, features)
    >>> model = ConversionModel(rounds=5).fit(table, table.column("offer_count_30d") > 0)
    >>> engine = Engine(OnlineStore(features), Scorer(model, features, "example"))
    >>> for batch in log.batches(500):
    ...     results = engine.take(batch)
    >>> len(results) == len(set(batch.lead.values()))
    True
    >>> engine.explain("lead-000001", int(log.at_us[-1])).lead
    'lead-000001'
    """

    def __init__(
        self,
        store: OnlineStore,
        scorer: Scoring,
        *,
        ends: Iterable[str] = (),
        capacity: int = 4096,
    ) -> None:
        self.store = store
        self.scorer = scorer
        self.ends = frozenset(ends)
        self.standings = Standings(len(store.features))
        self.history = Ring(capacity, RESULT)

    # -- events ------------------------------------------------------------------------------------

    def learn(self, log: EventLog) -> None:
        """Take what happened before the stream began; nothing is scored."""
        if not len(log):
            return
        self.store.add(log)
        for tenant, rows in _by_tenant(log):
            self._note(tenant, log.take(rows), keep=False)

    def take(self, batch: EventLog, at_us: int | None = None) -> Results:
        """Take events, then score each lead they touched once, as of `at_us`.

        Parameters
        ----------
        batch : EventLog
            What came, in canonical order; late and repeated events included.
        at_us : int, optional
            Stream time, not before the batch's last event; that event's time if None.

        Returns
        -------
        Results
            One row a lead and tenant, numbered as in `history`.
        """
        if not len(batch):
            return np.zeros(0, RESULT)
        last_us = int(batch.at_us[-1])
        at_us = last_us if at_us is None else at_us
        if at_us < last_us:
            raise BadInput("a batch from the future", where="at_us", got=at_us, expected=last_us)
        start_s = perf_counter()
        self.store.add(batch)
        adding_ms = (perf_counter() - start_s) * 1e3
        parts = []
        for tenant, rows in _by_tenant(batch):
            places, counts = self._note(tenant, batch.take(rows))
            results = self._score(tenant, places, at_us)
            results["kind"] = self.standings.places["kind"][places]
            results["events"] = counts
            results["features_ms"] += adding_ms
            parts.append(results)
        return self.history.append(np.concatenate(parts))

    def _note(self, tenant: str, events: EventLog, *, keep: bool = True) -> tuple[I64, I64]:
        """Enter one tenant's events into the standings; places and event counts of their leads."""
        codes, back, counts = np.unique(events.lead.codes, return_inverse=True, return_counts=True)
        last = np.zeros(len(codes), np.int64)
        np.maximum.at(last, back, np.arange(len(events)))
        places = self.standings.places_of(list(events.lead.names[codes]), tenant)
        self.standings.note_events(places, events, last, counts, keep=keep)
        ending = [c for c, kind in enumerate(events.kind.names) if kind in self.ends]
        rows = np.flatnonzero(np.isin(events.kind.codes, ending))
        self.standings.note_end(places[back[rows]], events.kind.take(rows).values())
        return places, counts

    # -- scores ------------------------------------------------------------------------------------

    def reread(self, places: I64, at_us: int) -> None:
        """Score leads again as of `at_us`, though nothing happened: time alone moves scores.

        This enters the standings, not the history.
        """
        tenants = self.standings.places["tenant"][places]
        for tenant in dict.fromkeys(tenants):
            self._score(tenant, places[tenants == tenant], at_us)

    def _score(self, tenant: str, places: I64, at_us: int) -> Results:
        at = self.standings.places
        start_s = perf_counter()
        table = self.store.read(list(at["lead"][places]), at_us, tenant=tenant)
        read_s = perf_counter()
        scores = self.scorer.score(table)
        scored_s = perf_counter()
        results = np.zeros(len(places), RESULT)
        results["previous"] = at["probability"][places]
        self.standings.note_scores(places, scores)
        results["lead"], results["tenant"] = at["lead"][places], tenant
        results["as_of_us"], results["probability"] = at_us, scores.probability
        results["low"], results["high"] = scores.low, scores.high
        results["kind"], results["batch"] = None, len(places)
        results["features_ms"] = (read_s - start_s) * 1e3
        results["scoring_ms"] = (scored_s - read_s) * 1e3
        return results

    # -- reasons -----------------------------------------------------------------------------------

    def explain(
        self,
        lead: str,
        at_us: int,
        tenant: str = "default",
        *,
        since_us: int | None = None,
        top: int = 6,
    ) -> Explanation:
        """Say why a lead stands where it stands, and what its last event changed.

        Parameters
        ----------
        lead, tenant : str
        at_us : int
            Stream time now.
        since_us : int, optional
            A score made then or later is explained as it is; an older one is read again as of
            `at_us` first. `at_us` if None.
        top : int
            Reasons at most.

        Raises
        ------
        UnknownName
            For a lead that no event has named.
        """
        place = self.standings.find(lead, tenant)
        at = self.standings.places[place]
        if at["as_of_us"] < (at_us if since_us is None else since_us):
            self.reread(np.array([place]), at_us)
            at = self.standings.places[place]
        now = self._again(place, self.standings.rows[place], int(at["as_of_us"]))
        scored_before = bool(at["before_us"] != NEVER)
        moved: list[Change] = []
        if scored_before:
            then = self._again(place, self.standings.rows_before[place], int(at["before_us"]))
            moved = changes(then, now, 0, at["arrived"])
        return Explanation(
            lead=lead,
            tenant=tenant,
            as_of_us=int(at["as_of_us"]),
            probability=float(at["probability"]),
            base_probability=float(1 / (1 + np.exp(-now.base))),
            reasons=reasons(now, 0, top),
            before_us=int(at["before_us"]) if scored_before else None,
            before_probability=float(at["before"]) if scored_before else None,
            event_us=int(at["event_us"]),
            event_kind=at["kind"],
            changes=moved,
            ended=at["ended"],
            scores=now,
        )

    def _again(self, place: int, row: NDArray[np.float32], at_us: int) -> Scores:
        """Score a row that was scored before, to have its contributions."""
        at = self.standings.places[place]
        table = FeatureTable(
            row[None, :].copy(),
            self.store.features,
            Coded.constant(at["tenant"], 1),
            Coded.constant(at["lead"], 1),
            np.array([at_us], np.int64),
        )
        return self.scorer.score(table)


def _by_tenant(log: EventLog) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """Rows of each tenant that occurs."""
    for code in np.unique(log.tenant.codes):
        yield log.tenant.names[code], np.flatnonzero(log.tenant.codes == code)

"""All of the live service at work together: what the API, the pages and the workers stand on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import numpy as np

from leadlab.errors import UnknownName
from leadlab.features.table import FeatureTable
from leadlab.models.conversation.reader import ConversationReader
from leadlab.models.matching.catalogue import Catalogue
from leadlab.schema.log import EventLog
from leadlab.schema.wire import WireEvent
from leadlab.schema.wire_columns import columns_of
from leadlab.stream.accepted import Accepted
from leadlab.stream.alerting import BUCKET_US, Alerting
from leadlab.stream.alerts import RulesFile
from leadlab.stream.bus import Bus
from leadlab.stream.cache import LocalLevel, ReadCache
from leadlab.stream.follower import Follower
from leadlab.stream.hearing import conversation_messages, heard
from leadlab.stream.home_matching import HomeMatcher, homes_for
from leadlab.stream.lane import Lane
from leadlab.stream.latency import Stages
from leadlab.stream.lead_book import RECENT
from leadlab.stream.lead_list import Wanted, page
from leadlab.stream.lead_view import read_lead, score_told, told
from leadlab.stream.live_engine import DEFAULT, LiveEngine
from leadlab.stream.message import Message
from leadlab.stream.outcome import Outcome
from leadlab.stream.pacing import Pacing
from leadlab.stream.partition_home import home_id
from leadlab.stream.plan import Plan
from leadlab.stream.service import Service, wall_us
from leadlab.stream.sink import TROUBLE, Sink
from leadlab.stream.skew import Sample, SkewMeter
from leadlab.stream.spool import SpoolStatus
from leadlab.stream.telling import Publish, Teller, Watched
from leadlab.stream.windows import Windows

SKEW_SHARE = 1e-3
CACHE_BYTES, CACHE_S = 64 << 20, 30.0


class Station:
    """Service, windows, latencies, skew meter and read cache of one journal.

    Parameters
    ----------
    home : Path
    plan : Plan
    own : mapping of str to Plan
        Plans of tenants that have one.
    publish, watched : callable
        Where messages go, and whose are wanted; see `leadlab.stream.telling.Teller`.
    sinks : sequence of Sink
        Further ones, after those of the station.
    levels : mapping
        Levels of the read cache behind that of the process.
    reader : ConversationReader, optional
        Reads messages; visible rules do where there is none.
    homes : Catalogue, optional
        Homes to match buyers with.
    open_bus : callable, optional
        Opens a bus to publish to and to follow; see `leadlab.stream.follower`.
    rules : RulesFile, optional
        Alerts to raise; their store is ``alerts.db`` in `home`.
    environ : mapping, optional
        Where routes of the rules find their secrets.
    seed : int
        Which rows the skew meter draws.

    Examples
    --------
    >>> import tempfile
    >>> event = WireEvent("e1", "acme", "ann", "Inquiry", 1_772_384_400_000_000)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     station = Station(Path(folder), Plan())
    ...     station.start()
    ...     _ = station.service.submit([event])
    ...     station.service.settled()
    ...     lead = msgspec.json.decode(station.lead("acme", "ann"))
    ...     station.stop()
    >>> lead["lead"], lead["fallback"], lead["timeline"][0]["kind"]
    ('ann', True, 'Inquiry')
    """

    def __init__(
        self,
        home: Path,
        plan: Plan,
        *,
        own: Mapping[str, Plan] | None = None,
        publish: Publish | None = None,
        watched: Watched | None = None,
        sinks: Sequence[Sink] = (),
        pacing: Pacing | None = None,
        plan_of: Callable[[str], Plan] | None = None,
        clock: Callable[[], int] = wall_us,
        levels: Mapping[str, Any] | None = None,
        reader: ConversationReader | None = None,
        homes: Catalogue | None = None,
        open_bus: Callable[[], Bus] | None = None,
        rules: RulesFile | None = None,
        environ: Mapping[str, str] | None = None,
        seed: int = 0,
    ) -> None:
        self.clock = clock
        self._plans = {DEFAULT: plan, **(own or {})}
        self.stages = Stages()
        self.windows: dict[str, Windows] = {}
        self.skew = SkewMeter(
            self._journalled, share=SKEW_SHARE, rng=np.random.default_rng(seed), own_only=True
        )
        self.cache = ReadCache(local=LocalLevel(CACHE_BYTES, ttl_s=CACHE_S), **(levels or {}))
        self._publish: Publish = publish or (lambda messages: None)
        self._watched: Watched = watched or frozenset
        self.reader = reader or ConversationReader(without="no reading model was given")
        self.homes = homes
        teller = Teller(self._publish, self._watched)
        self.service = Service(
            home,
            lambda: LiveEngine(plan, own),
            [
                Sink("windows", self._count, None, None, self._window_state, self._window_restore),
                Sink("skew", self._sample),
                Sink("messages", teller.take, self._perform, teller.reread),
                *sinks,
                Sink("latency", self._clocked),
            ],
            pacing=_bordered(pacing or Pacing(), rules),
            plan_of=plan_of,
            clock=clock,
        )
        self._matcher = None if homes is None else self._matching()
        self.alerting = None if rules is None else self._alerts(rules, environ or {}, seed)
        self._follower: Follower | None = None
        if open_bus is not None:
            group = f"follower-{home_id(home)}"
            self._follower = Follower(open_bus, self.service, group=group, rng=Random(seed))
        self._checking = threading.Thread(target=self._check_skew, name="skew", daemon=True)
        self._ended = threading.Event()

    def _matching(self) -> HomeMatcher:
        matcher = HomeMatcher(
            self.matches, self._publish, self._watched, self.service.status, self.agent_of
        )
        self.service.sinks.append(Sink("matches", matcher.take))
        return matcher

    def _alerts(self, rules: RulesFile, environ: Mapping[str, str], seed: int) -> Alerting:
        alerting = Alerting(
            rules, self.service.home / "alerts.db", self._all_figures, self._publish, environ,
            self.service.status, self.agent_of, seed=seed,
        )  # fmt: skip
        self.service.sinks.insert(0, alerting.sink())  # it looks at figures of before the batch
        return alerting

    def start(self) -> None:
        """Recover, and begin."""
        self.service.start()
        self._checking.start()
        if self._matcher is not None:
            self._matcher.start()
        if self.alerting is not None:
            self.alerting.start()
        if self._follower is not None:
            self._follower.start()

    def stop(self) -> None:
        """Finish what came, write a checkpoint, and end."""
        self._ended.set()
        if self._follower is not None:
            self._follower.stop()
        if self._checking.is_alive():
            self._checking.join()
        if self._matcher is not None:
            self._matcher.stop()
        self.service.stop()
        if self.alerting is not None:
            self.alerting.stop()

    def submit(self, events: Sequence[WireEvent], *, arrived_s: float | None = None) -> Accepted:
        """Read what messages say, then take events; they are on disk when this returns.

        With a bus they are published there, and come back from it to be scored.

        Raises
        ------
        Overloaded, StoreFailed
            As `Service.submit` does; nothing was kept, or a part that may be sent again.
        """
        listed, readings = heard(events, self.reader)
        if self._follower is not None:
            published = self._follower.publish(listed)
            none = np.zeros(len(listed), np.int64)
            accepted = Accepted(published.fresh, none, published.spooled)
        else:
            offsets = self.service.submit(listed, arrived_s=arrived_s).offsets
            accepted = Accepted(offsets > 0, offsets)
        watched = self._watched()
        fresh = {
            i: reading
            for i, reading in readings.items()
            if accepted.fresh[i] and (watched is None or listed[i].tenant in watched)
        }
        if fresh:
            self._publish(conversation_messages(listed, fresh, self.agent_of))
        return accepted

    @property
    def bus(self) -> SpoolStatus | None:
        """How the way to the bus stands; None where there is no bus."""
        return None if self._follower is None else self._follower.status()

    # -- sinks -------------------------------------------------------------------------------------

    def _window(self, lane: str) -> Windows:
        if lane not in self.windows:
            self.windows[lane] = Windows(conversions=self._plans[lane].converted)
        return self.windows[lane]

    def _count(self, outcome: Outcome) -> None:
        self._window(outcome.lane).add(outcome)

    def _window_state(self) -> bytes:
        return msgspec.msgpack.encode({lane: w.state() for lane, w in self.windows.items()})

    def _window_restore(self, content: bytes) -> None:
        for lane, state in msgspec.msgpack.decode(content, type=dict[str, bytes]).items():
            if lane in self._plans:
                windows = Windows(conversions=self._plans[lane].converted)
                windows.restore(state)
                self.windows[lane] = windows

    def _all_figures(self, now_us: int) -> dict[str, dict[str, float]]:
        return {
            tenant: windows.figures(tenant, now_us)
            for windows in self.windows.values()
            for tenant in windows.tenants
        }

    def _sample(self, outcome: Outcome) -> None:
        if not outcome.receipt.get("replayed"):
            self.skew.note(outcome)

    def _clocked(self, outcome: Outcome) -> None:
        if not outcome.receipt.get("replayed"):
            self.stages.note(outcome)

    def _perform(self, now_us: int) -> None:
        """Tell the figures of the windows to each tenant that watches."""
        watched = self._watched()
        messages = []
        for windows in self.windows.values():
            for tenant in windows.tenants:
                if watched is None or tenant in watched:
                    body = {"figures": windows.figures(tenant, now_us)}
                    messages.append(
                        Message(topic="performance", tenant=tenant, at_us=now_us, body=body)
                    )
        if messages:
            self._publish(messages)

    # -- skew --------------------------------------------------------------------------------------

    def _check_skew(self) -> None:
        while not self._ended.wait(1.0):
            try:
                self.skew.check(4)
            except TROUBLE as error:
                self.service.status.trouble("skew", error)

    def _journalled(self, sample: Sample) -> EventLog | None:
        """What the journal held of a lead when a row was served; None where it is not all at hand.

        A lead's latest `RECENT` offsets are known, so its whole past is while it has no more.
        """
        with self.service.reading() as engine:
            lane = engine.lane_of(sample.tenant)
            place = lane.place_of(sample.tenant, sample.lead)
            if lane.book.rows["events"][place] > RECENT:
                return None
            offsets = [o for o in lane.book.timeline(place).tolist() if o <= sample.offset]
        events = self.service.journal.events_at(offsets)
        if len(events) < len(offsets):
            return None
        return columns_of(events, lane.fields)[0].canonical()

    # -- reads -------------------------------------------------------------------------------------

    def now_us(self) -> int:
        """The moment that reads hold as of: the clock, and never before the journal."""
        return max(self.clock(), self.service.journal.last_stamp_us)

    def lead(self, tenant: str, lead: str, timeline: int = 20) -> bytes:
        """Everything of one lead as JSON; a kept copy serves for `CACHE_S` until something happens.

        Raises
        ------
        UnknownName
            Where the tenant has no such lead.
        """
        service = self.service
        with service.reading() as engine:
            lane = engine.lane_of(tenant)
            one = lane.book.rows[lane.place_of(tenant, lead)]
            version = int(one["as_of_us"]) + int(one["events"])

        def make() -> bytes:
            with service.reading():
                read = read_lead(lane, tenant, lead, self.now_us())
            return msgspec.json.encode(told(lane, read, service.journal.events_at, timeline))

        what = f"lead:{timeline}:{lane.plan.version}"
        return self.cache.read(tenant, lead, what, version, make)

    def agent_of(self, tenant: str, lead: str) -> str | None:
        """Who looks after a lead; None for nobody, and for a lead that is not known yet."""
        with self.service.reading() as engine:
            lane = engine.lane_of(tenant)
            try:
                return lane.agents.named(int(lane.book.rows["agent"][lane.place_of(tenant, lead)]))
            except UnknownName:
                return None

    def leads(self, tenant: str, wanted: Wanted) -> dict[str, Any]:
        """A page of a tenant's leads."""
        with self.service.reading() as engine:
            return page(engine.lane_of(tenant), tenant, wanted)

    def row(self, tenant: str, lead: str) -> tuple[Lane, FeatureTable]:
        """A lead's features now, with the lane that scores them."""
        with self.service.reading() as engine:
            lane = engine.lane_of(tenant)
            lane.place_of(tenant, lead)
            return lane, lane.read(tenant, [lead], self.now_us())

    def matches(self, tenant: str, lead: str, top: int) -> dict[str, Any]:
        """Homes for a lead; see `leadlab.stream.home_matching.homes_for`."""
        return homes_for(self, self.homes, tenant, lead, top)

    def what_if(
        self, tenant: str, lead: str, features: Mapping[str, float | None]
    ) -> dict[str, Any]:
        """The score that a lead would have if some of its features were otherwise.

        Raises
        ------
        UnknownName
            For a lead or a feature that is not known.
        """
        lane, table = self.row(tenant, lead)
        values = table.values.copy()
        place = {name: i for i, name in enumerate(table.names)}
        for name, value in features.items():
            table.features[name]
            values[0, place[name]] = np.nan if value is None else value
        other = FeatureTable(values, table.features, table.tenant, table.lead, table.as_of_us)
        before, after = lane.scores_of(table), lane.scores_of(other)
        return {"now": score_told(lane, before, 0), "then": score_told(lane, after, 0)}

    def figures(self, tenant: str) -> dict[str, float]:
        """Figures of a tenant's windows."""
        found: dict[str, float] = {}
        for windows in self.windows.values():
            if tenant in windows.tenants:
                found.update(windows.figures(tenant, self.now_us()))
        return found


def _bordered(pacing: Pacing, rules: RulesFile | None) -> Pacing:
    """Batches that end where rules look at figures, if there are rules."""
    return pacing if rules is None else replace(pacing, border_us=BUCKET_US)

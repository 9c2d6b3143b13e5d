"""The engine of alerts: outcomes in, alerts out, each once however often they are replayed."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from leadlab.errors import BadInput, NewerFormat
from leadlab.stream.alerts.alert import Alert, Plan, alert_id, moment
from leadlab.stream.alerts.batch import Batch
from leadlab.stream.alerts.combinations import CombinationRule
from leadlab.stream.alerts.conditions import Absence, Combination
from leadlab.stream.alerts.lead_rules import AbsenceRule, EventRule, Hit
from leadlab.stream.alerts.rule import Rule
from leadlab.stream.alerts.severity import Severity, at_least
from leadlab.stream.alerts.store import AlertStore
from leadlab.stream.alerts.template import fill
from leadlab.stream.alerts.window_rules import BUCKET_US, Figures, WindowRule
from leadlab.stream.outcome import Outcome

FORMAT = 1
_NONE: Figures = {}
_Runner = EventRule | AbsenceRule | WindowRule | CombinationRule


class _State(msgspec.Struct):
    """What a snapshot holds."""

    format: int
    stream_us: int
    bucket: int
    raised: list[tuple[str, str, str, int]]
    lanes: dict[str, dict[str, tuple[str, dict[str, Any]]]]


@dataclass
class _Runners:
    """Rules at work, by what they look at."""

    events: list[EventRule] = field(default_factory=list)
    absences: list[AbsenceRule] = field(default_factory=list)
    windows: list[WindowRule] = field(default_factory=list)
    combinations: list[CombinationRule] = field(default_factory=list)

    @classmethod
    def of(cls, rules: Sequence[Rule]) -> _Runners:
        made, numbers = cls(), {rule.name: i for i, rule in enumerate(rules)}
        for number, rule in enumerate(rules):
            when = rule.when
            if isinstance(when, Absence):
                made.absences.append(AbsenceRule(number, rule, when))
            elif isinstance(when, Combination):
                parts = {numbers[p]: rules[numbers[p]] for p in when.parts}
                made.combinations.append(CombinationRule(number, rule, when, parts))
            elif when.of == "window":
                made.windows.append(WindowRule(number, rule, when))
            else:
                made.events.append(EventRule(number, rule, when))
        return made

    def every(self) -> tuple[_Runner, ...]:
        return (*self.events, *self.absences, *self.windows, *self.combinations)


class AlertEngine:
    """Holds rules against outcomes; not for several threads at once.

    The same rows raise the same alerts, in whatever batches they come. Time is stream time: the
    latest moment that a row was scored as of. A tenant's figures are looked at once in each bucket
    of 10 s.

    Parameters
    ----------
    rules : sequence of Rule
        Of one file.
    store : AlertStore
        Keeps each alert once.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from leadlab.stream.alerts.rules_file import parse_rules
    >>> rules = parse_rules('''
    ... version: 1
    ... routes: {app: {type: app}}
    ... rules:
    ...   - name: busy
    ...     when: {type: threshold, of: window, field: events_5m, op: ">", value: 100}
    ...     per: tenant
    ...     message: "{value:.0f} events within 5 minutes"
    ... ''', "example").rules
    >>> with TemporaryDirectory() as folder, AlertStore(Path(folder) / "alerts.db") as store:
    ...     engine = AlertEngine(rules, store)
    ...     [alert.message for alert in engine.tick(60_000_000, {"acme": {"events_5m": 250.0}})]
    ['250 events within 5 minutes']
    """

    def __init__(self, rules: Sequence[Rule], store: AlertStore) -> None:
        self._rules, self._store = tuple(rules), store
        self._by_name = {rule.name: rule for rule in rules}
        self._runners = _Runners.of(rules)
        self._lanes = {"": self._runners}  # places count within a lane, so memories do
        self._stream_us, self._bucket = 0, -1
        self._raised: dict[tuple[str, str, str], int] = {}
        self._unsaved: list[Alert] = []

    # -- what comes --------------------------------------------------------------------------------

    def take(self, outcome: Outcome, figures: Figures = _NONE) -> list[Alert]:
        """Raise what the rows of an outcome, and the figures after them, call for.

        Parameters
        ----------
        outcome : Outcome
        figures : mapping of str to mapping of str to float
            Named figures by tenant, as of the outcome's last row.

        Returns
        -------
        list of Alert
            Oldest first; they are in the store.

        Raises
        ------
        StoreFailed
            If the store could not take them; they are given to it again at the next call.
        """
        if not len(outcome):
            return []
        batch = Batch(outcome, self._stream_us)
        self._stream_us = int(batch.times[-1])
        lane = self._lane(outcome.lane)
        hits = [hit for runner in lane.events for hit in runner.hits(batch)]
        hits += [hit for runner in lane.absences for hit in runner.hits(batch)]
        others = [other for other in self._lanes.values() if other is not lane]
        hits += self._overdue(others, self._stream_us)
        hits += self._figures(figures, self._stream_us)
        return self._raise(hits, batch)

    def tick(self, now_us: int, figures: Figures = _NONE) -> list[Alert]:
        """Raise what time alone calls for, and escalate what nobody acknowledged.

        Parameters
        ----------
        now_us : int
            Stream time; not ahead of events that are still to be taken.
        figures : mapping of str to mapping of str to float

        Returns
        -------
        list of Alert
            Those raised, then those escalated.
        """
        hits = self._overdue([*self._lanes.values()], now_us)
        hits += self._figures(figures, now_us)
        raised = self._raise(hits, None)
        return [*raised, *self._escalate(now_us)]

    def _lane(self, name: str) -> _Runners:
        if name not in self._lanes:
            self._lanes[name] = _Runners.of(self._rules)
        return self._lanes[name]

    @staticmethod
    def _overdue(lanes: list[_Runners], now_us: int) -> list[Hit]:
        return [hit for lane in lanes for one in lane.absences for hit in one.overdue(now_us)]

    def _figures(self, figures: Figures, now_us: int) -> list[Hit]:
        bucket = now_us // BUCKET_US
        if not figures or bucket <= self._bucket:
            return []
        self._bucket = bucket
        return [hit for runner in self._runners.windows for hit in runner.hits(figures, now_us)]

    # -- what is raised ----------------------------------------------------------------------------

    def _raise(self, hits: list[Hit], batch: Batch | None) -> list[Alert]:
        raised: list[Alert] = []
        for hit in sorted(hits, key=lambda h: (h.at_us, h.order, h.rule, h.lead)):
            combined = (runner.hit(hit) for runner in self._runners.combinations)
            for one in (hit, *(c for c in combined if c is not None)):
                raised += [self._alert(one, batch)] if self._is_new(one) else []
        self._unsaved += raised
        self._save()
        return raised

    def _save(self) -> None:
        """Keep what was raised; what could not be kept is tried again at the next call."""
        if self._unsaved:
            self._store.add(self._unsaved)
            self._unsaved = []

    def _is_new(self, hit: Hit) -> bool:
        """Whether the rule speaks, and its cooldown for this key is over."""
        rule = self._rules[hit.rule]
        if rule.silent:
            return False
        key = (rule.name, hit.tenant, hit.lead if rule.per == "lead" else "")
        last = self._raised.get(key)
        if last is not None and hit.at_us - last < rule.cooldown:
            return False
        self._raised[key] = hit.at_us
        return True

    def _alert(self, hit: Hit, batch: Batch | None) -> Alert:
        rule = self._rules[hit.rule]
        told = batch.details(hit.row) if batch is not None and hit.row >= 0 else {}
        values = {
            "lead": hit.lead,
            "value": hit.value,
            **{name: "-" if text is None else text for name, text in told.items()},
            "rule": rule.name,
            "tenant": hit.tenant,
            "severity": rule.severity,
            "at": moment(hit.at_us),
        }
        key = hit.lead if rule.per == "lead" else ""
        return Alert(
            id=alert_id(rule.name, hit.tenant, key, hit.mark),
            rule=rule.name,
            tenant=hit.tenant,
            severity=rule.severity,
            key=key,
            at_us=hit.at_us,
            message=fill(rule.message, values),
            lead=hit.lead or None,
            agent=told.get("agent"),
            event=told.get("event"),
            kind=told.get("kind"),
            value=hit.value if math.isfinite(hit.value) else None,
            routes=rule.routes,
            action=rule.action,
            due_us=_due_us(rule, rule.severity, hit.at_us),
            plan=_plan(rule),
        )

    def _escalate(self, now_us: int) -> list[Alert]:
        escalated = []
        for alert in self._store.overdue(now_us):
            rule = self._by_name.get(alert.rule)
            severity = alert.plan.severity if alert.plan else alert.severity
            due_us = now_us if rule is None else _due_us(rule, severity, now_us)
            escalated.append(self._store.escalate(alert, now_us, due_us))
        return escalated

    # -- snapshots ---------------------------------------------------------------------------------

    def state(self) -> bytes:
        """All that is remembered; with it and the events since, an engine goes on as this one.

        Raises
        ------
        StoreFailed
            If alerts wait that the store could not take.
        """
        self._save()
        self._forget()
        raised = [(*key, at) for key, at in self._raised.items()]
        lanes = {
            name: {r.rule.name: (_print_of(r.rule), r.state()) for r in lane.every()}
            for name, lane in self._lanes.items()
        }
        kept = _State(FORMAT, self._stream_us, self._bucket, raised, lanes)
        return msgspec.msgpack.encode(kept)

    def _forget(self) -> None:
        """Let go of what no later row can be held against."""
        for runner in self._runners.combinations:
            runner.forget(self._stream_us)
        spans = {rule.name: rule.cooldown for rule in self._rules}
        self._raised = {
            key: at for key, at in self._raised.items() if at + spans[key[0]] > self._stream_us
        }

    def restore(self, state: bytes) -> None:
        """Go on from a snapshot; rules that were changed since begin anew.

        Raises
        ------
        BadInput
            If `state` was not made by `state`.
        NewerFormat
            If a later leadlab made it.
        """
        try:
            kept = msgspec.msgpack.decode(state, type=_State)
        except msgspec.MsgspecError as error:
            raise BadInput("no state of alerts", got=str(error)[:200]) from error
        if kept.format > FORMAT:
            raise NewerFormat("state of alerts", written=kept.format, reads=FORMAT)
        self._stream_us, self._bucket = kept.stream_us, kept.bucket
        self._raised = {(r, t, k): at for r, t, k, at in kept.raised if r in self._by_name}
        self._runners = _Runners.of(self._rules)
        self._lanes = {"": self._runners}
        for name, rules in kept.lanes.items():
            for runner in self._lane(name).every():
                told, own = rules.get(runner.rule.name, ("", {}))
                if told == _print_of(runner.rule):
                    runner.restore(own)


def _print_of(rule: Rule) -> str:
    """A hash of what a rule's memory depends on."""
    content = msgspec.json.encode([rule.when.model_dump(mode="json"), rule.tenants, rule.per])
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _due_us(rule: Rule, severity: Severity, at_us: int) -> int | None:
    """When an alert may be sent; None for never."""
    if rule.quiet is None or at_least(severity, rule.quiet.passes):
        return at_us
    until_us = rule.quiet.until_us(at_us)
    if until_us is None:
        return at_us
    return until_us if rule.quiet.then == "hold" else None


def _plan(rule: Rule) -> Plan | None:
    later = rule.escalate
    if later is None:
        return None
    return Plan(later.after, later.severity or rule.severity, later.routes)

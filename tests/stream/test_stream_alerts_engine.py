"""The engine against rules held row by row; the same alerts however rows are cut or replayed."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlab.errors import BadInput, NewerFormat, StoreFailed
from leadlab.stream.alerts import Alert, AlertEngine, AlertStore
from leadlab.stream.alerts import engine as engine_module
from leadlab.stream.alerts.window_rules import BUCKET_US
from tests.stream.alert_rows import Row, S, outcome, outcomes, rules

RULES = rules("""
  - {name: high, when: {type: threshold, field: probability, op: ">", value: 0.5}, cooldown: 5s, message: "{lead} {probability:.2f} {agent}"}
  - {name: up, when: {type: crossing, field: churn, level: 0.5}, cooldown: 0s, message: "{lead}"}
  - {name: down, when: {type: crossing, field: churn, level: 0.5, direction: down, first: true}, cooldown: 3s, per: tenant, message: "{lead}"}
  - {name: moved, when: {type: change, field: probability, by: 0.3, within: 8s}, cooldown: 0s, where: {kind: [Inquiry]}, message: "{lead}"}
  - {name: fell, when: {type: change, field: probability, by: 0.3, direction: down, within: 16s}, cooldown: 4s, tenants: [acme], message: "{lead}"}
  - {name: unanswered, when: {type: absence, kinds: [Call], after: [Inquiry], until: [Lost], span: 4s}, cooldown: 0s, message: "{lead}"}
  - {name: silent-lead, when: {type: absence, until: [Lost], span: 6s}, cooldown: 9s, per: tenant, message: "{lead}"}
  - {name: silent-team, when: {type: absence, of: tenant, kinds: [Call], span: 3s}, cooldown: 0s, per: tenant, message: "{tenant}"}
  - {name: hot, when: {type: threshold, field: tier, op: "==", value: hot}, silent: true, message: "{lead}"}
  - {name: both, when: {type: combination, all: [up, hot, unanswered], within: 7s}, cooldown: 2s, message: "{lead}"}
  - {name: either, when: {type: combination, any: [hot, silent-team], within: 1s}, per: tenant, cooldown: 2s, message: "{tenant}"}
""").rules  # noqa: E501

ROWS = st.lists(
    st.builds(
        Row,
        at_us=st.integers(0, 40).map(lambda s: s * S),
        lead=st.sampled_from(["ann", "bob", "cy"]),
        kind=st.sampled_from(["Inquiry", "Call", "Lost", "Viewed"]),
        tenant=st.sampled_from(["acme", "best"]),
        probability=st.sampled_from([0.0, 0.25, 0.375, 0.625, 0.75, 1.0]),
        churn=st.sampled_from([0.25, 0.5, 0.75, math.nan]),
        tier=st.sampled_from(["cold", "hot"]),
    ),
    max_size=40,
)
IN_ORDER = ROWS.map(lambda rows: sorted(rows, key=lambda r: r.at_us))
Fired = tuple[str, str, str, int]


class Plain:
    """The same rules, one row at a time, in the plainest way."""

    def __init__(self) -> None:
        self.now, self.fired = 0, []
        self.raised: dict[tuple, int] = {}
        self.last: dict[tuple, float] = {}
        self.values = defaultdict(list)
        self.since: dict[tuple, int] = {}
        self.held: dict[tuple, int] = {}

    def row(self, row: Row) -> None:
        self.now = max(self.now, row.at_us)
        self.missed()
        for name, holds in self.conditions(row).items():
            if holds:
                self.hit(name, row.tenant, row.lead, self.now)
        self.waits(row)

    def conditions(self, row: Row) -> dict[str, bool]:
        key, holds = (row.tenant, row.lead), {"high": row.probability > 0.5}
        before = self.last.get(key)
        if not math.isnan(row.churn):
            holds["up"] = before is not None and before < 0.5 <= row.churn
            holds["down"] = row.churn < 0.5 and (before is None or before >= 0.5)
            self.last[key] = row.churn
        self.values[key].append((self.now, row.probability))
        holds["moved"] = row.kind == "Inquiry" and any(
            abs(row.probability - p) > 0.3 for p in self.within(key, 8)
        )
        holds["fell"] = row.tenant == "acme" and any(
            p - row.probability > 0.3 for p in self.within(key, 16)
        )
        holds["hot"] = row.tier == "hot"
        return holds

    def within(self, key: tuple, span_s: int) -> list[float]:
        part = span_s * S // 8
        return [p for t, p in self.values[key] if t // part > self.now // part - 8]

    def waits(self, row: Row) -> None:
        for name, key in (("unanswered", row.lead), ("silent-lead", row.lead), ("silent-team", "")):
            at = (name, row.tenant, key)
            if name == "unanswered":
                if row.kind in ("Call", "Lost"):
                    self.since.pop(at, None)
                elif row.kind == "Inquiry":
                    self.since.setdefault(at, self.now)
            elif name == "silent-lead" and row.kind == "Lost":
                self.since.pop(at, None)
            elif name == "silent-lead" or row.kind == "Call":
                self.since[at] = self.now

    def missed(self) -> None:
        spans = {"unanswered": 4, "silent-lead": 6, "silent-team": 3}
        order = {name: i for i, name in enumerate(r.name for r in RULES)}
        due = [(t + spans[at[0]] * S, order[at[0]], at) for at, t in self.since.items()]
        for deadline, _, at in sorted(due, key=lambda d: (d[0], d[1], d[2][2])):
            if deadline <= self.now:
                del self.since[at]
                self.hit(*at, deadline)

    def hit(self, name: str, tenant: str, lead: str, at: int) -> None:
        if name != "hot":
            self.emit(name, tenant, lead, at)
        if name in ("up", "hot", "unanswered"):
            self.held[name, tenant, lead] = at
            parts = [self.held.get((n, tenant, lead), -99 * S) for n in ("up", "hot", "unanswered")]
            if min(parts) >= at - 7 * S:
                self.emit("both", tenant, lead, at)
        if name in ("hot", "silent-team"):
            self.emit("either", tenant, "", at)

    def emit(self, name: str, tenant: str, lead: str, at: int) -> None:
        rule = next(r for r in RULES if r.name == name)
        key = (name, tenant, lead if rule.per == "lead" else "")
        if key not in self.raised or at - self.raised[key] >= rule.cooldown:
            self.raised[key] = at
            self.fired.append((name, tenant, lead, at))


def fired(alerts: list[Alert]) -> list[Fired]:
    return sorted((a.rule, a.tenant, a.lead or "", a.at_us) for a in alerts)


def by_id(alerts: list[Alert]) -> list[Alert]:
    return sorted(alerts, key=lambda a: (a.at_us, a.id))


@settings(max_examples=80, deadline=None)
@given(ROWS | IN_ORDER, st.lists(st.integers(0, 40), max_size=6))
def test_agrees_with_rules_held_row_by_row(rows: list[Row], cuts: list[int]) -> None:
    plain = Plain()
    for row in rows:
        plain.row(row)
    with TemporaryDirectory() as folder, AlertStore(Path(folder) / "a.db") as store:
        engine = AlertEngine(RULES, store)
        raised = [a for part in outcomes(rows, cuts) for a in engine.take(part)]
        assert fired(raised) == sorted(plain.fired)
        assert len({a.id for a in raised}) == len(raised)


@settings(max_examples=30, deadline=None)
@given(
    ROWS | IN_ORDER,
    st.lists(st.integers(0, 40), max_size=6),
    st.lists(st.integers(0, 40), max_size=6),
    st.integers(0, 6),
    st.integers(0, 6),
)
def test_a_crash_and_a_replay_in_other_batches_change_nothing(
    rows: list[Row], cuts: list[int], others: list[int], kept: int, lost: int
) -> None:
    """An engine is snapshotted after some batches, works on, is lost, and another replays."""
    with TemporaryDirectory() as folder:
        with AlertStore(Path(folder) / "whole.db") as store:
            expected = AlertEngine(RULES, store).take(outcome(rows, 0, {}))
        with AlertStore(Path(folder) / "crash.db") as store:
            parts, engine = outcomes(rows, cuts), AlertEngine(RULES, store)
            done = [a for part in parts[:kept] for a in engine.take(part)]
            state = engine.state()
            for part in parts[kept : kept + lost]:
                engine.take(part)
            again, start = AlertEngine(RULES, store), sum(map(len, parts[:kept]))
            again.restore(state)
            rest = [c for c in others if c > start]
            replayed = [
                a for part in outcomes(rows, [start, *rest])[1 if start else 0 :]
                for a in again.take(part)
            ]  # fmt: skip
            assert by_id([*done, *replayed]) == by_id(expected)
            ids = [
                k.alert.id
                for t in ("acme", "best")
                for k in store.find(t, now_us=0, most=1000).alerts
            ]
            assert sorted(ids) == sorted(a.id for a in expected)


@pytest.fixture
def store(tmp_path: Path):
    with AlertStore(tmp_path / "alerts.db") as made:
        yield made


def test_a_tick_finds_absence_once_and_the_alert_bears_the_deadline(store: AlertStore) -> None:
    engine = AlertEngine(rules("""
  - {name: late, when: {type: absence, kinds: [Call], after: [Inquiry], span: 5m}, message: "answer {lead}"}
""").rules, store)  # noqa: E501  # fmt: skip
    engine.take(outcome([Row(60 * S)], 0, {}))
    assert engine.tick(359 * S) == []
    state = engine.state()
    (raised,) = engine.tick(400 * S)
    assert (raised.at_us, raised.message, raised.lead) == (360 * S, "answer ann", "ann")
    assert engine.tick(900 * S) == []
    again = AlertEngine(engine._rules, store)
    again.restore(state)
    assert again.tick(777 * S) == [raised]
    assert len(store.find("acme", now_us=0).alerts) == 1


WINDOWS = rules("""
  - {name: busy, when: {type: threshold, of: window, field: events_5m, op: ">=", value: 3}, per: tenant, cooldown: 0s, message: "{value:.0f}"}
  - {name: calm, when: {type: crossing, of: window, field: events_5m, level: 2, direction: down}, per: tenant, cooldown: 0s, message: "x"}
  - {name: jump, when: {type: change, of: window, field: events_5m, by: 2, direction: up, within: 40s}, per: tenant, cooldown: 0s, message: "x"}
""").rules  # noqa: E501


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 12), st.sampled_from(["acme", "best"]), st.integers(0, 5)))
)
def test_windows_are_looked_at_once_a_bucket(given_figures: list[tuple[int, str, int]]) -> None:
    looks = itertools.groupby(sorted(given_figures), key=lambda f: f[0])
    last: dict[str, float] = {}
    seen = defaultdict(list)
    expected = []
    with TemporaryDirectory() as folder, AlertStore(Path(folder) / "a.db") as store:
        engine = AlertEngine(WINDOWS, store)
        raised = []
        for bucket, group in looks:
            figures = {tenant: {"events_5m": float(n), "other": 1.0} for _, tenant, n in group}
            now = bucket * BUCKET_US + 3 * S
            raised += engine.tick(now, figures)
            assert engine.tick(now + S, {"acme": {"events_5m": 99.0}}) == []
            restored = AlertEngine(WINDOWS, store)
            restored.restore(engine.state())
            engine = restored
            for tenant, named in figures.items():
                n = named["events_5m"]
                part = now // (5 * S)
                least = min([v for p, v in seen[tenant] if p > part - 8], default=n)
                names = [
                    name
                    for name, holds in (
                        ("busy", n >= 3),
                        ("calm", tenant in last and last[tenant] >= 2 > n),
                        ("jump", n - least > 2),
                    )
                    if holds
                ]
                expected += [(name, tenant, "", now) for name in names]
                last[tenant] = n
                seen[tenant].append((part, n))
        assert fired(raised) == sorted(expected)


def test_the_value_before_comes_from_the_row_where_the_engine_has_none(store: AlertStore) -> None:
    engine = AlertEngine(rules("""
  - {name: up, when: {type: crossing, field: probability, level: 0.5, first: true}, cooldown: 0s, message: "x"}
""").rules, store)  # noqa: E501  # fmt: skip
    rows = [
        Row(1, lead="known", probability=0.7, previous=0.6),
        Row(2, lead="risen", probability=0.7, previous=0.4),
        Row(3, lead="new", probability=0.7),
        Row(4, lead="known", probability=0.8, previous=0.1),
    ]
    assert [a.lead for a in engine.take(outcome(rows, 0, {}))] == ["risen", "new"]


def test_a_changed_rule_begins_anew_and_the_others_go_on(store: AlertStore) -> None:
    text = """
  - {name: a, when: {type: crossing, field: churn, level: 0.5}, message: "x"}
  - {name: b, when: {type: crossing, field: churn, level: 0.6}, message: "x"}
"""
    engine = AlertEngine(rules(text).rules, store)
    engine.take(outcome([Row(1, churn=0.1)], 0, {}))
    changed = AlertEngine(rules(text.replace("0.6", "0.7")).rules, store)
    changed.restore(engine.state())
    assert [a.rule for a in changed.take(outcome([Row(2, churn=0.9)], 1, {}))] == ["a"]


def test_a_state_that_is_none_is_refused(store: AlertStore, monkeypatch) -> None:
    engine = AlertEngine(RULES, store)
    with pytest.raises(BadInput):
        engine.restore(b"nonsense")
    monkeypatch.setattr(engine_module, "FORMAT", 9)
    later = engine.state()
    monkeypatch.undo()
    with pytest.raises(NewerFormat):
        engine.restore(later)


def test_what_a_full_disk_refused_is_kept_at_the_next_call(tmp_path: Path) -> None:
    store = AlertStore(tmp_path / "alerts.db")
    engine = AlertEngine(RULES[:1], store)
    with store.file.reading() as db:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count={pages}")
    rows = [Row(i * 6 * S, lead="l" * 200 + str(i), probability=0.9) for i in range(200)]
    with pytest.raises(StoreFailed, match="Free some space"):
        engine.take(outcome(rows, 0, {}))
    with pytest.raises(StoreFailed):
        engine.state()
    with store.file.reading() as db:
        db.execute("PRAGMA max_page_count=100000")
    engine.take(outcome([Row(9_999 * S)], 200, {}))
    assert len(store.find("acme", now_us=0, most=1000).alerts) == 200
    store.close()


def test_features_of_the_model_are_fields(store: AlertStore) -> None:
    from types import SimpleNamespace  # noqa: PLC0415

    engine = AlertEngine(rules("""
  - {name: views, when: {type: threshold, field: feature.visit_count_7d, value: 3}, message: x}
""").rules, store)  # fmt: skip
    bare = outcome([Row(1)], 0, {})
    assert engine.take(bare) == []
    column = np.array([4.0], np.float32)
    table = SimpleNamespace(column=lambda name: {"visit_count_7d": column}[name])

    class Scores(SimpleNamespace):
        def __len__(self) -> int:
            return 1

    scored = type(bare)(bare.rows, bare.events, bare.models, bare.families, Scores(table=table))
    assert [a.value for a in engine.take(scored)] == [4.0]


def test_equal_places_of_two_lanes_are_two_leads(store: AlertStore) -> None:
    crossing = rules("""
  - {name: up, when: {type: crossing, field: churn, level: 0.5}, cooldown: 0s, message: x}
""").rules
    engine = AlertEngine(crossing, store)
    for lane, churn in (("a", 0.1), ("b", 0.9)):
        engine.take(replace(outcome([Row(1, tenant=lane, churn=churn)], 0, {}), lane=lane))
    again = AlertEngine(crossing, store)
    again.restore(engine.state())
    for one in (engine, again):
        later = [
            replace(outcome([Row(2, tenant=lane, churn=0.9)], 1, {}), lane=lane) for lane in "ab"
        ]
        assert [a.tenant for part in later for a in one.take(part)] == ["a"]

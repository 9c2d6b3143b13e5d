"""The store: idempotent, one tenant's only, states, snoozes, escalations, paging."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlab.errors import BadInput, BrokenFile, NewerFormat, StoreFailed, UnknownName
from leadlab.stream.alerts import Alert, AlertEngine, AlertStore, Outbox, alert_message
from leadlab.stream.alerts.alert import Plan
from tests.stream.alert_rows import Row, S, outcome, rules

H = 3600 * S


def alert(name: str, tenant: str = "acme", at_us: int = 5, **more) -> Alert:
    fields = {"rule": "r", "severity": "info", "key": "ann", "message": "m", "due_us": at_us,
              "routes": ("app",), "lead": "ann", **more}  # fmt: skip
    return Alert(id=name, tenant=tenant, at_us=at_us, **fields)


@pytest.fixture
def store(tmp_path: Path):
    with AlertStore(tmp_path / "alerts.db") as made:
        yield made


def ids(page) -> list[str]:
    return [kept.alert.id for kept in page.alerts]


def test_what_is_known_changes_nothing(store: AlertStore) -> None:
    assert store.add([alert("a"), alert("a"), alert("b")]) == 2
    store.resolve("acme", "a", who="bo", at_us=9)
    assert store.add([alert("a"), alert("b")]) == 0
    assert store.get("acme", "a", now_us=9).state == "resolved"
    assert [d.alert.id for d in Outbox(store.file).claim("app", 99, 1, 9)] == ["b"]


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["acme", "best"])), max_size=20),
    st.integers(1, 5),
)
def test_pages_hold_each_alert_of_one_tenant_once(tmp_path_factory, made, size) -> None:
    with AlertStore(tmp_path_factory.mktemp("pages") / "a.db") as store:
        store.add([alert(f"a{i}", tenant, at) for i, (at, tenant) in enumerate(made)])
        for tenant in ("acme", "best", "other"):
            found, before = [], None
            while True:
                page = store.find(tenant, now_us=0, before=before, most=size)
                found += ids(page)
                if page.next is None:
                    break
                before = page.next
            mine = [(at, f"a{i}") for i, (at, whose) in enumerate(made) if whose == tenant]
            assert found == [name for _, name in sorted(mine, reverse=True)]


def test_no_tenant_sees_or_touches_what_is_anothers(store: AlertStore) -> None:
    store.add([alert("a", "best")])
    for attempt in (
        lambda: store.get("acme", "a", now_us=9),
        lambda: store.history("acme", "a"),
        lambda: store.acknowledge("acme", "a", who="x", at_us=9),
        lambda: store.snooze("acme", "a", until_us=99, who="x", at_us=9),
        lambda: store.resolve("acme", "a", who="x", at_us=9),
        lambda: store.get("acme' OR '1'='1", "a", now_us=9),
    ):
        with pytest.raises(UnknownName) as told:
            attempt()
        assert "best" not in str(told.value)
    assert store.find("acme", now_us=9).alerts == []
    assert store.find("acme' OR 1=1 --", now_us=9).alerts == []
    assert [step.what for step in store.history("best", "a")] == ["raised"]
    assert alert_message(alert("a", "best")).tenant == "best"


def test_states_and_who_decided(store: AlertStore) -> None:
    store.add([alert("a", severity="warning"), alert("b", at_us=7), alert("c", rule="s")])
    store.snooze("acme", "a", until_us=50, who="bo", at_us=10)
    assert store.get("acme", "a", now_us=49).state == "snoozed"
    assert store.get("acme", "a", now_us=50).state == "open"
    assert ids(store.find("acme", now_us=20, state="snoozed")) == ["a"]
    assert ids(store.find("acme", now_us=20, state="open")) == ["b", "c"]
    assert store.acknowledge("acme", "a", who="bo", at_us=20).state == "acknowledged"
    store.acknowledge("acme", "a", who="cy", at_us=21)
    store.resolve("acme", "a", who="cy", at_us=30)
    assert store.resolve("acme", "a", who="di", at_us=31).state == "resolved"
    assert store.acknowledge("acme", "a", who="di", at_us=32).state == "resolved"
    with pytest.raises(BadInput):
        store.snooze("acme", "a", until_us=99, who="di", at_us=33)
    with pytest.raises(BadInput):
        store.snooze("acme", "b", until_us=33, who="di", at_us=33)
    steps = [(s.what, s.who) for s in store.history("acme", "a")]
    assert steps == [("raised", None), ("snoozed", "bo"), ("acknowledged", "bo"),
                     ("resolved", "cy")]  # fmt: skip
    assert ids(store.find("acme", now_us=40, severity="warning", rule="r", lead="ann")) == ["a"]
    assert ids(store.find("acme", now_us=40, agent="nobody")) == []


@pytest.mark.parametrize(
    "given_wrong",
    [{"most": 0}, {"most": 1001}, {"before": "x"}, {"before": "1"}, {"before": "-1:a"},
     {"state": "opn"}],
)  # fmt: skip
def test_questions_that_cannot_be_are_refused(store: AlertStore, given_wrong: dict) -> None:
    with pytest.raises((BadInput, UnknownName)):
        store.find("acme", now_us=0, **given_wrong)


ESCALATING = rules("""
  - name: late
    when: {type: absence, kinds: [Call], after: [Inquiry], span: 5m}
    severity: warning
    escalate: {after: 1h, severity: critical, routes: [app]}
    message: "{lead}"
""").rules


def raised(store: AlertStore) -> tuple[AlertEngine, Alert]:
    engine = AlertEngine(ESCALATING, store)
    engine.take(outcome([Row(0)], 0, {}))
    (one,) = engine.tick(10 * 60 * S)
    return engine, one


def test_what_nobody_acknowledged_is_escalated_once(store: AlertStore) -> None:
    engine, one = raised(store)
    due = one.at_us + H
    assert engine.tick(due - 1) == []
    (graver,) = engine.tick(due)
    assert (graver.id, graver.severity) == (one.id, "critical")
    assert engine.tick(due + 9 * H) == []
    kept = store.get("acme", one.id, now_us=due)
    assert kept.alert.severity == "critical" and kept.state == "open"
    due_now = Outbox(store.file).claim("app", due, 1, 9)
    assert [(d.step, d.alert.severity) for d in due_now] == [
        ("raised", "critical"), ("escalated", "critical"),
    ]  # fmt: skip
    assert len({d.key for d in due_now}) == 2


def test_what_was_acknowledged_or_resolved_is_not_escalated(store: AlertStore) -> None:
    engine, one = raised(store)
    store.acknowledge("acme", one.id, who="bo", at_us=one.at_us + 1)
    assert engine.tick(9 * H) == []


def test_a_snooze_puts_off_escalation_and_delivery_also_of_later_alerts(store: AlertStore) -> None:
    engine, one = raised(store)
    until = 5 * H
    store.snooze("acme", one.id, until_us=until, who="bo", at_us=one.at_us + 1)
    assert engine.tick(3 * H) == []
    store.add([alert("next", rule=one.rule, key=one.key, at_us=3 * H),
               alert("other", rule=one.rule, key="bob", at_us=3 * H)])  # fmt: skip
    outbox = Outbox(store.file)
    assert [d.alert.id for d in outbox.claim("app", 4 * H, S, 9)] == ["other"]
    assert {d.alert.id for d in outbox.claim("app", until, S, 9)} == {one.id, "next", "other"}
    assert [a.id for a in engine.tick(until)] == [one.id]


def test_an_escalation_waits_for_the_end_of_quiet_hours(store: AlertStore) -> None:
    quiet = rules("""
  - name: night
    when: {type: threshold, field: probability, value: 0.5}
    severity: info
    escalate: {after: 30m, severity: warning}
    quiet: {zone: UTC, from: "21:00", to: "08:00"}
    message: "x"
""").rules
    engine = AlertEngine(quiet, store)
    at = 20 * H + 45 * 60 * S
    engine.take(outcome([Row(at, probability=0.9)], 0, {}))
    outbox = Outbox(store.file)
    assert len(outbox.claim("app", at, S, 9)) == 1
    assert [a.severity for a in engine.tick(at + H)] == ["warning"]
    steps = [d.step for d in outbox.claim("app", 32 * H - 1, S, 9)]
    assert steps == ["raised"]
    assert "escalated" in [d.step for d in outbox.claim("app", 32 * H + S, S, 9)]


def test_quiet_hours_hold_drop_or_let_pass(store: AlertStore) -> None:
    text = "".join(
        f"""
  - name: {name}
    when: {{type: threshold, field: probability, value: 0.5}}
    severity: {severity}
    quiet: {{zone: UTC, from: "21:00", to: "08:00", then: {then}}}
    message: "x"
"""
        for name, severity, then in (
            ("held", "warning", "hold"), ("gone", "warning", "drop"), ("now", "critical", "drop"),
        )
    )  # fmt: skip
    engine = AlertEngine(rules(text).rules, store)
    night = outcome([Row(23 * H, probability=0.9)], 0, {})
    assert {a.rule: a.due_us for a in engine.take(night)} == {
        "held": 32 * H, "gone": None, "now": 23 * H,
    }  # fmt: skip
    outbox = Outbox(store.file)
    assert [d.alert.rule for d in outbox.claim("app", 23 * H, S, 9)] == ["now"]
    outbox.settle(outbox.claim("app", 23 * H + S, S, 9)[0], 23 * H, "delivered", "")
    assert [d.alert.rule for d in outbox.claim("app", 99 * H, S, 9)] == ["held"]
    (gone,) = store.find("acme", now_us=0, rule="gone").alerts
    assert [s.what for s in store.history("acme", gone.alert.id)] == ["raised", "dropped"]


def test_an_alert_without_a_plan_cannot_be_escalated(store: AlertStore) -> None:
    with pytest.raises(BadInput):
        store.escalate(alert("a"), 1, 1)
    planned = alert("b", plan=Plan(1, "critical"))
    assert store.escalate(planned, 1, 1).severity == "critical"
    assert Outbox(store.file).routes() == []


def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("no database" * 100)
    with pytest.raises(BrokenFile):
        AlertStore(tmp_path / "text.db")
    later = sqlite3.connect(tmp_path / "later.db")
    later.execute("PRAGMA user_version=9")
    later.close()
    with pytest.raises(NewerFormat):
        AlertStore(tmp_path / "later.db")
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreFailed):
        AlertStore(tmp_path / "file" / "alerts.db")

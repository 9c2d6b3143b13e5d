"""``leadlab alerts``: rules are checked; alerts are listed and decided on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from leadlab.cli.app import run
from leadlab.stream.alerts import Alert, AlertStore


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LEADLAB_HOME", str(tmp_path))
    with AlertStore(tmp_path / "alerts.db") as store:
        store.add([
            Alert(id=f"a{i}", rule="hot", tenant=tenant, severity="info", key="ann", at_us=i,
                  message=f"[b]ann {i}", lead="ann", due_us=i)
            for i, tenant in enumerate(["default", "default", "other"])
        ])  # fmt: skip
    return tmp_path


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    assert run(["alerts", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_rules_are_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["alerts", "check"]) == 0
    assert "inquiry-unanswered" in capsys.readouterr().out
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("version: 1\nroutes: {app: {type: ap}}\nrules: []\n")
    assert run(["alerts", "check", str(wrong)]) == 4
    assert "Did you mean 'app'?" in capsys.readouterr().err
    assert run(["alerts", "check", str(tmp_path / "none.yaml")]) == 3
    capsys.readouterr()
    found = told(capsys, "check")
    assert found["rules"][0]["quiet"]["from"] == 21 * 60


def test_alerts_are_listed_and_decided_on(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = told(capsys, "list", "--most", "1")
    assert [a["id"] for a in page["alerts"]] == ["a1"]
    rest = told(capsys, "list", "--before", page["next"])
    assert [a["id"] for a in rest["alerts"]] == ["a0"] and rest["next"] is None
    assert told(capsys, "snooze", "a1", "2h", "--who", "bo")["state"] == "snoozed"
    assert told(capsys, "ack", "a1", "--who", "bo")["state"] == "acknowledged"
    assert told(capsys, "resolve", "a1", "--who", "bo")["state"] == "resolved"
    steps = told(capsys, "show", "a1")["history"]
    assert [(s["what"], s["who"]) for s in steps] == [
        ("raised", "-"), ("snoozed", "bo"), ("acknowledged", "bo"), ("resolved", "bo"),
    ]  # fmt: skip
    assert run(["alerts", "list", "--state", "open"]) == 0
    shown = capsys.readouterr().out
    assert "a0" in shown and "a1" not in shown and "a2" not in shown
    assert "[b]ann 0" in shown
    for command in (["ack", "a0"], ["snooze", "a0", "5m"], ["resolve", "a0"]):
        assert run(["alerts", *command, "--who", "[x"]) == 0
        assert "a0 is" in capsys.readouterr().out
    assert run(["alerts", "show", "a0"]) == 0
    shown = capsys.readouterr().out
    assert "[b]ann 0" in shown and "[x" in shown


def test_what_cannot_be_is_one_sentence(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["alerts", "ack", "a2", "--who", "bo"]) == 4
    assert run(["alerts", "snooze", "a0", "soon", "--who", "bo"]) == 3
    assert run(["alerts", "list", "--store", str(home / "none.db")]) == 3
    assert run(["alerts", "list", "--state", "closed"]) == 4
    assert not (home / "none.db").exists()
    assert capsys.readouterr().err.count("leadlab:") == 4

"""``leadlab health`` as people and machines run it, on a small brokerage."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from leadlab.cli.app import app, run
from leadlab.cli.health_conversation import conversation_of
from leadlab.data.brokerage import simulate
from leadlab.features import catalogue
from leadlab.models.health.weights import PARTS, HealthWeights
from leadlab.models.training import Study, train
from leadlab.schema import read_log, write_log

STUDY = Study(converted=("Offer Accepted", "Closed"), ended=("Lost",), horizon_days=30.0)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("health")
    log = simulate(500, 250, seed=4, texts=True).log
    write_log(log, folder / "log.parquet")
    train(log, STUDY, features=catalogue()).save(folder / "model.leadlab")
    return {"log": str(folder / "log.parquet"), "model": str(folder / "model.leadlab")}


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    assert run([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_help_has_an_example() -> None:
    found = CliRunner().invoke(app, ["health", "--help"])
    assert found.exit_code == 0
    assert "leadlab health simulated" in " ".join(found.stdout.split())


def test_the_list_and_the_one_lead_agree(place, capsys, tmp_path: Path) -> None:
    base = ("--model", place["model"], "--as-of", "2025-08-01")
    listed = told(capsys, "health", place["log"], *base, "--top", "6")
    scores = [one["score"] for one in listed["leads"]]
    assert len(scores) == 6 and scores == sorted(scores, reverse=True)
    first = listed["leads"][0]
    one = told(capsys, "health", first["lead"], place["log"], *base)
    for name in ("score", "level", "momentum", "probability", "low", "high"):
        assert one[name] == first[name]
    assert [part["name"] for part in one["parts"]] == list(PARTS)
    total = sum(p["share"] * (p["points"] or 0) for p in one["parts"])
    assert total == pytest.approx(one["score"], abs=1e-6)
    assert all(raised["gain"] > 0 for raised in one["raises"])
    assert all(e["at"] <= one["as_of"] for i in one["insights"] for e in i["evidence"])
    assert run(["health", first["lead"], place["log"], *base]) == 0
    shown = capsys.readouterr().out
    assert first["lead"] in shown and "What would raise it" in shown
    assert run(["health", place["log"], *base, "--top", "3"]) == 0
    assert first["lead"] in capsys.readouterr().out


def test_what_was_written_is_read_by_rules_where_no_reader_was_trained(
    place, capsys, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setenv("LEADLAB_HOME", str(tmp_path))
    log = read_log(place["log"])
    at_us = int(log.at_us[-1])
    states = {str(n): conversation_of(log.for_leads([str(n)]), at_us) for n in log.lead.names}
    name = next(n for n, state in states.items() if state and state.unanswered)
    one = told(capsys, "health", name, place["log"], "--model", place["model"])
    assert one["conversation_read_by"] == ["rules"]
    asked = [i for i in one["insights"] if i["kind"] == "unanswered question"]
    assert len(asked) == 1 and asked[0]["evidence"]
    early = int(log.for_leads([name]).at_us[0]) - 1
    assert conversation_of(log.for_leads([name]), early) is None
    assert run(["health", name, place["log"], "--model", place["model"]]) == 0
    assert "unanswered question" in " ".join(capsys.readouterr().out.split())


def test_weights_are_learned_kept_and_taken_again(place, capsys, tmp_path: Path) -> None:
    kept = tmp_path / "weights.json"
    base = ("health", place["log"], "--model", place["model"])
    first = told(capsys, *base, "--learn", str(kept))
    assert "learned on" in first["weights"]["origin"]
    assert HealthWeights.read(kept).rates
    assert told(capsys, *base, "--weights", str(kept)) == first
    assert told(capsys, *base)["weights"] != first["weights"]


def test_what_cannot_be_done_is_said(place, capsys, tmp_path: Path) -> None:
    base = [place["log"], "--model", place["model"]]
    name = json.loads(_out(capsys, ["health", *base, "--top", "1", "--json"]))["leads"][0]["lead"]
    early = json.loads(
        _out(capsys, ["health", name, *base, "--as-of", "2025-01-01T00:00:01", "--json"])
    )
    assert early["score"] is None and "nothing is known" in early["note"]
    assert run(["health", "lead-9o", *base]) == 4
    assert run(["health", name, *base, "--tenant", "nobody"]) == 4
    assert run(["health", "a", "b", *base]) == 3
    assert run(["health", *base, "--weights", str(tmp_path / "no.json")]) == 6
    assert run(["health", *base, "--weights", "a", "--learn", "b"]) == 3
    capsys.readouterr()
    other = tmp_path / "other.csv"
    other.write_text("lead,kind,at\na,brewed,2026-01-01\n")
    assert run(["health", str(other), "--model", place["model"]]) == 3
    assert "no kind of event" in capsys.readouterr().err


def _out(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> str:
    assert run(arguments) == 0
    return capsys.readouterr().out

"""``leadlab churn`` as people and machines run it, on a small brokerage."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from leadlab.cli.app import app, run
from leadlab.data.brokerage import simulate

COLUMNS = ["lead", "kind", "at", "value"]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("churn") / "leads.csv"
    frame = simulate(150, 120, seed=3).log.to_frame()
    frame[COLUMNS].to_csv(place, index=False)
    return place


def test_help_has_an_example() -> None:
    found = CliRunner().invoke(app, ["churn", "--help"])
    assert found.exit_code == 0
    assert "leadlab churn simulated" in " ".join(found.stdout.split())


def test_leads_come_with_chances_reasons_and_what_to_do(log: Path, capsys, tmp_path: Path) -> None:
    model = tmp_path / "churn.leadlab"
    code = run(["churn", str(log), "--top", "5", "--out", str(model), "--json"])
    first = json.loads(capsys.readouterr().out)
    assert code == 0
    leads = first["leads"]
    assert len(leads) == 5
    for one in leads:
        assert 1 > one["p_7d"] >= one["p_14d"] >= one["p_30d"] > 0
        assert 0 < one["expected_days"] <= 30
        assert all(reason["effect"] > 0 for reason in one["reasons"])
        assert one["interventions"] or one["level"] == "low"
    last = [one["p_30d"] for one in leads]
    assert last == sorted(last, reverse=True)
    assert run(["churn", str(log), "--model", str(model), "--top", "5", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == first
    name = leads[2]["lead"]
    assert run(["churn", str(log), "--model", str(model), "--who", name, "--json"]) == 0
    (alone,) = json.loads(capsys.readouterr().out)["leads"]
    assert alone["p_30d"] == pytest.approx(leads[2]["p_30d"])
    assert [r["text"] for r in alone["reasons"]] == [r["text"] for r in leads[2]["reasons"]]
    assert alone["interventions"] == leads[2]["interventions"]
    assert run(["churn", str(log), "--model", str(model), "--top", "3"]) == 0
    shown = capsys.readouterr().out
    assert leads[0]["lead"] in shown
    assert "within" in shown and leads[0]["level"] in shown
    assert run(["churn", str(log), "--model", str(model), "--active-days", "0"]) == 0
    assert "Nobody to foresee" in capsys.readouterr().out
    assert run(["churn", str(log), "--model", str(model), "--who", "lead-00o001"]) == 4
    assert "Did you mean" in capsys.readouterr().err


def test_a_log_of_unknown_kinds_asks_for_its_signs(tmp_path: Path, capsys) -> None:
    place = tmp_path / "other.csv"
    frame = pd.DataFrame({"lead": ["a"], "kind": ["brewed"], "at": ["2026-01-01"]})
    frame.to_csv(place, index=False)
    assert run(["churn", str(place)]) == 3
    assert "Name the kinds" in capsys.readouterr().err

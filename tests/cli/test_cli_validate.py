"""Validate and drift as people and machines run them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from leadlab.cli.app import app, run
from leadlab.data import simulate
from leadlab.features import catalogue
from leadlab.models.conversion import ConversionModel
from leadlab.models.training import Study, train
from leadlab.schema import write_log


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log, its two halves, and a model that was trained on it."""
    folder = tmp_path_factory.mktemp("validate")
    log = simulate(1200, 600, 3).log
    write_log(log, folder / "log.parquet")
    half = int(log.at_us[len(log) // 2])
    write_log(log.between(int(log.at_us[0]), half), folder / "old.parquet")
    write_log(log.between(half, int(log.at_us[-1])), folder / "new.parquet")
    study = Study(("Offer Accepted", "Closed"), ("Lost",))
    model = ConversionModel(rounds=15, max_depth=3)
    train(log, study, features=catalogue(), model=model).save(folder / "m.leadlab")
    return folder


@pytest.mark.parametrize("command", ["validate", "drift"])
def test_help_has_an_example(command: str) -> None:
    told = CliRunner().invoke(app, [command, "--help"])
    assert told.exit_code == 0
    assert f"leadlab {command}" in " ".join(told.stdout.split())


def test_validate_gives_one_object(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["validate", str(place / "log.parquet"), "--model", str(place / "m.leadlab")]
    assert run([*asked, "--segment", "kind", "--resamples", "5", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["report"]["leads"] > 100
    assert {"base rate", "logistic regression"} <= set(found["report"]["baselines"])
    assert found["shapley"]["method"] == "Shapley values (exact table)"
    assert found["segments"]["figures"]
    assert found["exposure"] is None


def test_validate_tells_people_and_asks_for_the_page(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []
    monkeypatch.setattr("leadlab.cli.validate.write_page", lambda *given: written.append(given))
    asked = ["validate", str(place / "log.parquet"), "--model", str(place / "m.leadlab")]
    assert run([*asked, "--resamples", "2", "--html", str(place / "v.html")]) == 0
    assert "Expected without outcomes" in capsys.readouterr().out
    (one,) = written
    assert one[0].report.leads > 100
    assert one[1] == place / "v.html"


def test_drift_needs_no_outcomes(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["drift", str(place / "old.parquet"), str(place / "new.parquet")]
    asked += ["--model", str(place / "m.leadlab")]
    assert run([*asked, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["figures"][0]["name"] == "score"
    assert found["large"] == 0.25
    assert run(asked) == 0
    assert "What moved" in capsys.readouterr().out


def test_wrong_fields_and_files_are_one_sentence(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["validate", str(place / "log.parquet"), "--model", str(place / "m.leadlab")]
    assert run([*asked, "--segment", "sorce"]) == 4
    assert "Did you mean 'source'" in capsys.readouterr().err
    assert run([*asked, "--html", "v.pdf"]) == 3
    assert run(["drift", "nolog", "nolog", "--model", str(place / "m.leadlab")]) == 4

"""``leadlab next`` as people and machines run it, on a small brokerage."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from leadlab.cli.app import app, run
from leadlab.data.brokerage import simulate
from leadlab.features import build, catalogue
from leadlab.models.actions import recommendation
from leadlab.models.conversion import ConversionModel
from leadlab.models.files.model_file import About, fingerprint, save_model
from leadlab.models.matrix import matrix
from leadlab.schema import write_log

AS_OF = "2025-03-20T20:00:00Z"
REACHABLE = ["--consent", "email", "--consent", "call", "--zone", "America/Denver", "--state", "CO"]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("next")
    log = simulate(60, 90, seed=3).log
    write_log(log, folder / "log.parquet")
    table = build(log, catalogue())
    y = table.column("offer_count_30d") > 0
    model = ConversionModel(rounds=5).fit(table, y)
    about = About(
        features=catalogue().to_json(), converted=("Closed",), ended=(), seed=0,
        fingerprint=fingerprint(matrix(table), y), notes={},
    )  # fmt: skip
    save_model(folder / "m.leadlab", model, about)
    return folder / "log.parquet", folder / "m.leadlab"


def asked(files, *more):
    log, model = map(str, files)
    return ["next", "lead-000003", log, "--model", model, *more]


def test_help_has_an_example():
    found = CliRunner().invoke(app, ["next", "--help"])
    assert found.exit_code == 0
    assert "leadlab next lead-000003 simulated" in " ".join(found.stdout.split())


def test_ranked_actions_come_with_all_that_is_needed_to_judge_them(files, capsys, tmp_path):
    place = tmp_path / "next.jsonl"
    command = asked(files, "--as-of", AS_OF, *REACHABLE, "--log", str(place))
    assert run([*command, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert sum(a["propensity"] for a in told["actions"]) == pytest.approx(1)
    net = [a["net_usd"] for a in told["actions"]]
    assert net == sorted(net, reverse=True)
    assert {a["basis"] for a in told["actions"]} == {"prior"}
    assert all(a["channel"] != "sms" for a in told["actions"])
    assert all(r["why"] for r in told["refused"])
    assert 0 <= told["chance"] <= 1
    (logged,) = recommendation.read(place)
    assert logged.id == told["recommended"]["id"]
    assert logged.action == told["recommended"]["action"]
    assert logged.eligible == {a["action"]: a["propensity"] for a in told["actions"]}
    assert run([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == told
    assert recommendation.read(place) == [logged]
    assert run(command) == 0
    shown = capsys.readouterr().out
    assert "not measured" in shown and told["recommended"]["action"] in shown


def test_outcomes_of_logged_recommendations_are_learned_from(files, capsys, tmp_path):
    place = tmp_path / "next.jsonl"
    early = asked(files, "--as-of", "2025-02-10T20:00:00Z", *REACHABLE, "--log", str(place))
    assert run([*early, "--json"]) == 0
    first = json.loads(capsys.readouterr().out)
    later = asked(files, "--as-of", AS_OF, *REACHABLE, "--log", str(place), "--json")
    assert run(later) == 0
    bases = {a["action"]: a["basis"] for a in json.loads(capsys.readouterr().out)["actions"]}
    assert bases["wait"] in ("prior", "learned, n=1")
    learned = {name for name, basis in bases.items() if basis == "learned, n=1"}
    assert learned <= {a["action"] for a in first["actions"]}


def test_nobody_is_reached_without_consent_in_the_night_or_from_nowhere(files, capsys):
    assert run(asked(files, "--as-of", AS_OF, "--json")) == 0
    told = json.loads(capsys.readouterr().out)
    assert {a["channel"] for a in told["actions"]} <= {"none", "task"}
    night = asked(files, "--as-of", "2025-03-20T09:00:00Z", *REACHABLE, "--json")
    assert run(night) == 0
    told = json.loads(capsys.readouterr().out)
    assert {a["channel"] for a in told["actions"]} <= {"none", "task"}
    until = {r["action"]: r["until"] for r in told["refused"]}
    assert until["weekly list"] == "2025-03-20T14:00:00+00:00"
    assert until["personal word"] is None


@pytest.mark.parametrize(
    ("more", "code", "why"),
    [
        (["--consent", "pigeon"], 4, "pigeon"),
        (["--zone", "America/Gotham"], 3, "time zone"),
        (["--state", "ZZ"], 4, "ZZ"),
        (["--as-of", "1999-01-01"], 3, "nothing was known"),
        (["--actions", "nowhere.toml"], 3, "nowhere.toml"),
    ],
)
def test_what_cannot_be_used_is_named(files, capsys, more, code, why):
    assert run(asked(files, *more)) == code
    assert why in capsys.readouterr().err

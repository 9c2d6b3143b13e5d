"""``leadlab registry`` as people and machines run it."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from leadlab.cli.app import app, run
from leadlab.config import Settings
from leadlab.data import simulate
from leadlab.features import automatic, catalogue
from leadlab.models.conversion import ConversionModel
from leadlab.models.files.model_file import load_model, save_model
from leadlab.models.training import Study, train
from leadlab.schema import write_log
from tests.registry.conftest import fitted

COMMANDS = (
    "add",
    "list",
    "show",
    "promote",
    "rollback",
    "remove-challenger",
    "diff",
    "compare",
    "get",
    "verify",
)
CARD = ("--use", "Order calls.", "--limits", "No rentals.", "--fairness", "Not compared.")


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("LEADLAB_HOME", str(tmp_path))
    monkeypatch.delenv("LEADLAB_REGISTRY", raising=False)
    for seed in (0, 1):
        save_model(tmp_path / f"m{seed}.leadlab", *fitted(seed))
    return tmp_path


def told(capsys, *arguments):
    code = run(["registry", *arguments, "--json"])
    out, err = capsys.readouterr()
    return code, json.loads(out or err.splitlines()[-1])


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_helps_with_an_example(command):
    shown = CliRunner().invoke(app, ["registry", command, "--help"])
    assert shown.exit_code == 0
    assert f"leadlab registry {command}" in " ".join(shown.stdout.split())


def test_from_two_files_to_a_roll_back(home, capsys):
    for seed in (0, 1):
        code, one = told(capsys, "add", str(home / f"m{seed}.leadlab"), "--name", "hot", *CARD)
        assert (code, one["number"]) == (0, seed + 1)
    assert one["card"]["metrics"] == "On the test side: roc_auc 0.6."
    assert told(capsys, "promote", "hot", "1", "champion", "--who", "ann")[1]["number"] == 1
    assert told(capsys, "promote", "hot", "2", "challenger")[0] == 0
    assert told(capsys, "remove-challenger", "hot")[0] == 0
    assert told(capsys, "promote", "hot", "2")[1]["state"]["champions"] == [1, 2]
    code, error = told(capsys, "promote", "hot", "1", "--after", "2")
    assert (code, error["error"]) == (8, "Overtaken")
    assert "decision 4: promote 2 (champion)" in error["message"]
    assert told(capsys, "rollback", "hot", "--why", "too hot")[1]["version"] == 1
    shown = told(capsys, "show", "hot")[1]
    assert shown["version"]["number"] == 1
    assert [d["why"] for d in shown["history"]] == [None] * 4 + ["too hot"]
    listed = told(capsys, "list")[1]
    assert [(one["number"], one["stage"]) for one in listed] == [(1, "champion"), (2, "archived")]
    changed = told(capsys, "diff", "hot", "1", "2")[1]
    assert changed["settings"] == {"seed": [0, 1]}
    assert told(capsys, "verify")[1]["problems"] == []
    to = home / "again.leadlab"
    assert told(capsys, "get", "hot", "--out", str(to))[1]["version"] == "hot@1"
    assert load_model(to)[1].fingerprint == fitted(0)[1].fingerprint
    for words in (["list"], ["show", "hot"], ["diff", "hot", "1", "2"], ["verify", "--clean"]):
        assert run(["registry", *words]) == 0
        assert capsys.readouterr().out
    assert sorted(p.name for p in (home / "registry").iterdir()) == ["models", "registry.json"]


def test_mistakes_are_one_sentence_and_an_exit_code(home, capsys):
    file = str(home / "m0.leadlab")
    code, error = told(capsys, "add", file, "--name", "hot", "--use", "x")
    assert code == 3
    assert "--limits, --fairness" in error["message"]
    told(capsys, "add", file, "--name", "hot-leads", *CARD)
    code, error = told(capsys, "show", "hot-lead", "1")
    assert (code, error["hint"]) == (4, "Did you mean 'hot-leads'?")
    code, error = told(capsys, "promote", "hot-leads", "1", "champ")
    assert (code, error["hint"]) == (4, "Did you mean 'champion'?")
    code, error = told(capsys, "list", "--at", "s3://key:word@bucket/x")
    assert code == 2
    assert "word" not in error["message"].replace("password", "")
    assert told(capsys, "add", str(home / "none.leadlab"), "--name", "x", *CARD)[0] == 6
    (model,) = (home / "registry").rglob("model.ubj")
    model.write_bytes(b"other")
    code, found = told(capsys, "verify")
    assert (code, len(found["problems"])) == (6, 1)


def test_a_card_comes_from_a_file_too(home, capsys):
    parts = dict.fromkeys(("intended_use", "data", "metrics", "limits", "fairness"), "Said.")
    file = home / "card.json"
    file.write_text(json.dumps(parts))
    words = ("add", str(home / "m0.leadlab"), "--name", "hot", "--card", str(file))
    assert told(capsys, *words)[1]["card"] == parts
    assert told(capsys, *words, "--use", "x")[0] == 3
    file.write_text("{")
    assert told(capsys, *words)[0] == 3


def test_the_address_comes_from_the_environment(home, capsys, monkeypatch):
    assert Settings.from_environment({}).registry == ".leadlab/registry"
    monkeypatch.setenv("LEADLAB_REGISTRY", str(home / "shared"))
    told(capsys, "add", str(home / "m0.leadlab"), "--name", "hot", *CARD)
    assert (home / "shared" / "registry.json").is_file()
    assert run(["registry", "list", "--at", str(home / "nowhere")]) == 0
    assert "No model in" in capsys.readouterr().out
    assert not (home / "nowhere").exists()


@pytest.fixture(scope="module")
def log():
    return simulate(1_500, 500, seed=1).log


def trained(log, features, horizon_days=30):
    """A small model: what it is worth is not asked here."""
    study = Study(converted=("Offer Accepted",), ended=("Lost",), horizon_days=horizon_days)
    model = ConversionModel(rounds=15, max_depth=3)
    return train(log, study, features=features, model=model)


def test_a_version_scores_by_name_and_two_are_compared_on_leads_neither_has_seen(home, log, capsys):
    write_log(log, home / "log.parquet")
    for number, features in enumerate((automatic(log), catalogue()), 1):
        file = home / f"t{number}.leadlab"
        trained(log, features).save(file)
        assert told(capsys, "add", str(file), "--name", "hot", *CARD)[1]["number"] == number
    told(capsys, "promote", "hot", "1")
    told(capsys, "promote", "hot", "2", "challenger")

    code, found = told(capsys, "compare", "hot", str(home / "log.parquet"))
    assert (code, found["versions"]) == (0, ["hot@1", "hot@2"])
    assert found["rows"] > found["groups"] > 100
    itself = told(capsys, "compare", "hot", str(home / "log.parquet"), "1", "1")[1]
    assert not itself["warranted"]
    assert all(d["value"] == 0 for d in itself["differences"].values())

    for which, version in (("registry:hot", "hot@1"), ("registry:hot@2", "hot@2")):
        assert run(["score", str(home / "log.parquet"), "--model", which, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["model"] == version
    assert run(["score", str(home / "log.parquet"), "--model", "registry:cold", "--json"]) == 4
    assert "cold" in json.loads(capsys.readouterr().err)["message"]
    assert told(capsys, "compare", "hot", str(home / "log.parquet"), "1", "9")[0] == 4


def test_versions_that_foresee_different_things_are_not_compared(home, log, capsys):
    write_log(log, home / "log.parquet")
    few = catalogue().select(["property_view_count_7d", "activity_recency"])
    for days in (14, 30):
        trained(log, few, days).save(home / f"d{days}.leadlab")
        told(capsys, "add", str(home / f"d{days}.leadlab"), "--name", "hot", *CARD)
    code, error = told(capsys, "compare", "hot", str(home / "log.parquet"), "1", "2")
    assert code == 3
    assert "foresee different things" in error["message"]

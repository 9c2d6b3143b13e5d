"""The commands as people and machines run them, in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from leadlab.cli.app import app

COMMANDS = (
    "demo", "simulate", "check", "train", "evaluate", "score", "explain", "churn", "validate",
    "drift", "data list", "data get", "data verify",
)  # fmt: skip


def leadlab(*arguments: str, home: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run ``leadlab`` with a home of its own and without public data unless it is given."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("LEADLAB_")}
    return subprocess.run(
        [sys.executable, "-c", "from leadlab.cli import main; main()", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        env={**kept, "LEADLAB_HOME": str(home), **environ},
        check=False,
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home where the demonstration ran on simulated events."""
    place = tmp_path_factory.mktemp("home")
    done = leadlab("demo", "--simulated", "--json", home=place)
    assert done.returncode == 0, done.stderr
    (place / "demo.json").write_text(done.stdout)
    return place


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_helps_with_an_example(command: str) -> None:
    told = CliRunner().invoke(app, [*command.split(), "--help"])
    assert told.exit_code == 0
    assert f"leadlab {command}" in " ".join(told.stdout.split())


def test_the_demonstration_says_that_it_is_simulated_and_beats_the_base_rate(home: Path) -> None:
    told = json.loads((home / "demo.json").read_text())
    assert told["simulated"] is True
    report = told["report"]
    own = report["metrics"]["pr_auc"]
    assert own["low"] > report["baselines"]["base rate"]["pr_auc"]["value"]
    assert (
        report["metrics"]["log_loss"]["value"]
        < report["baselines"]["base rate"]["log_loss"]["value"]
    )
    assert report["metrics"]["roc_auc"]["value"] < 0.98, "too good: a leak until shown otherwise"
    assert len(told["top"]) == 5
    assert all(one["reasons"] for one in told["top"])


def test_if_missing_does_nothing_where_all_is_there_and_mends_what_is_broken(home: Path) -> None:
    model = home / "models" / "hub.leadlab"
    written = model.stat().st_mtime_ns
    again = leadlab("demo", "--if-missing", "--simulated", home=home)
    assert again.returncode == 0
    assert "already" in again.stdout
    assert model.stat().st_mtime_ns == written


def test_a_model_cut_in_half_is_one_sentence_and_exit_code_6(home: Path, tmp_path: Path) -> None:
    whole = (home / "models" / "hub.leadlab").read_bytes()
    half = tmp_path / "half.leadlab"
    half.write_bytes(whole[: len(whole) // 2])
    told = leadlab("score", str(home / "hub.parquet"), "--model", str(half), home=home)
    assert told.returncode == 6
    assert "cut short" in told.stderr
    assert "Traceback" not in told.stderr


def test_scores_are_sorted_and_written_whole(home: Path, tmp_path: Path) -> None:
    to = tmp_path / "scores.csv"
    told = leadlab(
        "score", str(home / "hub.parquet"), "--top", "7", "--out", str(to), "--json", home=home
    )
    assert told.returncode == 0, told.stderr
    scores = json.loads(told.stdout)["scores"]
    chances = [s["probability"] for s in scores]
    assert len(chances) == 7
    assert chances == sorted(chances, reverse=True)
    written = pd.read_csv(to)
    assert len(written) > 1000
    assert written["probability"].is_monotonic_decreasing
    assert written["probability"].iloc[0] == pytest.approx(chances[0])


def test_an_explanation_adds_up(home: Path) -> None:
    lead = json.loads((home / "demo.json").read_text())["top"][0]["lead"]
    told = leadlab("explain", lead, "--top", "1000", "--json", home=home)
    assert told.returncode == 0, told.stderr
    found = json.loads(told.stdout)
    total = found["base"] + sum(r["effect"] for r in found["reasons"])
    assert total == pytest.approx(found["margin"], abs=1e-4)
    assert found["method"] == "exact table"
    people = leadlab("explain", lead, home=home)
    assert "Because" in people.stdout


def test_bad_names_offer_close_ones(home: Path) -> None:
    told = leadlab("explain", "lead-0000o1", home=home)
    assert (told.returncode, "Did you mean" in told.stderr) == (4, True)
    told = leadlab("data", "get", "bpic2021", "--json", home=home)
    assert told.returncode == 4
    assert json.loads(told.stderr.splitlines()[-1])["error"] == "UnknownName"
    told = leadlab("evaluate", "bpic", home=home)
    assert (told.returncode, "bpic2012" in told.stderr) == (4, True)


def test_a_table_of_ones_own_trains_and_says_what_it_refused(tmp_path: Path) -> None:
    rows = []
    for i in range(600):
        start = pd.Timestamp("2026-01-01", tz="UTC") + pd.Timedelta(hours=7 * i)
        rows += [(f"p{i}", "ask", start), (f"p{i}", "look", start + pd.Timedelta(hours=5))]
        if i % 3 == 0:
            rows += [(f"p{i}", "visit", start + pd.Timedelta(days=1))]
        if i % 6 == 0:
            rows += [(f"p{i}", "buy", start + pd.Timedelta(days=2))]
    rows += [(None, "ask", start), ("p1", "ask", "never")]
    file = tmp_path / "mine.csv"
    pd.DataFrame(rows, columns=["who", "what", "when"]).to_csv(file, index=False)
    columns = ("--lead", "who", "--kind", "what", "--at", "when")
    model = tmp_path / "mine.leadlab"
    trained = leadlab(
        "train", str(file), "--converted", "buy", "--horizon-days", "3", *columns,
        "--out", str(model), "--json", home=tmp_path,
    )  # fmt: skip
    assert trained.returncode == 0, trained.stderr
    told = json.loads(trained.stdout)
    assert told["refused_rows"] == 2
    figures = told["report"]
    assert (
        figures["metrics"]["pr_auc"]["value"] > figures["baselines"]["base rate"]["pr_auc"]["value"]
    )
    scored = leadlab("score", str(file), "--model", str(model), *columns, home=tmp_path)
    last = max(when for *_, when in rows if when != "never")
    assert f"leads as of {last:%Y-%m-%dT%H:%M:%S} UTC" in scored.stdout
    assert scored.returncode == 0, scored.stderr
    assert "2 rows were refused" in " ".join(scored.stdout.split())


def test_a_model_of_other_events_refuses_to_score(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "other.csv"
    pd.DataFrame({"lead": ["a"], "kind": ["brewed"], "at": ["2026-01-01"]}).to_csv(
        file, index=False
    )
    told = leadlab("score", str(file), home=home)
    assert told.returncode == 3
    assert "no kind of event that the model looks at" in told.stderr


def test_without_a_network_the_next_step_is_named(tmp_path: Path) -> None:
    told = leadlab(
        "data", "get", "bpic2012", home=tmp_path, https_proxy="http://127.0.0.1:9", no_proxy=""
    )
    assert told.returncode == 5
    assert "Go online, or set LEADLAB_DATA_DIR" in told.stderr
    none = leadlab("data", "get", "bank_marketing", home=tmp_path)
    assert none.returncode == 5

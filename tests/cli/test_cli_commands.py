"""The commands as people and machines run them."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from leadlab.cli.app import app, run
from leadlab.cli.commands import COMMANDS, loaded
from leadlab.data import simulate

PATHS = [
    path
    for name in COMMANDS
    for path in ([f"{name} {below}" for below in getattr(loaded(name), "commands", ())] or [name])
]
"""Every command, those of groups by both names."""


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


@contextmanager
def surroundings(home: Path, **environ: str) -> Iterator[None]:
    """A home of its own, and no public data unless it is given."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("LEADLAB_")]:
            patch.delenv(name)
        for name, value in {"LEADLAB_HOME": str(home), **environ}.items():
            patch.setenv(name, value)
        yield


def leadlab(*arguments: str, home: Path, **environ: str) -> Done:
    """Run ``leadlab`` here: a process of its own takes seconds to import anything."""
    out, err = io.StringIO(), io.StringIO()
    with surroundings(home, **environ), redirect_stdout(out), redirect_stderr(err):
        code = run(arguments)
    return Done(code, out.getvalue(), err.getvalue())


def process(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    """Run ``leadlab`` in a process of its own."""
    with surroundings(home):
        return subprocess.run(
            [sys.executable, "-c", "from leadlab.cli import main; main()", *arguments],
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home where the demonstration ran on simulated events, half as many as people get."""
    place = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("leadlab.cli.demo.simulate", lambda _, __, seed: simulate(2_500, 600, seed))
        done = leadlab("demo", "--simulated", "--json", home=place)
    assert done.returncode == 0, done.stderr
    (place / "demo.json").write_text(done.stdout)
    return place


def test_every_command_is_listed_with_the_first_line_of_its_help() -> None:
    told = " ".join(CliRunner().invoke(app, ["--help"]).stdout.replace("│", " ").split())
    for name, command in COMMANDS.items():
        assert f"{name} {command.line}" in told
        assert loaded(name).help.splitlines()[0] == command.line, name


@pytest.mark.parametrize("command", PATHS)
def test_every_command_helps_with_an_example(command: str) -> None:
    told = CliRunner().invoke(app, [*command.split(), "--help"])
    assert told.exit_code == 0
    assert f"leadlab {command}" in " ".join(told.stdout.split())


def test_a_command_that_is_not_there_is_told_and_a_close_one_offered() -> None:
    told = CliRunner().invoke(app, ["scor"])
    assert (told.exit_code, "Did you mean 'score'" in told.output) == (2, True)


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
    told = process("score", str(home / "hub.parquet"), "--model", str(half), home=home)
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

"""``leadlab read`` as people and machines run it."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from leadlab.cli import read as command
from leadlab.cli.app import app, run
from leadlab.data.phrases.labelled import COLUMNS

SAID = "I am Ann Smith, can we schedule a tour on Friday? Up to $450k, call 206-555-0134"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def small(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home of its own, and few texts: none of public sets."""
    monkeypatch.setenv("LEADLAB_HOME", str(home))
    monkeypatch.setattr(command, "TEXTS", 400)
    monkeypatch.setattr(command, "public_texts", lambda *_, **__: command.pd.DataFrame(
        columns=list(COLUMNS)))  # fmt: skip


def told(capsys) -> dict:
    return json.loads(capsys.readouterr().out)


def test_help_has_an_example() -> None:
    found = CliRunner().invoke(app, ["read", "--help"])
    assert found.exit_code == 0
    assert "leadlab read" in found.stdout and "Friday" in found.stdout


def test_a_message_is_read_masked_by_a_model_that_is_trained_once(home: Path, capsys) -> None:
    assert run(["read", SAID, "--json"]) == 0
    first = told(capsys)
    place = home / "models" / command.FILE
    written = place.stat().st_mtime_ns
    assert "200 of 'simulated', 200 of 'talk'" in first["card"]
    (one,) = first["messages"]
    assert (one["intent"], one["method"]) == ("scheduling", "model")
    assert one["text"].startswith("I am [name], can") and "555-0134" not in json.dumps(one)
    assert {f["name"]: f["value"] for f in one["facts"]}["budget"] == 450e3
    assert one["words"]["intent"]
    assert run(["read", SAID, "--json"]) == 0
    assert told(capsys) == first and place.stat().st_mtime_ns == written
    assert run(["read", SAID, "--role", "agent"]) == 0
    shown = capsys.readouterr().out
    assert "Ann Smith" in shown and "scheduling" in shown and "tour" in shown
    assert "model" in shown


def test_a_file_has_one_message_a_line(tmp_path: Path, capsys, monkeypatch) -> None:
    file = tmp_path / "said.txt"
    file.write_bytes("We hate it\r\n\nQué bonita es esta casa señor\n".encode())
    assert run(["read", "--file", str(file), "--rules", "--json"]) == 0
    found = told(capsys)["messages"]
    assert [m["method"] for m in found] == ["rules", "none", "none"]
    assert found[0]["sentiment"] < 0 and found[1]["because"] == "it is empty"
    monkeypatch.setattr("sys.stdin", io.StringIO("Any tour?\n"))
    assert run(["read", "--file", "-", "--rules", "--json"]) == 0
    assert told(capsys)["messages"][0]["intent"] == "scheduling"


def test_a_broken_model_is_told_and_rules_answer(home: Path, capsys) -> None:
    place = home / "models" / command.FILE
    place.parent.mkdir(exist_ok=True)
    kept = place.read_bytes() if place.is_file() else None
    place.write_bytes(b"no zip")
    assert run(["read", "A tour?", "--json"]) == 0
    (one,) = told(capsys)["messages"]
    assert one["method"] == "rules" and "cannot be read" in one["because"]
    assert place.read_bytes() == b"no zip"
    if kept is None:
        place.unlink()
    else:
        place.write_bytes(kept)


def test_a_message_cannot_paint_the_terminal(capsys) -> None:
    assert run(["read", "[red]tour[/red] \x1b[31m [link=x]", "--rules"]) == 0
    shown = capsys.readouterr().out
    assert "[red]tour[/red]" in shown and "\x1b" not in shown


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 3, "one message or one file"),
        (["x", "--file", "y"], 3, "one message or one file"),
        (["--file", "nowhere.txt"], 3, "cannot be read"),
        (["x", "--role", "anybody"], 4, "unknown role"),
    ],
)
def test_wrong_usage_is_told(arguments: list[str], code: int, said: str, capsys) -> None:
    assert run(["read", *arguments, "--rules"]) == code
    assert said in capsys.readouterr().err


def test_files_that_are_no_text_are_told(tmp_path: Path, capsys) -> None:
    file = tmp_path / "x"
    for content, said in ((b"\xff\xfe\xff", "UTF-8"), (b"", "no message")):
        file.write_bytes(content)
        assert run(["read", "--file", str(file), "--rules"]) == 3
        assert said in capsys.readouterr().err

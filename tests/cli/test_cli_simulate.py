"""``leadlab simulate`` as a user runs it: a folder, a refusal, a stream."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from leadlab.cli.app import run
from leadlab.data.brokerage import read_brokerage
from leadlab.schema import decode

# Who runs in the background is born deaf to interrupts, and so would be its children.
START = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from leadlab.cli import main; main()"
)
LIVE = [sys.executable, "-c", START, "simulate", "--live", "--leads", "3000", "--days", "30"]


def test_a_folder_and_its_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "made"
    command = ["simulate", "--leads", "80", "--days", "40", "--seed", "3", "--out", str(place)]
    assert run([*command, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    made = read_brokerage(place)
    assert told["simulated"] is True and told["settings"]["seed"] == 3
    assert told["events"] == len(made.log) == sum(told["kinds"].values())
    assert sum(row["leads"] for row in told["by_segment"].values()) == told["leads"] == 80
    assert "text" in made.log.data
    before = (place / "log.parquet").read_bytes()
    assert run(command) == 3
    assert "--force" in capsys.readouterr().err
    assert run([*command, "--force", "--no-texts"]) == 0
    assert "SIMULATED" in capsys.readouterr().out
    assert (place / "log.parquet").read_bytes() != before
    assert "text" not in read_brokerage(place).log.data


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        ["--live", "--out", "x"],
        ["--out", "x", "--leads", "0"],
        ["--live", "--speed", "0", "--for", "1"],
        ["--out", "x", "--start", "someday"],
    ],
)
def test_wrong_usage_is_told_in_a_sentence(
    wrong: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert run(["simulate", *wrong]) == 3
    assert capsys.readouterr().err.startswith("leadlab: ")
    assert not list(tmp_path.iterdir())


def test_live_writes_events_in_order_and_ends_by_itself() -> None:
    done = subprocess.run(
        [*LIVE, "--speed", "40000", "--for", "1"],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    events = [decode(line) for line in done.stdout.splitlines()]
    assert len(events) > 20 and {e.source for e in events} == {"simulated"}
    assert [e.at for e in events] == sorted(e.at for e in events)
    assert done.stderr == ""


@pytest.mark.parametrize("how", ["interrupt", "closed pipe"])
def test_live_ends_cleanly_when_told_to_or_when_nobody_reads(how: str) -> None:
    with subprocess.Popen(
        [*LIVE, "--speed", "90000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        assert decode(process.stdout.readline()).source == "simulated"
        if how == "interrupt":
            process.send_signal(signal.SIGINT)
            process.stdout.read()
        else:
            process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=30) == 0

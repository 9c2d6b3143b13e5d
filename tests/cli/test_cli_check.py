"""`leadlab check`: flags as JSON and as a table, and one sentence for what cannot be checked."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from leadlab.cli.app import run


@pytest.fixture
def leads() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    won = rng.random(400) < 0.3
    at = pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(400), unit="h")
    return pd.DataFrame(
        {
            "visits": rng.poisson(3, 400),
            "paid": np.where(won, 100.0, 0.0),
            "asked": at.astype(str),
            "signed": (at + pd.Timedelta("1D")).astype(str),
            "won": np.where(won, "Yes", "No"),
        }
    )


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    try:
        code = run(["check", *arguments])
    except SystemExit as done:
        code = int(done.code or 0)
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_file_is_checked(leads, tmp_path: Path, capsys, kind: str) -> None:
    file = tmp_path / f"leads.{kind}"
    leads.to_csv(file, index=False) if kind == "csv" else leads.to_parquet(file)
    before = file.read_bytes()
    code, out, _ = told(capsys, str(file), "--target", "won", "--at", "asked", "--json")
    assert code == 0
    found = json.loads(out)
    assert found["rows"] == 400
    assert {"paid", "signed"} <= set(found["flagged"])
    assert "visits" not in found["flagged"]
    assert {f["kind"] for f in found["flags"] if f["column"] == "signed"} >= {"later than its row"}
    assert file.read_bytes() == before
    code, out, _ = told(capsys, str(file), "--target", "won", "--later", "visits")
    assert code == 0
    assert "declared later" in out
    assert "Nothing was dropped" in " ".join(out.split())


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["--target", "wan"], 4, "Did you mean 'won'"),
        ([], 3, "which column is the outcome"),
        (["--target", "visits"], 3, "0 or 1, or yes or no"),
        (["--target", "won", "--at", "paid"], 3, "not all are times"),
        (["--target", "won", "--later", "pade"], 4, "Did you mean 'paid'"),
    ],
)
def test_what_cannot_be_checked_is_one_sentence(leads, tmp_path, capsys, arguments, code, word):
    file = tmp_path / "leads.csv"
    leads.to_csv(file, index=False)
    found, _, err = told(capsys, str(file), *arguments)
    assert (found, word in err) == (code, True), err


def test_files_and_names_that_are_no_tables_are_refused(tmp_path, capsys) -> None:
    (tmp_path / "leads.csv").write_bytes(b"")
    (tmp_path / "leads.txt").write_text("a")
    code, _, err = told(capsys, str(tmp_path / "leads.csv"), "--target", "won")
    assert (code, "cannot be read" in err) == (6, True)
    code, _, err = told(capsys, str(tmp_path / "leads.txt"), "--target", "won")
    assert (code, ".csv or .parquet" in err) == (3, True)
    code, _, err = told(capsys, "telko")
    assert (code, "'telco'" in err) == (4, True)

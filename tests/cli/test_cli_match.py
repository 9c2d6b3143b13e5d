"""``leadlab match``: for a lead, for a file, and what it says when nothing fits."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from leadlab.cli.app import run
from leadlab.data.brokerage import simulate


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulate(120, 200, seed=2).write(tmp_path_factory.mktemp("made") / "brokerage")


@pytest.fixture
def wants(tmp_path: Path) -> Path:
    place = tmp_path / "wants.json"
    place.write_text(json.dumps({"budget_usd": 5e5, "bedrooms_min": 3, "hard": ["budget"]}))
    return place


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    return json.loads(capsys.readouterr().out)


def test_a_lead_is_matched_with_reasons(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = pd.read_parquet(folder / "log.parquet")
    lead = str(made.loc[made["kind"] == "Viewed Property", "lead"].value_counts().index[0])
    assert run(["match", lead, "--brokerage", str(folder), "--top", "4", "--json"]) == 0
    found = told(capsys)
    assert found["lead"] == lead and len(found["homes"]) == 4 and found["simulated"]
    assert found["homes"][0]["taste"] and "own deeds" in found["basis"]
    assert run(["match", lead, "--brokerage", str(folder)]) == 0
    assert "SIMULATED" in capsys.readouterr().out


def test_a_file_of_homes_and_one_of_wishes(
    tmp_path: Path, wants: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = pd.DataFrame({"listing_key": ["a", "b", "c"], "ListPrice": [4e5, 0, 9e5],
                          "bedrooms_total": [3, 33, 4]})  # fmt: skip
    frame.to_csv(tmp_path / "homes.csv", index=False)
    given = ["match", "--preferences", str(wants), "--listings", str(tmp_path / "homes.csv")]
    assert run([*given, "--column", "list_price=ListPrice", "--json"]) == 0
    found = told(capsys)
    assert [home["listing"] for home in found["homes"]] == ["a"] and len(found["doubts"]) == 2
    assert found["limits"][0]["unknown"] == 1 and not found["simulated"]
    assert run([*given, "--column", "list_price=Price"]) == 4
    assert run([*given, "--column", "ListPrice"]) == 3


def test_limits_that_nothing_meets_are_explained(
    folder: Path, wants: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wants.write_text(json.dumps({"budget_usd": 50_000, "hard": ["budget"]}))
    given = ["match", "--preferences", str(wants), "--brokerage", str(folder)]
    assert run([*given, "--json"]) == 0
    found = told(capsys)
    limit = found["limits"][0]
    assert found["homes"] == [] and limit["excludes"] == limit["alone"] == 2_000
    assert limit["change"]["budget_usd"] == pd.read_parquet(folder / "listings.parquet")[
        "list_price"
    ].min()  # fmt: skip
    assert run(given) == 0
    assert "would have to change" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "code"),
    [("{", 6), ("[]", 6), ('{"budget_usd": 0}', 3), ('{"budgett_usd": 5}', 4),
     ('{"bedrooms_min": 4, "bedrooms_max": 1}', 3), ('{"amenities": ["near a church"]}', 3)],
)  # fmt: skip
def test_wishes_that_cannot_be_are_one_sentence(
    folder: Path, wants: Path, content: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    wants.write_text(content)
    assert run(["match", "--preferences", str(wants), "--brokerage", str(folder)]) == code
    assert "leadlab:" in capsys.readouterr().err


def test_nobody_and_somebody_unknown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["match"]) == 3
    assert run(["match", "lead-99", "--brokerage", str(folder)]) == 4
    assert run(["match", "--help"]) == 0 and "Example" in capsys.readouterr().out

"""``leadlab value`` as people and machines run it."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from leadlab.cli.app import app, run
from leadlab.cli.sales_source import simulated_sales
from leadlab.models.valuation.made_up import made_up_sales
from leadlab.models.valuation.model import ValuationModel


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """A small model, and a small brokerage."""
    plain = ValuationModel.__init__

    def small(self, **settings):
        plain(self, **{"rounds": 30, **settings})

    small.__signature__ = inspect.signature(plain)
    monkeypatch.setattr(ValuationModel, "__init__", small)


@pytest.fixture(scope="module")
def sales(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("value") / "sales.csv"
    made_up_sales(700, seed=2).to_csv(place, index=False)
    return place


def test_help_has_an_example() -> None:
    found = CliRunner().invoke(app, ["value", "--help"])
    assert found.exit_code == 0
    assert "leadlab value simulated" in " ".join(found.stdout.split())


def test_a_sold_home_is_valued_without_hindsight(sales: Path, capsys) -> None:
    assert run(["value", str(sales), "--key", "made-up-650", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    frame = made_up_sales(700, seed=2).set_index("listing_key")
    sale = frame.loc["made-up-650"]
    assert told["as_of"] == str(sale["close_date"].date())
    assert told["sold_for"] == sale["close_price"]
    assert told["sales_known"] == int((frame["close_date"] < sale["close_date"]).sum())
    assert told["low"] < told["estimate"] < told["high"]
    assert "made-up-650" not in [one["listing_key"] for one in told["comparables"]]
    assert not told["simulated"]
    assert "neither an appraisal nor guaranteed" in told["note"]
    assert len(told["comparables"]) == 5
    assert abs(told["reasons"][0]["percent"]) >= abs(told["reasons"][-1]["percent"]) * 0.5
    for one in told["comparables"]:
        total = one["close_price"] + sum(one["adjustments"].values())
        assert total == pytest.approx(one["adjusted_price"])


def test_a_described_home_and_a_kept_model(sales: Path, capsys, tmp_path: Path) -> None:
    described = ["--with", "living_area=1500", "--with", "quality_score=5"]
    place = ["--with", "latitude=40.05", "--with", "longitude=-99.95"]
    home = [*described, *place, "--json"]
    assert run(["value", str(sales), *home, "--out", str(tmp_path / "m.leadlab")]) == 0
    first = json.loads(capsys.readouterr().out)
    assert first["sold_for"] is None
    assert run(["value", str(sales), *home, "--model", str(tmp_path / "m.leadlab")]) == 0
    assert json.loads(capsys.readouterr().out)["estimate"] == pytest.approx(first["estimate"])
    assert run(["value", str(sales), "--with", "living_area=0"]) == 0
    assert "No estimate: no living area above 0" in capsys.readouterr().out


def test_wrong_questions_are_answered_in_a_sentence(sales: Path, capsys) -> None:
    for arguments, code, words in [
        ([str(sales)], 3, "which home?"),
        ([str(sales), "--key", "made-up-9999"], 4, "Did you mean"),
        ([str(sales), "--with", "livingarea=9"], 4, "Did you mean 'living_area'"),
        ([str(sales), "--with", "living_area"], 3, "name=value"),
        ([str(sales), "--with", "living_area=big"], 3, "not a number"),
        ([str(sales), "--key", "made-up-3"], 3, ""),
        (["kings_county", "--key", "x"], 4, "Did you mean 'king_county'"),
        (["telco", "--key", "x"], 3, "no sales"),
    ]:
        assert run(["value", *arguments]) == code, arguments
        assert words in " ".join(capsys.readouterr().err.split())


def test_simulated_sales_are_said_to_be(monkeypatch, capsys) -> None:
    small = simulated_sales(0, leads=14_000, days=500)
    assert (small[0]["close_price"] > 0).all()
    assert {"latitude", "living_area"} <= set(small[0].columns)
    monkeypatch.setattr("leadlab.cli.value.sales_table", lambda name, seed: small)
    assert run(["value"]) == 0
    shown = capsys.readouterr().out
    assert "SIMULATED" in shown
    assert "neither an appraisal nor guaranteed" in shown

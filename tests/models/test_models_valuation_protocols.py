"""Protocols of house sales: what is planted is found, figures repeat, and real sales run."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from leadlab.data import load
from leadlab.models.protocols import valuations
from leadlab.models.valuation.made_up import made_up_sales

WANTED = {"mdape", "cod", "prd", "prb", "median_ratio", "coverage_90", "coverage_90_band_4"}


def sales(name: str) -> pd.DataFrame:
    """Made-up sales over the days of a real set."""
    made = made_up_sales(1200, seed=4)
    last = {"king_county": "2015-05-27", "ames": "2009-10-01"}[name]
    moved = made["close_date"] + (pd.Timestamp(last) - made["close_date"].max())
    made = made.assign(close_date=moved, sale_condition="Normal")
    return made.rename(columns={} if name == "king_county" else {"postal_code": "neighborhood"})


@pytest.mark.parametrize("name", ["king_county", "ames"])
def test_made_up_sales_give_every_figure_twice_the_same(name):
    table = sales(name)
    if name == "king_county":
        table = table.drop(columns="sale_condition")
    protocol = getattr(valuations, f"evaluate_{name}")
    steps: list[str] = []
    found = protocol(table, rounds=60, tell=steps.append)
    assert len(steps) == 3
    assert set(found.metrics) >= WANTED
    assert {f"frozen_{figure}" for figure in WANTED} <= set(found.metrics)
    assert ("normal_mdape" in found.metrics) == (name == "ames")
    assert set(found.baselines_by_name) == {"area rate", "hedonic regression", "XGBoost"}
    assert found.metrics["mdape"] < found.baselines_by_name["area rate"]["mdape"]
    assert 5 < found.metrics["mdape"] < 12
    assert found.counts["train_sales"] + found.counts["held_out_sales"] == len(table)
    assert json.loads(json.dumps(found.to_json()))["name"] == name
    assert protocol(table, rounds=60).metrics == found.metrics


def test_figures_by_hand():
    table = pd.DataFrame(
        {
            "estimate": [100.0, 110, 120, np.nan, 100, 100],
            "low": [90.0, 90, 110, np.nan, 90, 90],
            "high": [110.0, 120, 130, np.nan, 110, 110],
        }
    )
    found = valuations.figures(table, np.full(6, 100.0))
    assert found["coverage_90"] == pytest.approx(100 * 4 / 6)
    assert found["within_10"] == pytest.approx(100 * 4 / 6)
    assert found["mdape"] == pytest.approx(5.0)
    assert found["mape"] == np.inf


@pytest.mark.data
def test_king_county_on_a_quick_run():
    table = load("king_county").iloc[::4]
    found = valuations.evaluate_king_county(table, rounds=80).metrics
    assert found["mdape"] < 10
    assert 85 < found["coverage_90"] < 95
    assert 0.97 < found["prd"] < 1.08

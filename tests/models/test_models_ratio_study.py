"""Ratio studies against figures computed by hand and in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlab.errors import BadInput, EmptyInput
from leadlab.models.valuation.ratio_study import ratio_figures, ratio_study, within_fences

AMOUNTS = st.lists(st.tuples(st.floats(1e4, 1e7), st.floats(0.5, 2.0)), min_size=5, max_size=40)


def test_five_sales_by_hand():
    price = [100_000, 200_000, 300_000, 400_000, 500_000]
    estimate = [110_000, 200_000, 270_000, 420_000, 450_000]
    found = ratio_figures(estimate, price)
    # Ratios 1.10, 1.00, 0.90, 1.05, 0.90: median 1.00, mean 0.99; sums 1.45 and 1.50 million.
    assert found["median_ratio"] == pytest.approx(1.0)
    assert found["cod"] == pytest.approx(100 * (0.1 + 0 + 0.1 + 0.05 + 0.1) / 5)
    assert found["prd"] == pytest.approx(0.99 / (1.45 / 1.5))
    x = np.log2([105_000, 200_000, 285_000, 410_000, 475_000])
    slope = np.polyfit(x, [0.1, 0.0, -0.1, 0.05, -0.1], 1)[0]
    assert found["prb"] == pytest.approx(slope)


@given(AMOUNTS, st.floats(0.2, 5.0))
def test_scaling_all_estimates_moves_only_the_level(pairs, factor):
    price, ratio = np.array(pairs).T
    one, two = ratio_figures(price * ratio, price), ratio_figures(price * ratio * factor, price)
    assert two["median_ratio"] == pytest.approx(factor * one["median_ratio"], rel=1e-9)
    for name in ("cod", "prd", "prb"):
        assert two[name] == pytest.approx(one[name], rel=1e-6, abs=1e-9, nan_ok=True)


@given(AMOUNTS)
def test_perfect_estimates_are_perfect(pairs):
    price = np.array(pairs)[:, 0]
    found = ratio_figures(price, price)
    assert found["median_ratio"] == 1
    assert found["cod"] == 0
    assert found["prd"] == pytest.approx(1)


def test_planted_inequity_is_measured():
    price = np.geomspace(1e5, 1.6e6, 400)
    ratio = 1 - 0.04 * (np.log2(price) - np.log2(4e5))
    found = ratio_figures(price * ratio, price)
    assert found["prb"] == pytest.approx(-0.04, abs=0.003)
    assert found["prd"] > 1.01


def test_intervals_bands_areas_and_trimming():
    rng = np.random.default_rng(0)
    price = rng.lognormal(13, 0.5, 600)
    ratio = 1.03 * np.exp(0.1 * rng.normal(size=600))
    ratio[:3] = 9.0
    area = np.resize(["north", "south", "tiny"], 600).astype(object)
    area[area == "tiny"] = "south"
    area[:2] = "tiny"
    plain = ratio_study(price * ratio, price, area=area, draws=200)
    found = ratio_study(price * ratio, price, area=area, trim=True, draws=200)
    assert (plain.trimmed, found.trimmed, found.n) == (0, 3, 597)
    assert found.figures["cod"] < plain.figures["cod"]
    for name in found.figures:
        assert found.low[name] <= found.figures[name] <= found.high[name]
    assert found.low["median_ratio"] < 1.03 < found.high["median_ratio"]
    bands = found.groups[found.groups["by"] == "band"]
    assert bands["n"].sum() == 597
    areas = plain.groups[plain.groups["by"] == "area"].set_index("group")
    assert np.isnan(areas.loc["tiny", "cod"])
    assert areas.loc["tiny", "n"] == 2
    again = ratio_study(price * ratio, price, area=area, trim=True, draws=200)
    assert again.low == found.low


def test_fences_by_hand():
    ratios = [1.0, 1.1, 1.2, 1.3, 1.4]  # quartiles 1.1 and 1.3, fences 0.5 and 1.9
    assert within_fences([*ratios]).all()
    assert within_fences([*ratios, 1.2, 1.2, 1.2, 9.9]).tolist() == [True] * 8 + [False]


def test_what_is_no_sale_is_refused():
    with pytest.raises(EmptyInput):
        ratio_figures([], [])
    with pytest.raises(BadInput, match="sale 1"):
        ratio_figures([1.0, np.nan], [1.0, 2.0])
    with pytest.raises(BadInput, match="sale 0"):
        ratio_figures([1.0], [0.0])
    with pytest.raises(BadInput):
        ratio_figures([1.0, 2.0], [1.0])
    with pytest.raises(BadInput, match="area"):
        ratio_study([1.0], [1.0], area=["a", "b"])

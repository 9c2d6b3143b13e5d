"""Drift: closed forms and scipy as oracles; noise is not called drift."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from leadlab.errors import BadInput, EmptyInput
from leadlab.models.validation.drift import benjamini_hochberg, drift, psi, psi_floor

VALUES = st.lists(
    st.one_of(st.floats(-5, 5), st.just(float("nan")), st.sampled_from([0.0, 1.0])),
    min_size=1,
    max_size=60,
)


def figures(before, after, **asked):
    return drift(before, after, **asked).figures.set_index("name")


def test_psi_of_two_bins_by_hand():
    b, a = np.array([30.5, 70.5]) / 101, np.array([60.5, 40.5]) / 101
    by_hand = sum((a - b) * np.log(a / b))
    assert psi([30, 70], [60, 40]) == pytest.approx(by_hand)
    one = pd.DataFrame({"k": ["x"] * 30 + ["y"] * 70})
    two = pd.DataFrame({"k": ["x"] * 60 + ["y"] * 40})
    found = figures(one, two).loc["k"]
    assert found["psi"] == pytest.approx(by_hand)
    table = [[30, 70], [60, 40]]
    assert found["p_value"] == pytest.approx(stats.chi2_contingency(table, correction=False)[1])


@given(VALUES)
@settings(max_examples=40, deadline=None)
def test_a_sample_has_not_drifted_from_itself(values):
    X = np.array(values)[:, None]
    found = figures(X, X[::-1]).loc["x0"]
    assert found["psi"] == 0.0
    assert found["verdict"] == "steady"
    assert found["missing_before"] == found["missing_after"]


@given(VALUES, VALUES)
@settings(max_examples=40, deadline=None)
def test_bins_hold_every_row_and_psi_is_never_negative(one, two):
    found = drift(np.array(one)[:, None], np.array(two)[:, None])
    assert found.bins[["before", "after"]].sum().tolist() == pytest.approx([1.0, 1.0])
    assert found.figures["psi"].item() >= 0


def test_order_of_rows_is_nothing():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(200, 3)), rng.normal(0.3, 1, size=(150, 3))
    found = drift(a, b).to_json()
    assert drift(rng.permutation(a), rng.permutation(b)).to_json() == found


def test_ks_and_its_correction_are_scipys():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(300, 4)), rng.normal(size=(260, 4))
    b[:, 2] += 0.4
    found = figures(a, b)
    ps = [stats.ks_2samp(a[:, j], b[:, j], method="asymp").pvalue for j in range(4)]
    assert found.loc[[f"x{j}" for j in range(4)], "p_value"].tolist() == pytest.approx(ps)
    adjusted = stats.false_discovery_control(ps)
    assert found.loc[[f"x{j}" for j in range(4)], "p_adjusted"].tolist() == pytest.approx(adjusted)
    assert np.isnan(benjamini_hochberg([np.nan])).all()


def test_the_floor_is_what_chance_reaches():
    rng = np.random.default_rng(2)
    found = [
        figures(rng.normal(size=(300, 1)), rng.normal(size=(120, 1))).loc["x0"] for _ in range(200)
    ]
    above = np.mean([one["psi"] > one["floor"] for one in found])
    assert 0.01 < above < 0.10
    assert psi_floor(1, 10, 10) == 0.0


def test_few_rows_are_noise_and_many_are_a_shift():
    rng = np.random.default_rng(7)
    few = figures(rng.normal(size=(40, 1)), rng.normal(size=(40, 1))).loc["x0"]
    assert few["psi"] > 0.1
    assert few["verdict"] == "within noise"
    many = figures(rng.normal(size=(4000, 1)), rng.normal(1, 1, size=(4000, 1))).loc["x0"]
    assert many["verdict"] == "large shift"


def test_rows_of_few_leads_do_not_make_a_shift_certain():
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=30), rng.normal(0.4, 1, size=30)
    rows = (np.repeat(a, 100)[:, None], np.repeat(b, 100)[:, None])
    leads = (np.repeat(np.arange(30), 100),) * 2
    assert figures(*rows).loc["x0", "p_value"] < 1e-6
    grouped = figures(*rows, groups=leads).loc["x0"]
    assert grouped["p_value"] == pytest.approx(stats.ks_2samp(a, b, method="asymp").pvalue)


def test_missing_values_and_unseen_categories_are_bins_of_their_own():
    before = pd.DataFrame({"n": [1.0, 2.0, 3.0, 4.0] * 50, "k": ["a", "b"] * 100})
    after = pd.DataFrame({"n": [np.nan] * 100 + [1.0, 4.0] * 50, "k": ["a", "new"] * 100})
    found = drift(before, after)
    shares = found.bins.set_index(["name", "bin"])["after"]
    assert shares["n", "missing"] == 0.5
    assert shares["k", "unseen"] == 0.5
    assert set(found.figures["verdict"]) == {"large shift"}
    json.dumps(found.to_json(), allow_nan=False)


def test_all_missing_on_one_side_is_told_not_raised():
    found = drift(np.ones((50, 1)), np.full((50, 1), np.nan))
    assert found.figures["missing_after"].item() == 1.0
    assert found.figures["verdict"].item() == "large shift"
    assert np.isnan(found.figures["p_value"].item())
    other = drift(np.full((50, 1), np.nan), np.ones((50, 1)))
    assert other.figures["verdict"].item() == "large shift"


def test_a_column_that_changed_its_type_is_compared_as_categories():
    found = drift(pd.DataFrame({"k": [1.0, 2.0] * 30}), pd.DataFrame({"k": ["1", "x"] * 30}))
    assert found.figures["test"].item() == "chi-squared"
    assert found.figures["verdict"].item() == "large shift"


def test_the_score_comes_first_and_is_in_the_sentence():
    rng = np.random.default_rng(4)
    X = rng.normal(size=(400, 2))
    found = drift(X, X + 2, scores=(rng.random(400), rng.random(400)))
    assert found.figures["name"].iloc[0] == "score"
    assert found.verdict.startswith("2 large shifts among 2 inputs; scores: steady")
    assert "0.1" in found.verdict
    assert "0.25" in found.verdict


def test_what_cannot_be_compared_is_refused():
    one = pd.DataFrame({"a": [1.0]})
    with pytest.raises(BadInput, match="columns differ"):
        drift(one, pd.DataFrame({"b": [1.0]}))
    with pytest.raises(EmptyInput, match="nothing to compare"):
        drift(one, one[:0])
    with pytest.raises(BadInput, match="two bins"):
        drift(one, one, bins=1)

"""Exposure: hand counts, the four-fifths alarm, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from leadlab.errors import BadInput
from leadlab.models.validation.exposure import exposure


def audited(**asked):
    rng = np.random.default_rng(0)
    p = np.concatenate([rng.random(400), 0.7 * rng.random(300), rng.random(10)])
    group = np.array(["a"] * 400 + ["b"] * 300 + ["c"] * 10)
    return p, group, exposure(p, {"language": group}, capacity=0.2, **asked)


def test_rates_are_hand_counts():
    y = np.random.default_rng(1).integers(0, 2, 710)
    p, group, found = audited(y=y)
    chosen = p >= np.sort(p)[::-1][round(0.2 * 710) - 1]
    frame = found.figures.set_index("group")
    for name in "abc":
        mine = group == name
        assert frame.loc[name, "rows"] == mine.sum()
        assert frame.loc[name, "selection_rate"] == pytest.approx(chosen[mine].mean())
        assert frame.loc[name, "mean_score"] == pytest.approx(p[mine].mean())
        found_rate = chosen[mine & (y == 1)].mean()
        assert frame.loc[name, "true_positive_rate"] == pytest.approx(found_rate)
    ratio = frame.loc["b", "selection_rate"] / frame.loc["a", "selection_rate"]
    assert frame.loc["b", "ratio"] == pytest.approx(ratio)


def test_an_alarm_a_highest_group_and_too_few():
    _, _, found = audited()
    verdicts = found.figures.set_index("group")["verdict"]
    assert verdicts.to_dict() == {"a": "highest", "b": "alarm", "c": "too few"}
    assert found.alarms == ("language: b",)
    assert found.figures.set_index("group").loc["c", "ratio"] != found.line
    assert np.isnan(found.figures.set_index("group").loc["c", "ratio"])


def test_without_outcomes_no_true_positive_rate_is_made_up():
    _, _, found = audited()
    assert found.figures["true_positive_rate"].isna().all()
    told = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert told["figures"][0]["true_positive_rate"] is None


def test_a_low_ratio_that_chance_explains_says_so():
    rng = np.random.default_rng(3)
    p = rng.random(130)
    chosen = np.argsort(-p)[:13]
    group = np.array(["a"] * 90 + ["b"] * 40)
    group[chosen] = ["a"] * 11 + ["b"] * 2
    found = exposure(p, {"g": group}, capacity=0.1, resamples=200)
    verdict = found.figures.set_index("group").loc["b", "verdict"]
    assert verdict == "alarm, may be chance"
    assert found.alarms == ("g: b",)


def test_moments_of_few_leads_are_too_few_however_many_rows():
    p = np.linspace(0.01, 0.99, 400)
    group = np.tile(["a", "b"], 200)
    lead = np.arange(400) // 2 % 10
    found = exposure(p, {"g": group}, groups=lead, resamples=10)
    assert set(found.figures["verdict"]) == {"too few"}
    assert found.alarms == ()


def test_order_of_rows_is_nothing_to_the_figures_and_names_may_be_missing():
    p, group, found = audited(resamples=0)
    order = np.random.default_rng(0).permutation(len(p))
    again = exposure(p[order], {"language": group[order]}, capacity=0.2, resamples=0)
    pd.testing.assert_frame_equal(found.figures, again.figures)
    odd = np.where(np.arange(len(p)) < 50, None, group)
    assert "unknown" in set(exposure(p, {"l": odd}, resamples=0).figures["group"])


def test_a_sensitive_feature_is_refused_in_any_spelling():
    for name in ("age_group", "Age Group", "AGEGROUP"):
        with pytest.raises(BadInput, match="among the model's features"):
            exposure([0.1, 0.2], {name: ["x", "y"]}, features=["visits", "age_group"])


def test_bad_arguments_are_refused():
    with pytest.raises(BadInput, match="one value a row"):
        exposure([0.1, 0.2], {"g": ["x"]})
    with pytest.raises(BadInput, match="capacity"):
        exposure([0.1, 0.2], {"g": ["x", "y"]}, capacity=1.5)
    assert exposure([0.1, 0.2], {}).figures.empty

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn import metrics as reference

from leadlab.errors import BadInput, EmptyInput
from leadlab.models import metrics
from leadlab.models.calibration.rate_interval import RateInterval
from leadlab.models.held_out import brier_skill, ece_floor, held_out_figures

KEYS = {
    "roc_auc",
    "pr_auc",
    "brier",
    "brier_skill",
    "log_loss",
    "ece",
    "ece_floor",
    "lift",
    "base_rate",
}


def drawn(n=4000, seed=0):
    rng = np.random.default_rng(seed)
    p = rng.beta(1, 9, n)
    return (rng.random(n) < p).astype(int), p


def test_figures_equal_scikit_learn():
    y, p = drawn()
    found = held_out_figures(y, p)
    assert set(found) == KEYS
    assert found["roc_auc"] == pytest.approx(reference.roc_auc_score(y, p))
    assert found["pr_auc"] == pytest.approx(reference.average_precision_score(y, p))
    assert found["brier"] == pytest.approx(reference.brier_score_loss(y, p))
    assert found["log_loss"] == pytest.approx(reference.log_loss(y, p))
    assert found["brier_skill"] == pytest.approx(reference.d2_brier_score(y, p))
    assert found["lift"] == pytest.approx(y[np.argsort(-p)[:400]].mean() / y.mean())
    assert all(isinstance(value, float) for value in found.values())


def test_coverage_bears_the_level_in_its_name():
    y, p = drawn()
    assert held_out_figures(y, p, interval=RateInterval())["coverage_90"] == pytest.approx(
        0.9, abs=0.03
    )
    wide = RateInterval(level=0.99, used_level=0.99)
    assert held_out_figures(y, p, interval=wide)["coverage_99"] > 0.97
    lead = np.arange(4000) // 4
    by_lead = held_out_figures(y, p, interval=RateInterval(), groups=lead)["coverage_90"]
    assert by_lead == RateInterval().coverage(p, y, lead)


def test_same_seed_same_figures_whatever_the_order():
    y, p = drawn()
    order = np.random.default_rng(1).permutation(len(y))
    one, other = held_out_figures(y, p), held_out_figures(y[order], p[order])
    assert one == held_out_figures(y, p)
    for name in KEYS - {"ece_floor"}:
        assert one[name] == pytest.approx(other[name])
    assert one["ece_floor"] == pytest.approx(other["ece_floor"], rel=0.05)


def test_the_floor_is_what_true_probabilities_show():
    shown = [metrics.ece(*drawn(1000, seed)) for seed in range(200)]
    floors = [ece_floor(drawn(1000, seed)[1]) for seed in range(5)]
    assert np.mean(floors) == pytest.approx(np.mean(shown), rel=0.08)


def test_miscalibration_stands_out_from_the_floor():
    y, p = drawn(8000)
    fine, off = held_out_figures(y, p), held_out_figures(y, np.minimum(1.5 * p, 1))
    assert fine["ece"] < 2 * fine["ece_floor"]
    assert off["ece"] > 4 * off["ece_floor"]


def test_skill_is_nought_for_the_base_rate_and_below_for_worse():
    y, p = drawn()
    assert brier_skill(y, np.full(len(y), y.mean())) == pytest.approx(0)
    assert brier_skill(y, np.full(len(y), 0.5)) < 0 < brier_skill(y, p)


def test_figures_that_do_not_exist_are_nan():
    found = held_out_figures([0, 0, 0], [0.1, 0.2, 0.3])
    assert all(math.isnan(found[name]) for name in ("roc_auc", "pr_auc", "brier_skill", "lift"))
    assert found["base_rate"] == 0.0


@pytest.mark.parametrize(
    ("y", "p", "error"),
    [
        ([], [], EmptyInput),
        ([0, 1], [0.1], BadInput),
        ([0, 1], [0.1, np.nan], BadInput),
        ([0, 1], [0.1, 1.1], BadInput),
        ([0, 2], [0.1, 0.2], BadInput),
    ],
)
def test_faults_are_refused(y, p, error):
    with pytest.raises(error):
        held_out_figures(y, p)
    if error is BadInput:
        with pytest.raises(BadInput, match="too few"):
            held_out_figures([0, 1], [0.1, 0.2], interval=RateInterval())

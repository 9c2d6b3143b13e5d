"""Figures without outcomes: right where the probabilities are, wrong where they are not."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from leadlab.errors import BadInput
from leadlab.models.validation.unlabelled import ASSUMPTION, label_free


def planted(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    p = rng.beta(1, 5, n)
    return p, (rng.random(n) < p).astype(int)


def test_closed_forms():
    p = np.random.default_rng(0).beta(1, 5, 500)
    found = label_free(p, resamples=0).figures.set_index("metric")["expected"]
    assert found["brier"] == pytest.approx(np.mean(p * (1 - p)))
    assert found["base_rate"] == pytest.approx(p.mean())
    entropy = -(p * np.log(p) + (1 - p) * np.log1p(-p))
    assert found["log_loss"] == pytest.approx(entropy.mean())
    assert found["precision"] == pytest.approx(np.sort(p)[::-1][:50].mean())


def test_expected_auc_is_the_mean_over_drawn_outcomes():
    p, _ = planted(400, 1)
    rng = np.random.default_rng(9)
    drawn = [roc_auc_score(rng.random(400) < p, p) for _ in range(400)]
    found = label_free(p, resamples=0).figures.set_index("metric")["expected"]
    assert found["roc_auc"] == pytest.approx(np.mean(drawn), abs=0.005)


def test_intervals_hold_planted_outcomes_about_as_often_as_they_say():
    inside = []
    for seed in range(25):
        p, y = planted(500, seed)
        inside += label_free(p, y=y, resamples=80, seed=seed).figures["within"].tolist()
    assert 0.88 < np.mean(inside) <= 1.0


def test_concept_drift_shows_only_where_outcomes_are_known():
    p, _ = planted(2000, 3)
    y = (np.random.default_rng(4).random(2000) < p**2).astype(int)
    blind = label_free(p, resamples=30)
    assert blind.figures["within"].isna().all()
    assert blind.figures["realised"].isna().all()
    assert blind.assumption == ASSUMPTION
    assert "concept has not drifted" in ASSUMPTION
    seen = label_free(p, y=y, resamples=30).figures.set_index("metric")["within"]
    assert seen["base_rate"] is False
    assert seen["log_loss"] is False


def test_rows_of_one_lead_widen_the_interval():
    p, _ = planted(200, 5)
    many, lead = np.repeat(p, 10), np.repeat(np.arange(200), 10)
    grouped, apart = (
        label_free(many, groups=g, resamples=60).figures.set_index("metric").loc["base_rate"]
        for g in (lead, None)
    )
    assert grouped["high"] - grouped["low"] > 2 * (apart["high"] - apart["low"])


def test_row_order_and_json():
    p, y = planted(100, 6)
    order = np.random.default_rng(0).permutation(100)
    one = label_free(p, y=y, resamples=0).figures[["expected", "realised"]].to_numpy()
    two = label_free(p[order], y=y[order], resamples=0).figures[["expected", "realised"]]
    assert one == pytest.approx(two.to_numpy())
    told = json.loads(json.dumps(label_free(p, resamples=5).to_json(), allow_nan=False))
    assert told["figures"][0]["realised"] is None
    with pytest.raises(BadInput, match="probabilities"):
        label_free([0.2, np.nan])

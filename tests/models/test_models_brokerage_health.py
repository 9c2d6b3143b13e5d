"""The brokerage's protocol of health: asked where it says, judged level by level."""

from __future__ import annotations

import numpy as np
import pytest

from leadlab.data import simulate
from leadlab.models.health.weights import LEVELS, PARTS
from leadlab.models.protocols import brokerage_health as protocol


@pytest.fixture(scope="module")
def brokerage():
    return simulate(4_000, 450, seed=2)


@pytest.fixture(scope="module")
def found(brokerage):
    return _quick(brokerage)


def _quick(brokerage):
    """The protocol on fewer nights than it asks about by itself."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(protocol, "NIGHTS", 12_000)
        return protocol.evaluate_brokerage_health(brokerage, seed=2)


def test_nothing_learns_from_what_the_test_side_holds(brokerage):
    asked = protocol._landmarks(brokerage.log)
    split = asked.split
    sides = [set(asked.lead[rows]) for rows in (split.train, split.validation, split.test)]
    assert not sides[0] & sides[1] and not (sides[0] | sides[1]) & sides[2]
    start = asked.table.as_of_us[split.test].min()
    horizon_us = int(protocol.HORIZON_DAYS * 86_400e6)
    assert (asked.table.as_of_us[split.train] + horizon_us <= start).all()


def test_learned_weights_rank_better_than_simple_rules_and_below_the_truth(found):
    own, others = found.metrics, found.baselines_by_name
    assert own["roc_auc"] > others["days since last activity"]["roc_auc"] > 0.5
    assert own["pr_auc"] > 5 * own["base_rate"]
    assert own["roc_auc"] < others["truth"]["roc_auc"]
    assert 0.3 < own["rank_correlation_with_truth"] < 1
    assert "conversion model" in others and "truth" in others
    assert found.baselines["roc_auc"] == max(
        others[name]["roc_auc"]
        for name in ("default weights", "days since last activity", "base rate")
    )


def test_levels_and_weights_are_told(found):
    names = [level.replace(" ", "_") for level in LEVELS]
    own = found.metrics
    assert sum(own[f"rows_{name}"] for name in names) == pytest.approx(found.counts["test"])
    hits = sum(np.nan_to_num(own[f"rate_{n}"]) * own[f"rows_{n}"] for n in names)
    assert hits == pytest.approx(found.counts["converted"])
    assert own["rate_hot_opportunity"] > 3 * own["base_rate"] > own["rate_cold_lead"]
    for prefix in ("weight_", "default_weight_"):
        assert sum(own[prefix + part] for part in PARTS) == pytest.approx(1, abs=1e-3)
    assert "SIMULATED" in found.protocol


def test_the_same_seed_gives_the_same_object(brokerage, found):
    again = _quick(brokerage)
    assert again.to_json() == found.to_json()

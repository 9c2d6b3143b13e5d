"""The brokerage's protocol: asked where it says, and judged beside what was planted."""

from __future__ import annotations

import numpy as np
import pytest

from leadlab.data import simulate
from leadlab.models.protocols import brokerage as protocol


@pytest.fixture(scope="module")
def found():
    return protocol.evaluate_brokerage(simulate(4_000, 500, seed=2), seed=2)


def test_every_fifth_event_of_each_lead_is_asked():
    lead = np.array([7, 3, 7, 7, 7, 7, 3, 7, 7])
    assert protocol._every(lead).tolist() == [0, 1, 7]


def test_nothing_learns_from_what_the_test_side_holds():
    asked = protocol._landmarks(simulate(2_000, 500, seed=3).log)
    split = asked.split
    sides = [set(asked.lead[rows]) for rows in (split.train, split.validation, split.test)]
    assert not sides[0] & sides[1] and not (sides[0] | sides[1]) & sides[2]
    start = asked.table.as_of_us[split.test].min()
    horizon_us = int(protocol.HORIZON_DAYS * 86_400e6)
    assert (asked.table.as_of_us[split.train] + horizon_us <= start).all()
    assert (asked.table.as_of_us[split.validation] + horizon_us <= start).all()


def test_the_model_stands_between_its_baselines_and_the_truth(found):
    own = found.metrics
    assert found.baselines_by_name["base rate"]["pr_auc"] < own["pr_auc"]
    assert (
        own["truth_log_loss"] < own["log_loss"] < found.baselines_by_name["base rate"]["log_loss"]
    )
    assert own["truth_ece"] < 0.03
    assert own["pr_auc_of_truth"] == pytest.approx(own["pr_auc"] / own["truth_pr_auc"])
    assert 0 < own["gap_to_truth"] < own["base_rate"] * 2


def test_the_same_seed_gives_the_same_object(found):
    again = protocol.evaluate_brokerage(simulate(4_000, 500, seed=2), seed=2)
    assert again.to_json() == found.to_json()


def test_it_says_that_it_is_simulated(found):
    assert "SIMULATED" in found.protocol

"""The verdict on a challenger: warranted only where it is better by more than chance."""

from __future__ import annotations

import json

import numpy as np
import pytest

from leadlab.errors import BadInput, UnknownName
from leadlab.models.metrics import log_loss
from leadlab.registry import compare


class Says:
    """Gives the column of X that it is told to."""

    def __init__(self, column, change=lambda p: p):
        self.column, self.change = column, change

    def predict_proba(self, X):
        p = self.change(np.asarray(X)[:, self.column])
        return np.column_stack([1 - p, p])


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    truth = 1 / (1 + np.exp(-rng.normal(size=1500) * 1.5))
    noisy = 1 / (1 + np.exp(-(np.log(truth / (1 - truth)) + rng.normal(size=1500))))
    y = (rng.random(1500) < truth).astype(int)
    return np.column_stack([truth, noisy]), y


def test_the_better_is_warranted_and_the_worse_is_not(rows):
    X, y = rows
    found = compare(Says(1), Says(0), X, y)
    assert found.warranted
    assert found.verdict.startswith("Promotion is warranted: log_loss changes by -")
    difference = found.differences["log_loss"]
    assert difference.value == pytest.approx(log_loss(y, X[:, 0]) - log_loss(y, X[:, 1]))
    assert difference.low < difference.value < difference.high < 0
    back = compare(Says(0), Says(1), X, y)
    assert not back.warranted
    assert "worse" in back.verdict
    assert back.differences["log_loss"].low == pytest.approx(-difference.high)
    json.dumps(found.to_json(), allow_nan=False)


def test_the_same_model_is_never_warranted_and_pairs_cancel(rows):
    X, y = rows
    same = compare(Says(0), Says(0), X, y)
    assert not same.warranted
    assert "chance" in same.verdict
    assert all(d.low == d.value == d.high == 0 for d in same.differences.values())
    near = compare(Says(0), Says(0, lambda p: np.clip(p + 1e-4, 0, 1)), X, y)
    wide = near.differences["log_loss"]
    assert wide.high - wide.low < 1e-3


def test_a_better_figure_does_not_pay_for_a_worse_order(rows):
    X, y = rows
    crushed = Says(0, lambda p: np.where(p > 0.5, 0.999, 0.001))
    rounded = Says(0, lambda p: np.round(p, 1).clip(0.02, 0.98))
    found = compare(crushed, rounded, X, y)
    assert found.warranted
    mixed = compare(Says(0, lambda p: p**3), Says(1), X, y)
    assert mixed.differences["log_loss"].high < 0
    assert mixed.differences["roc_auc"].high < 0
    assert not mixed.warranted
    assert "roc_auc" in mixed.verdict


def test_rows_of_one_lead_widen_the_interval(rows):
    X, y = rows
    ten = np.repeat(np.arange(150), 10)
    X10, y10 = np.repeat(X[:150], 10, axis=0), np.repeat(y[:150], 10)
    alone = compare(Says(1), Says(0), X10, y10).differences["brier"]
    whole = compare(Says(1), Says(0), X10, y10, groups=ten)
    assert whole.groups == 150
    grouped = whole.differences["brier"]
    assert grouped.high - grouped.low > 2 * (alone.high - alone.low)


def test_rows_of_one_outcome_give_no_verdict_on_order(rows):
    X, _ = rows
    found = compare(Says(1), Says(0), X, np.zeros(len(X)), deciding="roc_auc")
    assert not found.warranted
    assert "no row converted" in found.verdict


def test_what_cannot_be_compared_is_refused(rows):
    X, y = rows
    with pytest.raises(UnknownName, match="log_loss"):
        compare(Says(0), Says(1), X, y, deciding="logloss")
    with pytest.raises(BadInput):
        compare(Says(0), Says(1), X, y, X_challenger=X[:10])
    with pytest.raises(BadInput):
        compare(Says(0), Says(1), X, y, resamples=10)

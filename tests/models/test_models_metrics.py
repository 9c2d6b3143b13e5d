from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from leadlab.errors import BadInput, EmptyInput
from leadlab.models import metrics
from leadlab.models.intervals import estimate, standard_metrics

ALL = [*standard_metrics().values()]

scored = st.integers(2, 60).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(0, 1), min_size=n, max_size=n),
        st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.3, 0.5, 0.9, 1.0]), min_size=n, max_size=n),
        st.lists(st.integers(0, 4), min_size=n, max_size=n),
    )
)


def both(y, weight):
    live = np.asarray(weight) > 0
    return len(set(np.asarray(y)[live].tolist())) == 2


@given(scored)
def test_figures_equal_scikit_learn_with_weights_and_ties(rows):
    y, p, weight = rows
    if not both(y, weight):
        return
    assert metrics.roc_auc(y, p, weight) == pytest.approx(
        reference.roc_auc_score(y, p, sample_weight=weight)
    )
    assert metrics.pr_auc(y, p, weight) == pytest.approx(
        reference.average_precision_score(y, p, sample_weight=weight)
    )
    assert metrics.brier(y, p, weight) == pytest.approx(
        reference.brier_score_loss(y, p, sample_weight=weight)
    )
    clipped = np.clip(p, metrics.CLIP, 1 - metrics.CLIP)
    assert metrics.log_loss(y, p, weight) == pytest.approx(
        reference.log_loss(y, clipped, sample_weight=weight, labels=[0, 1])
    )


@given(scored)
def test_a_weight_is_that_many_rows(rows):
    y, p, weight = (np.asarray(part) for part in rows)
    if not both(y, weight):
        return
    for figure in ALL:
        repeated = figure(np.repeat(y, weight), np.repeat(p, weight))
        assert figure(y, p, weight) == pytest.approx(repeated, nan_ok=True)


@given(scored, st.randoms())
def test_order_of_rows_does_not_matter(rows, random):
    y, p, weight = (np.asarray(part) for part in rows)
    order = np.arange(len(y))
    random.shuffle(order)
    for figure in ALL:
        expected = figure(y, p, weight)
        assert figure(y[order], p[order], weight[order]) == pytest.approx(expected, nan_ok=True)


def naive_ece(y, p, bins):
    """Equal-mass bins over distinct scores, by the middle rank of each block of ties."""
    n = len(y)
    members = {b: [] for b in range(bins)}
    for score in sorted(set(p)):
        below = sum(q < score for q in p)
        block = [i for i, q in enumerate(p) if q == score]
        members[min(int((below + len(block) / 2) / n * bins), bins - 1)] += block
    return sum(abs(sum(p[i] - y[i] for i in rows)) for rows in members.values()) / n


@given(scored, st.integers(1, 12))
def test_ece_equals_a_plain_loop(rows, bins):
    y, p, _ = rows
    assert metrics.ece(y, p, bins=bins) == pytest.approx(naive_ece(y, p, bins))
    table = metrics.calibration_table(y, p, bins=bins)
    again = (table["n"] * (table["predicted"] - table["observed"]).abs()).sum() / len(y)
    assert again == pytest.approx(naive_ece(y, p, bins))


@given(scored, st.integers(1, 30))
def test_precision_at_k_is_the_mean_over_all_ways_to_break_ties(rows, k):
    y, p, _ = (np.asarray(part) for part in rows)
    k = min(k, len(y))
    edge = np.sort(p)[::-1][k - 1]
    above, tied = p > edge, p == edge
    expected = (y[above].sum() + (k - above.sum()) * y[tied].mean()) / k
    assert metrics.precision_at(y, p, capacity=k) == pytest.approx(expected)


def test_equal_width_bins_would_have_hidden_what_equal_mass_shows():
    p = np.linspace(0.001, 0.03, 1000)
    y = np.zeros(1000)
    y[:15] = 1
    assert metrics.ece(y, p) > 0.012


@pytest.mark.parametrize("outcome", [0, 1])
def test_one_class_gives_nan_and_a_reason(outcome):
    y, p = [outcome] * 4, [0.1, 0.2, 0.3, 0.4]
    assert math.isnan(metrics.roc_auc(y, p))
    found = estimate(y, p, standard_metrics(), rng=np.random.default_rng(0), resamples=5)
    assert "both outcomes" in str(found["roc_auc"].why)
    assert math.isnan(found["roc_auc"].low)
    assert found["brier"].why is None
    assert found["brier"].value == pytest.approx(metrics.brier(y, p))


@pytest.mark.parametrize(
    ("y", "p", "word"),
    [
        ([0, 2], [0.1, 0.2], "0 or 1"),
        ([0, 1], [0.1, 1.2], "[0, 1]"),
        ([0, 1], [0.1, math.nan], "[0, 1]"),
        ([0, 1], [0.1], "one length"),
        ([0, math.nan], [0.1, 0.2], "0 or 1"),
    ],
)
def test_what_cannot_be_scored_is_refused(y, p, word):
    with pytest.raises(BadInput, match=word.replace("[", r"\[")):
        metrics.roc_auc(y, p)


def test_no_rows_and_bad_capacity_are_refused():
    with pytest.raises(EmptyInput):
        metrics.brier([], [])
    for capacity in (0, -1, 1.5, True, 0.0):
        with pytest.raises(BadInput, match="capacity"):
            metrics.lift_at([0, 1], [0.1, 0.2], capacity=capacity)


def test_intervals_repeat_with_the_seed_and_cover_the_truth():
    rng = np.random.default_rng(7)
    hits = 0
    for trial in range(40):
        p = rng.random(300)
        y = (rng.random(300) < p).astype(int)
        found = estimate(
            y, p, {"brier": metrics.brier}, rng=np.random.default_rng(trial), resamples=100
        )["brier"]
        again = estimate(
            y, p, {"brier": metrics.brier}, rng=np.random.default_rng(trial), resamples=100
        )["brier"]
        assert (found.low, found.high) == (again.low, again.high)
        hits += found.low <= 1 / 6 <= found.high
    assert hits >= 33


def test_rows_of_one_lead_widen_the_interval():
    """Ten copies of each row are no further evidence."""
    rng = np.random.default_rng(3)
    p = rng.random(80)
    y = (rng.random(80) < p).astype(int)
    figures = {"brier": metrics.brier}
    once = estimate(y, p, figures, rng=np.random.default_rng(0))["brier"]
    groups = np.repeat(np.arange(80), 10)
    many = np.repeat(y, 10), np.repeat(p, 10)
    kept = estimate(*many, figures, rng=np.random.default_rng(0), groups=groups)["brier"]
    fooled = estimate(*many, figures, rng=np.random.default_rng(0))["brier"]
    assert (kept.low, kept.high) == pytest.approx((once.low, once.high))
    assert fooled.high - fooled.low < (kept.high - kept.low) / 2


@settings(max_examples=20)
@given(scored)
def test_auc_turns_round_with_the_scores(rows):
    y, p, _ = (np.asarray(part) for part in rows)
    if len(set(y.tolist())) == 2:
        assert metrics.roc_auc(y, 1 - p) == pytest.approx(1 - metrics.roc_auc(y, p))

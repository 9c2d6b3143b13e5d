"""The weights of health: what is refused, kept in a file, and learned."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from scipy.optimize import check_grad

from leadlab.errors import BadInput, BrokenFile, NewerFormat
from leadlab.models.health.assess import assess_health, parts_of, score_of
from leadlab.models.health.learn import _Task, learn_weights
from leadlab.models.health.measures import Measure
from leadlab.models.health.weights import HealthWeights
from tests.models.health_rows import FEATURES, PLACE, WEIGHTS, table_of


def changed(**change):
    return json.loads(json.dumps({**WEIGHTS.to_json(), **change}))


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (changed(cuts=[10, 20, 20, 40, 50]), "cuts"),
        (changed(cuts=[10, 20]), "cuts"),
        (changed(steady=[60, 40]), "steady"),
        (changed(parts=WEIGHTS.to_json()["parts"][:4]), "fixed"),
        (changed(rates=[0.1]), "one figure a level"),
    ],
)
def test_weights_that_cannot_be_used_are_refused(told, said):
    with pytest.raises(BadInput, match=said):
        HealthWeights.from_json(told)


@pytest.mark.parametrize(
    "settings_of",
    [
        {"shape": "wave", "half": 1.0},
        {"shape": "more"},
        {"shape": "more", "half": -1.0},
        {"shape": "between", "low": 1.0, "high": 1.0},
        {"shape": "change", "half": 1.0},
        {"shape": "more", "half": 1.0, "absent": 120.0},
        {"shape": "more", "half": 1.0, "weight": -0.1},
        {"shape": "more", "half": 1.0, "weight": math.nan},
    ],
)
def test_measures_that_cannot_be_used_are_refused(settings_of):
    with pytest.raises(BadInput, match="measure x"):
        Measure(**{"feature": "x", "weight": 1.0, **settings_of})


def test_weights_come_back_from_their_file_and_broken_ones_are_named(tmp_path):
    place = tmp_path / "weights.json"
    WEIGHTS.write(place)
    assert HealthWeights.read(place) == WEIGHTS
    assert HealthWeights.from_files(WEIGHTS.to_files()) == WEIGHTS
    place.write_text(place.read_text()[:200])
    with pytest.raises(BrokenFile, match="JSONDecodeError"):
        HealthWeights.read(place)
    with pytest.raises(BrokenFile, match="cannot read"):
        HealthWeights.read(tmp_path / "absent.json")
    for told, error in [({"format": "leadlab-health/9"}, NewerFormat), ({"a": 1}, BrokenFile),
                        ({"format": "other/1"}, BrokenFile), ([1], BrokenFile)]:  # fmt: skip
        place.write_text(json.dumps(told))
        with pytest.raises(error):
            HealthWeights.read(place)


def learnable(seed=0, n=1000):
    """Outcomes that hang on offers alone."""
    rng = np.random.default_rng(seed)
    values = np.zeros((n, len(PLACE)))
    for name, j in PLACE.items():
        values[:, j] = rng.poisson(2, n) if FEATURES[name].op != "trend" else 0
    y = rng.random(n) < 1 / (1 + np.exp(4 - 2 * values[:, PLACE["offer_count_30d"]]))
    return table_of(values), y.astype(int)


def test_learned_weights_are_positive_and_find_what_matters():
    table, y = learnable()
    found = learn_weights(table, y, start=WEIGHTS, seed=1)
    shares = found.to_frame().set_index("feature")["share_in_part"]
    assert (found.to_frame()[["part_share", "share_in_part"]] > 0).all().all()
    assert (
        shares["offer_count_30d"]
        > 0.5
        > WEIGHTS.to_frame().set_index("feature")["share_in_part"]["offer_count_30d"]
    )
    assert found.parts[1].weight > 0.6
    assert sum(found.rows) == len(y)
    assert list(found.rates) == sorted(found.rates)
    hits = sum(rate * n for rate, n in zip(found.rates, found.rows, strict=True))
    assert hits == pytest.approx(y.sum())
    assert learn_weights(table, y, seed=1) == found
    assert "1,000 rows" in found.origin


def test_nothing_is_learned_of_one_class_and_noise_keeps_the_cuts_and_says_so():
    table, _ = learnable(n=400)
    with pytest.raises(BadInput, match="one class"):
        learn_weights(table, np.zeros(400, int))
    noise = np.random.default_rng(3).random(400) < 0.5
    found = learn_weights(table, noise.astype(int))
    assert found.cuts == WEIGHTS.cuts
    assert "cuts not learned" in found.origin


def test_the_gradient_is_that_of_the_score_that_is_given_out():
    rng = np.random.default_rng(2)
    table, y = learnable(n=200)
    points = assess_health(table).points
    points[rng.random(points.shape) < 0.3] = np.nan
    points[:, 0] = 50.0
    sizes = [len(part.measures) for part in WEIGHTS.parts]
    start = rng.random(len(sizes) + sum(sizes)) + 0.05
    task = _Task(points, y.astype(float), sizes, start[::-1].copy(), 0.1)
    x = np.concatenate([[-3.0, 5.0], start])
    assert check_grad(lambda z: task(z)[0], lambda z: task(z)[1], x) < 1e-5
    parts, *own = np.split(start, np.cumsum([len(sizes), *sizes])[:-1])
    weights = WEIGHTS.with_weights(list(parts), [list(o) for o in own])
    margin = -3.0 + 5.0 * score_of(weights, parts_of(weights, points)) / 100
    loss = np.mean(np.logaddexp(0, margin) - y * margin) + 0.1 * ((start - start[::-1]) ** 2).sum()
    assert task(x)[0] == pytest.approx(loss)

"""The kernel against Shapley's definition, summed over all subsets in plain Python."""

from __future__ import annotations

from itertools import combinations
from math import factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlab.explain.ensemble import Ensemble, Tree
from leadlab.explain.program import compile_ensemble

N_FEATURES = 5


def grow(draw: st.DrawFn, tree: Tree, depth: int, cover: int, features: int) -> int:
    at = len(tree.left)
    for column in (tree.left, tree.right, tree.feature, tree.default_left):
        column.append(-1)
    tree.cover.append(cover)
    tree.threshold.append(draw(st.integers(-20, 20)) / 8)
    if depth and draw(st.integers(0, 5)):
        tree.feature[at] = draw(st.integers(0, features - 1))
        tree.default_left[at] = draw(st.integers(0, 1))
        left = draw(st.integers(0, cover))
        tree.left[at] = grow(draw, tree, depth - 1, left, features)
        tree.right[at] = grow(draw, tree, depth - 1, cover - left, features)
    return at


@st.composite
def trees(draw: st.DrawFn, max_depth: int = 8, groups: int = 1) -> Tree:
    """Any tree: lopsided, with features met again, with branches that nothing went through."""
    tree = Tree([], [], [], [], [], [], draw(st.integers(0, groups - 1)))
    depth = draw(st.integers(0, max_depth))
    grow(draw, tree, depth, draw(st.sampled_from([0, 1, 3, 100])), draw(st.integers(1, N_FEATURES)))
    return tree


def goes_left(tree: Tree, at: int, row: np.ndarray) -> bool:
    value = row[tree.feature[at]]
    return bool(tree.default_left[at]) if np.isnan(value) else value < tree.threshold[at]


def worth(tree: Tree, at: int, row: np.ndarray, known: frozenset[int]) -> float:
    """Mean of the tree where only `known` features are, weighing branches by their cover."""
    left, right = tree.left[at], tree.right[at]
    if left < 0:
        return tree.value[at]
    if tree.feature[at] in known:
        return worth(tree, left if goes_left(tree, at, row) else right, row, known)
    cover = tree.cover[left] + tree.cover[right]
    share = tree.cover[left] / cover if cover else 0.5
    return share * worth(tree, left, row, known) + (1 - share) * worth(tree, right, row, known)


def shapley(tree: Tree, row: np.ndarray) -> tuple[np.ndarray, float]:
    players = {f for f, child in zip(tree.feature, tree.left, strict=True) if child >= 0}
    phi, n = np.zeros(N_FEATURES), len(players)
    for player in players:
        others = players - {player}
        for size in range(n):
            weight = factorial(size) * factorial(n - 1 - size) / factorial(n)
            for chosen in map(frozenset, combinations(others, size)):
                gain = worth(tree, 0, row, chosen | {player}) - worth(tree, 0, row, chosen)
                phi[player] += weight * gain
    return phi, worth(tree, 0, row, frozenset())


ROWS = st.lists(
    st.lists(
        st.one_of(st.just(np.nan), st.integers(-24, 24).map(lambda i: i / 8)),
        min_size=N_FEATURES,
        max_size=N_FEATURES,
    ),
    min_size=1,
    max_size=3,
)


@settings(max_examples=300, deadline=None)
@given(forest=st.lists(trees(), max_size=3), rows=ROWS)
def test_forest_equals_the_definition(forest: list[Tree], rows: list[list[float]]) -> None:
    X = np.array(rows, np.float32)
    program = compile_ensemble(Ensemble(forest, np.array([0.25]), N_FEATURES, len(forest), ""))
    contributions, margin = program.run(X)
    expected = np.zeros((len(X), N_FEATURES))
    base = 0.25
    for tree in forest:
        told = [shapley(tree, row) for row in X]
        expected += np.array([phi for phi, _ in told])
        base += told[0][1]
    np.testing.assert_allclose(contributions[:, 0], expected, atol=1e-5)
    np.testing.assert_allclose(program.base, [base], atol=1e-6)
    reached = [
        0.25 + sum(worth(t, 0, row, frozenset(range(N_FEATURES))) for t in forest) for row in X
    ]
    np.testing.assert_allclose(margin[:, 0], reached, atol=1e-5)


@settings(max_examples=60, deadline=None)
@given(forest=st.lists(trees(max_depth=4, groups=3), max_size=6), rows=ROWS)
def test_groups_are_explained_apart(forest: list[Tree], rows: list[list[float]]) -> None:
    X = np.array(rows, np.float32)
    whole = compile_ensemble(Ensemble(forest, np.zeros(3), N_FEATURES, 1, "")).run(X)
    for group in range(3):
        mine = [tree for tree in forest if tree.group == group]
        alone = compile_ensemble(Ensemble(mine, np.zeros(3), N_FEATURES, 1, "")).run(X)
        np.testing.assert_allclose(whole[0][:, group], alone[0][:, group], atol=1e-6)
        np.testing.assert_allclose(whole[1][:, group], alone[1][:, group], atol=1e-6)


@settings(max_examples=60, deadline=None)
@given(
    forest=st.lists(trees(), min_size=1, max_size=4),
    n=st.integers(2, 50),
    seed=st.integers(0, 2**31),
)
def test_a_row_does_not_depend_on_its_company(forest: list[Tree], n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    X = rng.integers(-24, 24, (n, N_FEATURES)).astype(np.float32) / 8
    X[rng.random(X.shape) < 0.2] = np.nan
    program = compile_ensemble(Ensemble(forest, np.zeros(1), N_FEATURES, 1, ""))
    together = program.run(X)[0]
    order = rng.permutation(n)
    np.testing.assert_array_equal(program.run(X[order])[0], together[order])
    alone = np.concatenate([program.run(row[None])[0] for row in X])
    np.testing.assert_allclose(alone, together, atol=1e-5)


@pytest.mark.parametrize("default_left", [0, 1])
@pytest.mark.parametrize("threshold", [-np.inf, np.inf, float(np.finfo(np.float32).min), 0.0])
def test_extreme_thresholds(threshold: float, default_left: int) -> None:
    stump = Tree(
        [1, -1, -1], [2, -1, -1], [0] * 3, [threshold, 1, 2], [default_left] * 3, [2, 1, 1], 0
    )
    program = compile_ensemble(Ensemble([stump], np.zeros(1), 1, 1, ""))
    largest = np.finfo(np.float32).max
    X = np.array([[-largest], [-1], [0], [1], [largest], [np.nan]], np.float32)
    left = np.where(np.isnan(X), default_left == 1, np.float32(threshold) > X)[:, 0]
    np.testing.assert_allclose(program.run(X)[1][:, 0], np.where(left, 1, 2))
    for row, expected in zip(X, left, strict=True):
        np.testing.assert_allclose(program.run(row[None])[1][0, 0], 1 if expected else 2)

r"""Exact path-dependent Shapley values of a compiled forest: the inner loops.

A leaf of value :math:`v` whose merged path conditions have cover shares :math:`r_j` and are met
(:math:`o_j = 1`) or not (:math:`o_j = 0`) gives feature :math:`i`

.. math:: v\,(o_i - r_i) \int_0^1 \prod_{j \ne i} \bigl(o_j t + r_j (1 - t)\bigr)\,dt,

because :math:`|S|!\,(d-1-|S|)!/d! = \int_0^1 t^{|S|} (1-t)^{d-1-|S|} dt`.  The integrand is a
polynomial of degree :math:`d - 1`, so ``ceil(d / 2)`` Gauss-Legendre points integrate it exactly.

The sum over leaves is not taken leaf by leaf.  For each point, going down a tree carries `above`,
the product of the path's factors (times the point's weight), and coming back up carries `below`,
the value of the subtree.  The factors of a split's two branches add up to one, so with `left` for
the left branch's

* down: ``above_left = above * left`` and ``above_right = above - above_left``;
* up: ``below = below_right + left * (below_left - below_right)``;
* the split's feature earns ``weight * sum(scale * above * (below_left - below_right))``.

With share ``s`` of the left branch and ``met = 1`` where a row goes left,
``left = met t + s (1-t)``, ``weight = met - s`` and ``scale = 1``.  A feature that is asked again
below itself changes only constants.  Let ``o`` and ``r`` be its merged condition above the split,
``f = t + r (1-t)`` and ``met = o`` where the row goes left.  Then
``left = met t/f + o (r s (1-t)/f - s) + s``, ``weight = met - o s`` and ``scale = r/f**2``.
(For ``o = 0`` the branches weigh ``s`` and ``1 - s`` whatever the row says, and nothing is earned.)

Nothing is divided here, so a branch that no training row took (share 0) needs no special care.

Blocks of `LANES` rows lie side by side in the innermost axis of every array; a single row lays the
`POINTS` points side by side instead.  `columns` holds each used feature twice, missing as -inf and
as +inf; a split reads the one that sends missing values its way.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from leadlab.explain.lanes import count, load, load_one, ones, place, splat, store, where_less
from leadlab.jit import kernel

LANES = 16
POINTS = 4
"""Points kept per table row: enough for `MAX_DEPTH` conditions on one path."""
MAX_DEPTH = 2 * POINTS

LEFT, RIGHT, BOTH = 1, 2, 3
NODE = np.dtype(
    [
        ("threshold", np.float32),
        ("share", np.float32),  # of the training weight that went left
        ("left", np.float32),  # value of the left child, if it is a leaf
        ("right", np.float32),
        ("column", np.int32),  # row of `columns`: says what a missing value does
        ("feature", np.int32),
        ("slot", np.int32),  # 2 * level + (1 for a right child): where its scratch space lies
        ("ancestor", np.int32),  # slot below the nearest split on the same feature, or -1
        ("repeat", np.int32),  # row of the repeat tables
        ("leaves", np.int32),  # `LEFT` if the left child is one, plus `RIGHT` if the right one is
    ],
    align=True,
)

_jit = kernel(error_model="numpy")
_inline = njit(error_model="numpy", inline="always")


@_inline
def _constant(table: Any, row: Any, k: Any, like: Any) -> Any:
    """Give a table's row for all points (one row of data) or its k-th point for all rows."""
    if count(like) == POINTS:
        return load(table, row * POINTS, like)
    return load_one(table, row * POINTS + k, like)


@_inline
def _left_factor(node: Any, k: Any, met: Any, had: Any, points: Any, repeats: Any) -> Any:
    share = splat(node.share, met)
    if node.ancestor < 0:
        return met * _constant(points, 0, k, met) + share * _constant(points, 1, k, met)
    row = 3 * node.repeat
    return met * _constant(repeats, row, k, met) + (
        had * _constant(repeats, row + 1, k, met) + share
    )


@_inline
def _condition(node: Any, columns: Any, met: Any, one: Any) -> Any:
    """Give the merged condition above the split, and in its left branch."""
    width = count(one)
    had = one
    if node.ancestor >= 0:
        had = load(met, node.ancestor * width, one)
    return had, where_less(load(columns, node.column * width, one), node.threshold, had)


@_inline
def _end(
    node: Any,
    planes: Any,
    columns: Any,
    total: Any,
    above: Any,
    below: Any,
    met: Any,
    points: Any,
    repeats: Any,
    one: Any,
) -> None:
    """Do a split above two leaves, down and up at once."""
    width = count(one)
    had, here = _condition(node, columns, met, one)
    gap, right = splat(node.left - node.right, one), splat(node.right, one)
    at = node.slot * planes * width
    earned = one - one
    for k in range(planes):
        left = _left_factor(node, k, here, had, points, repeats)
        store(below, at + k * width, right + left * gap)
        path = load(above, at + k * width, one)
        if node.ancestor >= 0:
            path = path * _constant(repeats, 3 * node.repeat + 2, k, one)
        earned = earned + path
    weight = here - had * splat(node.share, one)
    at = node.feature * width
    store(total, at, load(total, at, one) + earned * (weight * gap))


@_inline
def _descend(
    node: Any,
    planes: Any,
    columns: Any,
    above: Any,
    below: Any,
    met: Any,
    factor: Any,
    weight: Any,
    points: Any,
    repeats: Any,
    one: Any,
) -> None:
    """Do a split on the way down."""
    width = count(one)
    level = node.slot >> 1
    had, here = _condition(node, columns, met, one)
    child = 2 * level + 2
    store(met, child * width, here)
    store(met, (child + 1) * width, had - here)
    store(weight, level * width, here - had * splat(node.share, one))
    size = planes * width
    for k in range(0, size, width):
        left = _left_factor(node, k // width, here, had, points, repeats)
        path = load(above, node.slot * size + k, one)
        path_left = path * left
        store(factor, level * size + k, left)
        store(above, child * size + k, path_left)
        store(above, (child + 1) * size + k, path - path_left)
        if node.leaves & LEFT:
            store(below, child * size + k, splat(node.left, one))
        if node.leaves & RIGHT:
            store(below, (child + 1) * size + k, splat(node.right, one))


@_inline
def _return(
    node: Any,
    planes: Any,
    total: Any,
    above: Any,
    below: Any,
    factor: Any,
    weight: Any,
    repeats: Any,
    one: Any,
) -> None:
    """Do a split on the way up."""
    width = count(one)
    level = node.slot >> 1
    size = planes * width
    child = (2 * level + 2) * size
    earned = one - one
    for k in range(0, size, width):
        right = load(below, child + size + k, one)
        gap = load(below, child + k, one) - right
        left = load(factor, level * size + k, one)
        store(below, node.slot * size + k, right + left * gap)
        path = load(above, node.slot * size + k, one)
        if node.ancestor >= 0:
            path = path * _constant(repeats, 3 * node.repeat + 2, k // width, one)
        earned = earned + path * gap
    at = node.feature * width
    store(total, at, load(total, at, one) + earned * load(weight, level * width, one))


@_jit
def _walk(steps: Any, nodes: Any, planes: Any, scratch: Any, tables: Any, one: Any) -> None:
    """Take every step of some trees: 2 * node on arrival, 2 * node + 1 on the way back."""
    columns, total, above, below = (
        place(scratch[0]),
        place(scratch[1]),
        place(scratch[2]),
        place(scratch[3]),
    )
    met, factor, weight = place(scratch[4]), place(scratch[5]), place(scratch[6])
    points, repeats = place(tables[0]), place(tables[1])
    for step in steps:
        node = nodes[step >> 1]
        if step & 1:
            _return(node, planes, total, above, below, factor, weight, repeats, one)
        elif node.leaves == BOTH:
            _end(node, planes, columns, total, above, below, met, points, repeats, one)
        else:
            _descend(node, planes, columns, above, below, met, factor, weight, points, repeats, one)


@_jit
def _scratch(planes: Any, levels: Any, n_used: Any, points: Any, one: Any) -> Any:
    width = count(one)
    slots = 2 * levels + 2
    above = np.empty(slots * planes * width, np.float32)
    for k in range(planes):  # every tree starts from the weights of the points
        store(place(above), k * width, _constant(place(points), 2, k, one))
    return (
        np.empty(2 * n_used * width, np.float32),
        np.empty(n_used * width, np.float32),
        above,
        np.empty(slots * planes * width, np.float32),
        np.empty(slots * width, np.float32),
        np.empty((levels + 1) * planes * width, np.float32),
        np.empty((levels + 1) * width, np.float32),
    )


@_jit
def explain_rows(
    X: Any,
    used: Any,
    nodes: Any,
    steps: Any,
    parts: Any,
    groups: Any,
    points: Any,
    repeats: Any,
    n_points: Any,
    levels: Any,
    contributions: Any,
    margin: Any,
) -> None:
    """Add the contributions of `X` (n, n_features; float32, NaN = missing), `LANES` rows at a time.

    `contributions` is float64 (n, n_groups, n_features) and `margin` float64 (n, n_groups); both
    are added to.  Within a part (`parts` are ends of `steps`) sums are kept in float32.
    """
    one = ones(LANES)
    scratch = _scratch(n_points, levels, len(used), points, one)
    tables = (points, repeats)
    columns, total = scratch[0], scratch[1]
    for start in range(0, len(X), LANES):
        here = min(LANES, len(X) - start)
        for f in range(len(used)):
            for i in range(LANES):
                value = X[start + min(i, here - 1), used[f]]
                missing = np.isnan(value)
                columns[f * LANES + i] = -np.inf if missing else value
                columns[(len(used) + f) * LANES + i] = np.inf if missing else value
        first = 0
        for part in range(len(parts)):
            total[:] = 0
            _walk(steps[first : parts[part]], nodes, n_points, scratch, tables, one)
            first = parts[part]
            for f in range(len(used)):
                for i in range(here):
                    contributions[start + i, groups[part], used[f]] += total[f * LANES + i]
                    margin[start + i, groups[part]] += total[f * LANES + i]


@_jit
def explain_row(
    row: Any,
    used: Any,
    nodes: Any,
    steps: Any,
    parts: Any,
    groups: Any,
    points: Any,
    repeats: Any,
    levels: Any,
    contributions: Any,
    margin: Any,
) -> None:
    """Do as `explain_rows` for one row (n_features,), the points side by side."""
    one = ones(POINTS)
    scratch = _scratch(1, levels, len(used), points, one)
    tables = (points, repeats)
    columns, total = scratch[0], scratch[1]
    for f in range(len(used)):
        value = row[used[f]]
        missing = np.isnan(value)
        for k in range(POINTS):
            columns[f * POINTS + k] = -np.inf if missing else value
            columns[(len(used) + f) * POINTS + k] = np.inf if missing else value
    first = 0
    for part in range(len(parts)):
        total[:] = 0
        _walk(steps[first : parts[part]], nodes, 1, scratch, tables, one)
        first = parts[part]
        for f in range(len(used)):
            for k in range(POINTS):
                contributions[0, groups[part], used[f]] += total[f * POINTS + k]
                margin[0, groups[part]] += total[f * POINTS + k]

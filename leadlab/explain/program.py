"""Trees into the flat list of steps that the Shapley kernel takes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from leadlab.explain.ensemble import Ensemble, Tree
from leadlab.explain.shapley import LEFT, NODE, POINTS, RIGHT, explain_row, explain_rows

NODES_PER_PART = 8192
"""Splits whose contributions are summed in float32 before they join the float64 totals."""


@dataclass(frozen=True, slots=True)
class Program:
    """A forest, ready to run.

    Attributes
    ----------
    nodes : structured ndarray of `NODE`
        The splits.
    steps : ndarray of int32
        Twice the split's number on arrival, and one more on the way back from its children.
    parts, groups : ndarray of int64
        Ends of runs of steps, and the class that each run adds to.
    points, repeats : ndarray of float32, flat
        Rows of `POINTS` numbers: t, 1 - t and the weights; and for each split on a feature asked
        before on its path, the three rows that the kernel's formulas name.
    used : ndarray of int64
        Features that some split asks for.
    n_points, levels : int
        Quadrature points needed and depth of the deepest tree.
    base : ndarray of float64, shape (n_groups,)
        Expected margin: what is explained by no feature.
    """

    nodes: NDArray[np.void]
    steps: NDArray[np.int32]
    parts: NDArray[np.int64]
    groups: NDArray[np.int64]
    points: NDArray[np.float32]
    repeats: NDArray[np.float32]
    used: NDArray[np.int64]
    n_points: int
    levels: int
    base: NDArray[np.float64]

    def run(
        self, X: NDArray[np.float32], alike: bool = False
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Explain `X` (n, n_features): contributions (n, n_groups, n_features) and margins.

        With `alike` a single row is taken as one of many.
        """
        contributions = np.zeros((len(X), len(self.base), X.shape[1]))
        margin = np.empty((len(X), len(self.base)))
        margin[:] = self.base
        program = (self.used, self.nodes, self.steps, self.parts, self.groups, self.points)
        if len(X) == 1 and not alike:
            explain_row(X[0], *program, self.repeats, self.levels, contributions, margin)
        elif len(X):
            size = (self.n_points, self.levels)
            explain_rows(X, *program, self.repeats, *size, contributions, margin)
        return contributions, margin


@dataclass
class _Draft:
    """A program while it is written."""

    t: NDArray[np.float64]
    column_of: dict[int, int]
    nodes: list[tuple[float, ...]] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    repeats: list[NDArray[np.float64]] = field(default_factory=list)

    def write(self, tree: Tree, at: int, slot: int, seen: dict[int, tuple[int, float]]) -> float:
        """Write the subtree below node `at` and give its mean value.

        `seen` maps a feature of the path to the slot below its last split and to its merged share.
        """
        left, right = tree.left[at], tree.right[at]
        if left < 0:
            return tree.value[at]
        cover = tree.cover[left] + tree.cover[right]
        share = tree.cover[left] / cover if cover > 0 else 0.5
        feature = tree.feature[at]
        before = seen.get(feature)
        number = len(self.nodes)
        self._add(tree, at, slot, share, before)
        self.steps.append(2 * number)
        child = 2 * (slot >> 1) + 2
        path = 1.0 if before is None else before[1]
        seen[feature] = (child, path * share)
        mean = share * self.write(tree, left, child, seen)
        seen[feature] = (child + 1, path * (1 - share))
        mean += (1 - share) * self.write(tree, right, child + 1, seen)
        if before is None:
            del seen[feature]
        else:
            seen[feature] = before
        if tree.left[left] >= 0 or tree.left[right] >= 0:
            self.steps.append(2 * number + 1)
        return mean

    def _add(
        self, tree: Tree, at: int, slot: int, share: float, before: tuple[int, float] | None
    ) -> None:
        left, right = tree.left[at], tree.right[at]
        ends_left, ends_right = tree.left[left] < 0, tree.left[right] < 0
        feature = self.column_of[tree.feature[at]]
        self.nodes.append(
            (
                # Missing reads as -inf where it goes left: keep every threshold above that.
                max(tree.threshold[at], float(np.finfo(np.float32).min)),
                share,
                tree.value[left] if ends_left else 0.0,
                tree.value[right] if ends_right else 0.0,
                feature + (0 if tree.default_left[at] else len(self.column_of)),
                feature,
                slot,
                -1 if before is None else before[0],
                len(self.repeats),
                LEFT * ends_left + RIGHT * ends_right,
            )
        )
        if before is not None:
            r, t = before[1], self.t
            f = t + r * (1 - t)
            self.repeats.append(np.stack([t / f, r * share * (1 - t) / f - share, r / f**2]))


def compile_ensemble(ensemble: Ensemble) -> Program:
    """Write the program of `ensemble`, whose `why` must be empty.

    Examples
    --------
    >>> stump = Tree([1, -1, -1], [2, -1, -1], [3, 0, 0], [0.5, -1, 1], [1, 0, 0], [4, 1, 3], 0)
    >>> program = compile_ensemble(Ensemble([stump], np.zeros(1), 4, 1, ""))
    >>> program.steps.tolist(), program.used.tolist(), program.base.tolist()
    ([0], [3], [0.5])
    >>> contributions, margin = program.run(np.array([[0, 0, 0, 0.25]], np.float32))
    >>> contributions[0, 0].tolist(), margin[0].tolist()
    ([0.0, 0.0, 0.0, -1.5], [-1.0])
    """
    trees = sorted(ensemble.trees, key=lambda tree: tree.group)
    levels = max((tree.depth() for tree in trees), default=0)
    n_points = max(1, (levels + 1) // 2)
    roots, weights = np.polynomial.legendre.leggauss(n_points)
    t = (roots + 1) / 2
    asked = {f for tree in trees for f, c in zip(tree.feature, tree.left, strict=True) if c >= 0}
    used = np.array(sorted(asked), np.int64)
    draft = _Draft(t, {feature: column for column, feature in enumerate(used.tolist())})
    base = ensemble.base.copy()
    parts: list[int] = []
    groups: list[int] = []
    full = 0
    for tree in trees:
        base[tree.group] += draft.write(tree, 0, 0, {})
        if not groups or tree.group != groups[-1] or len(draft.nodes) > full:
            full = len(draft.nodes) + NODES_PER_PART
            parts.append(0)
            groups.append(tree.group)
        parts[-1] = len(draft.steps)
    points = np.zeros((3, POINTS), np.float32)
    points[:, :n_points] = t, 1 - t, weights / 2
    repeats = np.zeros((len(draft.repeats), 3, POINTS), np.float32)
    if draft.repeats:
        repeats[:, :, :n_points] = draft.repeats
    return Program(
        nodes=np.array(draft.nodes, NODE),
        steps=np.array(draft.steps, np.int32),
        parts=np.array(parts, np.int64),
        groups=np.array(groups, np.int64),
        points=points.ravel(),
        repeats=repeats.ravel(),
        used=used,
        n_points=n_points,
        levels=levels,
        base=base,
    )

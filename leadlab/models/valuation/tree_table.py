"""Trees of several boosters as flat arrays, in which one row finds its leaves without XGBoost.

Asking a booster about one row costs a millisecond of preparation, three boosters three; a table
walks all trees at once, one level after the other.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

I64 = NDArray[np.int64]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TreeTable:
    """Nodes of all trees, one after the other.

    Attributes
    ----------
    root : int array, shape (trees,)
        Where each tree begins.
    left, right : int array, shape (nodes,)
        Children; a leaf is its own child.
    feature : int array, shape (nodes,)
    split : float32 array, shape (nodes,)
        Rows below it go left; of a leaf, its value.
    missing_left : bool array, shape (nodes,)
    depth : int
        Levels below the deepest tree's root.

    Examples
    --------
    >>> X = np.arange(40, dtype=np.float32).reshape(20, 2)
    >>> booster = xgb.train({"max_depth": 2}, xgb.DMatrix(X, X[:, 0]), 3)
    >>> found = TreeTable.of([booster]).leaves(X[7])
    >>> found.tolist() == booster.predict(xgb.DMatrix(X[7:8]), pred_leaf=True)[0].tolist()
    True
    """

    root: I64
    left: I64
    right: I64
    feature: I64
    split: F32
    missing_left: NDArray[np.bool_]
    depth: int

    @classmethod
    def of(cls, boosters: Sequence[xgb.Booster]) -> Self:
        """Read the trees of boosters, in order; splits on categories are not known here."""
        trees = [tree for booster in boosters for tree in trees_of(booster)]
        sizes = [len(tree["left_children"]) for tree in trees]
        root = np.cumsum([0, *sizes[:-1]])
        here = np.arange(sum(sizes))

        def joined(name: str) -> NDArray[Any]:
            return np.concatenate([np.asarray(tree[name]) for tree in trees])

        shift = np.repeat(root, sizes)
        leaf = joined("left_children") < 0
        left = np.where(leaf, here, joined("left_children") + shift)
        right = np.where(leaf, here, joined("right_children") + shift)
        return cls(
            root,
            left,
            right,
            joined("split_indices").astype(np.int64),
            joined("split_conditions").astype(np.float32),
            joined("default_left").astype(bool),
            _depth(root, left, right),
        )

    def leaves(self, row: F32) -> NDArray[np.uint16]:
        """Leaf of one row, shape (k,), in each tree, as XGBoost numbers them."""
        return (self._at(row) - self.root).astype(np.uint16)

    def values(self, row: F32) -> F64:
        """What each tree adds to the margin of one row, shape (trees,)."""
        return self.split[self._at(row)].astype(np.float64)  # where a leaf keeps its value

    def _at(self, row: F32) -> I64:
        at = self.root
        for _ in range(self.depth):
            value = row[self.feature[at]]
            goes_left = np.where(np.isnan(value), self.missing_left[at], value < self.split[at])
            at = np.where(goes_left, self.left[at], self.right[at])
        return at


def trees_of(booster: xgb.Booster) -> list[dict[str, Any]]:
    """Trees of a booster as XGBoost's JSON tells them."""
    content: Any = json.loads(booster.save_raw("json"))
    found: list[dict[str, Any]] = content["learner"]["gradient_booster"]["model"]["trees"]
    return found


def _depth(root: I64, left: I64, right: I64) -> int:
    level, depth = root, 0
    while len(inner := level[left[level] != level]):
        level, depth = np.concatenate([left[inner], right[inner]]), depth + 1
    return depth

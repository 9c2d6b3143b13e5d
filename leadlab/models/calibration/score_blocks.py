"""Blocks of different leads with like scores: the unit on which a probability can be checked."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from leadlab.errors import BadInput

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
NEIGHBOURS = 2
"""Blocks are drawn from stretches of the ranking this many blocks wide."""


def score_blocks(
    p: F64, group: I64, fold: I64, *, of: int, assignments: int, seed: int
) -> Iterator[I64]:
    """Random assignments of rows to blocks of `of` neighbours in score.

    Ranks are jittered over the width of `NEIGHBOURS` blocks (at most a twentieth of the fold) and
    cut every `of` rows, with a random start. Where a group is in a block twice, one of its rows is
    left out of this assignment and the rest is cut again.

    Parameters
    ----------
    p : float array, shape (n,)
    group, fold : int array, shape (n,)
        No block holds two rows of one group, or rows of two folds.
    of : int
        Rows a block.
    assignments, seed : int

    Yields
    ------
    int array, shape (blocks, of)
        Row positions.

    Raises
    ------
    BadInput
        If not one block can be formed.

    Examples
    --------
    >>> rows = np.arange(6)
    >>> drawn = score_blocks(rows / 6, rows // 2, rows * 0, of=3, assignments=1, seed=0)
    >>> np.sort(next(drawn)[0] // 2).tolist()
    [0, 1, 2]
    """
    rng = np.random.default_rng(seed)
    for _ in range(assignments):
        shuffled = rng.permutation(len(p))
        ranked = shuffled[np.lexsort((p[shuffled], fold[shuffled]))]
        parts = np.split(ranked, np.flatnonzero(np.diff(fold[ranked])) + 1)
        found = [_cut(part, group, of, rng) for part in parts]
        blocks = np.concatenate(found)
        if not len(blocks):
            raise BadInput(
                "too few groups for one block",
                got=f"{len(np.unique(group))} groups",
                expected=f"{of} in a fold",
                hint="Use a smaller `of`.",
            )
        yield blocks


def _cut(ranked: I64, group: I64, of: int, rng: np.random.Generator) -> I64:
    """Blocks of one fold, shape (blocks, of)."""
    width = min(NEIGHBOURS * of, len(ranked) / 20)
    order = np.argsort(np.arange(len(ranked)) + width * rng.random(len(ranked)), kind="stable")
    rows = ranked[order]
    rows = rows[rng.integers(0, min(of, len(rows) % of + 1)) :] if len(rows) >= of else rows[:0]
    while True:
        blocks = rows[: len(rows) // of * of].reshape(-1, of)
        who = np.sort(group[blocks], axis=1)
        if not (who[:, 1:] == who[:, :-1]).any():
            return blocks
        place = np.repeat(np.arange(-(-len(rows) // of)), of)[: len(rows)]
        key = place * (int(group.max()) + 1) + group[rows]
        rows = rows[np.sort(np.unique(key, return_index=True)[1])]

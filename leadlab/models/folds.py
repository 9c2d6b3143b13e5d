"""Folds that keep a lead whole, and folds that only look forward."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from leadlab.errors import BadInput, EmptyInput

I64 = NDArray[np.int64]
Folds = list[tuple[I64, I64]]


def members(groups: ArrayLike | None, n: int) -> I64:
    """Number of each row's group, 0 upward; each row is its own group when none are given.

    Raises
    ------
    BadInput
        If there is not one group a row.

    Examples
    --------
    >>> members(["b", "a", "b"], 3).tolist()
    [1, 0, 1]
    """
    if groups is None:
        return np.arange(n)
    names = np.asarray(groups)
    if names.shape != (n,):
        raise BadInput("one group a row is needed", where="groups", got=names.shape, expected=(n,))
    return np.unique(names, return_inverse=True)[1].astype(np.int64)


def grouped_folds(
    y: ArrayLike, groups: ArrayLike | None = None, folds: int = 5, seed: int = 0
) -> Folds:
    """Shuffled folds of like base rate, every group on one side.

    Fewer folds are made where the rarer outcome has fewer groups than `folds`.

    Parameters
    ----------
    y : array of 0 and 1, shape (n,)
    groups : array, shape (n,), optional
    folds : int
        At least 2.
    seed : int

    Returns
    -------
    list of (train, test)
        Ascending row positions; each row is in one test side.

    Raises
    ------
    EmptyInput
        If there are no rows.
    BadInput
        If an outcome occurs in fewer than two groups, or a training side holds one outcome only.

    Examples
    --------
    >>> [test.tolist() for _, test in grouped_folds([0, 1] * 3, list("aabbcc"), folds=3)]
    [[4, 5], [2, 3], [0, 1]]
    """
    label = np.asarray(y)
    if not len(label):
        raise EmptyInput("no rows to fold")
    if folds < 2:
        raise BadInput("at least two folds are needed", where="folds", got=folds)
    group = members(groups, len(label))
    witnesses = [len(np.unique(group[label == kind])) for kind in (0, 1)]
    if min(witnesses) < 2:
        raise BadInput(
            "an outcome occurs in fewer than two groups, so no fold can hold it out",
            where="y",
            got=f"{witnesses[0]} groups without, {witnesses[1]} groups with a conversion",
        )
    parts = min(folds, *witnesses)
    alone = groups is None or len(np.unique(group)) == len(group)
    maker = StratifiedKFold if alone else StratifiedGroupKFold
    sides = maker(parts, shuffle=True, random_state=seed).split(
        label, label, None if alone else group
    )
    found = [(a.astype(np.int64), b.astype(np.int64)) for a, b in sides]
    refuse_one_class(label, found)
    return found


def ordered_folds(order: int | ArrayLike, folds: int = 5) -> Folds:
    """Forward-chaining folds: train on everything before, test on the next stretch.

    The rows are cut into ``folds + 1`` stretches of like size; the first only ever trains. Rows of
    one moment are never parted.

    Parameters
    ----------
    order : int or array, shape (n,)
        A number of rows that are in order of time already, or the moment of each row.
    folds : int
        At least 1.

    Raises
    ------
    BadInput
        If there are fewer distinct moments than stretches.

    Examples
    --------
    >>> [(a.tolist(), b.tolist()) for a, b in ordered_folds(6, 2)]
    [([0, 1], [2, 3]), ([0, 1, 2, 3], [4, 5])]
    """
    at = np.arange(order) if isinstance(order, (int, np.integer)) else np.asarray(order)
    if at.ndim != 1 or folds < 1:
        raise BadInput("one moment a row and at least one fold", got=f"{at.shape}, folds={folds}")
    if len(np.unique(at)) <= folds:
        raise BadInput(
            "fewer moments than stretches of time", got=len(np.unique(at)), expected=folds + 1
        )
    edges = np.sort(at)[[len(at) * i // (folds + 1) for i in range(1, folds + 1)]]
    stretch = np.searchsorted(edges, at, side="right")
    sides = [
        (np.flatnonzero(stretch < i), np.flatnonzero(stretch == i)) for i in range(1, folds + 1)
    ]
    empty = [i for i, (before, after) in enumerate(sides) if not len(before) or not len(after)]
    if empty:
        raise BadInput("too many rows share a moment to cut here", where=f"fold {empty[0]}")
    return sides


def refuse_one_class(label: NDArray[np.generic], folds: Folds, *, first: int = 0) -> None:
    """Raise `BadInput` that names the fold (counted from `first`) that trains on one outcome."""
    for i, (train, _) in enumerate(folds, first):
        kinds = np.unique(label[train])
        if len(kinds) < 2:
            raise BadInput(
                "one class only in the training side of a fold",
                where=f"fold {i}",
                got=f"{len(train)} rows, all {kinds[0]}" if len(kinds) else "no rows",
                expected="both outcomes",
                hint="Use fewer folds, or begin ordered folds later.",
            )

"""Splits of lead tables: copies on one side, repeated 80/20, and by order of time.

Folds of like base rate that keep groups whole, and folds that only look forward, are
`leadlab.models.folds.grouped_folds` and `ordered_folds`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import StratifiedGroupKFold, StratifiedShuffleSplit

from leadlab.errors import BadInput, EmptyInput
from leadlab.models.folds import Folds, members, refuse_one_class

I64 = NDArray[np.int64]


def copies(frame: pd.DataFrame) -> I64:
    """Number of each row's group of equal rows, missing values being equal.

    Examples
    --------
    >>> copies(pd.DataFrame({"a": [1, 2, 1], "b": [None, "x", None]})).tolist()
    [0, 1, 0]
    """
    if not len(frame.columns):
        raise EmptyInput("a table without columns", where="frame")
    grouped = frame.groupby(list(frame.columns), dropna=False, sort=False).ngroup()
    return np.asarray(grouped, np.int64)


def repeated_holdout(
    y: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    share: float = 0.2,
    repeats: int = 10,
    seed: int = 0,
) -> Folds:
    """Shuffled splits of like base rate, one a seed: ``seed``, ``seed + 1``, and so on.

    With groups the test side is one of ``round(1 / share)`` folds that keep them whole, so its
    size is near `share` where no group is large.

    Parameters
    ----------
    y : array of 0 and 1, shape (n,)
    groups : array, shape (n,), optional
        Rows of one group are on one side.
    share : float
        Of rows on the test side, in (0, 0.5].
    repeats, seed : int

    Returns
    -------
    list of (train, test)
        Ascending row positions.

    Raises
    ------
    EmptyInput
        If there are no rows.
    BadInput
        If the share is none, or a side would hold one class only.

    Examples
    --------
    >>> parts = repeated_holdout([0, 1] * 10, share=0.2, repeats=3)
    >>> [len(test) for _, test in parts]
    [4, 4, 4]
    """
    label = np.asarray(y)
    if not len(label):
        raise EmptyInput("no rows to split")
    if not 0 < share <= 0.5 or repeats < 1:
        raise BadInput("cannot split so", got=f"share={share}, repeats={repeats}")
    group = members(groups, len(label))
    rarer = min(len(np.unique(group[label == kind])) for kind in (0, 1))
    parts = round(1 / share)
    if rarer < parts:
        raise BadInput("too few rows of an outcome to split", got=rarer, expected=f"{parts}")
    found: Folds = []
    for state in range(seed, seed + repeats):
        if groups is None:
            maker: Any = StratifiedShuffleSplit(1, test_size=share, random_state=state)
        else:
            maker = StratifiedGroupKFold(parts, shuffle=True, random_state=state)
        train, test = next(iter(maker.split(label, label, None if groups is None else group)))
        found.append((np.sort(train).astype(np.int64), np.sort(test).astype(np.int64)))
    refuse_one_class(label, found)
    return found


@dataclass(frozen=True, eq=False)
class OrderedSplit:
    """Rows by their place in time.

    Attributes
    ----------
    train : int array
        Rows before the test side whose outcome was settled by its start, in order of time.
    pending : int array
        Rows before the test side whose outcome was not settled yet, in order of time.
    test : int array
        The last rows, in order of time.
    start : moment
        Of the first test row.
    """

    train: I64
    pending: I64
    test: I64
    start: Any


def ordered_split(
    at: ArrayLike, *, share: float = 0.2, known_at: ArrayLike | None = None
) -> OrderedSplit:
    """The last rows are the test side; what was settled before it trains.

    Rows of one moment are never parted: the test side begins at the first row of its moment, and
    may hold somewhat more than `share`.

    Parameters
    ----------
    at : array of numbers or times, shape (n,)
    share : float
        Of rows on the test side, in (0, 1).
    known_at : array, shape (n,), optional
        When each outcome was settled; at once when not given.

    Raises
    ------
    EmptyInput
        If there are no rows.
    BadInput
        If the share is none, lengths differ, an outcome is settled before its row, or a side is
        empty.

    Examples
    --------
    >>> cut = ordered_split([0, 1, 2, 3, 4], share=0.4, known_at=[0, 9, 2, 3, 4])
    >>> cut.train.tolist(), cut.pending.tolist(), cut.test.tolist()
    ([0, 2], [1], [3, 4])
    """
    moment = np.asarray(at)
    if not len(moment):
        raise EmptyInput("no rows to split")
    if not 0 < share < 1:
        raise BadInput("cannot hold out this share", where="share", got=share)
    settled = moment if known_at is None else np.asarray(known_at)
    if settled.shape != moment.shape:
        raise BadInput("one moment a row is needed", where="known_at", got=settled.shape)
    if (settled < moment).any():
        raise BadInput("an outcome is settled before its row", where="known_at")
    order = np.argsort(moment, kind="stable")
    start = moment[order][len(order) - max(1, round(len(order) * share))]
    before = order[moment[order] < start]
    known = before if known_at is None else before[settled[before] < start]
    if not len(known):
        raise BadInput("no outcome was settled before the test side", got=start)
    pending = before[~np.isin(before, known)]
    return OrderedSplit(known, pending, order[moment[order] >= start], start)

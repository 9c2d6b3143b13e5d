"""Temporal splits: train on what was known, test on later leads, every lead on one side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leadlab.errors import BadInput, EmptyInput

I64 = NDArray[np.int64]
US_PER_DAY = 86_400_000_000


@dataclass(frozen=True, eq=False)
class Split:
    """Row positions of each side.

    Attributes
    ----------
    train, validation, test : int64 array
        Ascending positions; no lead is on two sides.
    purged : int64 array
        Rows left out because their label was not known when the test side began.
    test_start_us : int
        First landmark of the test side.
    """

    train: I64
    validation: I64
    test: I64
    purged: I64
    test_start_us: int


def temporal_split(
    as_of_us: ArrayLike,
    groups: ArrayLike,
    y: ArrayLike,
    *,
    window_end_us: ArrayLike | None = None,
    validation: float = 0.15,
    test: float = 0.2,
    gap_days: float = 0.0,
) -> Split:
    """Split leads by when their first landmark was, and purge what overlaps the test side.

    The last `test` share of leads is the test side. Of the leads before, only landmarks stay whose
    label window ended, and a gap went by, before the first landmark of the test side: every label
    that trains was known by then. Validation serves early stopping only; it is every k-th of the
    earlier leads in order of their first landmark, not the latest of them. Leads take months to
    convert, so the latest ones would hardly hold an outcome, and the purge would take those few.

    Parameters
    ----------
    as_of_us : int array, shape (n,)
        Landmarks.
    groups : array, shape (n,)
        Lead of each landmark; kept whole.
    y : array, shape (n,)
        Labels, 0 or 1: every side must hold both.
    window_end_us : int array, shape (n,), optional
        When each label's window ends; the landmark itself when not given.
    validation, test : float
        Shares of leads, each in (0, 1), together below 1.
    gap_days : float
        Further days between a window's end and the test side.

    Raises
    ------
    EmptyInput
        If there are no rows.
    BadInput
        If a side ends up empty or with one class only; the message gives the sizes.

    Examples
    --------
    >>> day = np.arange(10) * 86_400_000_000
    >>> cut = temporal_split(day, np.arange(10), np.arange(10) // 2 % 2, validation=0.3, test=0.3)
    >>> cut.train.tolist(), cut.validation.tolist(), cut.test.tolist()
    ([0, 2, 4, 6], [1, 3, 5], [7, 8, 9])
    """
    at, label = np.asarray(as_of_us, np.int64), np.asarray(y)
    end = at if window_end_us is None else np.asarray(window_end_us, np.int64)
    names = np.asarray(groups)
    _check(at, end, names, label, validation, test, gap_days)
    group = np.unique(names, return_inverse=True)[1]
    side = _sides(at, group, validation, test)
    start_us = int(at[side == 2].min(initial=np.iinfo(np.int64).max))
    late = (side < 2) & (end > start_us - round(gap_days * US_PER_DAY))
    parts = [np.flatnonzero((side == s) & ~late) for s in range(3)]
    _refuse_poor(dict(zip(("train", "validation", "test"), parts, strict=True)), label, late)
    train, validating, testing = parts
    return Split(train, validating, testing, np.flatnonzero(late), start_us)


def _check(
    at: I64,
    end: I64,
    names: NDArray[np.generic],
    label: NDArray[np.generic],
    validation: float,
    test: float,
    gap_days: float,
) -> None:
    if not len(at):
        raise EmptyInput("no landmarks to split")
    shapes = {a.shape for a in (at, end, names, label)}
    if shapes != {(len(at),)}:
        raise BadInput("landmarks, windows, groups and labels differ in length", got=shapes)
    if not (0 < validation < 1 and 0 < test < 1 and validation + test < 1):
        raise BadInput(
            "cannot split by these shares",
            got=f"validation={validation}, test={test}",
            expected="each in (0, 1), together below 1",
        )
    if not 0 <= gap_days < float("inf"):
        raise BadInput("a gap cannot be negative", where="gap_days", got=gap_days)
    if (end < at).any():
        raise BadInput("a label window ends before its landmark", where="window_end_us")


def _sides(at: I64, group: I64, validation: float, test: float) -> I64:
    """Give 0, 1 or 2 for each row: the side of its lead, by the lead's first landmark."""
    n = int(group.max()) + 1
    first_us = np.full(n, np.iinfo(np.int64).max)
    np.minimum.at(first_us, group, at)
    order = np.argsort(first_us, kind="stable")
    place = np.empty(n, np.int64)
    place[order] = np.arange(n)
    before_test = n - round(n * test)
    every = max(2, round(before_test / max(n * validation, 1)))
    held = (place % every == every - 1).astype(np.int64)
    return np.where(place >= before_test, 2, held)[group]


def _refuse_poor(
    parts: dict[str, I64], label: NDArray[np.generic], late: NDArray[np.bool_]
) -> None:
    sizes = ", ".join(f"{name} {len(rows)}" for name, rows in parts.items())
    sizes += f", purged {int(late.sum())}"
    for name, rows in parts.items():
        if not len(rows):
            raise BadInput(
                f"the {name} side is empty",
                got=sizes,
                hint="Shorten the horizon or the gap, or bring a longer log.",
            )
        if len(np.unique(label[rows])) < 2:
            raise BadInput(
                f"the {name} side holds one class only",
                got=f"all {label[rows][0]}; {sizes}",
                expected="both outcomes",
                hint="Bring more leads, or change the shares, the horizon or the kinds.",
            )

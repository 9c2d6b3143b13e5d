"""Which rows a model fails on: one lead's odd numbers must not cost the others their scores."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from leadlab.features.table import FeatureTable


def failing(
    table: FeatureTable, fails: Callable[[FeatureTable], bool], *, whole: bool = False
) -> NDArray[np.bool_]:
    """Rows that fail by themselves, found in halves.

    Parameters
    ----------
    table : FeatureTable
    fails : callable
        Whether a model fails on some rows.
    whole : bool
        It is known to fail on all rows together.

    Examples
    --------
    >>> from leadlab.data import simulate
    >>> from leadlab.features import build, catalogue
    >>> table = build(simulate(5, 30, seed=3).log, catalogue())
    >>> table.values[2] = np.inf
    >>> np.flatnonzero(failing(table, lambda part: bool(np.isinf(part.values).any()))).tolist()
    [2]
    """
    bad = np.zeros(len(table), np.bool_)
    parts = [(0, len(table), whole)]
    while parts:
        start, end, known = parts.pop()
        if start == end or not (known or fails(table.take(np.arange(start, end)))):
            continue
        if end - start == 1:
            bad[start] = True
            continue
        middle = (start + end) // 2
        parts += [(start, middle, False), (middle, end, False)]
    return bad

"""Rows that cannot be used are kept apart with the reason, in one table."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
COLUMNS = ("row", "field", "reason", "got", "record")


@dataclass(frozen=True, eq=False)
class Problem:
    """One reason, and the rows that it refuses.

    Attributes
    ----------
    field : str
        The column of the frame that is at fault.
    reason : str
        Why, in words.
    rows : bool array, shape (n,)
        True where the row is refused.

    Examples
    --------
    >>> Problem("price", "infinite", np.array([False, True])).rows.sum()
    np.int64(1)
    """

    field: str
    reason: str
    rows: Mask


def _plain(value: Any) -> Any:
    """Return `value` as JSON can hold it, as text where it cannot."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float | np.floating):
        return None if math.isnan(value) else float(value) if math.isfinite(value) else str(value)
    if isinstance(value, np.integer):
        return int(value)
    return None if value is pd.NaT or value is pd.NA else str(value)


def _plain_column(column: pd.Series) -> list[Any]:
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iub":
        return column.tolist()
    if isinstance(column.dtype, pd.StringDtype):
        return column.astype(object).where(column.notna(), None).tolist()
    return [_plain(v) for v in column.tolist()]


def _printed(value: Any) -> str:
    """Show `value` in at most 200 characters that any file can hold."""
    return str(_plain(value))[:200].encode("utf-8", "backslashreplace").decode()


def _records(frame: pd.DataFrame) -> list[str]:
    """Return each row as one JSON object; column by column, never row by row."""
    names = [str(c) for c in frame.columns]
    columns = [_plain_column(frame.iloc[:, i]) for i in range(len(names))]
    return [json.dumps(dict(zip(names, row, strict=True))) for row in zip(*columns, strict=True)]


def refused_rows(frame: pd.DataFrame, problems: Sequence[Problem]) -> pd.DataFrame | None:
    """Collect the rows that any problem refuses; each row once, by the first problem that hits it.

    Returns
    -------
    DataFrame or None
        ``row`` (position in `frame`, from 0), ``field``, ``reason``, ``got`` (the offending value
        as text, at most 200 characters) and ``record`` (the whole row as JSON); None if no row is
        refused.

    Examples
    --------
    >>> frame = pd.DataFrame({"who": ["a", None], "paid": [3, 4]})
    >>> table = refused_rows(frame, [Problem("who", "missing", np.array([False, True]))])
    >>> table[["row", "field", "reason", "record"]].values.tolist()
    [[1, 'who', 'missing', '{"who": null, "paid": 4}']]
    """
    first = np.full(len(frame), -1)
    for number, problem in enumerate(problems):
        first[(first < 0) & problem.rows] = number
    rows = np.flatnonzero(first >= 0)
    if len(rows) == 0:
        return None
    which = first[rows]
    got = np.empty(len(rows), dtype=object)
    column_of = {str(name): name for name in frame.columns}
    for number in np.unique(which).tolist():
        chosen = which == number
        values = frame[column_of[problems[number].field]].iloc[rows[chosen]].tolist()
        got[chosen] = [_printed(v) for v in values]
    return pd.DataFrame(
        {
            "row": rows,
            "field": np.array([p.field for p in problems], dtype=object)[which],
            "reason": np.array([p.reason for p in problems], dtype=object)[which],
            "got": got,
            "record": _records(frame.iloc[rows]),
        }
    )

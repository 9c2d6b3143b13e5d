"""A static table of leads: one row a lead, known at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlab.errors import BrokenFile, DataUnavailable


@dataclass(frozen=True, eq=False)
class LeadTable:
    """A table, and what one must know of its columns before a model sees them.

    Attributes
    ----------
    name : str
    frame : DataFrame, n rows
    target : str
        Column of the outcome, 0 or 1.
    ids : tuple of str
        Columns that only name the row.
    leaky : tuple of str
        Columns filled in after the outcome was in sight.
    constant : tuple of str
        Columns with one value throughout.
    groups : int array, shape (n,)
        Rows of one number are copies of each other but for the ids: they belong on one side of a
        split.
    at : array, shape (n,), optional
        When each row was known (datetime64), or its place in time (int); None where the table
        does not say.
    known_at : datetime64 array, shape (n,), optional
        When each row's outcome was settled; with `at` where it takes time.
    why_leaky : mapping of str to str
        Why a column of `leaky` may not be used.

    Examples
    --------
    >>> table = LeadTable("t", pd.DataFrame({"id": [1], "won": [0], "visits": [3]}), "won", ("id",),
    ...                   (), (), np.zeros(1, np.int64))
    >>> table.features
    ['visits']
    """

    name: str
    frame: pd.DataFrame
    target: str
    ids: tuple[str, ...]
    leaky: tuple[str, ...]
    constant: tuple[str, ...]
    groups: NDArray[np.int64]
    at: NDArray[Any] | None = None
    known_at: NDArray[Any] | None = None
    why_leaky: Mapping[str, str] = field(default_factory=dict)

    @property
    def features(self) -> list[str]:
        """Columns that a model may see."""
        hidden = {self.target, *self.ids, *self.leaky, *self.constant}
        return [str(name) for name in self.frame.columns if name not in hidden]


def read_table(
    path: Path,
    title: str,
    columns: tuple[str, ...],
    labels: Mapping[str, tuple[Any, ...]],
    **options: Any,
) -> pd.DataFrame:
    """Read a CSV file that must have certain columns.

    Parameters
    ----------
    path : Path
    title : str
        What the table is called in errors.
    columns : tuple of str
        Must be there.
    labels : mapping of str to tuple
        The only values that a column may hold.
    **options
        As `pandas.read_csv` takes them.

    Raises
    ------
    DataUnavailable
        No such file.
    BrokenFile
        Not this table, or a part of it.

    Examples
    --------
    >>> read_table(Path("nowhere.csv"), "tiny", (), {})
    Traceback (most recent call last):
    leadlab.errors.DataUnavailable: no such table (where: nowhere.csv)
    """
    if not path.is_file():
        raise DataUnavailable("no such table", where=str(path))
    try:
        frame: pd.DataFrame = pd.read_csv(path, low_memory=False, **options)
    except (ValueError, pd.errors.ParserError) as error:
        raise BrokenFile("the table cannot be read", where=str(path), got=error) from error
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise not_this_table(path, title, f"no column {', '.join(missing)}")
    for name, known in labels.items():
        if not frame[name].isin(known).all():
            other = " and ".join(map(str, known))
            raise not_this_table(path, title, f"{name} other than {other}")
    return frame


def not_this_table(path: Path, title: str, got: str) -> BrokenFile:
    """The error of a file that is another table than it should be."""
    return BrokenFile(f"not the table of {title}, or a part of it", where=str(path), got=got)


def copies(frame: pd.DataFrame) -> NDArray[np.int64]:
    """Number of each row's group of equal rows, missing values being equal.

    Examples
    --------
    >>> copies(pd.DataFrame({"a": [1, 2, 1], "b": [None, "x", None]})).tolist()
    [0, 1, 0]
    """
    grouped = frame.groupby(list(frame.columns), dropna=False, sort=False).ngroup()
    return np.asarray(grouped, np.int64)


def constants(frame: pd.DataFrame) -> tuple[str, ...]:
    """Columns with one value throughout, where missing is a value.

    Examples
    --------
    >>> constants(pd.DataFrame({"a": [1, 1], "b": [1, None]}))
    ('a',)
    """
    return tuple(str(name) for name in frame.columns if frame[name].nunique(dropna=False) <= 1)

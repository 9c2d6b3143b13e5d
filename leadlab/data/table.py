"""A static table of leads: one row a lead, known at one moment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray


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

    @property
    def features(self) -> list[str]:
        """Columns that a model may see."""
        hidden = {self.target, *self.ids, *self.leaky, *self.constant}
        return [str(name) for name in self.frame.columns if name not in hidden]

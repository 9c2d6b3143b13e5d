"""X Education: leads of a seller of online courses, and whether they became customers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from leadlab.data.table import LeadTable
from leadlab.errors import BrokenFile, DataUnavailable

TARGET = "Converted"
IDS = ("Prospect ID", "Lead Number")
LEAKY = (
    "Tags",
    "Lead Quality",
    "Lead Profile",
    "Asymmetrique Activity Index",
    "Asymmetrique Profile Index",
    "Asymmetrique Activity Score",
    "Asymmetrique Profile Score",
    "Last Activity",
    "Last Notable Activity",
)
"""Filled in by the sales team or after the fact; that they are missing leaks too."""
NOT_CHOSEN = "Select"
"""What the form says where nothing was chosen: missing."""


def read(path: str | Path) -> LeadTable:
    """Read ``Leads.csv``.

    "Select" is missing; the empty last column is dropped. Rows that are equal but for the ids are
    of one group.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    LeadTable
        9,240 rows for the published file.

    Raises
    ------
    BrokenFile
        Not this table, or a part of it.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "Leads.csv"
    ...     head = [*IDS, TARGET, "City", *LEAKY]
    ...     rows = [["p", i, i % 2, "Select", *LEAKY] for i in range(2)]
    ...     pd.DataFrame(rows, columns=head).to_csv(file, index=False)
    ...     read(file).frame["City"].isna().all()
    np.True_
    """
    path = Path(path)
    if not path.is_file():
        raise DataUnavailable("no such table", where=str(path))
    try:
        frame = pd.read_csv(path, na_values=[NOT_CHOSEN], low_memory=False)
    except (ValueError, pd.errors.ParserError) as error:
        raise BrokenFile("the table cannot be read", where=str(path), got=error) from error
    frame = frame.loc[:, [not str(name).startswith("Unnamed:") for name in frame.columns]]
    missing = [name for name in (TARGET, *IDS, *LEAKY) if name not in frame.columns]
    if missing or not frame[TARGET].isin([0, 1]).all():
        raise BrokenFile(
            "not the table of X Education, or a part of it",
            where=str(path),
            got=f"no column {', '.join(missing)}" if missing else f"{TARGET} other than 0 and 1",
        )
    rest = frame.drop(columns=list(IDS))
    copies = rest.groupby(list(rest.columns), dropna=False, sort=False).ngroup()
    constant = tuple(str(c) for c in rest.columns if rest[c].nunique(dropna=False) == 1)
    return LeadTable(
        name="x_education",
        frame=frame,
        target=TARGET,
        ids=IDS,
        leaky=LEAKY,
        constant=constant,
        groups=np.asarray(copies, np.int64),
    )

"""X Education: leads of a seller of online courses, and whether they became customers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from leadlab.data.table import LeadTable, constants, copies, not_this_table, read_table

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
    of one group. Leads are numbered as they come in: `LeadTable.at` is the number.

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
    >>> import pandas as pd
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "Leads.csv"
    ...     head = [*IDS, TARGET, "City", *LEAKY]
    ...     rows = [["p", i, i % 2, "Select", *LEAKY] for i in range(2)]
    ...     pd.DataFrame(rows, columns=head).to_csv(file, index=False)
    ...     read(file).frame["City"].isna().all()
    np.True_
    """
    columns = (TARGET, *IDS, *LEAKY)
    frame = read_table(Path(path), "X Education", columns, {TARGET: (0, 1)}, na_values=[NOT_CHOSEN])
    frame = frame.loc[:, [not str(name).startswith("Unnamed:") for name in frame.columns]]
    if frame["Lead Number"].dtype != np.int64:
        raise not_this_table(Path(path), "X Education", "a Lead Number that is no whole number")
    rest = frame.drop(columns=list(IDS))
    return LeadTable(
        name="x_education",
        frame=frame,
        target=TARGET,
        ids=IDS,
        leaky=LEAKY,
        constant=constants(rest),
        groups=copies(rest),
        at=frame["Lead Number"].to_numpy(np.int64),
        why_leaky=dict.fromkeys(LEAKY, "filled in by the sales team or after the fact"),
    )

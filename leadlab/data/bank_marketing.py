"""A Portuguese bank's calls, in the order they were made: who took the deposit on offer."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from leadlab.data.table import LeadTable, constants, copies, read_table

TARGET = "y"
DURATION = "duration"
NEVER = 999
"""What ``pdays`` says of somebody who was not called before: missing."""
COLUMNS = ("age", "job", "contact", "month", DURATION, "campaign", "pdays", "poutcome", TARGET)


def read(path: str | Path) -> LeadTable:
    """Read ``bank-additional-full.csv``.

    The rows are in the order of their dates, May 2008 to November 2010, which the file does not
    give: `LeadTable.at` is the row number. ``pdays`` of 999 is missing. "unknown" stays a value
    of its own, as the bank wrote it.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    LeadTable
        41,188 rows for the published file.

    Raises
    ------
    DataUnavailable
        No such file.
    BrokenFile
        Not this table, or a part of it.

    References
    ----------
    Moro, Cortez and Rita (2014), A data-driven approach to predict the success of bank
    telemarketing.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "bank.csv"
    ...     row = "30;admin.;cellular;may;261;1;{};nonexistent;{}"
    ...     lines = [";".join(COLUMNS), row.format(999, "no"), row.format(3, "yes")]
    ...     _ = file.write_text(chr(10).join(lines))
    ...     table = read(file)
    >>> table.frame["pdays"].tolist(), table.frame["y"].tolist(), table.leaky
    ([nan, 3.0], [0, 1], ('duration',))
    """
    frame = read_table(Path(path), "bank marketing", COLUMNS, {TARGET: ("yes", "no")}, sep=";")
    frame = frame.assign(
        pdays=frame["pdays"].where(frame["pdays"] != NEVER).astype("float64"),
        **{TARGET: (frame[TARGET] == "yes").astype("int64")},
    )
    return LeadTable(
        name="bank_marketing",
        frame=frame,
        target=TARGET,
        ids=(),
        leaky=(DURATION,),
        constant=constants(frame),
        groups=copies(frame),
        at=np.arange(len(frame), dtype=np.int64),
        why_leaky={DURATION: "how long the call took is known only when its outcome is"},
    )

"""IBM's telco customers: who left within the last month."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from leadlab.data.table import LeadTable, constants, copies, not_this_table, read_table

TARGET = "Churn"
IDS = ("customerID",)
CHARGES = "TotalCharges"
COLUMNS = (*IDS, "tenure", "Contract", "MonthlyCharges", CHARGES, TARGET)


def read(path: str | Path) -> LeadTable:
    """Read ``Telco-Customer-Churn.csv``.

    Customers of the first month have no total charges yet: a blank, which becomes missing.
    Rows that are equal but for the id are of one group.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    LeadTable
        7,043 rows for the published file, without times.

    Raises
    ------
    DataUnavailable
        No such file.
    BrokenFile
        Not this table, or a part of it.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "telco.csv"
    ...     rows = [["a", 0, "Two year", 20.0, " ", "No"], ["b", 2, "x", 9.5, "19", "Yes"]]
    ...     pd.DataFrame(rows, columns=COLUMNS).to_csv(file, index=False)
    ...     table = read(file)
    >>> table.frame["TotalCharges"].tolist(), table.frame["Churn"].tolist()
    ([nan, 19.0], [0, 1])
    """
    path = Path(path)
    frame = read_table(path, "telco customers", COLUMNS, {TARGET: ("Yes", "No")})
    text = frame[CHARGES].astype(str).str.strip()
    charges = pd.to_numeric(text, errors="coerce")
    if (charges.isna() & ~text.isin(["", "nan"])).any():
        raise not_this_table(path, "telco customers", f"{CHARGES} that is no number")
    left = (frame[TARGET] == "Yes").astype("int64")
    frame = frame.assign(**{CHARGES: charges.astype("float64")}).assign(**{TARGET: left})
    rest = frame.drop(columns=list(IDS))
    return LeadTable(
        name="telco",
        frame=frame,
        target=TARGET,
        ids=IDS,
        leaky=(),
        constant=constants(rest),
        groups=copies(rest),
    )

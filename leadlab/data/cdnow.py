"""CDNOW: purchases of a cohort of customers of a music shop, from their first one on."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from leadlab.errors import BrokenFile, DataUnavailable
from leadlab.schema.intake import log_from_frame
from leadlab.schema.log import EventLog

PURCHASE = "Purchase"
NAMES = ("customer", "day", "cds", "dollars")
HEAD = ["customer_id", "date", "number_of_cds", "dollar_value"]
"""First line of some copies; others begin with the first purchase."""


def read(path: str | Path) -> EventLog:
    r"""Read ``CDNOW_master.txt``.

    Each event's lead is the customer, its kind "Purchase", its value the dollars spent; ``cds`` is
    the number of discs. Days have no time of day: several purchases of one customer on one day
    stay apart, a microsecond each behind the one before, in recorded order.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    EventLog
        69,659 events of 23,570 leads for the published file.

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
    ...     file = Path(folder) / "CDNOW_master.txt"
    ...     _ = file.write_text(" 00001 19970101  1   11.77\n 00001 19970101  5   77.00\n")
    ...     log = read(file)
    >>> log.value.tolist(), log.data["cds"].tolist()
    ([11.77, 77.0], [1.0, 5.0])

    References
    ----------
    Fader, P. S. and Hardie, B. G. S. (2001). Forecasting repeat sales at CDNOW: a case study.
    Interfaces 31(3), S94-S107.
    """
    path = Path(path)
    if not path.is_file():
        raise DataUnavailable("no such table", where=str(path))
    try:
        frame = pd.read_csv(path, sep=r"\s+", header=None, dtype=str, encoding="ascii")
    except (ValueError, pd.errors.ParserError) as error:
        raise BrokenFile("the table cannot be read", where=str(path), got=error) from error
    if frame.shape[1] != len(NAMES):
        raise BrokenFile(
            "not the table of CDNOW", where=str(path), got=f"{frame.shape[1]} columns", expected=4
        )
    if frame.iloc[0].tolist() == HEAD:
        frame = frame.iloc[1:]
    frame = frame.set_axis(list(NAMES), axis=1)
    place = frame.groupby(["customer", "day"], sort=False).cumcount()
    day = pd.to_datetime(frame["day"], format="%Y%m%d", errors="coerce")
    numbers = frame[["cds", "dollars"]].apply(pd.to_numeric, errors="coerce")
    bad = frame[day.isna() | numbers.isna().any(axis=1)]
    if len(bad):
        where, got = f"{path}, line {bad.index[0] + 1}", " ".join(map(str, bad.iloc[0]))
        raise BrokenFile("not the table of CDNOW", where=where, got=got)
    return log_from_frame(
        pd.DataFrame(
            {
                "lead": frame["customer"],
                "kind": PURCHASE,
                "at": day.astype("datetime64[us]").astype("int64") + place,
                "id": frame["customer"] + "-" + frame["day"] + "-" + place.astype(str),
                **numbers,
            }
        ),
        lead="lead",
        kind="kind",
        at="at",
        id="id",
        value="dollars",
        data=("cds",),
        at_format="us",
        on_bad="raise",
    )

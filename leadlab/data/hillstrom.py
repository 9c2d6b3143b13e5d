"""Hillstrom's e-mail experiment: 64,000 customers, three arms drawn at random."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from leadlab.data.table import LeadTable, constants, copies, not_this_table, read_table

ARM, TARGET, OUTCOMES = "segment", "visit", ("visit", "conversion", "spend")
NOBODY, MENS, WOMENS = "No E-Mail", "Mens E-Mail", "Womens E-Mail"
ARMS = (NOBODY, MENS, WOMENS)
"""The control first."""
KNOWN = ("recency", "history_segment", "history", "mens", "womens", "zip_code", "newbie", "channel")
COLUMNS = (*KNOWN, ARM, *OUTCOMES)
_FLAGS = dict.fromkeys(("mens", "womens", "newbie", "visit", "conversion"), (0, 1))
_AFTER = "what the customer did in the two weeks after the e-mail"


def read(path: str | Path) -> LeadTable:
    """Read ``hillstrom.csv``.

    `LeadTable.features` are what was known before the e-mails went out. The arm and the outcomes
    stand under `LeadTable.leaky`, the visit is the target. "Surburban" is the source's spelling and
    is kept.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    LeadTable
        64,000 rows for the published file, without times.

    Raises
    ------
    DataUnavailable
        No such file.
    BrokenFile
        Not this table, or a part of it.

    Examples
    --------
    >>> import tempfile
    >>> row = [10, "2) $100 - $200", 142.44, 1, 0, "Rural", 0, "Phone", WOMENS, 1, 0, 0.0]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "hillstrom.csv"
    ...     pd.DataFrame([row], columns=COLUMNS).to_csv(file, index=False)
    ...     table = read(file)
    >>> table.target, table.leaky
    ('visit', ('segment', 'conversion', 'spend'))
    """
    path = Path(path)
    title = "Hillstrom's e-mails"
    frame = read_table(path, title, COLUMNS, {**_FLAGS, ARM: ARMS})
    for name in ("recency", "history", "spend"):
        numbers = pd.to_numeric(frame[name], errors="coerce")
        if numbers.isna().any() or (numbers < 0).any():
            raise not_this_table(path, title, f"{name} that is no amount")
    if (frame["conversion"] > frame["visit"]).any():
        raise not_this_table(path, title, "a conversion without a visit")
    return LeadTable(
        name="hillstrom",
        frame=frame,
        target=TARGET,
        ids=(),
        leaky=(ARM, "conversion", "spend"),
        constant=constants(frame[list(KNOWN)]),
        groups=copies(frame),
        why_leaky={ARM: "the treatment", "conversion": _AFTER, "spend": _AFTER},
    )

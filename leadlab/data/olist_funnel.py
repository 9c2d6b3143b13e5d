"""Olist's marketing funnel: sellers who asked about the marketplace, and who joined it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from leadlab.data.table import LeadTable, constants, not_this_table, read_table

LEADS, DEALS = "olist_marketing_qualified_leads_dataset.csv", "olist_closed_deals_dataset.csv"
TARGET = "won_90d"
IDS = ("mql_id",)
CONTACT, WON = "first_contact_date", "won_date"
LEAD_COLUMNS = (*IDS, CONTACT, "landing_page_id", "origin")
DEAL_COLUMNS = (*IDS, WON, "business_segment", "lead_type")
HORIZON_DAYS = 90


def read(path: str | Path) -> LeadTable:
    """Read the folder of both files.

    The outcome is a deal won within 90 days of the first contact. Leads whose 90 days were not
    over at the last deal on record are left out: nobody knows their outcome. Rows are in the
    order of contact (ties as the file has them). Every column of the deals exists for winners
    only. A contact has a date without an hour, so a deal of that very day counts as after it; a
    deal before the day of contact is as good as on it.

    Parameters
    ----------
    path : str or Path
        Folder.

    Returns
    -------
    LeadTable
        8,000 rows for the published files, 691 won within 90 days; ``at`` is the first contact,
        ``known_at`` the deal or else the end of the 90 days.

    Raises
    ------
    DataUnavailable
        A file is missing.
    BrokenFile
        Not these tables, or a part of them.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     leads = [["a", "2018-01-01", "p", "social"], ["b", "2018-01-02", "p", None],
    ...              ["c", "2018-06-01", "p", "email"]]
    ...     deals = [["a", "2018-01-20 10:00:00", "pet", "online"],
    ...              ["x", "2018-07-01 10:00:00", "pet", "online"]]
    ...     pd.DataFrame(leads, columns=LEAD_COLUMNS).to_csv(Path(folder) / LEADS, index=False)
    ...     pd.DataFrame(deals, columns=DEAL_COLUMNS).to_csv(Path(folder) / DEALS, index=False)
    ...     table = read(folder)
    >>> table.frame["won_90d"].tolist(), table.features
    ([1, 0], ['first_contact_date', 'origin'])
    """
    folder = Path(path)
    leads = read_table(folder / LEADS, "Olist's leads", LEAD_COLUMNS, {})
    deals = read_table(folder / DEALS, "Olist's deals", DEAL_COLUMNS, {})
    for file, frame in ((LEADS, leads), (DEALS, deals)):
        if frame["mql_id"].duplicated().any() or frame["mql_id"].isna().any():
            raise not_this_table(folder / file, "Olist", "a lead without an id, or twice")
    frame = leads.merge(deals, on="mql_id", how="left", validate="one_to_one")
    contact = _times(folder / LEADS, frame[CONTACT])
    won = _times(folder / DEALS, frame[WON])
    last = _times(folder / DEALS, deals[WON]).max()
    due = contact + pd.Timedelta(days=HORIZON_DAYS)
    order = np.argsort(contact.to_numpy(), kind="stable")
    order = order[(due <= last).to_numpy()[order]]
    came = (won <= due).astype("int64")
    frame = frame.assign(**{CONTACT: contact}).assign(**{WON: won}).assign(**{TARGET: came})
    frame = frame.iloc[order]
    settled = won.where(won <= due, due).clip(lower=contact).iloc[order]
    leaky = tuple(str(name) for name in deals.columns if name not in IDS)
    frame = frame.reset_index(drop=True)
    return LeadTable(
        name="olist_funnel",
        frame=frame,
        target=TARGET,
        ids=IDS,
        leaky=leaky,
        constant=constants(frame.drop(columns=[TARGET, *IDS, *leaky])),
        groups=np.arange(len(frame), dtype=np.int64),
        at=frame[CONTACT].to_numpy("datetime64[us]"),
        known_at=settled.to_numpy("datetime64[us]"),
        why_leaky=dict.fromkeys(leaky, "a column of the deals, which exists for winners only"),
    )


def _times(file: Path, column: pd.Series[str]) -> pd.Series[pd.Timestamp]:
    times = pd.to_datetime(column, format="ISO8601", errors="coerce")
    if (times.isna() & column.notna()).any():
        raise not_this_table(file, "Olist", f"{column.name} that is no time")
    return times.astype("datetime64[us]")

"""BPI Challenge 2012: a bank's loan applications, from submission to an accepted offer or not."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from leadlab.data.xes import read_xes, separate_ties
from leadlab.schema.columns import read_number
from leadlab.schema.intake import log_from_frame
from leadlab.schema.log import EventLog
from leadlab.schema.times import NAT, read_times

END_US = 1_400_000_000_000_000
"""The log ends in March 2012; a time beyond May 2014 is none of its own."""


def read(path: str | Path) -> EventLog:
    """Read ``BPI_Challenge_2012.xes.gz``.

    Each event's lead is the case, its kind "activity|lifecycle" (for example
    "W_Completeren aanvraag|SCHEDULE"), its agent the resource ("112" is the automated user), its
    id "<case>-<position, 4 digits>". Further fields: ``activity``, ``lifecycle`` and
    ``amount_req``, the amount asked for, in euros, on every event. Times are recorded to the
    millisecond, and many neighbours share one: their recorded order is kept by moving each a
    microsecond behind the one before.

    Parameters
    ----------
    path : str or Path
        The file, gzipped or not.

    Returns
    -------
    EventLog
        262,200 events of 13,087 leads for the published file.

    Examples
    --------
    >>> read("/nowhere/BPI_Challenge_2012.xes.gz")
    Traceback (most recent call last):
    leadlab.errors.DataUnavailable: no such event log ...

    References
    ----------
    van Dongen, B. F. (2012). BPI Challenge 2012. 4TU.ResearchData.
    doi:10.4121/uuid:3926db30-f712-4394-aebc-75976070e91f
    """
    events = read_xes(path, trace_fields={"amount_req": "AMOUNT_REQ"})
    at_us, _ = read_times(events["time:timestamp"], tz="UTC", now_us=END_US)
    read_at = at_us != NAT
    case = pd.factorize(events["case"])[0]
    apart = pd.Series(separate_ties(case[read_at], at_us[read_at]), index=events.index[read_at])
    lifecycle = events["lifecycle:transition"]
    amount, _ = read_number(events["amount_req"])
    table = pd.DataFrame(
        {
            "case": events["case"],
            "kind": events["concept:name"] + "|" + lifecycle,
            "at": apart.reindex(events.index).astype("Int64"),
            "id": events["case"] + "-" + events["position"].astype(str).str.zfill(4),
            "agent": events["org:resource"],
            "activity": events["concept:name"],
            "lifecycle": lifecycle,
            "amount_req": amount,
            "recorded_at": events["time:timestamp"],
        }
    )
    return log_from_frame(
        table,
        lead="case",
        kind="kind",
        at="at",
        id="id",
        agent="agent",
        data=("activity", "lifecycle", "amount_req"),
        at_format="us",
        now=pd.Timestamp(END_US, unit="us", tz="UTC").to_pydatetime(),
    )

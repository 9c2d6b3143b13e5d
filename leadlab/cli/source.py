"""The event log that a command works on: a file, a public data set, or simulated events."""

from __future__ import annotations

from pathlib import Path

from leadlab.data import datasets, load, simulate
from leadlab.errors import BadInput, UnknownName
from leadlab.schema import EventLog, read_log

SIMULATED = "simulated"
HELP = (
    "Event log: a .parquet, .arrow, .jsonl or .csv file, the name of a public data set "
    f"(bpic2012), or '{SIMULATED}'."
)


def event_log(
    name: str, lead: str = "lead", kind: str = "kind", at: str = "at", value: str | None = None
) -> EventLog:
    """Read the log that `name` means.

    Parameters
    ----------
    name : str
        Path, data set, or "simulated".
    lead, kind, at, value : str
        Columns of a CSV file.

    Raises
    ------
    UnknownName
        If it is neither a file nor a known name.
    BadInput
        If the data set is no event log.
    """
    if name == SIMULATED:
        return simulate().log
    path = Path(name)
    if path.exists():
        if path.suffix == ".csv":
            return read_log(path, lead=lead, kind=kind, at=at, value=value)
        return read_log(path)
    if name not in datasets():
        raise UnknownName(
            "event log", name, [*datasets(), SIMULATED], where="neither a file nor a name"
        )
    log = load(name)
    if not isinstance(log, EventLog):
        raise BadInput("this data set is a table of leads, not an event log", got=name)
    return log

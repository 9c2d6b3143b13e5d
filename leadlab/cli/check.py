"""``leadlab check``: columns of a table that may know the outcome."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer
from numpy.typing import NDArray

from leadlab.cli.console import print_json, steps
from leadlab.cli.console import table as show_table
from leadlab.cli.options import AsJson
from leadlab.data import LeadTable, datasets, load
from leadlab.errors import BadInput, BrokenFile, UnknownName
from leadlab.models.tables.leak_report import LeakReport
from leadlab.models.tables.leaks import check_leaks

HELP = """Flag columns of a lead table that may have been filled in after the outcome.

Each flag is a question to whoever knows the data; nothing is dropped.

Example: `leadlab check x_education` or `leadlab check leads.csv --target won`
"""


def check(
    name: Annotated[
        str,
        typer.Argument(
            metavar="TABLE", help="A .csv or .parquet file, or a public data set of leads."
        ),
    ],
    target: Annotated[
        str | None, typer.Option(help="Column of the outcome; a data set knows its own.")
    ] = None,
    later: Annotated[
        list[str] | None, typer.Option(help="Column known only afterwards; may be repeated.")
    ] = None,
    when: Annotated[
        str | None, typer.Option("--at", help="Column that says when each row was known.")
    ] = None,
    seed: int = 0,
    as_json: AsJson = False,
) -> None:
    """Read, check, print."""
    with steps(2, quiet=as_json) as tell:
        tell("read the table")
        frame, outcome, at, groups = _table(name, target, when)
        tell(f"check {frame.shape[1]} columns")
        report = check_leaks(
            frame, outcome, at=at, groups=groups, later=tuple(later or ()), seed=seed
        )
    if as_json:
        print_json({"table": name, **report.to_json()})
        return
    _show(name, report)


def _table(
    name: str, target: str | None, when: str | None
) -> tuple[pd.DataFrame, NDArray[np.int64], NDArray[Any] | None, NDArray[np.int64] | None]:
    """Columns a model would see, outcomes, moments and groups."""
    path = Path(name)
    if not path.exists():
        return _data_set(name, target)
    frame = _read(path)
    for column in (target, when):
        if column is not None and column not in frame.columns:
            raise UnknownName("column", column, map(str, frame.columns), where=name)
    if target is None:
        raise BadInput("which column is the outcome", where="--target", got="nothing")
    at: NDArray[Any] | None = None
    if when is not None:
        times = pd.to_datetime(frame[when].astype(str), format="ISO8601", utc=True, errors="coerce")
        if times.isna().any():
            raise BadInput("not all are times", where=f"column {when!r}")
        at = times.dt.tz_localize(None).to_numpy("datetime64[us]")
    return frame.drop(columns=[target]), _outcomes(frame[target]), at, None


def _data_set(
    name: str, target: str | None
) -> tuple[pd.DataFrame, NDArray[np.int64], NDArray[Any] | None, NDArray[np.int64]]:
    if name not in datasets():
        raise UnknownName("table", name, datasets(), where="neither a file nor a name")
    table = load(name)
    if not isinstance(table, LeadTable):
        raise BadInput("this data set is no table of leads", got=name)
    if target not in (None, table.target):
        raise BadInput("the data set's outcome is another", got=target, expected=table.target)
    frame = table.frame.drop(columns=[table.target])
    return frame, table.frame[table.target].to_numpy(np.int64), table.at, table.groups


def _read(path: Path) -> pd.DataFrame:
    if path.suffix not in (".csv", ".parquet"):
        raise BadInput("cannot read such a file", got=path.name, expected=".csv or .parquet")
    try:
        frame: pd.DataFrame = pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
        return frame
    except (ValueError, OSError, pd.errors.ParserError) as error:
        raise BrokenFile("the table cannot be read", where=str(path), got=error) from error


def _outcomes(column: pd.Series[Any]) -> NDArray[np.int64]:
    """0 and 1 from numbers, or from the words yes/no and true/false."""
    words = {"yes": 1, "no": 0, "true": 1, "false": 0, "1": 1, "0": 0, "1.0": 1, "0.0": 0}
    found = column.astype(str).str.strip().str.lower().map(words)
    if found.isna().any():
        got = column[found.isna()].astype(str).unique()[:3].tolist()
        raise BadInput("outcomes must be 0 or 1, or yes or no", where=f"{column.name!r}", got=got)
    return np.asarray(found, np.int64)


def _show(name: str, report: LeakReport) -> None:
    rows = [
        [flag.column, flag.kind, flag.figure, flag.why, flag.suggestion] for flag in report.flags
    ]
    note = (
        f"{len(report.flagged)} of {report.columns} columns flagged over {report.rows:,} rows. "
        "Nothing was dropped: a flag asks when the column is filled in."
    )
    show_table(f"Leak check of {name}", ["column", "kind", "figure", "why", "next"], rows, note)


check.__doc__ = HELP

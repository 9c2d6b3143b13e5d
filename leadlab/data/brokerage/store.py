"""A simulated brokerage in a folder: the log, what a team would know, and, apart, the truth.

::

    README.txt             says that all of it is SIMULATED
    settings.json          what was asked for
    log.parquet            the events
    listings.parquet       homes, as a feed would tell them
    agents.parquet
    stated.parquet         what leads wrote on the form when they registered
    truth/                 leads, paths, agents, listings, messages, waiting: what was planted
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from leadlab.data.brokerage.settings import Settings
from leadlab.data.brokerage.truth import Truth
from leadlab.errors import BadInput, BrokenFile
from leadlab.schema.atomic import atomic_path
from leadlab.schema.codec import read_log, write_log
from leadlab.schema.log import EventLog

PARTS = ("leads", "paths", "agents", "listings", "messages", "waiting")
TABLES = ("listings", "agents", "stated")
NOTICE = """SIMULATED by leadlab: invented by chance from a seed. Nobody in these files exists, no
home in them stands anywhere, and no figure that a model reaches on them says what it would reach
on people. settings.json says how to make the same again; truth/ holds what was planted.
"""


def write_brokerage(
    folder: str | Path,
    log: EventLog,
    truth: Truth,
    tables: Mapping[str, pd.DataFrame],
    *,
    force: bool = False,
) -> Path:
    """Write log, tables and truth; ``settings.json`` comes last.

    Parameters
    ----------
    folder : str or Path
        Made if it is missing.
    log : EventLog
    truth : Truth
    tables : mapping of "listings", "agents" and "stated" to DataFrame
    force : bool
        Write over what is there.

    Raises
    ------
    BadInput
        The folder holds something already.
    """
    folder = Path(folder)
    refuse_to_overwrite(folder, force=force)
    (folder / "truth").mkdir(parents=True, exist_ok=True)
    (folder / "settings.json").unlink(missing_ok=True)
    write_log(log, folder / "log.parquet")
    for name in TABLES:
        _write(tables[name], folder / f"{name}.parquet")
    for name in PARTS:
        _write(getattr(truth, name), folder / "truth" / f"{name}.parquet")
    _write_text(NOTICE, folder / "README.txt")
    _write_text(json.dumps(truth.settings.to_json(), indent=1) + "\n", folder / "settings.json")
    return folder


def refuse_to_overwrite(folder: Path, *, force: bool) -> None:
    """Raise `BadInput` if `folder` holds anything and nobody said that it may go.

    Examples
    --------
    >>> refuse_to_overwrite(Path("no such folder"), force=False)
    """
    if folder.exists() and not folder.is_dir():
        raise BadInput("not a folder", where=str(folder))
    if folder.is_dir() and any(folder.iterdir()) and not force:
        raise BadInput("the folder is not empty", where=str(folder), hint="Write over: --force.")


def _write(frame: pd.DataFrame, path: Path) -> None:
    with atomic_path(path) as temporary:
        table = pa.Table.from_pandas(frame, preserve_index=False)
        pq.write_table(table, temporary, compression="zstd")


def _write_text(text: str, path: Path) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def read_truth(folder: str | Path) -> Truth:
    """Read the truth beside a log.

    Raises
    ------
    BadInput
        The folder holds no simulated brokerage.
    BrokenFile
        A file of it is missing, cut short or of another kind.
    """
    folder = Path(folder)
    told = read_settings(folder)
    return Truth(told, **{name: _read(folder / "truth" / f"{name}.parquet") for name in PARTS})


def read_settings(folder: Path) -> Settings:
    """Read what the simulation in a folder was asked for."""
    place = folder / "settings.json"
    if not place.is_file():
        raise BadInput("no simulated brokerage", where=str(folder), expected="settings.json")
    try:
        return Settings.from_json(json.loads(place.read_text(encoding="utf-8")))
    except ValueError as error:
        raise BrokenFile("no settings of a simulation", where=str(place)) from error


def read_tables(folder: str | Path) -> tuple[EventLog, dict[str, pd.DataFrame]]:
    """Read the log and the tables that a team would know."""
    folder = Path(folder)
    read_settings(folder)
    tables = {name: _read(folder / f"{name}.parquet") for name in TABLES}
    return read_log(folder / "log.parquet"), tables


def _read(path: Path) -> pd.DataFrame:
    try:
        frame: pd.DataFrame = pq.read_table(path).to_pandas()
    except (OSError, pa.ArrowException) as error:
        raise BrokenFile(
            "a part of the brokerage is missing, cut short or of another kind",
            where=str(path),
            got=type(error).__name__,
        ) from error
    return frame

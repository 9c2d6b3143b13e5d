"""Event logs in files: JSON Lines of CloudEvents, Parquet, Arrow IPC; CSV in.

A log that is written keeps its events and the count of repeats. Rows that were refused on the way
in are not events: save ``EventLog.refused`` itself where they matter. In JSON Lines a field that
is missing throughout leaves no trace; a line that is a CloudEvent but no usable event is kept
apart in ``refused`` on reading.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet

from leadlab.errors import BadInput, BrokenFile, LeadlabError
from leadlab.schema.arrow import from_arrow, to_arrow
from leadlab.schema.atomic import atomic_path
from leadlab.schema.intake import log_from_frame
from leadlab.schema.jsonl import read_jsonl, write_jsonl
from leadlab.schema.log import EventLog


def _write_parquet(log: EventLog, path: Path) -> None:
    pa.parquet.write_table(to_arrow(log), path, compression="zstd", write_page_checksum=True)


def _write_ipc(log: EventLog, path: Path) -> None:
    table = to_arrow(log)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


def _read_parquet(path: Path) -> pa.Table:
    return pa.parquet.read_table(path, page_checksum_verification=True)


def _read_ipc(path: Path) -> pa.Table:
    with pa.OSFile(str(path), "rb") as source, pa.ipc.open_file(source) as reader:
        return reader.read_all()


def _read_csv(path: Path, columns: Mapping[str, Any]) -> pd.DataFrame:
    """Read a table, its names as text: "0042" is not 42."""
    named = (columns.get(f) for f in ("id", "tenant", "lead", "kind", "agent", "source"))
    return pd.read_csv(path, low_memory=False, dtype={n: "str" for n in named if n is not None})


def _suffix(path: Path) -> str:
    name = path.name.lower()
    return ".jsonl.gz" if name.endswith(".jsonl.gz") else Path(name).suffix


def write_log(log: EventLog, path: str | Path) -> Path:
    """Write `log`; the suffix says how: ``.jsonl``, ``.jsonl.gz``, ``.parquet`` or ``.arrow``.

    The file appears whole or not at all.

    Examples
    --------
    >>> import tempfile
    >>> table = pd.DataFrame({"lead": ["ann"], "kind": ["Inquiry"], "at": ["2026-03-01"]})
    >>> log = log_from_frame(table, lead="lead", kind="kind", at="at")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     read_log(write_log(log, Path(folder) / "log.parquet")).lead.values().tolist()
    ['ann']
    """
    path = Path(path)
    writers: Mapping[str, Callable[[EventLog, Path], None]] = {
        ".jsonl": lambda log, to: write_jsonl(log, to, zipped=False),
        ".jsonl.gz": lambda log, to: write_jsonl(log, to, zipped=True),
        ".parquet": _write_parquet,
        ".arrow": _write_ipc,
    }
    suffix = _suffix(path)
    if suffix not in writers:
        raise BadInput(
            "no way to write this", where=str(path), got=suffix, expected=", ".join(writers)
        )
    with atomic_path(path) as temporary:
        writers[suffix](log, temporary)
    return path


def read_log(path: str | Path, **columns: Any) -> EventLog:
    """Read a log by its suffix: ``.jsonl``, ``.jsonl.gz``, ``.parquet``, ``.arrow`` or ``.csv``.

    Parameters
    ----------
    path : str or Path
    **columns
        For a table that leadlab did not write (any CSV; Parquet and Arrow of others): the
        arguments of `leadlab.schema.intake.log_from_frame`.

    Raises
    ------
    BrokenFile
        Cut short, altered, or of another kind. JSON Lines cut exactly between two lines cannot be
        told from a shorter log; the other forms can.

    Examples
    --------
    >>> import tempfile
    >>> table = pd.DataFrame({"contact": ["ann"], "what": ["Inquiry"], "when": ["2026-03-01"]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "export.csv"
    ...     table.to_csv(file, index=False)
    ...     read_log(file, lead="contact", kind="what", at="when").lead.values().tolist()
    ['ann']
    """
    path = Path(path)
    if not path.is_file():
        raise BadInput("no such file", where=str(path))
    readers: Mapping[str, Callable[[], EventLog]] = {
        ".jsonl": lambda: read_jsonl(path, zipped=False),
        ".jsonl.gz": lambda: read_jsonl(path, zipped=True),
        ".parquet": lambda: from_arrow(_read_parquet(path), **columns),
        ".arrow": lambda: from_arrow(_read_ipc(path), **columns),
        ".csv": lambda: log_from_frame(_read_csv(path, columns), **columns),
    }
    suffix = _suffix(path)
    if suffix not in readers:
        raise BadInput(
            "no way to read this", where=str(path), got=suffix, expected=", ".join(readers)
        )
    if suffix == ".csv" and not {"lead", "kind", "at"} <= set(columns):
        raise BadInput("a CSV file needs its columns named", expected="lead=..., kind=..., at=...")
    if suffix.startswith(".jsonl") and columns:
        raise BadInput("JSON Lines hold CloudEvents: no columns to name", got=", ".join(columns))
    try:
        return readers[suffix]()
    except BrokenFile as error:
        raise BrokenFile(error.what, where=str(path), got=error.got, hint=error.hint) from error
    except LeadlabError as error:
        if error.what != "not a CloudEvent":
            raise
        raise BrokenFile(error.what, where=str(path), got=error.got) from error
    except (pa.ArrowException, OSError, EOFError, zlib.error, ValueError, RecursionError) as error:
        raise BrokenFile(
            "the file is cut short, altered or of another kind",
            where=str(path),
            got=f"{type(error).__name__}: {str(error)[:200]}",
        ) from error

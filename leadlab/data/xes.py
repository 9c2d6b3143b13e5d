"""Event logs in XES (IEEE 1849), read as a stream: one trace in memory at a time."""

from __future__ import annotations

import gzip
import xml.etree.ElementTree as ET
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlab.errors import BrokenFile, DataUnavailable

I64 = NDArray[np.int64]
_STANDARD = ("concept:name", "lifecycle:transition", "org:resource", "time:timestamp")


def _traces(stream: IO[bytes]) -> Iterator[ET.Element]:
    """Each ``trace`` element once it is whole; it is emptied when the next is asked for."""
    parser = ET.iterparse(stream, events=("start", "end"))  # noqa: S314  (expat limits expansion)
    _, root = next(parser)
    depth = 0
    for event, element in parser:
        depth += 1 if event == "start" else -1
        if event == "end" and depth == 0:
            if element.tag.endswith("trace"):
                yield element
            root.clear()


def _attributes(element: ET.Element) -> dict[str, str]:
    """Direct attributes of a trace or an event: key to text."""
    return {
        key: child.get("value", "") for child in element if (key := child.get("key")) is not None
    }


def read_xes(path: str | Path, *, trace_fields: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Read an XES file, plain or gzipped, into one row an event, in recorded order.

    Parameters
    ----------
    path : str or Path
    trace_fields : mapping of column name to trace attribute, optional
        Attributes of the case to repeat on each of its events.

    Returns
    -------
    DataFrame
        ``case``, ``position`` (from 0 within the case), ``concept:name``,
        ``lifecycle:transition``, ``org:resource``, ``time:timestamp`` (text, None where absent),
        and one text column for each of `trace_fields`.

    Raises
    ------
    DataUnavailable
        No such file.
    BrokenFile
        Cut short, not XML, or without a trace.

    Examples
    --------
    >>> import tempfile
    >>> text = ('<log><trace><string key="concept:name" value="c1"/><event><string '
    ...         'key="concept:name" value="Inquiry"/></event></trace></log>')
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "small.xes"
    ...     _ = file.write_text(text)
    ...     read_xes(file)[["case", "position", "concept:name"]].values.tolist()
    [['c1', 0, 'Inquiry']]
    """
    path = Path(path)
    if not path.is_file():
        raise DataUnavailable("no such event log", where=str(path))
    wanted = dict(trace_fields or {})
    columns: dict[str, list[Any]] = {k: [] for k in ("case", "position", *_STANDARD, *wanted)}
    cases = 0
    try:
        with path.open("rb") as raw:
            zipped = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            stream: Any = gzip.GzipFile(fileobj=raw) if zipped else raw
            for trace in _traces(stream):
                _append(columns, trace, wanted)
                cases += 1
    except (ET.ParseError, EOFError, zlib.error, gzip.BadGzipFile, StopIteration) as error:
        raise BrokenFile(
            "the event log is cut short or is no XES",
            where=str(path),
            got=f"{cases} whole cases, then: {error}",
            hint="Fetch the file again.",
        ) from error
    if cases == 0:
        raise BrokenFile("no trace in the event log", where=str(path), expected="XES")
    return pd.DataFrame({name: pd.Series(v, dtype=_dtype(name)) for name, v in columns.items()})


def _dtype(name: str) -> str:
    return "int64" if name == "position" else "object"


def _append(columns: dict[str, list[Any]], trace: ET.Element, wanted: Mapping[str, str]) -> None:
    """Add the events of one trace to `columns`, which this module alone owns."""
    own = _attributes(trace)
    events = [_attributes(e) for e in trace if e.tag.endswith("event")]
    columns["case"] += [own.get("concept:name")] * len(events)
    columns["position"] += range(len(events))
    for name in _STANDARD:
        columns[name] += [event.get(name) for event in events]
    for name, key in wanted.items():
        columns[name] += [own.get(key)] * len(events)


def separate_ties(case: NDArray[Any], at_us: I64) -> I64:
    """Move events of a case that share a time apart, each a microsecond after the one before.

    Parameters
    ----------
    case : integer array, shape (n,)
        Case of each event.
    at_us : int64 array, shape (n,)
        Times in recorded order within each case.

    Returns
    -------
    int64 array, shape (n,)
        ``t'[i] = max(t[i], t'[i-1] + 1)`` within each case, hence strictly ascending there.

    Examples
    --------
    >>> separate_ties(np.array([0, 0, 0, 1]), np.array([5, 5, 5, 5])).tolist()
    [5, 6, 7, 5]
    """
    groups = pd.Series(case)
    position = groups.groupby(groups).cumcount().to_numpy()
    lowered = pd.Series(at_us - position)
    return np.asarray(lowered.groupby(groups).cummax().to_numpy() + position, np.int64)

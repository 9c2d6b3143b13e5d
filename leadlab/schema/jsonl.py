"""Event logs as JSON Lines, one CloudEvent a line."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pandas as pd

from leadlab.errors import BadInput
from leadlab.schema.cloudevents import cloudevent_of, from_cloudevent
from leadlab.schema.event import Event
from leadlab.schema.intake import log_from_events
from leadlab.schema.log import EventLog
from leadlab.schema.rows import event_fields


def write_jsonl(log: EventLog, path: Path, *, zipped: bool) -> None:
    """Write each event as a line; the same log gives the same bytes.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_jsonl(log_from_events([]), Path(folder) / "none.jsonl", zipped=False)
    ...     len(read_jsonl(Path(folder) / "none.jsonl", zipped=False))
    0
    """
    with path.open("wb") as raw:
        packed = gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) if zipped else raw
        with io.TextIOWrapper(packed, encoding="utf-8", newline="\n") as stream:
            for fields in event_fields(log):
                line = json.dumps(
                    cloudevent_of(**fields), ensure_ascii=False, separators=(",", ":")
                )
                stream.write(line + "\n")


def read_jsonl(path: Path, *, zipped: bool) -> EventLog:
    """Read CloudEvents, one a line; a line that is no usable event is kept apart.

    Returns
    -------
    EventLog
        ``row`` in ``refused`` is the number of the line, from 0.

    Raises
    ------
    BadInput
        The first line is JSON but no CloudEvent: a file of another kind.
    ValueError, OSError, EOFError, zlib.error
        A line that is no JSON; an archive cut short. `leadlab.schema.codec.read_log` tells them
        as `BrokenFile`.

    Examples
    --------
    >>> import tempfile
    >>> line = ('{"specversion":"1.0","id":"1","source":"/web","type":"Inquiry","subject":"ann",'
    ...         '"time":"2026-03-01T10:00:00Z"}')
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "log.jsonl"
    ...     _ = file.write_text(line)
    ...     read_jsonl(file, zipped=False).lead.values().tolist()
    ['ann']
    """
    events: list[Event] = []
    refused: list[dict[str, Any]] = []
    with path.open("rb") as raw:
        if zipped and not raw.read(1):
            raise EOFError("no byte in a gzip file")
        raw.seek(0)
        stream: Any = gzip.GzipFile(fileobj=raw) if zipped else raw
        for number, line in enumerate(stream):
            if not line.strip():
                continue
            given = json.loads(line)
            try:
                events.append(from_cloudevent(given))
            except BadInput as error:
                if not events and not refused and error.what == "not a CloudEvent":
                    raise
                refused.append(
                    {
                        "row": number,
                        "field": error.where or "event",
                        "reason": error.what,
                        "got": str(error.got)[:200],
                        "record": line.decode().rstrip("\n"),
                    }
                )
    log = log_from_events(events)
    if not refused:
        return log
    tables = [pd.DataFrame(refused), *([] if log.refused is None else [log.refused])]
    return log.with_refused(pd.concat(tables, ignore_index=True))

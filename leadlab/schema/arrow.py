"""Event logs as Arrow tables: names as dictionaries, numbers and times as they are."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa

from leadlab.errors import BrokenFile
from leadlab.schema.intake import log_from_frame
from leadlab.schema.log import Coded, EventLog

_MARK = b"leadlab.eventlog"
_CODED = ("tenant", "lead", "kind", "agent", "source")
_REQUIRED = ("id", "tenant", "lead", "kind")


def to_arrow(log: EventLog) -> pa.Table:
    """`log` as an Arrow table: names as dictionaries, `at` in microseconds UTC, NaN as null.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"lead": ["ann"], "kind": ["Inquiry"], "at": ["2026-03-01"]})
    >>> log = log_from_frame(table, lead="lead", kind="kind", at="at")
    >>> to_arrow(log).column_names
    ['id', 'tenant', 'lead', 'kind', 'at', 'value', 'agent', 'source']
    """
    columns: dict[str, Any] = {
        "id": pa.array(log.id, type=pa.string()),
        "tenant": _dictionary(log.tenant),
        "lead": _dictionary(log.lead),
        "kind": _dictionary(log.kind),
        "at": pa.array(log.at_us, type=pa.timestamp("us", tz="UTC")),
        "value": pa.array(log.value, from_pandas=True),
        "agent": _dictionary(log.agent),
        "source": _dictionary(log.source),
    }
    for name, column in log.data.items():
        if isinstance(column, Coded):
            columns[name] = _dictionary(column)
        else:
            columns[name] = pa.array(column, from_pandas=True)
    mark = json.dumps({"version": 1, "repeated": log.repeated, "data": list(log.data)})
    return pa.table(columns).replace_schema_metadata({_MARK: mark.encode()})


def _dictionary(column: Coded) -> pa.Array:
    codes = pa.array(column.codes, mask=column.codes < 0)
    return pa.DictionaryArray.from_arrays(codes, pa.array(column.names, type=pa.string()))


def from_arrow(table: pa.Table, **columns: Any) -> EventLog:
    """Take an Arrow table: one of `to_arrow`, or any other if `columns` says what is where.

    Parameters
    ----------
    table : pyarrow.Table
    **columns
        The arguments of `leadlab.schema.intake.log_from_frame`; none for a table of `to_arrow`.

    Raises
    ------
    BrokenFile
        It is no event log, and no columns are named.

    Examples
    --------
    >>> table = pa.table({"who": ["ann"], "what": ["Inquiry"], "when": ["2026-03-01"]})
    >>> log = from_arrow(table, lead="who", kind="what", at="when")
    >>> from_arrow(to_arrow(log)).kind.values().tolist()
    ['Inquiry']
    """
    if columns:
        return log_from_frame(table.to_pandas(), **columns)
    try:
        mark = json.loads((table.schema.metadata or {})[_MARK])
        names = list(mark["data"])
        coded: dict[str, Any] = {name: _coded(table[name]) for name in _CODED}
        log = EventLog(
            id=_texts(table["id"]),
            at_us=_ints(table["at"]),
            value=_floats(table["value"]),
            data={n: _floats(table[n]) if _is_float(table[n]) else _coded(table[n]) for n in names},
            repeated=int(mark["repeated"]),
            **coded,
        )
    except (KeyError, ValueError, TypeError, pa.ArrowException) as error:
        raise BrokenFile(
            "not an event log",
            got=f"columns {', '.join(table.column_names[:8])}",
            hint="Name the columns of another table: lead=..., kind=..., at=....",
        ) from error
    nameless = [n for n in _REQUIRED if table[n].null_count]
    if nameless or bool((log.at_us < 0).any()):
        raise BrokenFile("an event without a name or a time", where=(nameless or ["at"])[0])
    return log.canonical()


def _is_float(column: pa.ChunkedArray) -> bool:
    return bool(pa.types.is_floating(column.type))


def _texts(column: pa.ChunkedArray) -> Any:
    return column.cast(pa.string()).to_numpy(zero_copy_only=False).astype(object)


def _ints(column: pa.ChunkedArray) -> Any:
    if not pa.types.is_timestamp(column.type) or column.null_count:
        raise TypeError("'at' holds no times")
    return column.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()).to_numpy().copy()


def _floats(column: pa.ChunkedArray) -> Any:
    return column.cast(pa.float64()).to_numpy(zero_copy_only=False).copy()


def _coded(column: pa.ChunkedArray) -> Coded:
    if not pa.types.is_dictionary(column.type):
        column = column.cast(pa.string()).dictionary_encode()
    whole = column.unify_dictionaries().combine_chunks()
    if isinstance(whole, pa.ChunkedArray):  # no chunk at all: no row
        return Coded.constant(None, 0)
    codes = whole.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
    return Coded(codes, _texts(pa.chunked_array([whole.dictionary])))

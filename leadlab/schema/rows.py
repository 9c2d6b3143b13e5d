"""A log's events one by one, for what leaves the columns: the wire, a page, a person."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import numpy as np

from leadlab.schema.event import Event
from leadlab.schema.log import Coded, Column, EventLog

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def _listed(column: Column) -> list[Any]:
    """Return entries as Python holds them, None where missing."""
    if isinstance(column, Coded):
        return list(column.values())
    out = column.astype(object)
    out[np.isnan(column)] = None
    return list(out)


def event_fields(log: EventLog) -> Iterator[dict[str, Any]]:
    """Give each event's fields, in the log's order; a further field that is missing is left out.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"lead": ["ann"], "kind": ["Inquiry"], "at": ["2026-03-01"]})
    >>> log = EventLog.from_frame(table, lead="lead", kind="kind", at="at")
    >>> next(event_fields(log))["lead"]
    'ann'
    """
    own = {
        "id": log.id.tolist(),
        "tenant": _listed(log.tenant),
        "lead": _listed(log.lead),
        "kind": _listed(log.kind),
        "at": [_EPOCH + dt.timedelta(microseconds=us) for us in log.at_us.tolist()],
        "value": _listed(log.value),
        "agent": _listed(log.agent),
        "source": _listed(log.source),
    }
    further = {name: _listed(column) for name, column in log.data.items()}
    for position, entries in enumerate(zip(*own.values(), strict=True)):
        data = {n: v for n, c in further.items() if (v := c[position]) is not None}
        yield {**dict(zip(own, entries, strict=True)), "data": data}


def events_of(log: EventLog) -> Iterator[Event]:
    """Give each event as a record; the way back is `leadlab.schema.intake.log_from_events`.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"lead": ["ann"], "kind": ["Inquiry"], "at": ["2026-03-01"]})
    >>> log = EventLog.from_frame(table, lead="lead", kind="kind", at="at")
    >>> [event.kind for event in events_of(log)]
    ['Inquiry']
    """
    for fields in event_fields(log):
        yield Event.model_validate(fields)

"""The leads of a log that a kept model never saw, and those it may have learned from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlab.errors import BadInput, EmptyInput, UnknownName
from leadlab.features.batch import build
from leadlab.features.feature_set import FeatureSet
from leadlab.features.table import FeatureTable
from leadlab.models.files.model_file import About
from leadlab.models.landmarks import label_landmarks
from leadlab.schema.log import Coded, EventLog

QUARTERS = 4
"""A field of numbers is cut at its quartiles."""


@dataclass(frozen=True, eq=False)
class Side:
    """Landmarks with a known label.

    Attributes
    ----------
    table : FeatureTable, n rows
    label : int array, shape (n,)
    lead : int array, shape (n,)
        One number per tenant and lead.
    event : int array, shape (n,)
        Position in the log of the event that each landmark is at.
    """

    table: FeatureTable
    label: NDArray[np.int64]
    lead: NDArray[np.int64]
    event: NDArray[np.int64]


def split_at_test(log: EventLog, features: FeatureSet, about: About) -> tuple[Side, Side]:
    """Landmarks at each event, before and after the moment that the model's test began.

    Before are those of earlier leads whose label was known by then; after, all of the leads whose
    first landmark came then or later. What is neither is on no side.

    Parameters
    ----------
    log : EventLog
        The training log, or one that goes on from it.
    features : FeatureSet
        The model's.
    about : About
        What the model's file says; its notes name the moment.

    Raises
    ------
    BadInput
        If the file names no such moment, horizon or outcome.
    EmptyInput
        If there is no lead on a side.
    """
    start = about.notes.get("test_start_us")
    if start is None or about.horizon_days is None or not about.converted:
        raise BadInput(
            "the model's file does not say what it was tested on",
            where="notes.test_start_us",
            hint="Train it with leadlab train.",
        )
    table = build(log, features, "each event")
    marks = label_landmarks(
        table,
        log,
        converted=about.converted,
        ended=about.ended,
        horizon_days=about.horizon_days,
    )
    usable = np.isin(np.arange(len(marks)), marks.usable)
    first_us = np.full(int(marks.lead.max()) + 1, np.iinfo(np.int64).max)
    np.minimum.at(first_us, marks.lead[usable], marks.as_of_us[usable])
    later = first_us[marks.lead] >= int(start)
    before = np.flatnonzero(usable & ~later & (marks.window_end_us <= int(start)))
    after = np.flatnonzero(usable & later)
    moment = f"{np.datetime64(int(start), 'us').astype('datetime64[s]')} UTC"
    for rows, when in ((before, "before"), (after, "from")):
        if not len(rows):
            raise EmptyInput(
                f"no lead with a known outcome {when} the start of the model's test",
                got=f"{len(log)} events",
                expected=f"leads {when} {moment}",
            )
    sides = (
        Side(table.take(rows), marks.label[rows].astype(np.int64), marks.lead[rows], rows)
        for rows in (before, after)
    )
    first, second = sides
    return first, second


def as_known(log: EventLog, field: str) -> NDArray[np.object_]:
    """A field of the log as it was last known of the lead at each event; None where it was not.

    Parameters
    ----------
    log : EventLog
        n events.
    field : str
        source, agent, kind, tenant, value or a further field; numbers are cut at their quartiles.

    Raises
    ------
    UnknownName
        If the log has no such field.

    Examples
    --------
    >>> table = pd.DataFrame({"lead": ["a", "a"], "kind": "x", "at": ["2026-01-01", "2026-01-02"],
    ...                       "source": ["web", None]})
    >>> log = EventLog.from_frame(table, lead="lead", kind="kind", at="at", source="source")
    >>> as_known(log, "source").tolist()
    ['web', 'web']
    """
    own = {name: getattr(log, name) for name in ("source", "agent", "kind", "tenant", "value")}
    known = {**own, **log.data}
    if field not in known:
        raise UnknownName("field", field, known)
    column = known[field]
    values = pd.Series(column.values() if isinstance(column, Coded) else column)
    filled = values.groupby([log.tenant.codes, log.lead.codes]).ffill()
    if not isinstance(column, Coded):
        filled = pd.qcut(filled, QUARTERS, duplicates="drop").astype(str).where(filled.notna())
    return np.array([None if pd.isna(one) else str(one) for one in filled], dtype=object)

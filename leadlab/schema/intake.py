"""Anybody's table of events into an `EventLog`; what cannot be used is kept apart, with reasons."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from leadlab.errors import BadInput, BadRows, UnknownName
from leadlab.schema.columns import read_data, read_number, read_text
from leadlab.schema.fields import DEFAULT_TENANT, MAX_TEXT, RESERVED
from leadlab.schema.identity import content_ids
from leadlab.schema.log import Coded, Column, EventLog
from leadlab.schema.refusal import Problem, refused_rows
from leadlab.schema.times import moment_us, read_times

if TYPE_CHECKING:
    from leadlab.schema.event import Event

OnBad = Literal["keep apart", "raise"]


def log_from_frame(
    frame: pd.DataFrame,
    *,
    lead: str,
    kind: str,
    at: str,
    id: str | None = None,
    value: str | None = None,
    tenant: str | None = None,
    agent: str | None = None,
    source: str | None = None,
    data: Sequence[str] | Mapping[str, str] = (),
    tz: str = "UTC",
    at_format: str | None = None,
    now: dt.datetime | str | None = None,
    on_bad: OnBad = "keep apart",
    max_text: int = MAX_TEXT,
) -> EventLog:
    """Take a table with one event a row.

    Parameters
    ----------
    frame : DataFrame, n rows
        Not changed. No rows give an empty log.
    lead, kind, at : str
        Columns: about whom, what happened, when. A row that lacks one is refused.
    id : str, optional
        Column of event ids. A repeated id is the same event: the earliest is kept and the others
        are counted in ``EventLog.repeated``. Without the column, or where it is missing, the id is
        a hash of all the event says (`leadlab.schema.identity`), so an overlapping export read
        again changes nothing.
    value : str, optional
        Column of the event's main number. Text that is no number, infinite numbers and sizes above
        1e15 are refused; missing is NaN.
    tenant : str, optional
        Column of tenants; "default" for all rows when not given.
    agent, source : str, optional
        Columns; may be missing.
    data : sequence of column names, or mapping of field name to column name
        Further fields: numbers as float64, all else as text.
    tz : str
        Zone of times that name none.
    at_format : str, optional
        ``"s" | "ms" | "us" | "ns"`` for numbers or a ``strptime`` form for text; without it see
        `leadlab.schema.times`.
    now : datetime or ISO 8601, optional
        Times later than a day after this are refused; the clock's now when not given.
    on_bad : "keep apart" or "raise"
        What to do with rows that cannot be used: into ``EventLog.refused``, or `BadRows`.
    max_text : int
        Characters above which a text refuses its row.

    Returns
    -------
    EventLog
        In canonical order; the refused rows, with row number and reason, in ``refused``.

    Raises
    ------
    UnknownName
        A named column is not in the frame.
    BadRows
        Rows were refused and ``on_bad="raise"``.
    BadInput
        An argument cannot be used.

    Examples
    --------
    >>> table = pd.DataFrame({
    ...     "contact": ["ann", "ann", None],
    ...     "what": ["Inquiry", "Viewed Property", "Inquiry"],
    ...     "when": ["2026-03-01 09:00", "2026-03-02 10:30", "2026-03-02 11:00"],
    ...     "price": [None, 450_000, None]})
    >>> log = log_from_frame(table, lead="contact", kind="what", at="when", value="price")
    >>> len(log), log.kind.values().tolist(), log.value.tolist()
    (2, ['Inquiry', 'Viewed Property'], [nan, 450000.0])
    >>> log.refused[["row", "field", "reason"]].values.tolist()
    [[2, 'contact', 'missing']]
    """
    fields = _data_names(data)
    texts = {"lead": lead, "kind": kind, "tenant": tenant, "agent": agent, "source": source}
    _check(
        frame,
        [c for c in (at, id, value, *texts.values(), *fields.values()) if c is not None],
        on_bad,
    )
    problems: list[Problem] = []
    columns: dict[str, Any] = {}
    for name, column in texts.items():
        columns[name] = _text(frame, name, column, max_text, problems)
    columns["at_us"], found = read_times(
        frame[at], tz=tz, now_us=moment_us(now, tz), at_format=at_format
    )
    problems += found
    columns["value"] = np.full(len(frame), np.nan)
    if value is not None:
        columns["value"], found = read_number(frame[value])
        problems += found
    further: dict[str, Column] = {}
    for name, column in fields.items():
        further[name], found = read_data(frame[column], max_text=max_text)
        problems += found
    given = Coded.constant(None, len(frame))
    if id is not None:
        given, found = read_text(frame[id], max_text=max_text)
        problems += found
    refused = refused_rows(frame, problems)
    if refused is not None and on_bad == "raise":
        raise _bad_rows(refused, len(frame))
    return _assemble(columns, further, given, refused)


def _data_names(data: Sequence[str] | Mapping[str, str]) -> dict[str, str]:
    """Field name to column name; refuses names that an event's own fields bear."""
    if isinstance(data, str):
        raise BadInput("data names several columns", got=data, expected=f"[{data!r}]")
    fields = dict(data) if isinstance(data, Mapping) else {name: name for name in data}
    for name in fields:
        if name in RESERVED:
            raise BadInput(
                "a further field bears the name of an event's own field",
                where="data",
                got=name,
                hint=f"Rename it: data={{'{name}_2': '{name}'}}.",
            )
    return fields


def _check(frame: pd.DataFrame, wanted: Sequence[str], on_bad: str) -> None:
    if not isinstance(frame, pd.DataFrame):
        raise BadInput("not a table", got=type(frame).__name__, expected="a pandas DataFrame")
    if on_bad not in ("keep apart", "raise"):
        raise BadInput(
            "unknown way", where="on_bad", got=on_bad, expected="'keep apart' or 'raise'"
        )
    for name in wanted:
        if name not in frame.columns:
            raise UnknownName("column", str(name), map(str, frame.columns), where="frame")
        if not isinstance(frame[name], pd.Series):
            raise BadInput("two columns bear one name", where="frame", got=name)


def _text(
    frame: pd.DataFrame, name: str, column: str | None, max_text: int, problems: list[Problem]
) -> Coded:
    """Read one of the event's own text fields; appends what is wrong to `problems`."""
    if column is None:
        return Coded.constant(DEFAULT_TENANT if name == "tenant" else None, len(frame))
    coded, found = read_text(frame[column], max_text=max_text)
    problems += found
    if name in ("lead", "kind", "tenant"):
        missing = coded.codes < 0
        for problem in found:
            missing &= ~problem.rows
        if missing.any():
            problems.append(Problem(str(column), "missing", missing))
    return coded


def _assemble(
    columns: dict[str, Any],
    data: dict[str, Column],
    given: Coded,
    refused: pd.DataFrame | None,
) -> EventLog:
    """Put the usable rows together and give ids where none are."""
    keep = np.ones(len(given), dtype=bool)
    if refused is not None:
        keep[refused["row"].to_numpy()] = False
    own = {name: _kept(column, keep) for name, column in columns.items()}
    data = {name: _kept(column, keep) for name, column in data.items()}
    ids = given.take(keep).values()
    nameless = given.codes[keep] < 0
    if nameless.any():
        further = {f"data:{name}": column for name, column in data.items()}
        ids[nameless] = content_ids({**own, **further}, nameless)[nameless]
    return EventLog(id=ids, **own, data=data, refused=refused).canonical()


def _kept(column: Any, keep: Any) -> Any:
    return column.take(keep).compact() if isinstance(column, Coded) else column[keep]


def _bad_rows(refused: pd.DataFrame, n: int) -> BadRows:
    first = refused.iloc[0]
    return BadRows(
        f"{len(refused)} of {n} rows cannot be used; the first: {first['reason']}",
        where=f"row {first['row']}, field '{first['field']}'",
        got=first["got"],
        hint='With on_bad="keep apart" they are set aside in EventLog.refused.',
    )


def log_from_events(
    events: Iterable[Event], *, now: dt.datetime | str | None = None, on_bad: OnBad = "keep apart"
) -> EventLog:
    """Column form of `events`.

    Whole numbers and truth values in ``data`` become float64; a field that is text in one event is
    text in all.

    Parameters
    ----------
    events : iterable of Event
    now, on_bad
        As in `log_from_frame`.

    Examples
    --------
    >>> len(log_from_events([]))
    0
    """
    listed = list(events)
    table: dict[str, Any] = {
        name: pd.Series([getattr(e, name) for e in listed], dtype=object)
        for name in RESERVED
        if name != "at"
    }
    table["at"] = pd.to_datetime(pd.Series([e.at for e in listed], dtype=object), utc=True)
    names = dict.fromkeys(name for e in listed for name in e.data)
    for name in names:
        table[f"data:{name}"] = pd.Series([e.data.get(name) for e in listed], dtype=object)
    return log_from_frame(
        pd.DataFrame(table),
        id="id",
        tenant="tenant",
        lead="lead",
        kind="kind",
        at="at",
        value="value",
        agent="agent",
        source="source",
        data={name: f"data:{name}" for name in names},
        now=now,
        on_bad=on_bad,
    )

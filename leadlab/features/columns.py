"""From an event log to the columns that a plan reads."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from leadlab.errors import BadInput
from leadlab.features.clock import calendar_bits
from leadlab.features.opcodes import FIRST_CONDITION
from leadlab.features.plan import Compiled
from leadlab.schema.log import MISSING, Coded, EventLog

I32 = NDArray[np.int32]
Vocabulary = dict[str, dict[str, int]]
"""Codes of the texts of each field; grows with what is read."""


class Columns(NamedTuple):
    """Per-event columns of a tape; see `leadlab.features.arrays.Tape`."""

    at_us: NDArray[np.int64]
    kind: I32
    bits: NDArray[np.uint64]
    numbers: NDArray[np.float64]
    codes: I32


def new_vocabulary(compiled: Compiled) -> Vocabulary:
    """Codes of the texts that features name, per field."""
    vocabulary: Vocabulary = {field: {} for field in compiled.fields}
    for (field, text), code in compiled.categories.items():
        vocabulary[field][text] = code
    return vocabulary


def columns(compiled: Compiled, log: EventLog, tz: str, vocabulary: Vocabulary) -> Columns:
    """Translate a log; `vocabulary` learns texts it has not seen.

    Parameters
    ----------
    compiled : Compiled
        Plan of one entity, with the names of its columns.
    log : EventLog
        n events.
    tz : str
        Zone of local hours and weekdays.
    vocabulary : dict
        From `new_vocabulary`; shared by all batches of one store.
    """
    kinds = compiled.kinds
    bits = calendar_bits(log.at_us, tz) if compiled.calendar else np.zeros(len(log), np.uint64)
    for i, (field, text) in enumerate(compiled.conditions):
        column = _text(log, field)
        code = column.index.get(text)
        if code is not None:
            bits |= (column.codes == code).astype(np.uint64) << np.uint64(FIRST_CONDITION + i)
    numbers = np.full((len(log), max(len(compiled.numbers), 1)), np.nan)
    for i, name in enumerate(compiled.numbers):
        if name:
            numbers[:, i] = _number(log, name)
    codes = np.full((len(log), max(len(compiled.fields), 1)), MISSING, np.int32)
    for i, field in enumerate(compiled.fields):
        codes[:, i] = translate(_text(log, field), partial(_learn, vocabulary[field]))
    kind = translate(log.kind, lambda text: kinds.get(text, 0))
    return Columns(log.at_us, kind, bits, numbers, codes)


def _learn(known: dict[str, int], text: str) -> int:
    return known.setdefault(text, len(known))


def translate(column: Coded, code_of: Callable[[str], int]) -> I32:
    """Recode a text column, asking `code_of` once for each text that occurs; missing stays -1."""
    if len(column.names) <= len(column.codes):
        table = np.array([code_of(t) for t in column.names] + [MISSING], np.int32)
        return table[column.codes]
    used, inverse = np.unique(column.codes, return_inverse=True)
    texts = [MISSING if c == MISSING else code_of(column.names[c]) for c in used]
    return np.array(texts, np.int32)[inverse]


def _text(log: EventLog, field: str) -> Coded:
    """A text field of a log; missing throughout where the log has none of that name."""
    if field in ("agent", "source", "kind", "lead", "tenant"):
        named: Coded = getattr(log, field)
        return named
    column = log.data.get(field)
    if column is None:
        return Coded.constant(None, len(log))
    if not isinstance(column, Coded):
        raise BadInput("a feature needs a text field", where=field, got="numbers", expected="text")
    return column


def _number(log: EventLog, field: str) -> NDArray[np.float64]:
    """A number field of a log; NaN throughout where the log has none of that name."""
    if field == "value":
        return log.value
    column = log.data.get(field)
    if column is None:
        return np.full(len(log), np.nan)
    if isinstance(column, Coded):
        raise BadInput(
            "a feature needs a number field", where=field, got="text", expected="numbers"
        )
    return column

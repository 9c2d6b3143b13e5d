"""Anybody's columns of text and numbers, as `Coded` and float64."""

from __future__ import annotations

import datetime as dt
import json
import math
import numbers
from collections.abc import Hashable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from leadlab.schema.fields import LARGEST, has_control, tidy
from leadlab.schema.log import F64, I32, MISSING, Coded, Column, Names
from leadlab.schema.refusal import Mask, Problem

EXACT = 2**53
"""Integers beyond this are names, not quantities: float64 would merge neighbours."""
_TEXT = ("string", "empty")


def _name_of(value: Any, nested: bool) -> str | None:
    """`value` as text; None where it is no name (nor, if `nested`, data that JSON can hold)."""
    if isinstance(value, str):
        return value
    if isinstance(value, float | np.floating) and math.isfinite(value):
        return str(int(value)) if value == int(value) else repr(float(value))
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, bytes | float | np.floating):
        return None
    if isinstance(value, list | dict | set | tuple | np.ndarray):
        return None
    return str(value)


def _as_json(value: Any) -> Any:
    if isinstance(value, Hashable) and not isinstance(value, tuple):
        return value
    return json.dumps(value, default=str, ensure_ascii=False)


def _distinct(column: pd.Series, nested: bool) -> tuple[I32, Names]:
    """Codes and distinct values of any column; what cannot be hashed is told apart as JSON."""
    if (
        nested
        and column.dtype == object
        and pd.api.types.infer_dtype(column, skipna=True) != "string"
    ):
        column = column.map(_as_json, na_action="ignore")
    try:
        codes, values = pd.factorize(column)
    except TypeError:
        hashable = column.map(lambda v: v if isinstance(v, Hashable) else (repr(v),))
        codes, values = pd.factorize(hashable)
    out = np.empty(len(values), dtype=object)
    out[:] = list(values)
    return codes.astype(np.int32), out


def _not_unicode(names: list[str]) -> Mask:
    """Mark text that UTF-8 cannot hold (lone surrogates)."""
    try:
        "".join(names).encode()
    except UnicodeEncodeError:
        return np.array([any("\ud800" <= c <= "\udfff" for c in name) for name in names], bool)
    return np.zeros(len(names), dtype=bool)


def read_text(
    column: pd.Series, *, max_text: int, strip: bool = True, nested: bool = False
) -> tuple[Coded, list[Problem]]:
    """Read `column` as text.

    Numbers become text (1001.0 is "1001": a missing entry makes floats of whole numbers), dates
    ISO 8601. Missing and "" are missing, which is no problem here.

    Parameters
    ----------
    column : Series, length n
    max_text : int
        Characters above which a row is refused.
    strip : bool
        The text is a name: white space is cut at both ends and single within, and control
        characters refuse the row.
    nested : bool
        Keep lists and mappings as JSON text instead of refusing them.

    Examples
    --------
    >>> column, problems = read_text(pd.Series([7.0, None, " x ", "yyyy"]), max_text=3)
    >>> column.values().tolist(), [(p.reason, p.rows.tolist()) for p in problems]
    (['7', None, 'x', 'yyyy'], [('longer than 3 characters', [False, False, False, True])])
    """
    codes, values = _distinct(column, nested)
    found = [_name_of(v, nested) for v in values]
    wrong = np.array([name is None for name in found], dtype=bool)
    names = ["" if name is None else tidy(name) if strip else name for name in found]
    broken = _not_unicode(names)
    names = ["" if bad else name for name, bad in zip(names, broken, strict=True)]
    some = strip and has_control("".join(names))
    control = np.array([some and has_control(name) for name in names], dtype=bool)
    long = np.array([len(name) > max_text for name in names], dtype=bool)
    problems = []
    for reason, bad in (
        ("not text", wrong),
        ("not valid Unicode", broken),
        ("control characters", control),
        (f"longer than {max_text} characters", long),
    ):
        if bad.any():
            problems.append(Problem(str(column.name), reason, np.append(bad, False)[codes]))
    merged = Coded.of(names)
    return Coded(np.append(merged.codes, np.int32(MISSING))[codes], merged.names), problems


def read_number(column: pd.Series, *, largest: float = LARGEST) -> tuple[F64, list[Problem]]:
    """Read `column` as numbers; missing and "" are NaN, True is 1.

    Examples
    --------
    >>> values, problems = read_number(pd.Series(["3.5", None, "$4", float("inf")], dtype=object))
    >>> values[:2].tolist(), [(p.reason, p.rows.tolist()) for p in problems]
    ([3.5, nan], [('not a number', [False, False, True, False]),
    ('infinite', [False, False, False, True])])
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    given = column.notna().to_numpy(bool)
    if column.dtype.kind in "mMc":
        values = np.full(len(column), np.nan)
    elif column.dtype.kind in "iufb":
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        given = given & ~(column == "").fillna(False).to_numpy(bool)
        values = _parsed(column)
    problems = []
    with np.errstate(invalid="ignore"):
        for reason, bad in (
            ("not a number", given & np.isnan(values)),
            ("infinite", np.isinf(values)),
            (f"larger than {largest:g}", np.isfinite(values) & (np.abs(values) > largest)),
        ):
            if bad.any():
                problems.append(Problem(str(column.name), reason, bad))
    return values, problems


def _parsed(column: pd.Series) -> F64:
    """Text and objects as float64; NaN where they are no real number."""
    if column.dtype == object:
        column = column.where(
            column.map(lambda v: isinstance(v, str | numbers.Real | Decimal | np.bool_)), None
        )
    parsed = pd.to_numeric(column, errors="coerce")
    return parsed.to_numpy(dtype=np.float64, na_value=np.nan)


def _is_quantity(value: Any) -> bool:
    if isinstance(value, int | np.integer):
        return abs(int(value)) <= EXACT
    return isinstance(value, numbers.Real | Decimal | np.bool_)


def _is_numeric(column: pd.Series) -> bool:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return _is_numeric(pd.Series(column.cat.categories))
    if column.dtype == object:
        if pd.api.types.infer_dtype(column, skipna=True) in _TEXT:
            return False
        return bool(column[column.notna()].map(_is_quantity).all())
    if column.dtype.kind in "iu":
        return column.empty or bool(column.between(-EXACT, EXACT).fillna(True).all())
    return column.dtype.kind in "fb"


def read_data(column: pd.Series, *, max_text: int) -> tuple[Column, list[Problem]]:
    """Read a further field: a column of numbers as float64, all else as text.

    Whole numbers beyond 2**53 are kept as text, since float64 would change them. Lists and
    mappings become JSON text. Infinite numbers are a problem.

    Examples
    --------
    >>> read_data(pd.Series([True, None, 2], dtype=object), max_text=9)[0]
    array([ 1., nan,  2.])
    >>> read_data(pd.Series(["a", 2, {"k": 1}], dtype=object), max_text=9)[0].values().tolist()
    ['a', '2', '{"k": 1}']
    """
    if _is_numeric(column):
        return read_number(column, largest=np.inf)
    return read_text(column, max_text=max_text, strip=False, nested=True)

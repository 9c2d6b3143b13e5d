"""Lengths of time as people write them: "15m", "1h 30m", "2d"."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

_UNIT_US = {"s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}
_PART = re.compile(r"(\d{1,6})\s*([smhd])")
_WHOLE = re.compile(r"\s*(?:\d{1,6}\s*[smhd]\s*)+")


def span_us(text: Any) -> int:
    """Microseconds of a length of time.

    Parameters
    ----------
    text : str
        Numbers with ``s``, ``m``, ``h`` or ``d``.

    Raises
    ------
    ValueError
        If it is something else; a bare number says no unit.

    Examples
    --------
    >>> span_us("1h 30m") // 1_000_000
    5400
    """
    if not isinstance(text, str) or not _WHOLE.fullmatch(text):
        raise ValueError("not a length of time such as 15m, 1h 30m or 2d")
    return sum(int(n) * _UNIT_US[unit] for n, unit in _PART.findall(text))


Span = Annotated[int, BeforeValidator(span_us), Field(ge=0)]
"""A length of time in microseconds, written as text."""
LongSpan = Annotated[int, BeforeValidator(span_us), Field(gt=0, le=366 * _UNIT_US["d"])]
"""The same, above nothing and at most a year."""

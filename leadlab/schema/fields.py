"""Field types that the records share: one meaning of a name, a number and a moment."""

from __future__ import annotations

import datetime as dt
import math
import re
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
)

MAX_TEXT = 10_000
"""Characters that a text may have."""
LARGEST = 1e15
"""Largest size of an event's number."""
LARGEST_FURTHER = 1e30
"""Largest size of a number among the further fields; features are float32."""
DEFAULT_TENANT = "default"
RESERVED = ("id", "tenant", "lead", "kind", "at", "value", "agent", "source")
"""Names that an event's further fields may not bear."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_FIRST = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_LAST = dt.datetime(2200, 1, 1, tzinfo=dt.UTC)


def tidy(text: str) -> str:
    """Cut white space at both ends of `text`, and make it single within.

    Examples
    --------
    >>> tidy("  Viewed   Property ")
    'Viewed Property'
    """
    if _is_tidy(text):
        return text
    return " ".join(text.split())


def _is_tidy(text: str) -> bool:
    """Tell quickly, for most names, that nothing need be done; no is not always no."""
    return text.isprintable() and "  " not in text and text[:1] != " " and text[-1:] != " "


def has_control(text: str) -> bool:
    """Tell whether `text` holds control characters, which CloudEvents forbids in attributes.

    Examples
    --------
    >>> has_control("ann"), has_control("an" + chr(7))
    (False, True)
    """
    return _CONTROL.search(text) is not None


def _name(text: str) -> str:
    if text and _is_tidy(text):
        return text
    name = tidy(text)
    if not name:
        raise ValueError("is empty")
    if has_control(name):
        raise ValueError("holds control characters")
    return name


def _none_if_blank(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


def _none_if_nan(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


def _plausible(moment: dt.datetime) -> dt.datetime:
    if moment < _FIRST:
        raise ValueError("before 1970-01-01")
    if moment >= _LAST:
        raise ValueError("in the future")
    return moment.astimezone(dt.UTC)


Name = Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(_name)]
"""A text that names something: never empty, white space tidied, no control characters."""
MaybeName = Annotated[Name | None, BeforeValidator(_none_if_blank)]
Text = Annotated[str, Field(max_length=MAX_TEXT)]
Number = Annotated[
    Annotated[float, Field(allow_inf_nan=False, ge=-LARGEST, le=LARGEST)] | None,
    BeforeValidator(_none_if_nan),
]
"""A finite number; NaN is None."""
Moment = Annotated[AwareDatetime, AfterValidator(_plausible)]
"""A time with a zone, from 1970 to 2200, kept in UTC."""


class Record(BaseModel):
    """What all records share: frozen, no unknown fields, numbers given for names become text."""

    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)

"""Messages of alerts: a template with a fixed list of fields, checked before it is ever used."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from string import Formatter
from typing import Any

from pydantic_core import PydanticCustomError

from leadlab.stream.alerts.fields import unknown

COMMON = ("rule", "tenant", "severity", "at")
OF_LEAD = ("lead", "agent", "kind", "source", "tier", "probability", "previous", "churn", "value")
NUMBERS = ("probability", "previous", "churn", "value")
_SPEC = re.compile(r"[<>^]?[+]?\d{0,2},?(\.\d)?[sfge%]?")
MOST = 500
"""Characters of a template."""


def check_template(text: str, fields: Iterable[str]) -> None:
    """Refuse a template that names anything but `fields`, or formats in a way that could fail.

    Examples
    --------
    >>> check_template("{lead} is at {probability:.0%}", ["lead", "probability"])
    """
    known = [*fields]
    if len(text) > MOST:
        raise PydanticCustomError("template", "a message has {n} characters at most", {"n": MOST})
    try:
        parts = [*Formatter().parse(text)]
    except ValueError as error:
        raise PydanticCustomError("template", "{why}", {"why": str(error)}) from error
    for _, name, spec, conversion in parts:
        if name is None:
            continue
        if name not in known:
            raise unknown("field of this message", name, known, "message")
        if conversion or not _SPEC.fullmatch(spec or ""):
            raise PydanticCustomError(
                "template", "cannot format {name} so", {"name": f"{{{name}}}"}
            )
    try:
        text.format_map({name: 0.5 if name in NUMBERS else "x" for name in known})
    except ValueError as error:
        raise PydanticCustomError("template", "{why}", {"why": str(error)}) from error


def fill(text: str, values: Mapping[str, Any]) -> str:
    """The message, on one line.

    Examples
    --------
    >>> fill("{lead} is {tier}", {"lead": "ann", "tier": "hot"})
    'ann is hot'
    """
    return " ".join(text.format_map(values).split())

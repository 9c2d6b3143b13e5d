"""What rules may look at: fields of a lead's result, and names of a tenant's figures."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pydantic_core import PydanticCustomError

from leadlab.stream.outcome import TIERS

NUMBERS = ("probability", "low", "high", "previous", "change", "churn", "value", "late", "fallback")
"""Numbers of a row; ``change`` is probability minus previous, flags are 0 or 1."""
ORDERED = ("tier", "tier_before")
TEXTS = ("kind", "agent", "source")
FEATURE = "feature."
"""What precedes the name of a feature of the model."""
_FIGURE = re.compile(r"[a-z][a-z0-9_]{0,63}(\[[^\[\]]{1,100}\])?")


def unknown(what: str, name: str, known: Iterable[str], *at: str) -> PydanticCustomError:
    """The error that a validator raises for a name that nothing bears.

    Parameters
    ----------
    what, name : str
    known : iterable of str
    *at : str
        Where, below the place that Pydantic knows.
    """
    told = {"what": what, "name": name, "known": [*known], "at": at}
    return PydanticCustomError("unknown_name", "unknown {what} '{name}'", told)


def check_field(of: str, name: str) -> None:
    """Refuse a name that is no field of a lead, or cannot be one of a figure."""
    if of == "window":
        if not _FIGURE.fullmatch(name):
            raise PydanticCustomError(
                "figure", "a figure's name has small letters, digits and underscores only"
            )
        return
    known = (*NUMBERS, *ORDERED, *TEXTS)
    if name not in known and not (name.startswith(FEATURE) and len(name) > len(FEATURE)):
        raise unknown("field of a lead", name, known, "field")


def level_of(name: str, given: float | str) -> float:
    """A number to compare a field with; tiers are numbered from cold.

    Examples
    --------
    >>> level_of("tier", "hot"), level_of("probability", 0.5)
    (2.0, 0.5)
    """
    if name in ORDERED:
        if given not in TIERS:
            raise unknown("tier", str(given), TIERS)
        return float(TIERS.index(str(given)))
    if isinstance(given, str):
        raise PydanticCustomError("number", "this field is compared with a number")
    return float(given)

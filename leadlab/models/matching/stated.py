"""A table of what leads wrote on a form, as preferences."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from leadlab.errors import BadInput
from leadlab.models.matching.preferences import Preferences

MOST_COMMUTE_MIN = 25.0
"""Taken for a commute that is fine, where a lead gave its place of work and no time."""


def stated_preferences(table: pd.DataFrame) -> dict[str, Preferences]:
    """Preferences by lead; an empty field is no wish.

    Parameters
    ----------
    table : DataFrame
        ``lead`` and any of ``budget_usd``, ``city``, ``bedrooms_min``, ``property_sub_type``,
        ``work_latitude`` with ``work_longitude``.

    Raises
    ------
    BadInput
        There is no column ``lead``, or a wish is one that no home can meet.

    Examples
    --------
    >>> found = stated_preferences(pd.DataFrame({"lead": ["a", "b"], "budget_usd": [4e5, None]}))
    >>> found["a"].budget_usd, found["b"].budget_usd
    (400000.0, None)
    """
    if "lead" not in table:
        raise BadInput("whose preferences?", where="stated", expected="a column lead")
    fields = ("lead", "budget_usd", "city", "bedrooms_min", "property_sub_type",
              "work_latitude", "work_longitude")  # fmt: skip
    columns = [table[f].tolist() if f in table else [None] * len(table) for f in fields]
    return {str(row[0]): _one(*row[1:]) for row in zip(*columns, strict=True)}


def _one(budget: Any, city: Any, beds: Any, sort: Any, north: Any, east: Any) -> Preferences:
    return Preferences(
        budget_usd=_number(budget),
        areas=(str(city),) if _text(city) else (),
        bedrooms_min=_number(beds),
        types=(str(sort),) if _text(sort) else (),
        work=None if _number(north) is None or _number(east) is None else (north, east),
        commute_max_min=MOST_COMMUTE_MIN,
    )


def _text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _number(value: Any) -> float | None:
    return None if value is None or math.isnan(float(value)) else float(value)

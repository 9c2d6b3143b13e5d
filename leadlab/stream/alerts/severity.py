"""How grave an alert is."""

from __future__ import annotations

from typing import Literal

Severity = Literal["info", "warning", "critical"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "critical")
"""From the least."""


def at_least(severity: Severity, other: Severity) -> bool:
    """Whether one is as grave as another.

    Examples
    --------
    >>> at_least("critical", "warning"), at_least("info", "warning")
    (True, False)
    """
    return SEVERITIES.index(severity) >= SEVERITIES.index(other)

"""Rules on a tenant's figures: looked at once in each bucket of time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from leadlab.stream.alerts.conditions import Change, Crossing, Threshold
from leadlab.stream.alerts.lead_rules import Hit
from leadlab.stream.alerts.rule import Rule
from leadlab.stream.alerts.watches import Seen, watch_of

BUCKET_US = 10_000_000
"""Figures are looked at once in so long, of stream time."""
Figures = Mapping[str, Mapping[str, float]]
"""Named figures by tenant."""


class WindowRule:
    """A threshold, crossing or change of one of a tenant's figures."""

    def __init__(self, number: int, rule: Rule, condition: Threshold | Crossing | Change) -> None:
        self.rule, self.number = rule, number
        self._field, self._watch = condition.field, watch_of(condition)
        self._tenants: dict[str, int] = {}

    def hits(self, figures: Figures, now_us: int) -> Iterator[Hit]:
        """Each tenant of which the condition holds."""
        names = [t for t in sorted(figures) if self._field in figures[t] and self._mine(t)]
        if not names:
            return
        places = [self._tenants.setdefault(t, len(self._tenants)) for t in names]
        values = np.array([figures[t][self._field] for t in names], np.float64)
        unknown = np.full(len(names), np.nan)
        times = np.full(len(names), now_us, np.int64)
        holds = self._watch.hits(
            Seen(np.array(places, np.int64), times, values, unknown, len(self._tenants))
        )
        for i in np.flatnonzero(holds).tolist():
            mark = f"bucket {now_us // BUCKET_US}"
            yield Hit(now_us, -1, self.number, names[i], "", mark, float(values[i]), -1)

    def _mine(self, tenant: str) -> bool:
        return self.rule.tenants is None or tenant in self.rule.tenants

    def state(self) -> dict[str, Any]:
        """What the watch remembers of which tenant."""
        return {**self._watch.state(), "tenants": list(self._tenants)}

    def restore(self, state: dict[str, Any]) -> None:
        """Remember it again."""
        self._watch.restore(state)
        self._tenants = {tenant: i for i, tenant in enumerate(state["tenants"])}

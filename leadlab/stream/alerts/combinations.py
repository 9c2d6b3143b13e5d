"""Rules on other rules: all of them, or any, within a span."""

from __future__ import annotations

import math
from typing import Any

from leadlab.stream.alerts.conditions import Combination
from leadlab.stream.alerts.lead_rules import Hit
from leadlab.stream.alerts.rule import Rule


class CombinationRule:
    """A combination; remembers when each part last held, of which lead or tenant.

    Parameters
    ----------
    number : int
        Position in the file.
    rule : Rule
    condition : Combination
    parts : dict of int to Rule
        The other rules by position.
    """

    def __init__(
        self, number: int, rule: Rule, condition: Combination, parts: dict[int, Rule]
    ) -> None:
        self.rule, self.number, self._within_us = rule, number, condition.within
        self._all, self._parts = bool(condition.all), parts
        self._order = {part: i for i, part in enumerate(parts)}
        self._last: dict[tuple[int, str, str], int] = {}

    def hit(self, part: Hit) -> Hit | None:
        """Take a hit of a part; gives the combination's own where it holds now."""
        if part.rule not in self._parts:
            return None
        if self.rule.tenants is not None and part.tenant not in self.rule.tenants:
            return None
        by_lead = self.rule.per == "lead"
        lead = part.lead if by_lead else ""
        key = (self._order[part.rule], part.tenant, lead)
        self._last[key] = max(part.at_us, self._last.get(key, part.at_us))
        if (by_lead and not lead) or not (self._all_held(part, lead) if self._all else True):
            return None
        mark = f"{self._parts[part.rule].name} {part.mark}"
        return Hit(part.at_us, part.order, self.number, part.tenant, lead, mark, math.nan, -1)

    def _all_held(self, part: Hit, lead: str) -> bool:
        since_us = part.at_us - self._within_us
        for number, rule in self._parts.items():
            whose = lead if rule.reach == "lead" else ""
            last = self._last.get((self._order[number], part.tenant, whose))
            if last is None or last < since_us:
                return False
        return True

    def forget(self, now_us: int) -> None:
        """Let go of what is too old to count."""
        since_us = now_us - self._within_us
        self._last = {key: at for key, at in self._last.items() if at >= since_us}

    def state(self) -> dict[str, Any]:
        """When which part last held."""
        return {"last": [[*key, at] for key, at in self._last.items()]}

    def restore(self, state: dict[str, Any]) -> None:
        """Remember it again."""
        self._last = {(part, tenant, lead): at for part, tenant, lead, at in state["last"]}

"""Outcomes made by hand, and rules without a file, for the tests of alerts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from leadlab.schema.log import Coded, EventLog
from leadlab.stream.alerts import RulesFile, parse_rules
from leadlab.stream.outcome import OUTCOME, TIERS, Outcome

S = 1_000_000
HEAD = "version: 1\nroutes: {app: {type: app}}\nrules:\n"


@dataclass(frozen=True)
class Row:
    """One event and its score."""

    at_us: int
    lead: str = "ann"
    kind: str = "Inquiry"
    tenant: str = "acme"
    probability: float = 0.1
    previous: float = np.nan
    churn: float = np.nan
    tier: str = "cold"
    value: float = np.nan
    agent: str | None = None


def rules(text: str) -> RulesFile:
    """Rules given as items of the list, indented by two."""
    return parse_rules(HEAD + text, "test.yaml")


def outcome(rows: Sequence[Row], first: int, places: dict[tuple[str, str], int]) -> Outcome:
    """The outcome of some rows; `first` is the offset of the first."""
    made = np.zeros(len(rows), OUTCOME)
    made["offset"] = np.arange(first, first + len(rows))
    made["place"] = [places.setdefault((r.tenant, r.lead), len(places)) for r in rows]
    made["at_us"] = made["as_of_us"] = made["arrived_us"] = [r.at_us for r in rows]
    for name in ("probability", "previous", "churn"):
        made[name] = [getattr(r, name) for r in rows]
    made["tier"] = [TIERS.index(r.tier) for r in rows]
    made["tier_before"] = -1
    made["reason"] = made["mover"] = -1
    events = EventLog(
        id=np.array([f"e{first + i}" for i in range(len(rows))], object),
        tenant=Coded.of([r.tenant for r in rows]),
        lead=Coded.of([r.lead for r in rows]),
        kind=Coded.of([r.kind for r in rows]),
        at_us=np.array([r.at_us for r in rows], np.int64),
        value=np.array([r.value for r in rows], float),
        agent=Coded.of([r.agent for r in rows]),
        source=Coded.constant(None, len(rows)),
    )
    return Outcome(made, events, ("m",), ())


def outcomes(rows: Sequence[Row], cuts: Sequence[int]) -> list[Outcome]:
    """The same rows in batches that end at `cuts`."""
    places: dict[tuple[str, str], int] = {}
    ends = sorted({min(c, len(rows)) for c in cuts} | {len(rows)})
    made, start = [], 0
    for end in ends:
        made.append(outcome(rows[start:end], start, places))
        start = end
    return made

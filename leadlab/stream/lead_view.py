"""Everything there is to say of one lead now: score, reasons, what moved it, health, insights.

Read from the engine's store as of a moment, so a silent lead's score is that of now and not that of
its last event. Costs about a millisecond and is made when somebody asks, never on the event path.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlab.errors import BadInput
from leadlab.explain.insights import insights
from leadlab.explain.reasons import changes, reasons
from leadlab.explain.scorer import sigmoid
from leadlab.explain.scores import Scores
from leadlab.features.table import FeatureTable
from leadlab.models.health.assess import assess_health
from leadlab.schema.log import EventLog
from leadlab.schema.wire import WireEvent
from leadlab.schema.wire_columns import columns_of
from leadlab.stream.lane import Lane
from leadlab.stream.lead_book import NEVER
from leadlab.stream.outcome import NO_TIER, TIERS

Fetch = Callable[[Sequence[int]], list[WireEvent]]
"""Gives the journal's events at some offsets."""


@dataclass(frozen=True, slots=True)
class Read:
    """What was read of a lead while the engine held still.

    Attributes
    ----------
    tenant, lead : str
    book : structured scalar of `leadlab.stream.lead_book.LEAD`
    now : FeatureTable
        One row, as of the moment asked for.
    before : FeatureTable or None
        One row, as of just before its last event; None where there was none before.
    offsets : list of int
        Of its events of late, newest first.
    kind, agent, ended : str or None
    """

    tenant: str
    lead: str
    book: Any
    now: FeatureTable
    before: FeatureTable | None
    offsets: list[int]
    kind: str | None
    agent: str | None
    ended: str | None


def read_lead(lane: Lane, tenant: str, lead: str, at_us: int) -> Read:
    """Read a lead; call it while the engine holds still, and make the rest of it afterwards.

    Raises
    ------
    UnknownName
        Where the tenant has no such lead.
    """
    place = lane.place_of(tenant, lead)
    book = lane.book.rows[place].copy()
    before = None
    if book["previous_us"] != NEVER and book["previous_us"] < book["as_of_us"]:
        with suppress(BadInput):  # what that score stood on was let go of
            before = lane.store.read([lead], int(book["previous_us"]), tenant=tenant)
    return Read(
        tenant, lead, book, lane.read(tenant, [lead], at_us), before,
        [int(offset) for offset in lane.book.timeline(place)],
        lane.kinds.named(book["kind"]), lane.agents.named(book["agent"]),
        lane.kinds.named(book["ended"]),
    )  # fmt: skip


def told(lane: Lane, read: Read, fetch: Fetch, timeline: int = 20) -> dict[str, Any]:
    """All of a lead as plain JSON values.

    Parameters
    ----------
    lane : Lane
        Its models; nothing of its state is touched.
    read : Read
    fetch : callable
    timeline : int
        Events at most.

    Returns
    -------
    dict
        Probabilities with their interval, tier, model and whether rules stood in, reasons and
        what moved the score (effects in log-odds), churn, health, insights, events.
    """
    scores = lane.scores_of(read.now)
    happened = fetch(read.offsets)
    health = None
    if lane.plan.health:
        health = assess_health(read.now, chance=scores)
    silence = lane.forecast_of(read.now)
    own = _log(happened, read)
    found = insights(scores, 0, health=health, events=own, silence=silence)
    moved = []
    if read.before is not None:
        moved = changes(lane.scores_of(read.before), scores, 0, own)
    return {
        **score_told(lane, scores, 0),
        "lead": read.lead,
        "agent": read.agent,
        "previous": number(read.book["previous"]),
        "last_event": {"kind": read.kind, "at_us": int(read.book["event_us"])},
        "events": int(read.book["events"]),
        "ended": read.ended,
        "cursor": int(read.book["offset"]),
        "changes": [{"text": c.text, "effect": c.effect, "event": c.event} for c in moved],
        "churn": silence,
        "health": _health(health),
        "insights": [
            {
                "kind": one.kind, "text": one.text, "priority": one.priority,
                "evidence": [e.id for e in one.evidence],
            }
            for one in found.found
        ],
        "timeline": [event_told(event) for event in happened[:timeline]],
    }  # fmt: skip


def score_told(lane: Lane, scores: Scores, row: int) -> dict[str, Any]:
    """One score with its reasons as plain JSON values."""
    probability = scores.probability[row : row + 1]
    tier = int(lane.plan.tiers(probability)[0])
    return {
        "as_of_us": int(scores.table.as_of_us[row]),
        "probability": number(probability[0]),
        "low": number(scores.low[row]),
        "high": number(scores.high[row]),
        "interval_of": scores.of,
        "base_probability": float(sigmoid(np.array([scores.base]))[0]),
        "margin": float(scores.margin[row]),
        "tier": None if tier == NO_TIER else TIERS[tier],
        "model": scores.model_version,
        "calibration": scores.calibration,
        "method": scores.method,
        "fallback": scores.method == "rules",
        "why_fallback": scores.why if scores.method == "rules" else None,
        "reasons": [
            {"text": r.text, "family": r.family, "effect": r.effect, "features": list(r.features)}
            for r in reasons(scores, row, 6)
        ],
    }


def event_told(event: WireEvent) -> dict[str, Any]:
    """An event as plain JSON values; texts of messages are left out."""
    data = {k: v for k, v in event.data.items() if k not in ("text", "body", "subject")}
    return {
        "id": event.id, "kind": event.kind, "at_us": event.at_us, "value": event.value,
        "agent": event.agent, "source": event.source, "data": data,
    }  # fmt: skip


def number(value: float | np.floating[Any]) -> float | None:
    """A number as JSON has them: None for NaN."""
    return None if np.isnan(value) else float(value)


def _health(found: Any) -> dict[str, Any] | None:
    if found is None:
        return None
    one = found[0]
    return {
        "score": number(one.score),
        "level": one.level,
        "parts": {part.name: number(part.points) for part in one.parts},
    }


def _log(happened: Sequence[WireEvent], read: Read) -> EventLog | None:
    if not happened:
        return None
    fields: dict[str, Any] = {}
    for event in happened:
        for name, value in event.data.items():
            fields.setdefault(name, "text" if isinstance(value, str) else "number")
    log, _ = columns_of(happened, fields)
    mine: NDArray[np.bool_] = log.at_us <= read.now.as_of_us[0]
    return log.take(mine).canonical()

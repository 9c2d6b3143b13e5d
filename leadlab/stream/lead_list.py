"""A tenant's leads by score or by last event, page by page."""

from __future__ import annotations

import base64
import binascii
import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from leadlab.errors import BadInput
from leadlab.stream.lane import Lane
from leadlab.stream.lead_view import number
from leadlab.stream.outcome import NO_TIER, TIERS

Order = Literal["probability", "recent"]
LARGEST = 500


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which leads, and which page of them.

    Attributes
    ----------
    tier : str or None
        One of `TIERS`.
    agent : str or None
        Who acted for the lead last.
    ended : bool or None
        Only leads whose outcome is known, only open ones, or both.
    at_least : float
        Lowest probability.
    order : "probability" or "recent"
        Highest first, or latest event first.
    limit : int
    cursor : str or None
        From the page before.
    """

    tier: str | None = None
    agent: str | None = None
    ended: bool | None = None
    at_least: float = 0.0
    order: Order = "probability"
    limit: int = 50
    cursor: str | None = None


def page(lane: Lane, tenant: str, wanted: Wanted) -> dict[str, Any]:
    """One page of a tenant's leads; call it while the engine holds still.

    The cursor stands behind the last lead shown, by its score then: a lead whose score moved
    meanwhile may come twice or be missed, as with any list that lives.

    Raises
    ------
    BadInput
        If the cursor or the limit cannot be used.
    """
    if not 1 <= wanted.limit <= LARGEST:
        raise BadInput(
            "unusable limit", where="limit", got=wanted.limit, expected=f"1 to {LARGEST}"
        )
    rows = lane.book.rows[: len(lane.names)]
    mine = (rows["tenant"] == lane.tenants.get(tenant, -1)) & lane.book.seen[: len(rows)]
    if wanted.tier is not None:
        mine &= rows["tier"] == TIERS.index(wanted.tier)
    if wanted.agent is not None:
        mine &= rows["agent"] == lane.agents.get(wanted.agent, -2)
    if wanted.ended is not None:
        mine &= (rows["ended"] >= 0) == wanted.ended
    if wanted.at_least > 0:
        mine &= rows["now"] >= wanted.at_least
    places = np.flatnonzero(mine)
    key = rows["now" if wanted.order == "probability" else "event_us"][places].astype(np.float64)
    key = np.nan_to_num(key, nan=-1.0)
    total = len(places)
    if wanted.cursor is not None:
        last_key, last_place = _opened(wanted.cursor)
        behind = (key < last_key) | ((key == last_key) & (places > last_place))
        places, key = places[behind], key[behind]
    more = len(places) > wanted.limit
    if len(places) > 4 * wanted.limit:
        bar = np.partition(key, -wanted.limit)[-wanted.limit]
        places, key = places[key >= bar], key[key >= bar]
    order = np.lexsort((places, -key))[: wanted.limit]
    shown = [_row(lane, int(p)) for p in places[order]]
    cursor = _sealed(float(key[order[-1]]), int(places[order[-1]])) if more and shown else None
    return {"leads": shown, "total": total, "next": cursor}


def _row(lane: Lane, place: int) -> dict[str, Any]:
    one = lane.book.rows[place]
    tier = int(one["tier"])
    return {
        "lead": lane.names[place][1],
        "probability": number(one["now"]),
        "low": number(one["low"]),
        "high": number(one["high"]),
        "previous": number(one["previous"]),
        "churn": number(one["now_churn"]),
        "tier": None if tier == NO_TIER else TIERS[tier],
        "agent": lane.agents.named(int(one["agent"])),
        "events": int(one["events"]),
        "last_event": {
            "kind": lane.kinds.named(int(one["kind"])), "at_us": int(one["event_us"])
        },
        "ended": lane.kinds.named(int(one["ended"])),
        "as_of_us": int(one["now_us"]),
        "model": lane.models[one["model"]],
        "fallback": bool(one["fallback"]),
    }  # fmt: skip


def _sealed(key: float, place: int) -> str:
    return base64.urlsafe_b64encode(f"{key!r},{place}".encode()).decode()


def _opened(cursor: str) -> tuple[float, int]:
    try:
        key, place = base64.urlsafe_b64decode(cursor.encode()).decode().split(",")
        opened = float(key), int(place)
    except (ValueError, binascii.Error) as error:
        raise BadInput("not a cursor of this list", where="cursor", got=cursor[:80]) from error
    if math.isnan(opened[0]):
        raise BadInput("not a cursor of this list", where="cursor", got=cursor[:80])
    return opened

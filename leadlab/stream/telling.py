"""From outcomes to messages: what those who watch are told, and nothing for those who do not.

Of a micro-batch each lead's newest result is told once on ``scores`` (and on ``churn`` where a
model foresees silence); each event on ``activity``; figures of the windows on ``performance``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence, Set
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlab.stream.lane import Lane
from leadlab.stream.lead_view import number
from leadlab.stream.message import Message
from leadlab.stream.outcome import NO_TIER, TIERS, Outcome

Publish = Callable[[Sequence[Message]], None]
Watched = Callable[[], Set[str] | None]
"""Gives the tenants that anybody watches; None for all."""


STANDING = 5_000
"""Leads that somebody who comes anew is told of."""


class Teller:
    """A sink that turns outcomes into messages.

    Parameters
    ----------
    publish : callable
        Takes messages in order.
    watched : callable
        Asked once a batch; nothing is made for other tenants.

    Examples
    --------
    >>> from leadlab.schema.wire import WireEvent
    >>> from leadlab.stream.entries import Entries
    >>> from leadlab.stream.plan import Plan
    >>> said = []
    >>> teller = Teller(said.extend, lambda: {"acme"})
    >>> event = WireEvent("e1", "acme", "ann", "Inquiry", 5)
    >>> teller.take(Lane(Plan()).take(Entries([event], np.array([1]), np.array([6]))))
    >>> [(m.topic, m.lead) for m in said]
    [('activity', 'ann'), ('scores', 'ann')]
    """

    def __init__(self, publish: Publish, watched: Watched) -> None:
        self._publish = publish
        self._watched = watched

    def take(self, outcome: Outcome) -> None:
        """Tell a batch; what comes again while recovering is not told again."""
        if not len(outcome) or outcome.receipt.get("replayed"):
            return
        watched = self._watched()
        rows = np.arange(len(outcome))
        if watched is not None:
            tenants = outcome.events.tenant
            wanted = np.array([name in watched for name in tenants.names], np.bool_)
            rows = np.flatnonzero(wanted[tenants.codes])
        if len(rows):
            self._publish([*_activity(outcome, rows), *_scores(outcome, _newest(outcome, rows))])

    def reread(self, lane: Lane, places: NDArray[np.int64], before: NDArray[Any]) -> None:
        """Tell leads whose score or chance of silence moved though nothing happened."""
        watched = self._watched()
        now = lane.book.rows[places]
        moved = np.abs(now["now"] - before["now"]) > 1e-4
        moved |= np.abs(now["now_churn"] - before["now_churn"]) > 1e-4
        told = []
        for k in np.flatnonzero(moved):
            tenant, lead = lane.names[places[k]]
            if watched is None or tenant in watched:
                told.append(_silent(lane, tenant, lead, now[k], before[k]))
        if told:
            self._publish(told)


def _newest(outcome: Outcome, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The last row of each lead among `rows`, in order."""
    _, last = np.unique(outcome.rows["place"][rows][::-1], return_index=True)
    return np.sort(rows[len(rows) - 1 - last])


def _columns(outcome: Outcome, rows: NDArray[np.int64]) -> Iterator[tuple[Any, ...]]:
    events = outcome.events.take(rows)
    return zip(
        rows.tolist(), events.id, events.tenant.values(), events.lead.values(),
        events.kind.values(), strict=True,
    )  # fmt: skip


def _tier(code: int) -> str | None:
    return None if code == NO_TIER else TIERS[code]


def _activity(outcome: Outcome, rows: NDArray[np.int64]) -> Iterator[Message]:
    for row, event, tenant, lead, kind in _columns(outcome, rows):
        one = outcome.rows[row]
        yield Message(
            topic="activity", tenant=tenant, at_us=int(one["at_us"]), key=event, lead=lead,
            agent=outcome.agent(row), tier=_tier(int(one["tier"])), event=event,
            body={"kind": kind, "late": bool(one["late"]), "offset": int(one["offset"])},
        )  # fmt: skip


def _scores(outcome: Outcome, rows: NDArray[np.int64]) -> Iterator[Message]:
    for row, event, tenant, lead, kind in _columns(outcome, rows):
        one = outcome.rows[row]
        shared = {
            "tenant": tenant, "at_us": int(one["as_of_us"]), "key": lead, "lead": lead,
            "agent": outcome.agent(row), "tier": _tier(int(one["tier"])), "event": event,
        }  # fmt: skip
        body = {
            "probability": number(one["probability"]),
            "low": number(one["low"]),
            "high": number(one["high"]),
            "previous": number(one["previous"]),
            "tier": _tier(int(one["tier"])),
            "tier_before": _tier(int(one["tier_before"])),
            "kind": kind,
            "model": outcome.models[one["model"]],
            "fallback": bool(one["fallback"]),
            "reasons": _families(outcome, one["reason"], one["effect"]),
            "moved_by": _families(outcome, one["mover"], one["moved"]),
            "offset": int(one["offset"]),
        }
        yield Message(topic="scores", body=body, **shared)
        if not np.isnan(one["churn"]):
            yield Message(topic="churn", body={"probability": float(one["churn"])}, **shared)


def _families(
    outcome: Outcome, which: NDArray[np.int16], effect: NDArray[np.float32]
) -> list[dict[str, Any]]:
    return [
        {"family": outcome.families[f], "effect": round(float(x), 4)}
        for f, x in zip(which.tolist(), effect, strict=True)
        if f >= 0
    ]


def _silent(lane: Lane, tenant: str, lead: str, now: Any, before: Any) -> Message:
    tier = _tier(int(lane.plan.tiers(np.array([now["now"]]))[0]))
    return Message(
        topic="scores", tenant=tenant, at_us=int(now["now_us"]), key=lead, lead=lead,
        agent=lane.agents.named(int(now["agent"])), tier=tier,
        body={
            "probability": number(now["now"]),
            "previous": number(before["now"]),
            "churn": number(now["now_churn"]),
            "tier": tier,
            "kind": None,
            "model": lane.plan.version,
            "silent": True,
            "offset": int(now["offset"]),
        },
    )  # fmt: skip


def standing_messages(
    lane: Lane,
    tenant: str,
    *,
    agents: Collection[str] = (),
    leads: Collection[str] = (),
    most: int = STANDING,
) -> Iterator[Message]:
    """The newest scores of a tenant's leads, those that changed last, for who comes anew.

    Parameters
    ----------
    lane : Lane
    tenant : str
    agents, leads : collection of str
        Only of these; of all where there are none.
    most : int
    """
    rows = lane.book.rows[: len(lane.names)]
    mine = (rows["tenant"] == lane.tenants.get(tenant, -1)) & lane.book.seen[: len(rows)]
    if agents:
        mine &= np.isin(rows["agent"], [lane.agents.get(name, -2) for name in agents])
    places = np.flatnonzero(mine)
    if leads:
        places = np.array([p for p in places if lane.names[p][1] in leads], np.int64)
    if len(places) > most:
        places = places[np.argpartition(rows["offset"][places], -most)[-most:]]
    for place in places[np.argsort(rows["offset"][places])]:
        one, lead = rows[place], lane.names[place][1]
        tier = _tier(int(one["tier"]))
        yield Message(
            topic="scores", tenant=tenant, at_us=int(one["as_of_us"]), key=lead, lead=lead,
            agent=lane.agents.named(int(one["agent"])), tier=tier,
            body={
                "probability": number(one["probability"]), "low": number(one["low"]),
                "high": number(one["high"]), "previous": number(one["previous"]), "tier": tier,
                "kind": lane.kinds.named(int(one["kind"])), "model": lane.models[one["model"]],
                "fallback": bool(one["fallback"]), "offset": int(one["offset"]),
            },
        )  # fmt: skip

"""Happenings into an event log: names, prices, what messages say; ids in order of time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlab.data.brokerage.draws import normal
from leadlab.data.brokerage.happening import CODE, KINDS, NO_LISTING, Happening
from leadlab.data.brokerage.messages import INTENTS, meant, measured
from leadlab.data.brokerage.segments import SOURCES
from leadlab.data.brokerage.settings import SOURCE
from leadlab.data.brokerage.texts import compose
from leadlab.data.brokerage.world import World
from leadlab.schema.kinds import Direction, kind_of
from leadlab.schema.log import Coded, EventLog

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
NOBODY = -1
_CHANNELS = ("web", "message", "call", "email", "in person", "form")
_CHANNEL = np.array(
    [_CHANNELS.index(c) if (c := kind_of(kind).channel) else -1 for kind in KINDS], np.int32
)
_BY_TEAM = np.array([kind_of(kind).direction == Direction.FROM_TEAM for kind in KINDS])
BY_LEAD = np.array([kind_of(kind).direction == Direction.FROM_LEAD for kind in KINDS])
"""Kinds that are a sign of life, by code."""
_WRITTEN = np.array([kind in ("Incoming Message", "Incoming Email") for kind in KINDS])
_DEAL = np.array(
    [k in ("Offer Submitted", "Offer Accepted", "Offer Rejected", "Closed") for k in KINDS]
)
_UNPRICED = np.array([kind.startswith(("Showing", "Contract")) for kind in KINDS])


@dataclass(frozen=True, eq=False)
class Told:
    """A log and what was planted in its messages.

    Attributes
    ----------
    log : EventLog
    messages : DataFrame
        One written message a row: ``id``, ``lead``, ``at_us``, ``intent``, ``sentiment``,
        ``urgency``, ``objections``, and ``text`` if there are texts.
    """

    log: EventLog
    messages: pd.DataFrame


def as_log(events: Happening, world: World, first_id: int = 0) -> Told:
    """Put happenings into an event log, in order of time.

    Parameters
    ----------
    events : Happening
    world : World
    first_id : int
        Number of events told before.
    """
    at_us = world.clock.at_us(events.day)
    order = np.lexsort((events.key, at_us))
    events, at_us = events.take(order), at_us[order]
    n, leads = len(events), world.leads
    tail = [f"{number:08d}" for number in range(first_id, first_id + n)]
    ids = np.array([f"{SOURCE}-{number}" for number in tail] or [], dtype=object)
    lead_names = np.array([f"lead-{i:06d}" for i in range(len(leads))], dtype=object)
    agent = np.where(_BY_TEAM[events.kind], leads.agent[events.lead], NOBODY).astype(np.int32)
    registered = events.kind == CODE["Registration"]
    source = np.where(registered, leads.source[events.lead], NOBODY).astype(np.int32)
    columns, messages = _messages(events, world, ids, at_us)
    log = EventLog(
        id=ids,
        tenant=Coded.constant(world.settings.tenant, n),
        lead=Coded(events.lead.astype(np.int32), lead_names).compact(),
        kind=Coded(events.kind.astype(np.int32), np.array(KINDS, dtype=object)).compact(),
        at_us=at_us,
        value=_value(events, world),
        agent=Coded(agent, world.agents.names).compact(),
        source=Coded.constant(SOURCE, n),
        data={
            "channel": Coded(_CHANNEL[events.kind], np.array(_CHANNELS, dtype=object)).compact(),
            "listing": Coded(events.listing.astype(np.int32), world.listings.names).compact(),
            "lead_source": Coded(source, np.array([s.name for s in SOURCES], object)).compact(),
            **columns,
        },
    )
    return Told(log.canonical(), messages)


def _value(events: Happening, world: World) -> F64:
    """List price of the home; what was offered, for offers and closings."""
    value = world.listings.price_usd[np.maximum(events.listing, 0)].copy()
    value[(events.listing == NO_LISTING) | _UNPRICED[events.kind]] = np.nan
    deal = np.flatnonzero(_DEAL[events.kind])
    offered = value[deal] * (0.985 + 0.02 * normal(world.leads.key[events.lead[deal]], "offer"))
    value[deal] = np.round(offered, -2)
    return value


def _messages(
    events: Happening, world: World, ids: NDArray[np.object_], at_us: I64
) -> tuple[dict[str, Coded | F64], pd.DataFrame]:
    """Columns of the log that speak of messages, and the planted truth of them."""
    rows = np.flatnonzero(_WRITTEN[events.kind])
    key = events.key[rows]
    said = meant(key, events.state[rows])
    columns: dict[str, Coded | F64] = {}
    for name, values in zip(("sentiment", "urgency", "length"), measured(key, said), strict=True):
        column = np.full(len(events), np.nan)
        column[rows] = values
        columns[name] = column
    names = np.array([f"lead-{i:06d}" for i in events.lead[rows].tolist()] or [], dtype=object)
    planted = pd.DataFrame(
        {
            "id": ids[rows],
            "lead": names,
            "at_us": at_us[rows],
            "intent": np.array(INTENTS, dtype=object)[said.intent],
            "sentiment": said.sentiment,
            "urgency": said.urgency,
            "objections": said.objections_told(),
        }
    )
    if world.settings.texts:
        texts = compose(key, said)
        length = columns["length"]
        assert isinstance(length, np.ndarray)
        length[rows] = [len(text) for text in texts]
        codes = np.full(len(events), NOBODY, np.int32)
        codes[rows], distinct = pd.factorize(np.array(texts or [], dtype=object))
        columns["text"] = Coded(codes, np.asarray(distinct, dtype=object))
        planted["text"] = texts
    return columns, planted

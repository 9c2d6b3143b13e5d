"""What would raise a lead's health: events that could come next, each run through the pipeline.

Nothing is estimated here: the event is added to what the lead did, as if it happened at that very
moment, features are built anew by the kernel, and the score is taken again. It says what the score
would be then, not that the event would cause a sale.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from leadlab.features.batch import build
from leadlab.models.health.assess import assess_health, health_features
from leadlab.models.health.health import Healths
from leadlab.models.health.weights import LEVELS, HealthWeights
from leadlab.schema.kinds import Direction, kind_of
from leadlab.schema.log import Coded, EventLog, concat


@dataclass(frozen=True, slots=True)
class Lever:
    """Something that could happen next.

    Attributes
    ----------
    text : str
        What to bring about.
    kinds : tuple of str
        Kinds of the events that it would leave, in order; a kind may come more than once.
    """

    text: str
    kinds: tuple[str, ...]


LEVERS = (
    Lever("Answer the request that waits", ("Outgoing Message",)),
    Lever("Agree on a showing", ("Showing Requested", "Showing Scheduled")),
    Lever("Hold a showing", ("Showing Completed",)),
    Lever("Get an offer submitted", ("Offer Submitted",)),
    Lever("Get an answer to a message", ("Outgoing Message", "Incoming Message")),
    Lever("Be called by the lead", ("Incoming Call",)),
    Lever("Send a list of which five homes are looked at", ("Viewed Property",) * 5),
    Lever("Send homes of which two are saved", ("Viewed Property", "Saved Property") * 2),
    Lever("Send an e-mail that is opened and clicked", ("Email Opened", "Email Clicked")),
)
"""What a team can work towards, with the events that it would leave."""


@dataclass(frozen=True, slots=True)
class Raise:
    """What a lever would do to the score.

    Attributes
    ----------
    text : str
    kinds : tuple of str
        Events that are assumed, at the moment of the assessment.
    gain : float
        Points of the score, above 0.
    score : float
        Afterwards.
    level : str
        Afterwards.
    parts : tuple of (str, float)
        Parts that change, and by how many of their own points.
    """

    text: str
    kinds: tuple[str, ...]
    gain: float
    score: float
    level: str
    parts: tuple[tuple[str, float], ...]


def what_raises(
    own: EventLog,
    at_us: int,
    *,
    weights: HealthWeights | None = None,
    tz: str = "UTC",
    levers: tuple[Lever, ...] = LEVERS,
    top: int = 5,
) -> list[Raise]:
    """Levers that would raise the score of one lead, strongest first.

    Parameters
    ----------
    own : EventLog
        Events of one lead; later ones than the moment are not looked at. None: no lever.
    at_us : int
        The moment, microseconds since 1970-01-01 UTC.
    weights : HealthWeights, optional
    tz : str
        Zone of the features.
    levers : tuple of Lever
    top : int
        At most so many.

    Examples
    --------
    >>> import pandas as pd
    >>> log = EventLog.from_frame(pd.DataFrame({"lead": ["ann"], "kind": ["Inquiry"],
    ...     "at": ["2026-03-01"]}), lead="lead", kind="kind", at="at")
    >>> found = what_raises(log, int(log.at_us[0]), top=2)
    >>> [one.text for one in found], found[0].gain > found[1].gain
    (['Send homes of which two are saved', 'Hold a showing'], True)
    """
    weights = HealthWeights.default() if weights is None else weights
    past = own.take(own.at_us <= at_us)
    if not len(past):
        return []
    found = _what_if(past, at_us, weights, tz, levers)
    order = np.argsort(-found.score, kind="stable")
    now, base = float(found.score[0]), found.parts[0]
    raised = []
    for row in order[found.score[order] > now + 1e-9][:top]:
        lever = levers[int(row) - 1]
        moved = found.parts[row] - np.nan_to_num(base)
        names = [part.name for part in weights.parts]
        parts = [(n, float(m)) for n, m in zip(names, moved, strict=True) if abs(m) > 1e-9]
        score = float(found.score[row])
        level = LEVELS[int(found.level[row])]
        raised.append(Raise(lever.text, lever.kinds, score - now, score, level, tuple(parts)))
    return raised


def _what_if(
    past: EventLog, at_us: int, weights: HealthWeights, tz: str, levers: tuple[Lever, ...]
) -> Healths:
    """Row 0 as it is; row k with lever k - 1. Each is a tenant of its own in one log."""
    plain = replace(past, refused=None, repeated=0)
    logs = [replace(plain, tenant=_tenant(0, len(past)))]
    for k, lever in enumerate(levers, start=1):
        logs.append(replace(plain, tenant=_tenant(k, len(past))))
        logs.append(_assumed(past, lever, at_us, k))
    table = build(concat(logs), health_features(weights, tz), np.array([at_us], np.int64))
    number = np.array([int(name) for name in table.tenant.values()])
    return assess_health(table.take(np.argsort(number)), weights=weights)


def _tenant(k: int, n: int) -> Coded:
    return Coded.constant(str(k), n)


def _assumed(past: EventLog, lever: Lever, at_us: int, k: int) -> EventLog:
    """A lever's events at the moment; each home a new one, at the mean price looked at so far."""
    n = len(lever.kinds)
    home = np.array([kind in ("Viewed Property", "Saved Property") for kind in lever.kinds])
    price = past.value[np.isin(past.kind.values(), ("Viewed Property", "Saved Property"))]
    price = price[~np.isnan(price)]
    agent = past.agent.values()[past.agent.codes >= 0]
    by_team = [kind_of(kind).direction == Direction.FROM_TEAM for kind in lever.kinds]
    viewed = np.cumsum([kind == "Viewed Property" for kind in lever.kinds])
    return EventLog(
        id=np.array([f"assumed-{i}" for i in range(n)], dtype=object),
        tenant=_tenant(k, n),
        lead=Coded.constant(str(past.lead.values()[0]), n),
        kind=Coded.of(lever.kinds),
        at_us=np.full(n, at_us, np.int64),
        value=np.where(home, price.mean() if len(price) else np.nan, np.nan),
        agent=Coded.of([str(agent[-1]) if len(agent) and team else None for team in by_team]),
        source=Coded.constant(None, n),
        data={
            "channel": Coded.of([kind_of(kind).channel for kind in lever.kinds]),
            "listing": Coded.of(
                [f"assumed-{v}" if h else None for h, v in zip(home, viewed, strict=True)]
            ),
        },
    )

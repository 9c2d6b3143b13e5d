"""What to do about a lead that may fall silent: a declared table, and who may be written to.

A play belongs to a situation. A situation is seen in what is known of the lead (a request that
waits, fewer visits, a drift in price) and is strengthened by the reasons of the forecast. Who
unsubscribed is left alone, whatever the level.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from leadlab.errors import BadInput, UnknownName
from leadlab.models.churn.model import LEVELS

NO_CONTACT, TASK = "none", "task"
CHANNELS = ("call", "sms", "email", TASK, NO_CONTACT)
REACHING = CHANNELS[:3]
"""These reach the lead and need consent; a task is for the team."""
URGENT, LASTING = ("critical", "high"), ("critical", "high", "medium")
ALL = ("critical", "high", "medium", "low")
UNSUBSCRIBED = "unsubscription_count"


class Why(Protocol):
    """A reason, such as `leadlab.explain.Reason`."""

    @property
    def effect(self) -> float:
        """Log-odds; positive speaks for silence."""

    @property
    def features(self) -> tuple[str, ...]:
        """What it rests on, strongest first."""


@dataclass(frozen=True, slots=True)
class Play:
    """One line of the table.

    Attributes
    ----------
    situation : str
    levels : tuple of str
        Levels at which it is proposed.
    when : tuple of (feature, least, most)
        All must hold of what is known; empty where the situation always holds.
    features : tuple of str
        Reasons that rest on one of these strengthen it.
    channels : tuple of str
        Preferred first.
    within_hours : float
        Deadline.
    words : str
        What to do.
    basis : str
        What it rests on.
    """

    situation: str
    levels: tuple[str, ...]
    when: tuple[tuple[str, float, float], ...]
    features: tuple[str, ...]
    channels: tuple[str, ...]
    within_hours: float
    words: str
    basis: str


@dataclass(frozen=True, slots=True)
class Intervention:
    """What is proposed.

    Attributes
    ----------
    situation, channel, words, basis : str
    within_hours : float
    consent : str
        "recorded", "check first" (nothing is recorded) or "not needed".
    supported : bool
        Whether a reason of the forecast points to the situation.
    """

    situation: str
    channel: str
    within_hours: float
    words: str
    basis: str
    consent: str
    supported: bool


_REPLY = ("request_waiting", "agent_reply_time_mean_30d", "agent_reply_time_latest",
          "messages_per_answer_30d", "touch_count_7d", "touch_recency")  # fmt: skip
_VISITS = ("website_visit_trend_7d", "website_visit_count_7d", "activity_trend_7d",
           "property_view_trend_7d", "property_view_count_7d")  # fmt: skip
_PRICE = ("price_drift_7d", "price_spread_30d", "home_price_mean_30d")
_SHOWN = ("showing_recency", "showing_count_30d", "showing_count_7d", "showing_trend_7d")
PLAYS = (
    Play(
        "no answer yet", ALL, (("request_waiting", 0.25, math.inf),), _REPLY,
        ("call", "sms", "email"), 1.0, "Answer the request that is open, by telephone if you may.",
        "Odds of contact fall steeply between 5 and 30 minutes; leads without contact on the same "
        "day are lost about twice as often.",
    ),
    Play(
        "long reply time", LASTING, (("agent_reply_time_mean_30d", 15.0, math.inf),), _REPLY,
        (TASK,), 24.0, "Hand over to an agent who has time, and say so to the lead's agent.",
        "The mean reply of the trade is about 15 hours; this lead waits longer.",
    ),
    Play(
        "falling visits", LASTING, (("website_visit_trend_7d", -math.inf, -2.0),), _VISITS,
        ("email", "sms"), 24.0, "Send the three newest homes like those looked at most.",
        "Fewer visits than in the week before.",
    ),
    Play(
        "looks at lower prices", LASTING, (("price_drift_7d", -math.inf, -15_000.0),), _PRICE,
        ("email", "call"), 48.0, "Offer homes at the lower price, and ask whether plans changed.",
        "The mean price looked at fell by $15,000 or more against the month.",
    ),
    Play(
        "looks at higher prices", LASTING, (("price_drift_7d", 15_000.0, math.inf),), _PRICE,
        ("email", "call"), 48.0, "Widen the search upward, and offer to talk about financing.",
        "The mean price looked at rose by $15,000 or more against the month.",
    ),
    Play(
        "after a showing", LASTING, (("showing_recency", 1.0, 14.0),), _SHOWN,
        ("call", "sms"), 24.0, "Ask what was missing, and propose the next home to see.",
        "A showing between one day and two weeks ago.",
    ),
    Play(
        "cancelled showing", LASTING, (("cancelled_showing_count_30d", 1.0, math.inf),),
        ("cancelled_showing_count_30d",), ("call", "sms"), 24.0, "Propose two new times.",
        "A showing was cancelled within 30 days.",
    ),
    Play(
        "quiet", URGENT, (), ("activity_recency", "activity_count_30d", "activity_gap"),
        ("call", "email"), 48.0, "One personal word from the agent, with one question.",
        "No nearer situation was seen; the forecast alone speaks for silence.",
    ),
    Play(
        "quiet", ("medium",), (), ("activity_recency", "activity_count_30d", "activity_gap"),
        ("email",), 72.0, "Put on the weekly list of new homes.",
        "No nearer situation was seen; the forecast alone speaks for silence.",
    ),
)  # fmt: skip
"""The whole table: data, read top down."""
LEAVE = Intervention(
    "unsubscribed", NO_CONTACT, 0.0, "Leave alone: no message and no call.",
    "The lead unsubscribed; that is honoured at once.", "not needed", False,
)  # fmt: skip


def propose(
    level: str,
    reasons: Sequence[Why],
    *,
    known: Mapping[str, float],
    consent: Mapping[str, bool] | None = None,
    unsubscribed: bool = False,
    top: int = 3,
    plays: Iterable[Play] = PLAYS,
) -> list[Intervention]:
    """Propose what to do, what the reasons point to first.

    Parameters
    ----------
    level : str
        "critical", "high", "medium" or "low".
    reasons : sequence of Why
        Of the forecast; those with a positive effect speak for silence.
    known : mapping of str to float
        Feature values of the lead, NaN where unknown. A situation on a feature that is not there
        does not hold.
    consent : mapping of str to bool, optional
        Recorded consent to "call", "sms" and "email", each on its own: a channel without a yes is
        not used. Not given: nothing is recorded, and every proposal says to check first.
    unsubscribed : bool
        Also taken from ``unsubscription_count`` in `known`.
    top : int
        At most so many.
    plays : iterable of Play
        The table.

    Returns
    -------
    list of Intervention
        Only `LEAVE` for who unsubscribed. Where no channel of a play has consent, the play becomes
        a task for the team: to ask for consent when the lead comes back.

    Raises
    ------
    UnknownName
        If there is no such level or channel.
    BadInput
        If `top` is below 1.

    Examples
    --------
    >>> found = propose("high", [], known={"request_waiting": 5.0}, consent={"email": True})
    >>> [(one.situation, one.channel, one.within_hours) for one in found]
    [('no answer yet', 'email', 1.0)]
    >>> propose("critical", [], known={}, unsubscribed=True)[0].channel
    'none'
    """
    _check(level, consent, top)
    if unsubscribed or known.get(UNSUBSCRIBED, 0.0) > 0:
        return [LEAVE]
    pointing = {name for why in reasons if why.effect > 0 for name in why.features[:2]}
    held = [p for p in plays if level in p.levels and holds(p.when, known)]
    nearer = [p for p in held if p.when]
    chosen = nearer or held
    found = [_intervention(p, consent, not pointing.isdisjoint(p.features)) for p in chosen]
    return sorted(found, key=lambda one: (not one.supported, one.within_hours))[:top]


def _check(level: str, consent: Mapping[str, bool] | None, top: int) -> None:
    names = [name for name, _ in LEVELS]
    if level not in names:
        raise UnknownName("level", level, names)
    for channel in consent or {}:
        if channel not in REACHING:
            raise UnknownName("channel", channel, REACHING)
    if top < 1:
        raise BadInput("at least one proposal", where="top", got=top)


def holds(conditions: Iterable[tuple[str, float, float]], known: Mapping[str, float]) -> bool:
    """Whether all conditions (feature, least, most) hold; what is unknown does not.

    Examples
    --------
    >>> holds((("visits", 2.0, 5.0),), {"visits": 3.0}), holds((("visits", 2.0, 5.0),), {})
    (True, False)
    """
    return all(low <= known.get(name, math.nan) <= high for name, low, high in conditions)


def _intervention(play: Play, consent: Mapping[str, bool] | None, supported: bool) -> Intervention:
    if play.channels[0] == TASK:
        channel, words, state = TASK, play.words, "not needed"
    elif consent is None:
        channel, words, state = play.channels[0], play.words, "check first"
    else:
        allowed = [c for c in play.channels if consent.get(c, False)]
        if allowed:
            channel, words, state = allowed[0], play.words, "recorded"
        else:
            words = "No consent to any fitting channel: ask for it when the lead comes back."
            channel, state = TASK, "not needed"
    return Intervention(
        play.situation, channel, play.within_hours, words, play.basis, state, supported
    )

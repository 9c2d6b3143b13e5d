"""Behavioural features of real-estate leads, by theme.

Kinds are those of `leadlab.schema.kinds`. Data fields that the features read where events carry
them: ``channel`` and ``listing`` (text), ``sentiment`` (-1 to 1), ``urgency`` (0 to 1) and
``length`` (characters) of messages; ``value`` is the price in USD of a viewed or saved property.
A field that a log lacks leaves its features unknown (NaN), which the models take.
"""

from __future__ import annotations

from leadlab.features.feature import Events, Feature
from leadlab.features.feature_set import FeatureSet
from leadlab.features.vocabulary import (
    count,
    decay,
    difference,
    distinct,
    events,
    gap,
    gaps,
    highest,
    hour,
    latest,
    lowest,
    mean,
    number,
    rate,
    ratio,
    recency,
    response,
    season,
    tenure,
    trend,
    waiting,
    weekday,
)
from leadlab.schema.kinds import INQUIRIES, Direction, kinds

ACTIVITY = events(*kinds(direction=Direction.FROM_LEAD), noun="activity", plural="activities")
VISITS = events("Visited Website", "Viewed Page", noun="website visit")
VIEWS = events("Viewed Property", noun="property view")
SAVES = events("Saved Property", noun="saved property", plural="saved properties")
SEARCHES = events("Property Search", "Saved Property Search", noun="search", plural="searches")
HOMES = events("Viewed Property", "Saved Property", noun="home", plural="homes looked at")
INQUIRED = events(*INQUIRIES, noun="inquiry", plural="inquiries")
MESSAGES_IN = events("Incoming Message", "Incoming Email", noun="message")
MESSAGES_OUT = events("Outgoing Message", "Outgoing Email", noun="answer")
CALLS_IN = events("Incoming Call", noun="call")
TOUCHES = events(
    "Outgoing Message", "Outgoing Email", "Outgoing Call", noun="touch", plural="touches"
)
REACHES = events(*INQUIRIES, "Incoming Message", "Incoming Email", "Incoming Call", noun="request")
REQUESTED = events("Showing Requested", noun="showing request")
SHOWINGS = events("Showing Completed", "Visited Open House", noun="showing")
SCHEDULED = events("Showing Scheduled", noun="scheduled showing")
CANCELLED = events("Showing Cancelled", noun="cancelled showing")
OFFERS = events("Offer Submitted", noun="offer")
REJECTED = events("Offer Rejected", noun="rejected offer")
DECIDED = events("Offer Accepted", "Offer Rejected", noun="decision on an offer")
OPENED = events("Email Opened", noun="opened e-mail")
CLICKED = events("Email Clicked", noun="clicked e-mail")
UNSUBSCRIBED = events("Unsubscribed", noun="unsubscription")

PRICE = number("value", HOMES, noun="price", unit="USD")
SENTIMENT = number("sentiment", MESSAGES_IN, noun="sentiment", unit="-1 to 1")
URGENCY = number("urgency", MESSAGES_IN, noun="urgency", unit="0 to 1")
LENGTH = number("length", MESSAGES_IN, noun="length", unit="characters")
AGENT_REPLY = response(REACHES, TOUCHES, "agent's reply time")
DECISION = response(OFFERS, DECIDED, "time to a decision on an offer")
LEAD_REPLY = response(TOUCHES, MESSAGES_IN, "lead's reply time")


def _engagement() -> list[Feature]:
    """How much, how lately, how regularly, and whether it is growing."""
    return [
        *(count(ACTIVITY, window) for window in ("1d", "7d", "30d")),
        trend(ACTIVITY, "7d"),
        rate(ACTIVITY, "30d"),
        decay(ACTIVITY, "7d"),
        recency(ACTIVITY),
        tenure(ACTIVITY),
        gap(ACTIVITY),
        mean(gaps(ACTIVITY), "30d"),
        count(VISITS, "7d"),
        trend(VISITS, "7d"),
        count(INQUIRED, "30d"),
        recency(INQUIRED),
        count(OPENED, "30d"),
        count(CLICKED, "30d"),
        count(UNSUBSCRIBED),
    ]


def _search() -> list[Feature]:
    """What is looked for, how focused, at what price."""
    return [
        count(VIEWS, "7d"),
        count(VIEWS, "30d"),
        trend(VIEWS, "7d"),
        decay(VIEWS, "3d"),
        count(SAVES, "30d"),
        ratio(count(SAVES, "30d"), count(VIEWS, "30d"), "saves_per_view_30d").named(
            "saves_per_view_30d", label="saved properties for each property view in 30 days"
        ),
        count(SEARCHES, "30d"),
        distinct("listing", HOMES, "30d"),
        ratio(distinct("listing", HOMES, "30d"), count(HOMES, "30d"), "search_focus_30d").named(
            "search_focus_30d", label="distinct listings for each home looked at in 30 days"
        ),
        mean(PRICE, "30d"),
        lowest(PRICE, "30d"),
        highest(PRICE, "30d"),
        difference(mean(PRICE, "7d"), mean(PRICE, "30d"), "price_drift_7d").named(
            "price_drift_7d", label="mean price looked at in 7 days less that in 30 days"
        ),
        difference(highest(PRICE, "30d"), lowest(PRICE, "30d"), "price_spread_30d").named(
            "price_spread_30d", label="spread of prices looked at in 30 days"
        ),
    ]


def _conversation() -> list[Feature]:
    """Messages, moods, and how long each side waits for the other."""
    return [
        count(MESSAGES_IN, "7d"),
        count(MESSAGES_IN, "30d"),
        trend(MESSAGES_IN, "7d"),
        count(CALLS_IN, "30d"),
        count(TOUCHES, "7d"),
        recency(TOUCHES),
        ratio(
            count(MESSAGES_IN, "30d"), count(MESSAGES_OUT, "30d"), "messages_per_answer_30d"
        ).named("messages_per_answer_30d", label="messages for each answer in 30 days"),
        mean(AGENT_REPLY, "30d"),
        latest(AGENT_REPLY),
        waiting(AGENT_REPLY),
        mean(LEAD_REPLY, "30d"),
        latest(SENTIMENT),
        mean(SENTIMENT, "30d"),
        lowest(SENTIMENT, "30d"),
        difference(mean(SENTIMENT, "7d"), mean(SENTIMENT, "30d"), "sentiment_progression_7d").named(
            "sentiment_progression_7d", label="mean sentiment in 7 days less that in 30 days"
        ),
        latest(URGENCY),
        highest(URGENCY, "14d"),
        mean(LENGTH, "30d"),
    ]


def _steps() -> list[Feature]:
    """Steps towards a deal."""
    return [
        count(REQUESTED, "30d"),
        count(SCHEDULED, "14d"),
        count(SHOWINGS, "7d"),
        trend(SHOWINGS, "7d"),
        count(SHOWINGS, "30d"),
        recency(SHOWINGS),
        count(CANCELLED, "30d"),
        count(OFFERS, "30d"),
        recency(OFFERS),
        waiting(DECISION),
        recency(REJECTED),
    ]


def _share(part: Events, name: str, words: str) -> Feature:
    share = ratio(count(part, "30d"), count(ACTIVITY, "30d"), name)
    return share.named(name, label=f"share of activities {words} in 30 days", family="habits")


def _habits() -> list[Feature]:
    """When and through what the lead acts, and the moment of asking."""
    return [
        _share(ACTIVITY.during("weekend"), "weekend_share_30d", "on weekends"),
        _share(ACTIVITY.during("night"), "night_share_30d", "at night"),
        _share(ACTIVITY.during("working hours"), "working_hours_share_30d", "in working hours"),
        _share(CALLS_IN, "call_share_30d", "by telephone"),
        distinct("channel", ACTIVITY, "30d").named(
            "channel_mix_30d", label="distinct channels used in 30 days", family="habits"
        ),
        hour(),
        weekday(),
        season(),
    ]


def _team() -> list[Feature]:
    """How busy the lead's agent and the team are."""
    busy, everybody = TOUCHES.of("agent"), ACTIVITY.of("tenant")
    features = [
        count(busy, "1d"),
        count(busy, "7d"),
        count(REACHES.of("agent"), "7d"),
        count(events("Agent Assigned", noun="assignment").of("agent"), "30d"),
        count(events("Registration", noun="registration").of("tenant"), "7d"),
        trend(everybody, "7d"),
    ]
    return [f.named(f.name, family="agent load") for f in features]


def catalogue(tz: str = "UTC") -> FeatureSet:
    """All of them: engagement, search, conversation, steps, habits, team.

    Parameters
    ----------
    tz : str
        IANA zone of the team, for hours, weekends and nights.

    Examples
    --------
    >>> features = catalogue("America/New_York")
    >>> len(features) >= 45, features["showing_trend_7d"].label
    (True, 'showings in 7 days less the 7 days before')
    """
    themes = (_engagement, _search, _conversation, _steps, _habits, _team)
    return FeatureSet([feature for theme in themes for feature in theme()], tz=tz)

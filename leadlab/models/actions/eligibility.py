"""Which actions are open for a lead at a moment; of each other one, why not and until when."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from leadlab.errors import BadInput, UnknownName
from leadlab.features import catalogue as features
from leadlab.models.actions.catalogue import Action
from leadlab.models.actions.quiet_hours import Place, next_allowed
from leadlab.models.churn.interventions import REACHING, UNSUBSCRIBED, holds

TOUCHED = "touch_recency"
"""Days since the team's last touch, among what is known of a lead."""
LABELS = {feature.name: feature.label for feature in features()}


@dataclass(frozen=True, slots=True)
class Contact:
    """How a lead may be reached.

    Attributes
    ----------
    consent : mapping of str to bool
        A record a channel ("call", "sms", "email"): yes or no. A channel without one is not used.
    place : Place
        For the hours.
    unsubscribed : bool
        Nothing may reach the lead then, whatever the consents say.
    """

    consent: Mapping[str, bool] = field(default_factory=dict)
    place: Place = field(default_factory=Place)
    unsubscribed: bool = False

    def __post_init__(self) -> None:
        for channel in self.consent:
            if channel not in REACHING:
                raise UnknownName("channel", channel, REACHING)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an action is not open.

    Attributes
    ----------
    action : str
    why : tuple of str
        All reasons.
    until : datetime or None
        First moment, in UTC, at which time alone will have removed the reasons; None where
        something else must happen first, which the reasons name.
    """

    action: str
    why: tuple[str, ...]
    until: dt.datetime | None


def eligible(
    actions: Iterable[Action],
    contact: Contact,
    at: dt.datetime,
    known: Mapping[str, float],
) -> tuple[list[Action], list[Refusal]]:
    """Part actions into those that are open now and those that are not.

    Parameters
    ----------
    actions : iterable of Action
    contact : Contact
    at : datetime
        With a zone.
    known : mapping of str to float
        Feature values of the lead as of `at`, NaN where unknown. ``unsubscription_count`` above 0
        counts as unsubscribed.

    Returns
    -------
    list of Action, list of Refusal
        Both in the order given.

    Raises
    ------
    BadInput
        If `at` has no zone.

    Examples
    --------
    >>> from leadlab.models.actions.catalogue import catalogue
    >>> night = dt.datetime(2026, 1, 5, 2, tzinfo=dt.UTC)
    >>> ann = Contact({"sms": True}, Place(("America/New_York",), ("NY",)))
    >>> table = catalogue()
    >>> _, (text, mail) = eligible(
    ...     [table["answer by text"], table["weekly list"]], ann, night, {})
    >>> text.why[0], text.until.isoformat()
    ('quiet hours where the lead is', '2026-01-05T13:00:00+00:00')
    >>> mail.why[0], mail.until
    ('no consent to email on record', None)
    """
    if at.tzinfo is None:
        raise BadInput("a moment without a zone", where="at", got=at)
    fine, refused = [], []
    for action in actions:
        refusal = _refusal(action, contact, at.astimezone(dt.UTC), known)
        if refusal is None:
            fine.append(action)
        else:
            refused.append(refusal)
    return fine, refused


def _refusal(
    action: Action, contact: Contact, at: dt.datetime, known: Mapping[str, float]
) -> Refusal | None:
    lasting = [] if holds(action.when, known) else [_unmet(action, known)]
    passing: list[str] = []
    until: dt.datetime | None = at
    rested = at + _rest(action, known)
    if rested > at:
        passing.append(f"the last touch was less than {action.rest_hours:g} hours ago")
        until = rested
    if action.channel in REACHING:
        lasting += _consent(action.channel, contact, known)
        if not contact.place.zones:
            lasting.append("the lead's time zone is not known, nor are the hours then")
        elif (opens := next_allowed(contact.place, rested)) is None:
            lasting.append("no hour is allowed in all zones where the lead may be")
        elif opens > rested:
            passing.append("quiet hours where the lead is")
            until = opens
    if not lasting and not passing:
        return None
    return Refusal(action.name, (*lasting, *passing), None if lasting else until)


def _consent(channel: str, contact: Contact, known: Mapping[str, float]) -> list[str]:
    if contact.unsubscribed or known.get(UNSUBSCRIBED, 0.0) > 0:
        return ["the lead unsubscribed"]
    if channel not in contact.consent:
        return [f"no consent to {channel} on record"]
    return [] if contact.consent[channel] else [f"the lead refused {channel}"]


def _rest(action: Action, known: Mapping[str, float]) -> dt.timedelta:
    """What is left of the rest after the last touch; none where there was none."""
    touched_days = known.get(TOUCHED, math.nan)
    left_h = action.rest_hours - 24 * touched_days
    return dt.timedelta(hours=left_h) if left_h > 0 else dt.timedelta()


def _unmet(action: Action, known: Mapping[str, float]) -> str:
    """First condition that does not hold, in words."""
    name, low, high = next(c for c in action.when if not holds((c,), known))
    span = f"at least {low:g}" if math.isinf(high) else f"{low:g} to {high:g}"
    value = known.get(name, math.nan)
    label = LABELS.get(name, name)
    return f"{label}: {'unknown' if math.isnan(value) else f'{value:g}'}, needed: {span}"

"""When a lead may be called or written to: hours of the day where the lead is.

8:00 to 21:00 of the called party's local time (47 CFR 64.1200(c)(1)), less where a state is
stricter. Where the place is not known for sure, only the hours are used that are allowed in every
zone and state it may be; where nothing is known at all, nothing is allowed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from leadlab.errors import BadInput, UnknownName
from leadlab.schema.times import zone

Hours = tuple[int, int]
_LETTERS = (
    "ALAKAZARCACOCTDEDCFLGAHIIDILINIAKSKYLAMEMDMAMIMNMSMOMTNENVNHNJ"
    "NMNYNCNDOHOKORPARISCSDTNTXUTVTVAWAWVWIWYPRVIGUASMP"
)
US_STATES = frozenset(_LETTERS[i : i + 2] for i in range(0, len(_LETTERS), 2))
FEDERAL: Hours = (8, 21)
STATES: dict[str, Hours] = {
    "FL": (8, 20),
    "OK": (8, 20),
    "MD": (8, 20),
    "CT": (9, 20),
    "TX": (9, 21),
}
"""Stricter states, from the first hour to the last (not included)."""
SUNDAYS: dict[str, Hours] = {"TX": (12, 21)}
SUNDAY = 6
_SEARCHED_DAYS = 8
"""A window recurs within a week: what is not found by then never comes."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a lead may be.

    Attributes
    ----------
    zones : tuple of str
        Plausible IANA zones; empty where nothing is known.
    states : tuple of str
        Plausible states of the USA by their two letters; empty means that it may be any of them,
        so the strictest hours of all hold.

    Examples
    --------
    >>> Place(("America/Chicago",), ("TX",)).hours(weekday=SUNDAY)
    (12, 21)
    >>> Place(("America/Chicago",)).hours(weekday=0)
    (9, 20)
    """

    zones: tuple[str, ...] = ()
    states: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in self.zones:
            zone(name)
        for state in self.states:
            if state not in US_STATES:
                raise UnknownName("state", state, US_STATES)

    def hours(self, weekday: int) -> Hours:
        """Hours of the day that every plausible state allows; Monday is 0."""
        return strictest(self.states or STATES, weekday)


def strictest(states: Iterable[str], weekday: int) -> Hours:
    """Hours that the federal rule and all of some states allow.

    Examples
    --------
    >>> strictest(["FL"], 0), strictest(["FL", "CT"], 0), strictest(["CA"], 0)
    ((8, 20), (9, 20), (8, 21))
    """
    spans = [FEDERAL]
    for state in states:
        by_day = SUNDAYS if weekday == SUNDAY and state in SUNDAYS else STATES
        spans.append(by_day.get(state, FEDERAL))
    return max(first for first, _ in spans), min(last for _, last in spans)


def allowed(place: Place, at: dt.datetime) -> bool:
    """Whether a lead at `place` may be contacted at a moment.

    Parameters
    ----------
    place : Place
    at : datetime
        With a zone.

    Returns
    -------
    bool
        False where no zone is known: wait until one is.

    Raises
    ------
    BadInput
        If `at` has no zone.

    Examples
    --------
    >>> noon = dt.datetime(2026, 7, 1, 12, tzinfo=dt.UTC)
    >>> allowed(Place(("America/New_York",), ("NY",)), noon)
    True
    >>> allowed(Place(("America/New_York", "America/Los_Angeles")), noon), allowed(Place(), noon)
    (False, False)
    """
    if at.tzinfo is None:
        raise BadInput("a moment without a zone", where="at", got=at)
    return bool(place.zones) and all(_within(place, ZoneInfo(name), at) for name in place.zones)


def _within(place: Place, where: ZoneInfo, at: dt.datetime) -> bool:
    local = at.astimezone(where)
    first, last = place.hours(local.weekday())
    return first <= local.hour < last


def next_allowed(place: Place, at: dt.datetime) -> dt.datetime | None:
    """First moment from `at` on at which the lead may be contacted, in UTC.

    Returns
    -------
    datetime or None
        `at` itself where that is allowed; None where no zone is known, or no hour is allowed in
        all of the plausible zones.

    Examples
    --------
    >>> late = dt.datetime(2026, 3, 8, 3, tzinfo=dt.UTC)  # the night in which the clocks go forward
    >>> next_allowed(Place(("America/New_York",), ("NY",)), late).isoformat()
    '2026-03-08T12:00:00+00:00'
    >>> next_allowed(Place(("Asia/Tokyo", "America/New_York")), late) is None
    True
    """
    if allowed(place, at):
        return at.astimezone(dt.UTC)
    for moment in sorted(_openings(place, at)):
        if allowed(place, moment):
            return moment
    return None


def _openings(place: Place, at: dt.datetime) -> Iterator[dt.datetime]:
    """Moments from `at` on at which the window of one of the zones opens.

    What all allow together opens when the last of them does, so no other moment need be tried.
    """
    for name in place.zones:
        where = ZoneInfo(name)
        today = at.astimezone(where).date()
        for days in range(_SEARCHED_DAYS + 1):
            date = today + dt.timedelta(days=days)
            first, _ = place.hours(date.weekday())
            local = dt.datetime.combine(date, dt.time(first), where)
            moment = local.astimezone(dt.UTC)
            if moment >= at:
                yield moment

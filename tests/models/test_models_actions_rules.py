"""Who may be reached when: consent, hours where the lead is, and the catalogue's own soundness."""

from __future__ import annotations

import datetime as dt
import math
from importlib.resources import files
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlab.errors import BadInput, UnknownName
from leadlab.features import catalogue as features
from leadlab.models.actions.catalogue import Action, catalogue, read_catalogue
from leadlab.models.actions.eligibility import TOUCHED, Contact, eligible
from leadlab.models.actions.quiet_hours import (
    STATES,
    US_STATES,
    Place,
    allowed,
    next_allowed,
    strictest,
)
from leadlab.models.churn.interventions import REACHING, UNSUBSCRIBED

ZONES = (
    "America/New_York", "America/Denver", "America/Phoenix", "America/Los_Angeles",
    "Pacific/Honolulu", "America/St_Johns", "Europe/Berlin", "Australia/Lord_Howe",
)  # fmt: skip
CHANGES = (
    dt.datetime(2026, 3, 8, tzinfo=dt.UTC),
    dt.datetime(2026, 3, 29, tzinfo=dt.UTC),
    dt.datetime(2026, 10, 25, tzinfo=dt.UTC),
    dt.datetime(2026, 11, 1, tzinfo=dt.UTC),
)
"""Days on which clocks change."""
moments = st.one_of(
    st.integers(0, 365 * 86_400).map(
        lambda s: dt.datetime.fromtimestamp(1_767_225_600 + s, dt.UTC)
    ),
    st.builds(
        lambda day, minutes: day + dt.timedelta(minutes=minutes),
        st.sampled_from(CHANGES),
        st.integers(-2000, 3000),
    ),
)
places = st.builds(
    Place,
    st.lists(st.sampled_from(ZONES), min_size=1, max_size=3, unique=True).map(tuple),
    st.lists(st.sampled_from(["NY", "CA", *STATES]), max_size=3, unique=True).map(tuple),
)
TABLE = catalogue()
CALL = TABLE["call now"]


def window(states, weekday):
    """The rules again, by hand and hour by hand."""
    fine = set(range(8, 21))
    for state in states or list(STATES):
        if state in ("FL", "OK", "MD"):
            fine &= set(range(8, 20))
        if state == "CT":
            fine &= set(range(9, 20))
        if state == "TX":
            fine &= set(range(12 if weekday == 6 else 9, 21))
    return fine


@given(places, moments)
def test_contact_is_allowed_exactly_within_the_hours_of_every_plausible_zone(place, at):
    local = [at.astimezone(ZoneInfo(zone)) for zone in place.zones]
    expected = all(one.hour in window(place.states, one.weekday()) for one in local)
    assert allowed(place, at) is expected


@given(places, moments)
def test_the_next_moment_is_allowed_and_no_earlier_one_is(place, at):
    found = next_allowed(place, at)
    if found is None:
        for hours in range(24 * 8):
            assert not allowed(place, at + dt.timedelta(hours=hours))
        return
    assert found >= at and allowed(place, found)
    if found > at:
        assert not allowed(place, at)
        assert not allowed(place, found - dt.timedelta(seconds=1))
        step = (found - at) / 50
        assert not any(allowed(place, at + i * step) for i in range(50))


@pytest.mark.parametrize(
    ("zone", "states", "local", "opens"),
    [
        ("America/New_York", ("NY",), "2026-03-08T01:30", "2026-03-08T12:00:00+00:00"),
        ("America/New_York", ("NY",), "2026-03-07T01:30", "2026-03-07T13:00:00+00:00"),
        ("America/New_York", ("NY",), "2026-11-01T01:30", "2026-11-01T13:00:00+00:00"),
        ("America/Chicago", ("TX",), "2026-03-08T01:30", "2026-03-08T17:00:00+00:00"),
        ("America/Chicago", ("TX",), "2026-03-07T21:00", "2026-03-08T17:00:00+00:00"),
        ("America/New_York", ("FL",), "2026-07-03T20:00", "2026-07-04T12:00:00+00:00"),
        ("America/New_York", ("CT",), "2026-07-03T08:59", "2026-07-03T13:00:00+00:00"),
        ("Europe/Berlin", ("NY",), "2026-03-29T03:10", "2026-03-29T06:00:00+00:00"),
    ],
)
def test_windows_around_clock_changes_by_hand(zone, states, local, opens):
    at = dt.datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone))
    assert next_allowed(Place((zone,), states), at).isoformat() == opens


def test_the_last_second_counts_and_the_end_does_not():
    place = Place(("America/Chicago",), ("MD",))
    end = dt.datetime(2026, 7, 3, 20, tzinfo=ZoneInfo("America/Chicago"))
    assert allowed(place, end - dt.timedelta(seconds=1))
    assert not allowed(place, end)
    assert strictest((), 0) == (8, 21)
    assert len(US_STATES) == 56


def test_an_unknown_place_is_deferred_and_wrong_ones_are_refused():
    noon = dt.datetime(2026, 7, 1, 18, tzinfo=dt.UTC)
    assert not allowed(Place(states=("TX",)), noon)
    assert next_allowed(Place(), noon) is None
    with pytest.raises(BadInput, match="time zone"):
        Place(("America/Gotham",))
    with pytest.raises(UnknownName, match="state"):
        Place((), ("ZZ",))
    with pytest.raises(BadInput, match="without a zone"):
        allowed(Place(("UTC",)), dt.datetime.fromisoformat("2026-07-01"))


knowns = st.dictionaries(
    st.sampled_from(sorted({n for a in TABLE.action for n, *_ in a.when} | {TOUCHED})),
    st.floats(0, 40) | st.just(math.nan),
)
contacts = st.builds(
    Contact,
    st.dictionaries(st.sampled_from(REACHING), st.booleans()),
    places | st.just(Place()),
    st.booleans(),
)


@given(contacts, moments, knowns, st.floats(0, 2))
def test_nothing_open_breaks_a_rule_and_everything_else_says_why(contact, at, known, unsubscribed):
    known = {**known, UNSUBSCRIBED: unsubscribed}
    fine, refused = eligible(TABLE.action, contact, at, known)
    assert sorted([a.name for a in fine] + [r.action for r in refused]) == sorted(TABLE.names)
    assert "wait" in [a.name for a in fine]
    for action in fine:
        for name, low, high in action.when:
            assert low <= known.get(name, math.nan) <= high
        assert not known.get(TOUCHED, math.inf) * 24 < action.rest_hours
        if action.channel in REACHING:
            assert contact.consent[action.channel] is True
            assert not contact.unsubscribed and not unsubscribed > 0
            assert allowed(contact.place, at)
    for one in refused:
        assert one.why and all(one.why)
        assert one.until is None or one.until > at


@given(contacts, moments, knowns)
def test_time_alone_opens_what_is_refused_until_a_moment(contact, at, known):
    for refusal in eligible(TABLE.action, contact, at, known)[1]:
        if refusal.until is None:
            continue
        later = dict(known)
        if TOUCHED in later:
            waited = (refusal.until - at) / dt.timedelta(days=1)
            later[TOUCHED] += waited + 1e-6
        fine, _ = eligible([TABLE[refusal.action]], contact, refusal.until, later)
        assert fine


def test_each_channel_needs_its_own_record():
    noon = dt.datetime(2026, 7, 1, 18, tzinfo=dt.UTC)
    place = Place(("America/New_York",), ("NY",))
    fine, (refusal,) = eligible([CALL, TABLE["wait"]], Contact({"email": True}, place), noon, {})
    assert [a.name for a in fine] == ["wait"]
    assert refusal.why == ("no consent to call on record",) and refusal.until is None
    (refusal,) = eligible([CALL], Contact({"call": False}, place), noon, {})[1]
    assert refusal.why == ("the lead refused call",)
    gone = Contact({"call": True}, place, unsubscribed=True)
    assert eligible([CALL], gone, noon, {})[1][0].why == ("the lead unsubscribed",)
    (refusal,) = eligible([CALL], Contact({"call": True}), noon, {})[1]
    assert "time zone is not known" in refusal.why[0]
    tired = {TOUCHED: 0.0}
    (refusal,) = eligible([CALL], Contact({"call": True}, place), noon, tired)[1]
    assert refusal.until == noon + dt.timedelta(hours=CALL.rest_hours)
    with pytest.raises(UnknownName, match="channel"):
        Contact({"fax": True})


def test_the_catalogue_speaks_of_features_that_exist_and_knows_all_families():
    names = set(features().names)
    for one in (*TABLE.action, *TABLE.situation):
        told = one.when if isinstance(one, Action) else one.conditions
        assert {name for name, *_ in told} <= names
    assert TOUCHED in names
    families = {a.family for a in TABLE.action}
    assert families == {"immediate response", "engagement", "nurturing", "conversion", "none"}


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('name = "wait"', 'name = "rest"', "'wait'"),
        ('channel = "sms"', 'channel = "pigeon"', "channel"),
        ("minutes = 8", "minutes = -8", "minutes"),
        ("floor = 0.05", "floor = 0.2", "floor"),
        ('"offer open" = 0.2', '"offer opened" = 0.2', "no situation"),
        ('name = "call now"', 'name = "weekly list"', "two entries"),
        ("when = []", "when = [['x', 0.0, 1.0]]", "hold always"),
        ('name = "no answer yet"', 'name = "no answers"', "no play"),
        ("worth_usd = 40.0", "worth_usd = 40.0\nworht = 1", "worht"),
        ("[terms]", "[terms", "not TOML"),
        ("otherwise = 0.08, sd", "otherwise = 1.5, sd", "otherwise"),
    ],
)
def test_a_table_that_cannot_be_used_says_where(tmp_path, old, new, why):
    text = files("leadlab.models.actions").joinpath("catalogue.toml").read_text()
    assert old in text
    place = tmp_path / "own.toml"
    place.write_text(text.replace(old, new, 1))
    with pytest.raises(BadInput, match=why) as found:
        read_catalogue(place)
    assert "own.toml" in str(found.value)
    place.write_text(text)
    assert read_catalogue(place) == TABLE

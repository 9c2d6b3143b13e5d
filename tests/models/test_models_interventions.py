from __future__ import annotations

import math
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlab.errors import BadInput, UnknownName
from leadlab.features import catalogue
from leadlab.models.churn.interventions import (
    CHANNELS,
    LEAVE,
    NO_CONTACT,
    PLAYS,
    TASK,
    UNSUBSCRIBED,
    propose,
)

LEVELS = ("critical", "high", "medium", "low")
REACHING = ("call", "sms", "email")


@dataclass(frozen=True)
class Because:
    effect: float
    features: tuple[str, ...]


NAMES = sorted({name for play in PLAYS for name, _, _ in play.when})
situations = st.dictionaries(
    st.sampled_from(NAMES), st.floats(-1e6, 1e6) | st.just(math.nan), max_size=6
)
consents = st.none() | st.dictionaries(st.sampled_from(REACHING), st.booleans())
causes = st.lists(
    st.builds(Because, st.floats(-3, 3), st.tuples(st.sampled_from(NAMES))), max_size=4
)


@given(st.sampled_from(LEVELS), causes, situations, consents, st.integers(1, 5))
def test_nothing_reaches_a_lead_without_a_yes_where_consent_is_recorded(
    level, why, known, consent, top
):
    found = propose(level, why, known=known, consent=consent, top=top)
    assert len(found) <= top
    for one in found:
        assert one.channel in CHANNELS
        assert one.words and one.basis
        if consent is None:
            assert one.consent == ("not needed" if one.channel == TASK else "check first")
        elif one.channel in REACHING:
            assert consent[one.channel] is True
            assert one.consent == "recorded"
    assert found == sorted(found, key=lambda one: not one.supported)


@given(st.sampled_from(LEVELS), causes, situations, consents, st.booleans())
def test_who_unsubscribed_gets_no_message_at_all(level, why, known, consent, said_so):
    known = known if said_so else {**known, UNSUBSCRIBED: 1.0}
    found = propose(level, why, known=known, consent=consent, unsubscribed=said_so)
    assert found == [LEAVE]
    assert found[0].channel == NO_CONTACT


@given(st.sampled_from(LEVELS), situations)
def test_a_situation_is_proposed_exactly_where_its_line_of_the_table_says(level, known):
    found = {one.situation for one in propose(level, [], known=known, top=99)}
    held = {
        play.situation
        for play in PLAYS
        if level in play.levels
        and play.when
        and all(low <= known.get(name, math.nan) <= high for name, low, high in play.when)
    }
    rest = {play.situation for play in PLAYS if level in play.levels and not play.when}
    assert found == (held or rest)


def test_reasons_that_speak_for_silence_come_first():
    known = {"request_waiting": 3.0, "price_drift_7d": -50_000.0, "website_visit_trend_7d": -4.0}
    plain = [one.situation for one in propose("high", [], known=known)]
    assert plain == ["no answer yet", "falling visits", "looks at lower prices"]
    why = [Because(1.2, ("price_drift_7d",)), Because(-2.0, ("website_visit_trend_7d",))]
    found = propose("high", why, known=known)
    assert [one.situation for one in found] == [
        "looks at lower prices", "no answer yet", "falling visits",
    ]  # fmt: skip
    assert [one.supported for one in found] == [True, False, False]


def test_without_any_consent_the_team_is_asked_and_not_the_lead():
    found = propose("critical", [], known={"request_waiting": 3.0}, consent={"call": False})
    assert [one.channel for one in found] == [TASK]
    assert "ask for it" in found[0].words
    found = propose("critical", [], known={"request_waiting": 3.0}, consent={"email": True})
    assert [one.channel for one in found] == ["email"]


def test_a_calm_lead_is_left_in_peace():
    assert propose("low", [], known={}) == []
    assert [one.situation for one in propose("medium", [], known={})] == ["quiet"]


def test_the_table_speaks_of_features_that_exist():
    known = set(catalogue().names)
    for play in PLAYS:
        assert {name for name, _, _ in play.when} <= known
        assert set(play.features) <= known
        assert set(play.channels) <= set(CHANNELS)
        assert set(play.levels) <= set(LEVELS)
        assert play.within_hours > 0
    assert UNSUBSCRIBED in known


def test_unknown_words_are_refused():
    with pytest.raises(UnknownName, match="Did you mean 'critical'"):
        propose("critcal", [], known={})
    with pytest.raises(UnknownName, match="pigeon"):
        propose("high", [], known={}, consent={"pigeon": True})
    with pytest.raises(BadInput, match="top"):
        propose("high", [], known={}, top=0)

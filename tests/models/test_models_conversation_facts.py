"""Facts and personal data are slices of the message; nothing found is left in what is masked."""

from __future__ import annotations

import string
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from leadlab.errors import UnknownName
from leadlab.models.conversation.amounts import amounts
from leadlab.models.conversation.facts import KINDS, find_facts, newest
from leadlab.models.conversation.language import readable
from leadlab.models.conversation.masking import SEES, find_pii, masked

PIECES = ["I am Ann Smith", "my name is bob", "Thanks, Zoe Li", "206-555-0134", "+44 20 7946 0958",
          "(206) 555-0199", "a.b+c@mail.example.com", "12 Mill Lane", "4111 1111 1111 1111",
          "123-45-6789", "GB29 NWBK 6016 1331 9268 19", "up to $450k", "400-450k", "3 beds",
          "2.5 baths", "1,800 sq ft", "by March", "within 3 months", "asap", "pre-approved",
          "not pre-approved", "www.homes.example/x", "Mr Jones", "[phone]", "[name]", "Ann",
          "\n", "😀", "<b>", "$", "k", "-", ",", ".", "é", "\x00", "1", "12345678901"]  # fmt: skip
messages = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=8).map(" ".join),
    st.lists(st.sampled_from(PIECES), max_size=8).map("".join),
    st.text(string.printable + "é€½²१٣", max_size=60),
    st.text(max_size=40),
)


@settings(deadline=None)
@given(messages)
def test_facts_are_slices_in_order_and_none_overlaps(text: str) -> None:
    facts = find_facts(text)
    for fact in facts:
        assert 0 <= fact.start < fact.end <= len(text)
        assert fact.name in KINDS
        if isinstance(fact.value, str) and fact.name in ("phone", "e-mail", "address", "link"):
            assert text[fact.start : fact.end] == fact.value
        if fact.low is not None and fact.high is not None:
            assert fact.low <= fact.high
    assert all(a.end <= b.start for a, b in pairwise(facts))


@settings(deadline=None)
@given(messages, st.sampled_from(sorted(SEES)))
@example("I am Ann Smith Ann Smithson ann smith Ann", "analyst")
@example("my name is bob206-555-0134", "analyst")
def test_masked_text_holds_nothing_that_is_found_and_stays(text: str, role: str) -> None:
    found = find_pii(text)
    for one in found:
        assert 0 <= one.start < one.end <= len(text)
    assert all(a.end <= b.start for a, b in pairwise(found))
    shown = masked(text, role)
    assert masked(shown, role) == shown
    assert not [one for one in find_pii(shown) if one.kind not in SEES[role]]
    if role == "analyst":
        hidden = [text[o.start : o.end] for o in found if o.kind in ("e-mail", "account", "phone")]
        assert not [h for h in hidden if h in shown]


@pytest.mark.parametrize(
    ("text", "low", "high", "unit"),
    [
        ("$340k", 340e3, 340e3, "USD"),
        ("just under 600", None, 600e3, "USD"),
        ("400-450k", 400e3, 450e3, "USD"),
        ("between 400 and 450k", 400e3, 450e3, "USD"),
        ("from $400k to $500k", 400e3, 500e3, "USD"),
        ("we have 380,000", 380e3, 380e3, "USD"),
        ("at least £1.2m", 1.2e6, None, "GBP"),
        ("1.2-1.3 million", 1.2e6, 1.3e6, "USD"),
        ("€350.000", 350e3, 350e3, "EUR"),
        ("$2,000/month", 2000, 2000, "USD/month"),
        ("max 1800/mo", None, 1800, "USD/month"),
    ],
)
def test_sums_of_money_are_read_as_people_write_them(text, low, high, unit) -> None:
    (one,) = amounts(text)
    assert (one.low, one.high, one.unit) == (low, high, unit)
    (fact,) = find_facts(text)
    assert fact.name == "budget" and fact.value == (high if high is not None else low)


@pytest.mark.parametrize(
    "text",
    ["call at 5 on the 3rd", "about 400 square feet", "10 minutes from 42nd street", "2 dogs",
     "about 400 people", "in 2026", "unit 450", "206-555-0134", "over 30 years old", "24/7"],
)  # fmt: skip
def test_other_numbers_are_no_money(text: str) -> None:
    assert not [f for f in find_facts(text) if f.name in ("budget", "price")]


@pytest.mark.parametrize(
    ("text", "name", "value", "unit"),
    [
        ("three bedroom", "beds", 3, "rooms"),
        ("a studio", "beds", 0, "rooms"),
        ("4+ beds", "beds", 4, "rooms"),
        ("2.5 baths", "baths", 2.5, "rooms"),
        ("120 m2", "area", 120, "sqm"),
        ("1.5 acres", "area", 1.5, "acre"),
        ("1,800 square feet", "area", 1800, "sqft"),
        ("by the end of May", "timeline", "may", "month"),
        ("within 3 months", "timeline", 90, "days"),
        ("ASAP", "timeline", 0, "days"),
        ("no rush", "timeline", "no hurry", ""),
        ("we are pre-approved", "pre-approval", True, ""),
        ("how do we get pre-approved", "pre-approval", False, ""),
        ("pre-approval expired", "pre-approval", False, ""),
        ("asking is $425,000", "price", 425e3, "USD"),
        ("their counter of 415k", "price", 415e3, "USD"),
        ("at 12 Mill Lane", "address", "12 Mill Lane", ""),
        ("http://x.example/1", "link", "http://x.example/1", ""),
    ],
)
def test_facts_have_values_and_units(text, name, value, unit) -> None:
    (fact,) = find_facts(text)
    assert (fact.name, fact.value, fact.unit) == (name, value, unit)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("I am Ann Smith. Ann Smith here", "I am [name]. [name] here"),
        ("I am Happy. This is Great", "I am Happy. This is Great"),
        ("see you Monday.\nThanks, Zoe Li", "see you Monday.\nThanks, [name]"),
        ("card 4111-1111-1111-1111", "card [account]"),
        ("up to $450,000, 3 beds", "up to $450,000, 3 beds"),
        ("mail a@b.example or 555-0134", "mail [e-mail] or [phone]"),
        ("ask Mr. Jones at 7b Oak Hill Rd", "ask Mr. [name] at [address]"),
    ],
)
def test_what_tells_who_it_is_is_masked(text: str, shown: str) -> None:
    assert masked(text) == shown


def test_roles_see_what_they_need_and_unknown_ones_nothing() -> None:
    text = "I am Ann Smith, 206-555-0134, card 4111 1111 1111 1111"
    assert masked(text, "agent") == "I am Ann Smith, 206-555-0134, card [account]"
    assert masked(text, "coach") == "I am Ann Smith, [phone], card [account]"
    with pytest.raises(UnknownName, match="role"):
        masked(text, "anybody")


def test_the_newest_fact_wins() -> None:
    said = [find_facts(t) for t in ("up to 400k, 2 beds", "3 beds now", "up to 420k")]
    assert {k: f.value for k, f in newest(said).items()} == {"budget": 420e3, "beds": 3.0}


HOSTILE = ["1", "1-", "$1 ", "a.", "a@", "12 a ", "I am Aa ", "(1) ", "www.", "3 to ", "<a", "+1 "]


@pytest.mark.parametrize("piece", HOSTILE)
def test_no_pattern_runs_away(piece: str) -> None:
    """Twice the text takes about twice the steps: none of these ends later than the run's limit."""
    text = (piece * 100_000)[:100_000]
    find_facts(text)
    masked(text)
    readable(text)


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=80))
def test_a_readable_text_keeps_its_places(text: str) -> None:
    plain = readable(text)
    assert len(plain) == len(text)
    assert all(b in (a, " ") for a, b in zip(text, plain, strict=True))


@pytest.mark.parametrize(
    "text",
    [
        "We can go up to 450k. Call me",
        "Budget is 450k: no more",
        "We can pay 450,000. Thanks",
        "450k.",
    ],
)
def test_a_sum_ends_where_its_sentence_ends(text: str) -> None:
    assert [(f.name, f.value) for f in find_facts(text) if f.name == "budget"] == [
        ("budget", 450_000.0)
    ]

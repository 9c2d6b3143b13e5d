"""Facts that a message names: budget, rooms, area, time, loan, and how to reach the writer."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from leadlab.models.conversation.amounts import PLAIN, amounts
from leadlab.models.conversation.contacts import addresses, emails, links, phones

KINDS = ("budget", "price", "beds", "baths", "area", "timeline", "pre-approval", "phone", "e-mail",
         "address", "link")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact and where it stands.

    Attributes
    ----------
    name : str
        One of `KINDS`. "budget" is what the writer can or wants to pay; "price" a sum that is asked
        or offered.
    start, end : int
        ``text[start:end]`` says it.
    value : float, str or bool
        Of a range its upper end, or its lower where it is open above.
    unit : str
        "USD" (or another currency, or with "/month"), "rooms", "sqft", "sqm", "acre", "ha", "days",
        "month", or "" for words.
    low, high : float or None
        Ends of a range; equal for a single number; None where open or where there is no number.
    """

    name: str
    start: int
    end: int
    value: float | str | bool
    unit: str = ""
    low: float | None = None
    high: float | None = None


_WORDS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
          "nine": 9, "ten": 10, "a": 1, "an": 1, "couple of": 2, "a couple of": 2,
          "few": 3, "a few": 3}  # fmt: skip
_SMALL = r"(?:\d{1,2}(?:\.\d)?|one|two|three|four|five|six|seven|eight|nine|ten)"
_ROOMS = re.compile(
    rf"(?<![\w.,$-])(?P<low>{_SMALL})(?:\s?(?:-|–|to|or)\s?(?P<high>{_SMALL}))?"
    r"(?P<open>\s?\+| or more)?[\s-]?(?:(?P<beds>bed(?:room)?s?|brs?|bds?|bdrms?)|"
    r"(?P<baths>(?:full |half )?bath(?:room)?s?|ba))\b|\b(?P<studio>studio)\b",
    re.IGNORECASE,
)
_AREA = re.compile(
    rf"(?<![\w.,$])(?P<low>{PLAIN})(?:\s?(?:-|–|to)\s?(?P<high>{PLAIN}))?\+?[\s-]?(?:"
    r"(?P<sqft>sq\.?\s?f(?:ee|oo)?t|sqft|sf|square f(?:ee|oo)t|ft²|ft2)|"
    r"(?P<sqm>sq\.?\s?m(?:et(?:re|er)s?)?|sqm|square met(?:re|er)s?|m²|m2)|"
    r"(?P<acre>acres?)|(?P<ha>hectares?|ha))(?!\w)",
    re.IGNORECASE,
)
_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september",
           "october", "november", "december")  # fmt: skip
_MONTH = "(?:" + "|".join(_MONTHS) + "|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)"
_TIME = re.compile(
    r"\b(?:(?P<asap>a\.?s\.?a\.?p\b|as soon as possible|right away|right now|immediately)|"
    r"(?:within|in(?: about| around)?|over|next|the next|in the next)\s"
    rf"(?P<n>\d{{1,3}}|{_SMALL}|an?|a few|few|a couple of|couple of)[\s-]"
    r"(?P<unit>day|week|month|year)s?\b|"
    r"(?:by|before|until|till|in|end of|early|late|mid|from|after)[\s-]"
    rf"(?:the end of |early |late |mid[\s-]|next )?(?P<month>{_MONTH})\b|"
    r"(?:by |before |until )?(?:the )?(?P<span>today|tonight|tomorrow|this week|this weekend|"
    r"next week|this month|next month|end of the month|end of the year|"
    r"this year|next year|end of next month)\b|"
    r"(?:by|before|until|in|this|next|after)\s(?:the\s)?(?:early\s|late\s)?"
    r"(?P<season>spring|summer|autumn|fall|winter|holidays|christmas)\b|"
    r"(?P<slow>no rush|no hurry|not in a hurry|no particular hurry|whenever you get to it))",
    re.IGNORECASE,
)
_DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}
_SPANS = {"today": 0, "tonight": 0, "tomorrow": 1, "this week": 7, "this weekend": 7,
          "next week": 14, "this month": 30, "end of the month": 30, "next month": 60,
          "end of next month": 60, "this year": 365, "end of the year": 365,
          "next year": 730}  # fmt: skip
_APPROVED = re.compile(r"\bpre[\s-]?(?:approv(?:ed|al)|qualif(?:ied|ication))\b", re.IGNORECASE)
_BREAK = re.compile(r"[?!] ")
_CLAUSE = re.compile(r"[.,;:!?]")
_NOT = re.compile(
    r"\b(?:not|no|never|need|without|expired|n't|nt|get|getting|how|want|waiting|until|before)\b|n't",
    re.IGNORECASE,
)
_PRICE = re.compile(
    r"\b(?:ask(?:ing|s|ed)?|list(?:ed|ing)?|price|priced|cost|costs|worth|offer|bid|counter(?:ed)?|accept|take|"
    r"wanted|drop(?:ped)?|cut|down|saw|sold|appraised)\b",
    re.IGNORECASE,
)
_BUDGET = re.compile(
    r"\b(?:budget|afford|spend|up to|can pay|max(?:imum)?|pre[\s-]?approv\w{0,3}|at most|"
    r"no more than|looking|range|price range|our limit)\b",
    re.IGNORECASE,
)


NEAR = 40
"""Letters before a sum in which a word says whether it is asked or can be paid."""


def _number(word: str) -> float:
    word = word.lower()
    return float(_WORDS[word]) if word in _WORDS else float(word.replace(",", ""))


def _cues(text: str) -> list[tuple[int, bool]]:
    """Where words of money end, and whether they speak of a price; a new sentence takes it back."""
    ends = [(m.end(), True) for m in _PRICE.finditer(text)]
    ends += [(m.end(), False) for p in (_BUDGET, _BREAK) for m in p.finditer(text)]
    return sorted(ends)


def _sums(text: str) -> Iterator[Fact]:
    found = amounts(text)
    cues = _cues(text) if found else []
    for one in found:
        place = bisect_right(cues, (one.end, True)) - 1
        near = place >= 0 and cues[place][0] > one.start - NEAR
        name = "price" if near and cues[place][1] else "budget"
        value = one.high if one.high is not None else one.low
        assert value is not None
        yield Fact(name, one.start, one.end, value, one.unit, one.low, one.high)


def _rooms(text: str) -> Iterator[Fact]:
    for match in _ROOMS.finditer(text):
        if match["studio"]:
            yield Fact("beds", *match.span(), 0.0, "rooms", 0.0, 0.0)
            continue
        low = _number(match["low"])
        high = None if match["open"] else _number(match["high"] or match["low"])
        name = "beds" if match["beds"] else "baths"
        yield Fact(name, *match.span(), low if high is None else high, "rooms", low, high)


def _areas(text: str) -> Iterator[Fact]:
    for match in _AREA.finditer(text):
        unit = next(name for name in ("sqft", "sqm", "acre", "ha") if match[name])
        low, high = _number(match["low"]), _number(match["high"] or match["low"])
        yield Fact("area", *match.span(), high, unit, low, high)


def _times(text: str) -> Iterator[Fact]:
    for match in _TIME.finditer(text):
        days = None
        if match["asap"]:
            days = 0.0
        elif match["n"]:
            days = _number(match["n"]) * _DAYS[match["unit"].lower()]
        elif match["span"]:
            days = float(_SPANS[match["span"].lower()])
        if days is not None:
            yield Fact("timeline", *match.span(), days, "days", 0.0, days)
        elif match["month"]:
            full = next(m for m in _MONTHS if m.startswith(match["month"].lower()[:3]))
            yield Fact("timeline", *match.span(), full, "month")
        else:
            said = match["season"] or "no hurry"
            yield Fact("timeline", *match.span(), said.lower())


def _approvals(text: str) -> Iterator[Fact]:
    for match in _APPROVED.finditer(text):
        before = text[max(0, match.start() - 25) : match.start()]
        after = text[match.end() : match.end() + 12]
        held = not _NOT.search(_CLAUSE.split(before)[-1]) and "expired" not in after.lower()
        yield Fact("pre-approval", *match.span(), held)


def _said(
    name: str, find: Callable[[str], Iterator[tuple[int, int]]]
) -> Callable[[str], Iterator[Fact]]:
    def facts(text: str) -> Iterator[Fact]:
        yield from (Fact(name, a, b, text[a:b]) for a, b in find(text))

    return facts


_READERS: tuple[Callable[[str], Iterator[Fact]], ...] = (
    _said("e-mail", emails), _said("link", links), _said("phone", phones),
    _said("address", addresses), _areas, _rooms, _approvals, _sums, _times,
)  # fmt: skip
"""A place that an earlier one took is not read again by a later one."""


def find_facts(text: str) -> tuple[Fact, ...]:
    """All facts of a message, in order of place; none overlaps another.

    Parameters
    ----------
    text : str

    Returns
    -------
    tuple of Fact

    Examples
    --------
    >>> text = "3 bed in Bayside, 400-450k, move by March. Call 206-555-0134"
    >>> for fact in find_facts(text):
    ...     print(fact.name, text[fact.start : fact.end], fact.value, fact.unit)
    beds 3 bed 3.0 rooms
    budget 400-450k 450000.0 USD
    timeline by March march month
    phone 206-555-0134 206-555-0134
    >>> [(f.name, f.value) for f in find_facts("We are not pre-approved yet, asking is $425,000")]
    [('pre-approval', False), ('price', 425000.0)]
    """
    taken: list[Fact] = []
    for read in _READERS:
        found = [
            f for f in read(text) if not any(f.start < t.end and t.start < f.end for t in taken)
        ]
        taken += found
    return tuple(sorted(taken, key=lambda f: f.start))


def newest(messages: Sequence[tuple[Fact, ...]]) -> dict[str, Fact]:
    """Merge the facts of a conversation: of each name, the one said last.

    Parameters
    ----------
    messages : sequence of tuple of Fact
        The oldest first.

    Examples
    --------
    >>> early, late = find_facts("up to $400k, 2 beds"), find_facts("we can go up to $450k")
    >>> {name: fact.value for name, fact in newest([early, late]).items()}
    {'budget': 450000.0, 'beds': 2.0}
    """
    merged: dict[str, Fact] = {}
    for facts in messages:
        merged.update({fact.name: fact for fact in facts})
    return merged

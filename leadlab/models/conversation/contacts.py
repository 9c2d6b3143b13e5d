"""Where a message names a person or a place to reach one: the patterns of facts and of masking.

All repeats are bounded and begin at a border, so that time grows with the length of the text and
no faster.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

Span = tuple[int, int]
_EMAIL = re.compile(
    r"(?<![\w.+%-])[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,4}\.[A-Za-z]{2,24}(?![\w@])"
)
_LINK = re.compile(r"\b(?:https?://|www\.)[^\s<>\"'\]\[]{2,400}", re.IGNORECASE)
_PHONE = re.compile(
    r"(?<![\w.,$€£-])(?:\+\d{1,3}(?:[ .-]?\(?\d{1,4}\)?){2,6}"
    r"|(?:1[ .-]?)?(?:\(\d{3}\)\s?|\d{3}[ .-]?)\d{3}[ .-]?\d{4}|\d{3}[.-]\d{4})(?![\w-]|[.,]\d)"
)
_ACCOUNT = re.compile(
    r"(?<![\w.,$€£-])(?:[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?"
    r"|\d{3}-\d{2}-\d{4}|\d{4}(?:[ -]\d{4}){2,3}(?:[ -]\d{1,3})?|\d{8,19})(?![\w-]|[.,]\d)"
)
_KIND_OF_STREET = (
    r"(?:streets?|st|roads?|rd|lane|ln|avenue|ave|drive|dr|court|ct|way|terrace|ter|circle|cir|"
    r"boulevard|blvd|place|pl|highway|hwy|parkway|pkwy|square|sq)"
)
_NO_STREET = (
    r"(?!(?:beds?|bedrooms?|baths?|bathrooms?|homes?|houses?|rooms?|minutes?|miles?|near|on|at|in|"
    r"to|from|and|or|of|by|k|am|pm|days?|weeks?|months?|years?|people|other|more)\b)"
)
_ADDRESS = re.compile(
    rf"(?<![\w$€£.,-])\d{{1,5}}[a-z]?(?: {_NO_STREET}[\w'.-]{{1,24}}){{1,3}} {_KIND_OF_STREET}\b"
    r"(?:\.?,? (?:apt|unit|suite|#) ?\w{1,5})?",
    re.IGNORECASE,
)
_CAPITAL = r"[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ'’]{1,24}(?:-[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ]{1,24})?"
_NAME = rf"{_CAPITAL}(?: (?:[A-Z]\. )?{_CAPITAL}){{0,2}}"
_TITLED = re.compile(rf"\b(?:Mr|Mrs|Ms|Miss|Dr|Mx)\.? (?P<name>{_NAME})")
_NAMED = re.compile(
    rf"\b(?:[Mm]y name is|[Mm]y name's|[Nn]ame:|[Cc]all me) (?P<name>{_NAME})(?![\w])"
)
_NAMED_SMALL = re.compile(r"\b[Mm]y name(?: is|'s) (?P<name>[a-z]{2,20}(?: [a-z]{2,20})?)\b")
_I_AM = re.compile(
    rf"\b(?:I am|I'm|I’m|i am|i'm|[Tt]his is|[Ii]t's|[Ii]t is) "
    rf"(?P<name>{_CAPITAL}(?: {_CAPITAL}){{1,2}}"
    rf"|{_CAPITAL}(?=,| from\b| here\b| calling\b| again\b|[.!]?\s{{0,3}}$))(?![\w])"
)
_SIGNED = re.compile(
    rf"(?:[Tt]hanks|[Tt]hank you|[Tt]hx|[Cc]heers|[Bb]est|[Rr]egards|[Ss]incerely|[Ww]ishes"
    rf"|[Yy]ours)"
    rf"[,.!]?(?:\s{{1,4}}|\s{{0,4}}[-–—]\s{{0,2}})(?P<name>{_NAME})[.!]?\s{{0,4}}\Z"
    rf"|(?:\n|\s[-–—])\s{{0,2}}(?P<alone>{_NAME})\s{{0,4}}\Z"
)
_USUAL = (
    "Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February March April "
    "May June July August September October November December Thanks Thank Best Regards "
    "Cheers Hello Hi Hey Sorry Happy Great Good Looking Ready Interested Not Very Really So "
    "Just Still Also The This That There We You They It Is Are Perfect Terrible Urgent "
    "Wonderful Amazing Okay Ok Yes No Bye Talk Speak Kind Many Again Soon Now Today Tomorrow "
    "Unhappy Excited Pre Your My Our Team Realtor Agent Street Road Lane Avenue Drive Court"
)
_NO_NAME = frozenset(_USUAL.split())


def emails(text: str) -> Iterator[Span]:
    """Places of e-mail addresses.

    Examples
    --------
    >>> list(emails("to ann.s@mail.example.com"))
    [(3, 25)]
    """
    if "@" in text:
        yield from (match.span() for match in _EMAIL.finditer(text))


def links(text: str) -> Iterator[Span]:
    """Places of web addresses.

    Examples
    --------
    >>> list(links("see www.homes.example/12"))
    [(4, 24)]
    """
    yield from (match.span() for match in _LINK.finditer(text))


def phones(text: str) -> Iterator[Span]:
    """Places of telephone numbers: ten digits, seven with a dash, or a country code first.

    Examples
    --------
    >>> list(phones("call (206) 555-0134 or 555-0199")), list(phones("about 450,000"))
    ([(5, 19), (23, 31)], [])
    """
    for match in _PHONE.finditer(text):
        if sum(c.isdigit() for c in match[0]) >= 7:
            yield match.span()


def accounts(text: str) -> Iterator[Span]:
    """Places of numbers like those of cards, bank accounts and social security.

    Examples
    --------
    >>> list(accounts("card 4111 1111 1111 1111, ssn 123-45-6789"))
    [(5, 24), (30, 41)]
    """
    yield from (match.span() for match in _ACCOUNT.finditer(text))


def addresses(text: str) -> Iterator[Span]:
    """Places of street addresses with a house number.

    Examples
    --------
    >>> list(addresses("at 12 Mill Lane, 2 beds near Main Street"))
    [(3, 15)]
    """
    yield from (match.span() for match in _ADDRESS.finditer(text))


def names(text: str) -> Iterator[Span]:
    """Places of people's names, where the text says that they are names.

    A name is told ("my name is ...", "I am Ann Smith"), titled ("Mr Jones") or signed at the end.

    Examples
    --------
    >>> [text[a:b] for text in ["I am Ann Smith. I am Happy"] for a, b in names(text)]
    ['Ann Smith']
    >>> list(names("This is Great. See you Monday"))
    []
    """
    tail = max(0, len(text) - 200)
    found = [
        m.span("name") for p in (_TITLED, _NAMED, _NAMED_SMALL, _I_AM) for m in p.finditer(text)
    ]
    signed = _SIGNED.search(text, tail)
    if signed:
        found.append(signed.span("name") if signed["name"] else signed.span("alone"))
    for start, end in sorted(set(found)):
        if text[start:end].split(maxsplit=1)[0] not in _NO_NAME:
            yield start, end

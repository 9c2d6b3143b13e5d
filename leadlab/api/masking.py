"""Text without what belongs to a person or opens a door."""

from __future__ import annotations

import re

_NAMES = r"ticket|access_token|token|api[_-]?key|secret|password|passwd|pwd"
_SECRETS = (
    (re.compile(r"eyJ[\w-]*\.[\w-]*(?:\.[\w-]*)?", re.ASCII), "[token]"),
    (re.compile(r"ll_[0-9a-f]{4,}_\w*", re.ASCII), "[key]"),
    (re.compile(r"(?i)\b(bearer[ .]|basic )[^\s\"',;]+"), r"\1[token]"),
    (re.compile(rf"(?i)\b({_NAMES})(=|[\"']?: ?[\"']?)[^\s&\"',;]+"), r"\1\2[hidden]"),
    (re.compile(r"(?<=://)[^\s/@\"']+@"), "[hidden]@"),
)
# One side of the @ is bounded, so that a long text is looked at in linear time.
_EMAIL = re.compile(r"[^\s@<>()\[\]\",;:]{1,64}@[^\s@<>()\[\]\",;:]+")
_NUMBERS = re.compile(r"(?<![\w.-])\+?\(?\d(?:[ ()./\u00a0\u2010-\u2015-]{0,3}\d){6,}(?!\w)")
_DAY = re.compile(r"(?:19|20|21)\d\d-[01]\d-[0-3]\d(?!\d)")
HIDDEN = frozenset(
    {
        "authorization", "cookie", "email", "first_name", "full_name", "last_name", "mobile",
        "password", "phone", "secret", "text", "ticket", "token", "x-api-key",
    }
)  # fmt: skip
"""Names of fields whose values are never written."""


def masked(text: str) -> str:
    """`text` with e-mail addresses, phone numbers, tokens, keys and passwords taken out.

    Digits, 7 or more, with or without the usual marks between them, count as a phone number unless
    they are a day, a decimal fraction, or more than 15 in a row: figures belong into fields of
    their own, as numbers.

    Examples
    --------
    >>> masked("ann@example.com called from +41 44 668 18 00 on 2026-03-01")
    '[e-mail] called from [phone] on 2026-03-01'
    >>> masked("GET /v1/stream?ticket=abc&topic=scores took 0.0012345 s")
    'GET /v1/stream?ticket=[hidden]&topic=scores took 0.0012345 s'
    """
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    text = _EMAIL.sub("[e-mail]", text)
    return _NUMBERS.sub(_phone, text)


def _phone(found: re.Match[str]) -> str:
    text = found[0]
    digits = sum(c.isdigit() for c in text)
    day = _DAY.match(text)
    if day is not None:
        return text[: day.end()] + masked(text[day.end() :])
    figure = (digits > 15 and text.isdigit()) or re.fullmatch(r"\d\.\d+", text)
    return text if figure else "[phone]"

"""Sums of money in a message: what was written, as a range in one currency.

A sum is a number with a currency or a scale ("$340k", "1.2 million"), a number too large to be
anything else ("380,000"), or a bare one after a word of money ("just under 600": between 50 and
999 it is read as thousands, as people speak of homes).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

PLAIN = r"(?:\d{1,3}(?:,\d{3}){1,3}|\d{1,9})(?:\.\d{1,2})?"
_SCALE = r"(?:\s?(?:k|thousand|grand|mm|mil|million|m)\b)"
_AFTER = r"(?:\s?(?:dollars|bucks|usd|euros?|eur|pounds|gbp|cad)\b|\s?[€£])"
_SUM = (
    r"(?P<cur#>[$€£]|\busd\s|\beur\s|\bgbp\s)?\s?"
    rf"(?P<num#>\d{{1,3}}(?:\.\d{{3}}){{1,3}}(?![\d.])|{PLAIN})(?P<scale#>{_SCALE})?(?P<after#>{_AFTER})?"
)
_CUE = re.compile(
    r"(?P<cue>\b(?:no more than|not over|not beyond|beyond|less than|just under|just over|"
    r"more than|at most|at least|up to|upto|under|below|within|max(?:imum)?(?: of)?|over|above|"
    r"min(?:imum)?(?: of)?|starting at|from|between|around|about|roughly|approx(?:imately)?|"
    r"close to|near|budget(?: is| of|:)?|spend(?:ing)?|afford|offer(?:ing)?|bid(?:ding)?|at|for|"
    r"pay|price(?: is| of|:)?)|[<>~])\s{0,3}\Z",
    re.IGNORECASE,
)
"""Ends right before the number; looked for in the few letters before it."""
MONEY = re.compile(
    r"(?<![\w.,@#])"
    + _SUM.replace("#", "1")
    + r"(?:\s?(?:-|–|—|\bto\b|\band\b|\bor\b)\s?"
    + _SUM.replace("#", "2")
    + r")?(?P<per>\s?(?:/|per |a )\s?(?:month|mo)\b)?",
    re.IGNORECASE,
)
_DOTS = re.compile(r"\d{1,3}(?:\.\d{3}){1,3}")
"""Thousands as much of Europe writes them."""
_AT_MOST = ("no more", "not over", "not beyond", "less than", "just under", "at most", "up to",
            "upto", "under", "below", "within", "max", "<")  # fmt: skip
_AT_LEAST = ("more than", "at least", "over", "just over", "above", "min", "starting at", "from",
             ">")  # fmt: skip
_VAGUE = ("at", "for", "near", "from", "over", "within", "pay", "beyond", "between")
"""Words that also stand before numbers which are no money: those must be large to count."""
_SCALES = {"k": 1e3, "thousand": 1e3, "grand": 1e3, "m": 1e6, "mm": 1e6, "mil": 1e6, "million": 1e6}
_CURRENCY = {"$": "USD", "usd": "USD", "dollars": "USD", "bucks": "USD", "cad": "CAD", "€": "EUR",
             "eur": "EUR", "euro": "EUR", "euros": "EUR", "£": "GBP", "gbp": "GBP",
             "pounds": "GBP"}  # fmt: skip
_GOES_ON = re.compile(
    r"[\s-]?(?:%|\w?(?:sq|sf\b|m2|m²|acre|ha\b|hectare|mile|km|minute|min\b|hour|day|week|month|year|yr|"
    r"bed|bath|br\b|bd\b|room|people|steps|kids|am\b|pm\b|other|more|of\b|st\b|street|road|lane|"
    r"avenue|drive|feet|foot|ft\b|square|meter|metre|th\b|nd\b|rd\b)|[-./:@]\w|\d)",
    re.IGNORECASE,
)
LEAST_RENT = 200
"""A bare number from here on is a sum where it is said to be paid each month."""
LARGE = 20_000
"""A bare number from here on is a sum of money, unless its unit says otherwise."""


@dataclass(frozen=True, slots=True)
class Amount:
    """A sum of money, or a range of it.

    Attributes
    ----------
    start, end : int
        Where it stands, the cue word included.
    low, high : float or None
        None where it is open: "under 600k" has no low.
    unit : str
        "USD", "EUR", "GBP", "CAD", or with "/month"; "USD" where none is named.
    """

    start: int
    end: int
    low: float | None
    high: float | None
    unit: str


def amounts(text: str) -> list[Amount]:
    """Find the sums of money.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of Amount
        In order of place.

    Examples
    --------
    >>> [(a.low, a.high) for a in amounts("400-450k, or just under 600; we saw $1.2m")]
    [(400000.0, 450000.0), (None, 600000.0), (1200000.0, 1200000.0)]
    >>> amounts("about 400 square feet on the 3rd, call at 5")
    []
    """
    found = []
    for match in MONEY.finditer(text):
        one = _read(match, text)
        if one is not None:
            found.append(one)
    return found


def _read(match: re.Match[str], text: str) -> Amount | None:
    part = match.groupdict()
    ahead = _CUE.search(text, max(0, match.start() - 20), match.start())
    cue = ahead["cue"].lower() if ahead else ""
    named = [part[f"{name}{i}"] for name in ("cur", "after") for i in (1, 2) if part[f"{name}{i}"]]
    scale = part["scale2"] or part["scale1"]
    if not named and not part["per"] and _GOES_ON.match(text, match.end()):
        return None
    values = [
        _value(part[f"num{i}"], part[f"scale{i}"] or (part["scale2"] if i == 1 else None))
        for i in (1, 2)
        if part[f"num{i}"]
    ]
    if not named and not scale and not (part["per"] and values[-1] >= LEAST_RENT):
        if cue and cue not in _VAGUE and all(50 <= v < 1000 for v in values):
            values = [v * 1e3 for v in values]
        elif any(v < LARGE for v in values) or not (cue or _written_as_money(part["num1"])):
            return None
    if part["scale1"] and part["num2"] and not part["scale2"] and values[1] < 1000:
        values[1] *= _scale(part["scale1"])
    if len(values) == 2 and (values[0] > values[1] or values[1] > 20 * values[0]):
        return None
    low, high = values[0], values[-1]
    unit = _CURRENCY.get(named[0].strip().lower(), "USD") if named else "USD"
    bounds = _bounded(cue, low, high) if len(values) == 1 else (low, high)
    start = ahead.start() if ahead else match.start()
    return Amount(start, match.end(), *bounds, unit + ("/month" if part["per"] else ""))


def _written_as_money(number: str) -> bool:
    """Whether a bare large number has commas or round thousands: no account, no phone."""
    return "," in number or (len(number) <= 7 and number.endswith("000"))


def _bounded(cue: str, low: float, high: float) -> tuple[float | None, float | None]:
    if cue.startswith(_AT_MOST):
        return None, high
    if cue.startswith(_AT_LEAST):
        return low, None
    return low, high


def _scale(word: str) -> float:
    return _SCALES[word.strip().lower()]


def _value(number: str, scale: str | None) -> float:
    if _DOTS.fullmatch(number):
        number = number.replace(".", "")
    plain = float(number.replace(",", ""))
    return plain * _scale(scale) if scale and plain < 10_000 else plain

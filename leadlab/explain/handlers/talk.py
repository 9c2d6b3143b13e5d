"""What was said and not met: objections, a competitor, a price to settle, an open question."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from leadlab.explain.finding import Evidence, Finding
from leadlab.explain.known import Known
from leadlab.features.catalogue import MESSAGES_IN, MESSAGES_OUT
from leadlab.models.conversation.masking import masked

COMPETITOR, PRICE = "competitor", "price"
QUOTED = 100
"""Characters of a question that are quoted at most."""
MARKED, UNMARKED = 0.9, 0.5
"""Confidence that a sentence is a question, with its mark and without; set by hand."""
AGAIN_DAYS = 14.0
"""A rejected offer calls for another one for so long."""
_MEET = {
    "price": "Show what comparable homes sold for.",
    "financing": "Introduce a lender, and reckon the payment together.",
    "timing": "Ask for the date that would suit, and plan back from it.",
    "location": "Offer homes in the places that were named.",
    "condition": "Offer an inspection, or homes in better repair.",
    "trust": "Send references, and answer in person.",
}


def objection(known: Known) -> Iterator[Finding]:
    """An objection is open."""
    for kind, chance in _doubts(known).items():
        if kind != COMPETITOR:
            yield Finding(
                "objection",
                f"An objection is open: {kind} ({chance:.0%} sure).",
                known.weighed(55 + 25 * chance),
                chance,
                _unmet(known),
                _MEET.get(kind, "Ask what stands behind it."),
            )


def competitor_threat(known: Known) -> Iterator[Finding]:
    """Another agent, or somebody else's home, is spoken of."""
    chance = _doubts(known).get(COMPETITOR)
    if chance is not None:
        yield Finding(
            "competitor threat",
            f"The lead speaks of a competitor ({chance:.0%} sure).",
            known.weighed(70 + 25 * chance),
            chance,
            _unmet(known),
            "Call, and say what you would do that others do not.",
        )


def unanswered_question(known: Known) -> Iterator[Finding]:
    """Questions that nobody answered; the oldest is quoted, with what tells who asks masked."""
    asked = [] if known.conversation is None else list(known.conversation.unanswered)
    if not asked:
        return
    oldest = " ".join(masked(asked[0]).split())
    words = oldest if len(oldest) <= QUOTED else f"{oldest[: QUOTED - 3]}..."
    more = f" (and {len(asked) - 1} more)" if len(asked) > 1 else ""
    yield Finding(
        "unanswered question",
        f'Asked and not answered: "{words}"{more}',
        known.weighed(80.0),
        MARKED if any(question.rstrip().endswith("?") for question in asked) else UNMARKED,
        _unmet(known),
        "Answer it before anything else is sent.",
    )


def price_negotiation(known: Known) -> Iterator[Finding]:
    """An offer was rejected and no other followed; or an objection to the price after an offer."""
    days, since_offer = known.value("rejected_offer_recency"), known.value("offer_recency")
    offers = known.last(["Offer Submitted", "Offer Rejected"], days=30)
    if days <= AGAIN_DAYS and not since_offer < days:
        text = known.phrase("rejected_offer_recency")
        yield Finding(
            "price negotiation",
            f"{text[:1].upper()}{text[1:]}, and no offer since.",
            known.weighed(90 - 2 * days),
            1.0,
            offers,
            "Agree on a second offer, or on the next home.",
        )
        return
    chance = _doubts(known).get(PRICE)
    if chance is not None and not np.isnan(since_offer) and since_offer <= 30:
        yield Finding(
            "price negotiation",
            "An offer was made within 30 days, and the price is objected to.",
            known.weighed(80.0),
            chance,
            (*_unmet(known), *offers[:1]),
            "Settle how far the lead would go before the other side answers.",
        )


def _doubts(known: Known) -> dict[str, float]:
    return {} if known.conversation is None else dict(known.conversation.open_objections)


def _unmet(known: Known) -> tuple[Evidence, ...]:
    """Messages of the lead that no message of the team followed."""
    return known.unanswered_since(MESSAGES_IN.kinds, MESSAGES_OUT.kinds)

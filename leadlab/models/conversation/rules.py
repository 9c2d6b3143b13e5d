"""The fallback that needs no training: words that speak for an intent, a mood, haste, a doubt.

The trained models are told how many key words of each sort a message holds; without a model these
decide alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from leadlab.models.conversation.scores import Scores
from leadlab.models.conversation.topics import INTENTS, OBJECTIONS

F64 = NDArray[np.float64]
_INTENT = {
    "inquiry": (
        "interested|information|available|on the market|looking for|looking to buy|your "
        "listing|more about|sold|sell my|sell our|first time buyer|off the market|"
        "enquire|enquiring"
    ),
    "property question": (
        "how big|how old|how large|how many|square feet|square footage|sq ft|bathroom|"
        "bathrooms|garage|roof|yard|parking|heating|floor plan|photos|neighborhood|"
        "neighbourhood|commute|school|schools|pets|hoa|basement|does it have|is there "
        "a|quiet|noisy|taxes"
    ),
    "scheduling": (
        "schedule|tour|viewing|showing|appointment|visit|meet|see it|see the house|"
        "see the home|see the place|open house|come by|walk through|reschedule|book|"
        "stop by|drop by"
    ),
    "financing": (
        "mortgage|loan|loans|lender|pre approved|preapproved|pre approval|preapproval|"
        "prequalified|down payment|interest rate|interest rates|rate|rates|bank|"
        "finance|financing|fha|va loan|deposit|monthly payment|borrow|refinance"
    ),
    "pricing/negotiation": (
        "price|how much|asking|negotiable|negotiate|lower|discount|counter|countered|"
        "come down|accept|cost|costs|credit for|wiggle room|reduced"
    ),
    "offer": (
        "offer|bid|we'll take it|submit|put in|write it up|ready to buy|contract|earnest money"
    ),
    "objection": (
        "too expensive|too far|too small|over our budget|not sure|worried|worries|"
        "can't afford|not ready|problem|concern|concerns|concerned|needs work|"
        "overpriced"
    ),
    "thanks/closing": (
        "thanks|thank you|thx|bye|goodbye|appreciate|appreciated|no longer|"
        "unsubscribe|remove|stop|not interested|that's all"
    ),
    "research": (
        "just looking|browsing|market|similar|listings|compare|comparing|trend|"
        "newsletter|alerts|curious|average"
    ),
}
_OBJECTION = {
    "price": (
        "too expensive|overpriced|over our budget|over my budget|can't afford|cannot "
        "afford|too much|steep|pricey|too high|out of our range|out of our price range|"
        "out of my price range|stretch"
    ),
    "financing": (
        "denied|no down payment|can't get approved|turned us down|rates are|don't "
        "qualify|not approved"
    ),
    "timing": (
        "not ready|too early|too soon|wait|later|on hold|need more time|not the righttime|bad time"
    ),
    "location": (
        "too far|bad area|main road|traffic|long commute|in the middle of nowhere|bad "
        "neighborhood|long drive"
    ),
    "condition": (
        "needs work|lot of work|cracks|mold|mould|smell|leak|leaks|leaking|outdated|"
        "tired|repairs|falling apart|a project|old roof"
    ),
    "trust": (
        "scam|don't trust|how do i know|in writing|misleading|hiding|too good to betrue|pushed"
    ),
    "competitor": (
        "other bids|another agent|another realtor|another agency|another broker|outbid|"
        "cash buyers|different agent|better deal|other offers|investors|elsewhere"
    ),
}
_GOOD = (
    "great|good|nice|love|loved|lovely|perfect|perfectly|happy|pleased|excited|"
    "wonderful|amazing|beautiful|excellent|fantastic|glad|best|like it|thrilled|"
    "gorgeous|awesome|brilliant|superb|delighted|enjoyed|impressed|charming|"
    "stunning|grateful|fabulous|promising|helpful|ideal|satisfied|incredible|"
    "outstanding|adore|pleasant|comfortable|cosy|bright"
)
_BAD = (
    "bad|terrible|awful|worst|annoyed|annoying|unhappy|disappointed|"
    "disappointing|waste|hate|horrible|angry|wrong|ridiculous|unacceptable|poor|"
    "worried|sad|rude|frustrated|frustrating|useless|upset|fed up|dreadful|"
    "furious|complaint|complain|ugly|dirty|nasty|mess|unfortunately|let down|"
    "don't like|didn't like|pity|dull|disgusting|regret|insulting"
)
_FAST = (
    "asap|as soon as possible|urgent|urgently|today|right now|right away|"
    "immediately|hurry|deadline|tonight|no time|quickly"
)
_SLOW = "no rush|no hurry|not urgent|take your time|whenever|next year|plenty of time|we have time"
_MOODS = ("good", "bad", "fast", "slow")
SORTS = (*_INTENT, *(f"objection {name}" for name in _OBJECTION), *_MOODS)
"""Sorts of key words, a column each in `counted`."""
_GOOD_AT, _BAD_AT, _FAST_AT, _SLOW_AT = (SORTS.index(name) for name in _MOODS)
_LISTS = (*_INTENT.values(), *_OBJECTION.values(), _GOOD, _BAD, _FAST, _SLOW)
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_NOT = frozenset(("not", "no", "never", "isn't", "wasn't", "don't", "didn't", "can't", "hardly"))
MOST = 3
"""More key words of one sort than this say nothing more."""
_SURE = 0.8
"""Probability that a rule gives to what it says, since it measured none."""
Hit = tuple[int, str]


def _by_first_word() -> dict[str, list[tuple[tuple[str, ...], int]]]:
    found: dict[str, list[tuple[tuple[str, ...], int]]] = {}
    for column, words in enumerate(_LISTS):
        for phrase in words.split("|"):
            first, *rest = phrase.split(" ")
            found.setdefault(first, []).append((tuple(rest), column))
    return found


_PHRASES = _by_first_word()


def hits(text: str) -> list[Hit]:
    """Key words of a text: column of their sort, and the words.

    A good or bad word within two words after a "not" counts for the other side.

    Examples
    --------
    >>> [(SORTS[column], words) for column, words in hits("A tour? We are not happy")]
    [('scheduling', 'tour'), ('bad', 'not happy')]
    """
    words = _WORD.findall(text.lower().replace("\u2019", "'"))
    found: list[Hit] = []
    if _PHRASES.keys().isdisjoint(words):
        return found
    for i, word in enumerate(words):
        if word not in _PHRASES:
            continue
        for rest, column in _PHRASES[word]:
            if rest and tuple(words[i + 1 : i + 1 + len(rest)]) != rest:
                continue
            said = " ".join((word, *rest))
            if column in (_GOOD_AT, _BAD_AT):
                turned = [w for w in words[max(0, i - 2) : i] if w in _NOT]
                if turned:
                    other = _BAD_AT if column == _GOOD_AT else _GOOD_AT
                    found.append((other, f"{turned[-1]} {said}"))
                    continue
            found.append((column, said))
    return found


def counted(texts: Sequence[str]) -> F64:
    """How many key words of each sort, `MOST` at most, shape (n, sorts).

    Examples
    --------
    >>> counted(["a tour, a tour", ""]).sum(axis=1).tolist()
    [2.0, 0.0]
    """
    sorts = len(SORTS)
    places = [row * sorts + column for row, text in enumerate(texts) for column, _ in hits(text)]
    found = np.bincount(np.array(places, np.int64), minlength=len(texts) * sorts)
    return np.minimum(found.reshape(len(texts), sorts), MOST).astype(np.float64)


def by_rules(texts: Sequence[str]) -> Scores:
    """Read texts by their key words alone.

    The intent is the one with most key words, the later in `INTENTS` of two that tie; out of scope
    if there is none. Probabilities are not measured: 0.8 for what the rules say.

    Parameters
    ----------
    texts : sequence of str, n of them

    Returns
    -------
    Scores

    Examples
    --------
    >>> found = by_rules(["Can we schedule a tour? It's urgent", "It is overpriced, I hate it"])
    >>> [INTENTS[i] for i in found.intent.argmax(axis=1)], found.urgency.tolist()
    (['scheduling', 'objection'], [0.9, 0.4])
    >>> found.sentiment.tolist(), OBJECTIONS[found.objections[1].argmax()]
    ([0.0, -0.5], 'price')
    """
    counts = counted(texts)
    n, named = len(texts), len(_INTENT)
    intent = np.full((n, len(INTENTS)), (1 - _SURE) / (len(INTENTS) - 1))
    told = counts[:, :named]
    best = named - 1 - told[:, ::-1].argmax(axis=1) if n else np.zeros(0, int)
    intent[np.arange(n), np.where(told.any(axis=1), best, len(INTENTS) - 1)] = _SURE
    doubts = counts[:, named : named + len(OBJECTIONS)] > 0
    good, bad = counts[:, _GOOD_AT], counts[:, _BAD_AT]
    return Scores(
        intent,
        (good - bad) / (good + bad + 1),
        np.where(good + bad > 0, _SURE, 0.5),
        np.where(counts[:, _SLOW_AT] > 0, 0.1, np.where(counts[:, _FAST_AT] > 0, 0.9, 0.4)),
        np.where(doubts, _SURE, 0.05),
    )


def words_of_rules(text: str, intent: str, objections: Sequence[str]) -> Mapping[str, list[str]]:
    """Key words that each decision rests on.

    Examples
    --------
    >>> words_of_rules("Can we schedule a tour?", "scheduling", [])
    {'intent': ['schedule', 'tour']}
    """
    asked = {f"objection {name}": f"objection {name}" for name in objections}
    asked |= {"good": "sentiment", "bad": "sentiment", "fast": "urgency", "slow": "urgency"}
    asked[intent] = "intent"
    found: dict[str, list[str]] = {}
    for column, words in hits(text):
        what = asked.get(SORTS[column])
        if what and words not in found.setdefault(what, []):
            found[what].append(words)
    return found

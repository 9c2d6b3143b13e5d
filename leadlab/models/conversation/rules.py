"""The fallback that needs no training: words that speak for an intent, a mood, haste, a doubt."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from leadlab.models.conversation.scores import Scores
from leadlab.models.conversation.topics import INTENTS, OBJECTIONS

_INTENT = {
    "inquiry": "interested|information|available|on the market|looking for|looking to buy|your "
    "listing|more about|sold|sell my|sell our|first time buyer|off the market",
    "property question": "how big|how old|how large|how many|square feet|sq ft|bathrooms?|garage|"
    "roof|yard|parking|heating|floor plan|photos|neighbou?rhood|commute|schools?|pets|hoa|basement|"
    "does it have|is there a|quiet|noisy|taxes",
    "scheduling": "schedule|tour|viewing|showing|appointment|visit|meet|see it|open house|"
    "come by|walk through|reschedule|book|stop by",
    "financing": "mortgage|loans?|lender|pre-?approv\\w+|down payment|interest|rates?|credit|bank|"
    "finance|financing|fha|va|deposit|monthly payment|borrow",
    "pricing/negotiation": "price|how much|asking|negotiable|negotiate|lower|discount|counter\\w*|"
    "come down|accept|cost|costs|credit for|wiggle room|reduced",
    "offer": "offer|bid|we'll take it|submit|put in|write it up|ready to buy|contract|earnest money",
    "objection": "too expensive|too far|too small|over our budget|not sure|worried|worries|can't "
    "afford|not ready|problem|concern\\w*|needs work|overpriced",
    "thanks/closing": "thanks?|thank you|bye|goodbye|appreciate\\w*|no longer|unsubscribe|remove|"
    "stop|not interested|that's all",
    "research": "just looking|browsing|market|similar|listings|compare|comparing|trend|newsletter|"
    "alerts|curious|average",
}
_OBJECTION = {
    "price": "too expensive|overpriced|over (?:our|my) budget|can't afford|too much|steep|pricey|"
    "too high|out of (?:our|my) range|out of (?:our|my) price range|stretch",
    "financing": "denied|no down payment|can't get approved|turned us down|rates are|"
    "don't qualify|not approved",
    "timing": "not ready|too early|too soon|wait|later|on hold|need more time|not the right time",
    "location": "too far|bad area|main road|traffic|commute would|in the middle of nowhere",
    "condition": "needs work|a lot of work|cracks|mou?ld|smell|leak\\w*|outdated|tired|repairs|"
    "falling apart|a project|old roof",
    "trust": "scam|don't trust|how do i know|in writing|misleading|hiding|"
    "too good to be true|pushed",
    "competitor": "other bids|another (?:agent|realtor|agency|broker)|outbid|cash buyers|different "
    "agent|better deal|other offers|investors|elsewhere",
}
_GOOD = (
    "great|good|nice|love|loved|lovely|perfect|perfectly|happy|pleased|excited|wonderful|amazing|"
    "beautiful|excellent|fantastic|glad|best|like it|thrilled|gorgeous|awesome|brilliant|superb|"
    "delighted|enjoyed|impressed|charming|stunning|grateful|fabulous|promising|helpful|ideal|"
    "satisfied|incredible|outstanding|adore|pleasant|comfortable|cosy|bright"
)
_BAD = (
    "bad|terrible|awful|worst|annoyed|annoying|unhappy|disappointed|disappointing|waste|hate|"
    "horrible|angry|wrong|ridiculous|unacceptable|poor|worried|sad|rude|frustrated|frustrating|"
    "useless|upset|fed up|dreadful|furious|complaint|complain|ugly|dirty|nasty|mess|unfortunately|"
    "let down|not happy|don't like|didn't like|not impressed|pity|dull|disgusting|regret|insulting"
)
_FAST = ("asap|as soon as possible|urgent\\w*|today|right now|right away|immediately|hurry|deadline|"
         "tonight|no time|quickly")  # fmt: skip
_SLOW = "no rush|no hurry|not urgent|take your time|whenever|next year|plenty of time|we have time"
_NOT = re.compile(r"\b(?:not|no|never|isn't|wasn't|don't|didn't|can't|hardly)\s(?:\w+\s)?\Z")
_SURE = 0.8
"""Probability that a rule gives to what it says, since it measured none."""


def _pattern(words: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{words})\b", re.IGNORECASE)


_INTENTS = {name: _pattern(words) for name, words in _INTENT.items()}
_OBJECTIONS = {name: _pattern(words) for name, words in _OBJECTION.items()}
_TONES = (_pattern(_GOOD), _pattern(_BAD))
_HASTE = (_pattern(_FAST), _pattern(_SLOW))


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
    (['scheduling', 'other/out of scope'], [0.9, 0.4])
    >>> found.sentiment.tolist(), OBJECTIONS[found.objections[1].argmax()]
    ([0.0, -0.5], 'price')
    """
    n = len(texts)
    intent = np.full((n, len(INTENTS)), (1 - _SURE) / (len(INTENTS) - 1))
    objections = np.full((n, len(OBJECTIONS)), 0.05)
    sentiment, confidence, urgency = np.zeros(n), np.full(n, 0.5), np.full(n, 0.4)
    for row, text in enumerate(texts):
        counts = [len(p.findall(text)) for p in _INTENTS.values()]
        best = max(range(len(counts)), key=lambda i: (counts[i], i))
        intent[row, best if counts[best] else len(INTENTS) - 1] = _SURE
        objections[row, [p.search(text) is not None for p in _OBJECTIONS.values()]] = _SURE
        good, bad = _tones(text)
        sentiment[row] = (good - bad) / (good + bad + 1)
        confidence[row] = 0.5 + 0.3 * (good + bad > 0)
        fast, slow = (p.search(text) is not None for p in _HASTE)
        urgency[row] = 0.1 if slow else 0.9 if fast else 0.4
    return Scores(intent, sentiment, confidence, urgency, objections)


def _tones(text: str) -> tuple[int, int]:
    """Good and bad words; one after a "not" counts for the other side."""
    counts = [0, 0]
    for side, pattern in enumerate(_TONES):
        for match in pattern.finditer(text):
            turned = _NOT.search(text[max(0, match.start() - 20) : match.start()].lower())
            counts[side ^ bool(turned)] += 1
    return counts[0], counts[1]


def words_of_rules(text: str, intent: str, objections: Sequence[str]) -> Mapping[str, list[str]]:
    """Key words that each decision rests on.

    Examples
    --------
    >>> words_of_rules("Can we schedule a tour?", "scheduling", [])["intent"]
    ['schedule', 'tour']
    """
    patterns = {f"objection {name}": [_OBJECTIONS[name]] for name in objections}
    patterns |= {"sentiment": list(_TONES), "urgency": list(_HASTE)}
    if intent in _INTENTS:
        patterns["intent"] = [_INTENTS[intent]]
    found = {
        what: list(dict.fromkeys(m[0] for p in some for m in p.finditer(text)))
        for what, some in patterns.items()
    }
    return {what: words for what, words in found.items() if words}


def key_words() -> pd.DataFrame:
    """All key words as short labelled texts, from which a model can learn them.

    Returns
    -------
    DataFrame
        ``text``, and of ``intent``, ``sentiment``, ``urgency``, ``objections`` the one that it
        speaks for; the others are missing.

    Examples
    --------
    >>> rows = key_words()
    >>> rows.loc[rows["text"] == "mortgage", "intent"].tolist()
    ['financing']
    """
    named = [("intent", name, words) for name, words in _INTENT.items()]
    named += [("objections", name, words) for name, words in _OBJECTION.items()]
    named += [("sentiment", 0.8, _GOOD), ("sentiment", -0.8, _BAD)]
    named += [("urgency", 0.9, _FAST), ("urgency", 0.1, _SLOW)]
    rows = [
        {"text": word, column: label} for column, label, words in named for word in _spelt(words)
    ]
    return pd.DataFrame(rows, columns=["text", "intent", "sentiment", "urgency", "objections"])


def _spelt(words: str) -> list[str]:
    """Alternatives of a pattern in plain letters."""
    plain = re.sub(r"\(\?:([^)|]*)[^)]*\)", r"\1", words)
    plain = re.sub(r"\w\?|\\w[*+]|-\?", lambda m: m[0][0] if m[0][0].isalpha() else "", plain)
    return plain.split("|")

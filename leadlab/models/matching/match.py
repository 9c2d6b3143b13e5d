"""The homes for a buyer, why these, and what would have to change."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlab.errors import BadInput
from leadlab.models.matching.catalogue import Catalogue
from leadlab.models.matching.diversity import diverse
from leadlab.models.matching.factors.table import MEETS, Scores, score
from leadlab.models.matching.limits import Limit, allowed
from leadlab.models.matching.pairs import Buyer, Standing, stand
from leadlab.models.matching.population import Segments
from leadlab.models.matching.preferences import Preferences
from leadlab.models.matching.ranker import SHORTLIST, Ranker
from leadlab.models.matching.taste import EVIDENCE, Taste

I64 = NDArray[np.int64]
F32 = NDArray[np.float32]
TOLD = 3
"""Traits of learned taste that are told of a home at most."""
SAYS_SOMETHING = 0.2
"""Evidence, in log units, below which a trait is not worth a word."""
_WORDS = {
    "list_price": "price",
    "living_area": "size",
    "bedrooms_total": "number of bedrooms",
    "bathrooms": "number of bathrooms",
    "lot_size_square_feet": "lot",
    "year_built": "year it was built",
    "garage_spaces": "garage",
    "stories_total": "number of storeys",
    "east_km": "place from west to east",
    "north_km": "place from south to north",
    "price in area": "price for its area",
    "sort": "type of home",
    "area": "area",
}


@dataclass(frozen=True)
class Reason:
    """What one factor says of one home.

    Attributes
    ----------
    factor : str
    score : float or None
        0 to 1; None where it is unknown, which then counts neither for nor against.
    text : str
    lost : float
        What it takes off the stated fit: ``weight * (1 - score) / sum of known weights``.
    change : mapping of str to value
        The wishes under which the home would meet it in full.
    """

    factor: str
    score: float | None
    text: str
    lost: float
    change: dict[str, Any]


@dataclass(frozen=True)
class Match:
    """One home for a buyer.

    Attributes
    ----------
    listing : str
    row : int
        Of the catalogue.
    fit : float or None
        To the stated wishes, 0 to 1; None where nothing is known or nothing was wished.
    known : float
        Share of the wishes' weight that is known of the home.
    learned : float
        Evidence from the buyer's own deeds, log units; 0 before the first.
    reasons : tuple of Reason
        Of every factor that the buyer asked about.
    taste : tuple of str
        What of the home is like the homes that the buyer took to.
    """

    listing: str
    row: int
    fit: float | None
    known: float
    learned: float
    reasons: tuple[Reason, ...]
    taste: tuple[str, ...]


@dataclass(frozen=True)
class Matches:
    """What a buyer is shown.

    Attributes
    ----------
    homes : tuple of Match
        Best first; empty where no home meets the hard limits, as `limits` then tells.
    candidates : int
        Homes within the hard limits.
    catalogue : int
        Homes altogether.
    limits : tuple of Limit
    basis : str
        What the order rests on: "stated wishes", "deeds", "segment", "popularity"...
    segment : int
        -1 where none is known.
    doubts : mapping of str to int
        Values of listings that were taken as unknown.
    """

    homes: tuple[Match, ...]
    candidates: int
    catalogue: int
    limits: tuple[Limit, ...]
    basis: str
    segment: int
    doubts: dict[str, int]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def match(
    homes: Catalogue,
    wants: Preferences,
    *,
    taste: Taste | None = None,
    ranker: Ranker | None = None,
    at_us: int = 0,
    top: int = 20,
    variety: float = 0.15,
    area_cap: int | None = None,
) -> Matches:
    """Find the homes for a buyer.

    Parameters
    ----------
    homes : Catalogue
    wants : Preferences
    taste : Taste, optional
        Learned from the buyer's deeds; nothing by default.
    ranker : Ranker, optional
        Trained on what others did; it orders the best 300 anew, and helps before the first deed.
    at_us : int
        The moment, for popularity as it was known then.
    top : int
        How many homes at most.
    variety, area_cap
        Of `leadlab.models.matching.diversity.diverse`.

    Raises
    ------
    BadInput
        `top` is below 1 or `variety` outside of 0 to 1.

    Examples
    --------
    >>> import pandas as pd
    >>> homes = Catalogue.prepare(pd.DataFrame({
    ...     "listing_key": ["a", "b"], "list_price": [3e5, 5e5], "bedrooms_total": [2, 4]}))
    >>> found = match(homes, Preferences(budget_usd=4.8e5, bedrooms_min=3))
    >>> [(one.listing, round(one.fit, 2)) for one in found.homes]
    [('b', 0.86), ('a', 0.75)]
    >>> found.homes[0].reasons[0].text
    '$500,000 is 4% above the budget of $480,000'
    """
    if top < 1 or not 0 <= variety < 1:
        raise BadInput(
            "no such list", got=f"top {top}, variety {variety}", expected="1 or more; 0 to 1"
        )
    buyer = Buyer(wants, taste or Taste(), at_us)
    scores = score(homes, wants)
    within = allowed(homes, wants, scores)
    segments: Segments | None = None if ranker is None else ranker.segments_
    standing = stand(buyer, homes, segments, scores)
    rows, worth = _shortlist(standing, within.mask, max(SHORTLIST, 2 * top))
    if ranker is not None and len(rows):
        worth = ranker.order(standing, homes, rows)
    chosen = rows[diverse(homes, rows, worth, top, variety=variety, area_cap=area_cap)]
    told = tuple(_told(homes, wants, standing, int(row)) for row in chosen)
    return Matches(
        told,
        int(within.mask.sum()),
        len(homes),
        within.limits,
        _basis(scores, buyer.taste, ranker),
        standing.segment,
        dict(homes.doubts),
    )


def _shortlist(standing: Standing, mask: NDArray[np.bool_], size: int) -> tuple[I64, F32]:
    """The best of the first score within the limits; ties in the catalogue's order."""
    first = standing.first
    rows = np.flatnonzero(mask)
    if len(rows) > size:
        edge = np.partition(first[rows], len(rows) - size)[len(rows) - size]
        rows = rows[first[rows] >= edge]
        if len(rows) > size:
            rows = rows[np.argsort(-first[rows], kind="stable")[:size]]
    return rows, first[rows]


def _basis(scores: Scores, taste: Taste, ranker: Ranker | None) -> str:
    parts = ["stated wishes"] if scores.factors else []
    parts += ["own deeds"] if taste.deeds else []
    if ranker is not None:
        parts.append("what others did")
    return " and ".join(parts) or "nothing: the catalogue's own order"


def _told(homes: Catalogue, wants: Preferences, standing: Standing, row: int) -> Match:
    scores = standing.scores
    fit = float(scores.fit[row])
    return Match(
        str(homes.key[row]),
        row,
        None if np.isnan(fit) else fit,
        float(scores.known[row]),
        float(standing.evidence[row]) if standing.buyer.taste.deeds else 0.0,
        tuple(why(homes, wants, scores, row)),
        _liked(homes, standing, row),
    )


def why(homes: Catalogue, wants: Preferences, scores: Scores, row: int) -> list[Reason]:
    """What each factor that was asked about says of one home, the most telling first.

    Unknown factors come last and say so.
    """
    values = scores.values[:, row]
    known = ~np.isnan(values)
    mass = float(scores.weight[known].sum()) or 1.0
    found = []
    for factor, value, weight in zip(scores.factors, values, scores.weight, strict=True):
        if np.isnan(value):
            found.append(Reason(factor.name, None, f"{factor.name}: unknown", 0.0, {}))
            continue
        change = {} if value >= MEETS else factor.change(homes, row, wants)
        lost = float(weight) * (1 - float(value)) / mass
        text = factor.reason(homes, row, wants)
        found.append(Reason(factor.name, float(value), text, lost, change))
    return sorted(found, key=lambda one: (one.score is None, -one.lost))


def _liked(homes: Catalogue, standing: Standing, row: int) -> tuple[str, ...]:
    """The traits in which a home is most like those that the buyer took to."""
    if not standing.lean.weight:
        return ()
    evidence = standing.lean.evidence(homes, np.array([row]))[0]
    best = np.argsort(-evidence, kind="stable")[:TOLD]
    return tuple(
        f"{_WORDS[EVIDENCE[k]]} like that of homes looked at before"
        for k in best
        if evidence[k] > SAYS_SOMETHING
    )

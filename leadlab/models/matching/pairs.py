"""A buyer beside homes, in numbers: what rankers and chances are learned over."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadlab.models.matching.catalogue import Catalogue
from leadlab.models.matching.factors.place import minutes
from leadlab.models.matching.factors.table import Scores, score
from leadlab.models.matching.population import Popularity, Segments
from leadlab.models.matching.preferences import NAMES, Preferences
from leadlab.models.matching.taste import EVIDENCE, Leaning, Taste, leaning, totals

F32 = NDArray[np.float32]
I64 = NDArray[np.int64]
FEATURES = (
    *(f"evidence {name}" for name in EVIDENCE),
    *(f"against {name}" for name in EVIDENCE),
    *(f"fit {name}" for name in NAMES),
    *("evidence", "against", "segment evidence", "fit", "known", "deeds", "own weight",
      "popularity", "log price over budget", "bedrooms over wish", "commute over wish"),
)  # fmt: skip
STATED = 6.0
"""Worth of a full fit to the stated wishes, in units of evidence; set by hand. Evidence grows with
every deed, so that what a buyer does comes to outweigh what it said."""


@dataclass(frozen=True, eq=False)
class Buyer:
    """All that is known of a buyer at a moment.

    Attributes
    ----------
    wants : Preferences
        As stated.
    taste : Taste
        From the deeds so far.
    at_us : int
    """

    wants: Preferences
    taste: Taste
    at_us: int


@dataclass(frozen=True, eq=False)
class Standing:
    """A buyer beside every home of a catalogue.

    Attributes
    ----------
    buyer : Buyer
    scores : Scores
        Of the stated wishes.
    lean : Leaning
        What the buyer's own deeds lean to.
    evidence, segment_evidence : float32 array, shape (n,)
        Of the buyer's own deeds, and of those of its segment.
    segment : int
        -1 before the first deed.
    """

    buyer: Buyer
    scores: Scores
    lean: Leaning
    evidence: F32
    segment_evidence: F32
    segment: int

    @property
    def first(self) -> F32:
        """First score of each home: stated fit (a half where unknown), evidence, the segment's."""
        fit = np.where(np.isnan(self.scores.fit), np.float32(0.5), self.scores.fit)
        share = np.float32(1.0 / (1.0 + self.buyer.taste.deeds))
        return fit * np.float32(STATED) + self.evidence + share * self.segment_evidence


def stand(
    buyer: Buyer, homes: Catalogue, segments: Segments | None, scores: Scores | None = None
) -> Standing:
    """Hold a buyer against all homes.

    Parameters
    ----------
    buyer : Buyer
    homes : Catalogue
    segments : Segments or None
        None: the population is not known, and says nothing.
    scores : Scores, optional
        Of these wishes, if they are known already.
    """
    found = score(homes, buyer.wants) if scores is None else scores
    lean = leaning(homes, buyer.taste)
    if segments is None:
        nothing = np.zeros(len(homes), np.float32)
        return Standing(buyer, found, lean, lean.total(homes), nothing, -1)
    number = segments.segment(lean)
    own, shared = totals(homes, lean, segments.leanings[number])
    return Standing(buyer, found, lean, own, shared, number)


def pair_features(
    standing: Standing, homes: Catalogue, rows: I64, popularity: Popularity | None
) -> F32:
    """Features of a buyer and some homes, shape (len(rows), len(FEATURES)); NaN where not asked.

    Examples
    --------
    >>> import pandas as pd
    >>> homes = Catalogue.prepare(pd.DataFrame({"listing_key": ["a"], "list_price": [3e5]}))
    >>> buyer = Buyer(Preferences(budget_usd=4e5), Taste(), 0)
    >>> found = pair_features(stand(buyer, homes, None), homes, np.array([0]), None)
    >>> found.shape == (1, len(FEATURES)), float(found[0, FEATURES.index("fit budget")])
    (True, 1.0)
    """
    n, k = len(rows), len(EVIDENCE)
    taste, scores = standing.buyer.taste, standing.scores
    found = np.full((n, len(FEATURES)), np.nan, np.float32)
    found[:, :k] = standing.lean.evidence(homes, rows)
    against = leaning(homes, taste, sign=-1.0).evidence(homes, rows)
    found[:, k : 2 * k] = against
    for number, factor in enumerate(scores.factors):
        found[:, 2 * k + NAMES.index(factor.name)] = scores.values[number, rows]
    popular = np.zeros(n, np.float32)
    if popularity is not None:
        popular = np.log1p(popularity.as_of(standing.buyer.at_us)[rows])
    own = np.array([taste.weights.get(int(row), 0.0) for row in rows], np.float32)
    at = 2 * k + len(NAMES)
    for column in (
        standing.evidence[rows],
        against.sum(axis=1),
        standing.segment_evidence[rows],
        scores.fit[rows],
        scores.known[rows],
        np.full(n, taste.deeds, np.float32),
        own,
        popular,
        *_gaps(standing.buyer.wants, homes, rows),
    ):
        found[:, at] = column
        at += 1
    return found


def _gaps(wants: Preferences, homes: Catalogue, rows: I64) -> tuple[F32, F32, F32]:
    """How far homes are from wishes, also where they meet them; NaN where nothing was wished."""
    none = np.full(len(rows), np.nan, np.float32)
    price = beds = way = none
    if wants.budget_usd is not None:
        price = np.log(homes.number["list_price"][rows] / np.float32(wants.budget_usd))
    if wants.bedrooms_min is not None:
        beds = homes.number["bedrooms_total"][rows] - np.float32(wants.bedrooms_min)
    if wants.work is not None:
        way = minutes(homes, wants, rows) / np.float32(wants.commute_max_min)
    return price, beds, way

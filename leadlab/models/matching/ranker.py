"""The learned ranking: chance of a view, interest after a view, and both re-ranked.

Three models over the same pairs of buyer and home, each asked with what was known before the deed:

- *viewing*: gradient boosting, homes that the buyer looked at later against homes at random;
- *interest*: a random forest, homes looked at that were saved, asked about or shown against those
  that were not;
- *order*: XGBoost ``rank:ndcg`` over the pairs' features and both chances, graded by what the buyer
  did later (look 1, save or inquiry 2, showing or offer 3).

The first two learn from every other training lead and the third from the rest, so that it sees
their chances as they are for leads that they do not know.

References
----------
Burges, "From RankNet to LambdaRank to LambdaMART", MSR-TR-2010-82.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from leadlab.errors import EmptyInput, NotFitted
from leadlab.models.matching.catalogue import Catalogue
from leadlab.models.matching.pairs import FEATURES, Buyer, Standing, pair_features, stand
from leadlab.models.matching.population import Popularity, Segments
from leadlab.models.matching.preferences import Preferences
from leadlab.models.matching.signals import Deeds
from leadlab.models.matching.taste import Taste

F32 = NDArray[np.float32]
I64 = NDArray[np.int64]
Tell = Callable[[str], None]
CUTS = (0, 2, 5, 10, 20, 30)
"""After so many deeds a training lead is asked about."""
AT_RANDOM, NEAREST = 40, 40
"""Homes without a later deed beside which those with one are ranked: any, and the best of the first
score, which are the ones that the ranker will have to tell apart."""
SHORTLIST = 300
_TREES: Mapping[str, Any] = {
    "eta": 0.1,
    "max_depth": 5,
    "min_child_weight": 5,
    "subsample": 0.8,
    "colsample_bytree": 0.8,
    "nthread": 1,
    "verbosity": 0,
}
VIEWING: Mapping[str, Any] = {**_TREES, "objective": "binary:logistic"}
ORDER: Mapping[str, Any] = {
    **_TREES,
    "objective": "rank:ndcg",
    "lambdarank_pair_method": "topk",
    "lambdarank_num_pair_per_sample": 10,
    "ndcg_exp_gain": True,
}
ROUNDS = 150


@dataclass(frozen=True, eq=False)
class Question:
    """A lead at a moment beside some homes, and the grade of what it did with each later."""

    lead: int
    rows: I64
    grade: I64
    x: F32


class Ranker:
    """Order homes for buyers as their later deeds would.

    Parameters
    ----------
    rounds : int
        Trees of the ranking.
    most : int
        Training questions at most.
    seed : int

    Attributes
    ----------
    segments_ : Segments
    popularity_ : Popularity
    viewing_ : xgboost.Booster
    interest_ : RandomForestClassifier
    order_ : xgboost.Booster
    counts_ : dict of str to int
        Questions and pairs that were learned from.
    """

    def __init__(self, rounds: int = ROUNDS, most: int = 6_000, seed: int = 0) -> None:
        self.rounds, self.most, self.seed = rounds, most, seed

    def fit(
        self,
        done: Deeds,
        homes: Catalogue,
        wants: Mapping[str, Preferences],
        *,
        popularity: Popularity | None = None,
        tell: Tell = lambda step: None,
    ) -> Self:
        """Learn from what training leads did.

        Parameters
        ----------
        done : Deeds
            All of the past, nothing of what is to be foretold.
        homes : Catalogue
        wants : mapping of lead to Preferences
            As stated; leads that are not in it stated nothing.
        popularity : Popularity, optional
            Of a longer past; by default that of `done`.
        tell : callable
            Called with a few words at each step.

        Raises
        ------
        EmptyInput
            No lead did anything after it had done something.
        """
        from sklearn.ensemble import (  # noqa: PLC0415  (takes long to import)
            RandomForestClassifier,
        )

        tell("find segments of taste")
        self.segments_ = Segments.of(done, homes, seed=self.seed)
        self.popularity_ = Popularity.of(done, homes) if popularity is None else popularity
        tell("hold training leads against homes")
        asked = self._questions(done, homes, wants)
        half, rest = ([q for q in asked if q.lead % 2 == side] for side in (0, 1))
        if not half or not rest:
            raise EmptyInput("too few leads did anything twice", where="deeds", got=len(asked))
        x, grade = np.concatenate([q.x for q in half]), np.concatenate([q.grade for q in half])
        tell("learn the chance of a view and interest")
        self.viewing_ = xgb.train(
            {**VIEWING, "seed": self.seed}, xgb.DMatrix(x, grade > 0, nthread=1), self.rounds
        )
        seen = grade > 0
        self.interest_ = RandomForestClassifier(
            60, max_depth=9, min_samples_leaf=20, max_features=0.3, random_state=self.seed
        ).fit(np.nan_to_num(x[seen], nan=-1.0), grade[seen] >= 2)
        tell("learn the order")
        data = xgb.DMatrix(
            np.concatenate([self._with_chances(q.x) for q in rest]),
            np.concatenate([q.grade for q in rest]),
            group=[len(q.rows) for q in rest],
            nthread=1,
        )
        self.order_ = xgb.train({**ORDER, "seed": self.seed}, data, self.rounds)
        self.counts_ = {"questions": len(asked), "pairs": len(x) + int(data.num_row())}
        return self

    def standing(self, buyer: Buyer, homes: Catalogue) -> Standing:
        """A buyer beside all homes, its segment known.

        Raises
        ------
        NotFitted
        """
        if not hasattr(self, "order_"):
            raise NotFitted("cannot rank before it is trained", hint="Call fit.")
        return stand(buyer, homes, self.segments_)

    def order(self, standing: Standing, homes: Catalogue, rows: I64) -> F32:
        """Scores of some homes for a buyer, higher is better, shape (len(rows),)."""
        x = pair_features(standing, homes, rows, self.popularity_)
        return np.asarray(self.order_.inplace_predict(self._with_chances(x)), np.float32)

    def rank(self, buyer: Buyer, homes: Catalogue) -> I64:
        """All homes for a buyer, best first: the best 300 of the first score, ordered anew.

        Examples
        --------
        See `leadlab.models.matching.match.match`, which adds limits, diversity and reasons.
        """
        standing = self.standing(buyer, homes)
        rows = np.argsort(-standing.first, kind="stable")
        short, rest = rows[:SHORTLIST], rows[SHORTLIST:]
        order = np.argsort(-self.order(standing, homes, short), kind="stable")
        return np.concatenate([short[order], rest])

    def _with_chances(self, x: F32) -> F32:
        viewing = self.viewing_.inplace_predict(x)
        chances = self.interest_.predict_proba(np.nan_to_num(x, nan=-1.0))
        known = list(self.interest_.classes_)
        interest = chances[:, known.index(True)] if True in known else np.zeros(len(x))
        return np.column_stack([x, viewing, interest]).astype(np.float32)

    def _questions(
        self, done: Deeds, homes: Catalogue, wants: Mapping[str, Preferences]
    ) -> list[Question]:
        rng = np.random.default_rng(self.seed)
        cuts = [
            (rows, cut)
            for rows in done.by_lead()
            for cut in CUTS
            if cut < len(rows) and (done.grade[rows[cut:]] > 0).any()
        ]
        if len(cuts) > self.most:
            cuts = [cuts[i] for i in np.sort(rng.choice(len(cuts), self.most, replace=False))]
        nothing = Preferences()
        found = []
        for rows, cut in cuts:
            name = str(done.leads[done.lead[rows[0]]])
            past, later = rows[:cut], rows[cut:]
            buyer = Buyer(
                wants.get(name, nothing),
                Taste.of(done.home[past], done.weight[past]),
                int(done.at_us[later[0]]),
            )
            found.append(self._question(buyer, homes, done.take(later), rng))
        return found

    def _question(
        self, buyer: Buyer, homes: Catalogue, later: Deeds, rng: np.random.Generator
    ) -> Question:
        standing = stand(buyer, homes, self.segments_)
        grade = np.zeros(len(homes), np.int64)
        np.maximum.at(grade, later.home, later.grade)
        size = min(NEAREST, len(homes))
        nearest = np.argpartition(-standing.first, size - 1)[:size]
        others = rng.integers(0, len(homes), AT_RANDOM)
        rows = np.unique(np.concatenate([np.flatnonzero(grade), nearest, others]))
        x = pair_features(standing, homes, rows, self.popularity_)
        return Question(int(later.lead[0]), rows, grade[rows], x)


CHANCES: Sequence[str] = (*FEATURES, "viewing chance", "interest chance")
"""Names of what the order is learned over."""

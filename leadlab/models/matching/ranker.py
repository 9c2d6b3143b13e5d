"""The learned ranking: chance of a view, interest after a view, and both re-ranked.

Three models over the same pairs of buyer and home, each asked with what was known before the deed:

- *viewing*: gradient boosting, homes that the buyer looked at later against homes at random;
- *interest*: a random forest, homes looked at that were saved, asked about or shown against those
  that were not;
- *order*: XGBoost ``rank:ndcg`` over the pairs' features and both chances, graded by what the buyer
  did later (look 1, save or inquiry 2, showing or offer 3). It starts from the log-odds of a view
  and learns what to change.

The first two are fitted twice, on either half of the training leads, so that the third sees chances
as they are for leads that a model does not know; a new lead gets the mean of both. Homes without a
later deed are drawn at random: taking the nearest ones would teach that near is bad.

Settings were chosen on a quarter of the training leads of a simulation with seed 1, before the gaps
to the wishes joined the features, by NDCG
of their later deeds: 50 trees on top of the log-odds gave 0.102 where the log-odds alone gave
0.098, the ranking without that start 0.095 and the first score 0.074.

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
from leadlab.models.matching.pairs import Buyer, Standing, pair_features, stand
from leadlab.models.matching.population import Popularity, Segments
from leadlab.models.matching.preferences import Preferences
from leadlab.models.matching.signals import Deeds
from leadlab.models.matching.taste import Taste

F32 = NDArray[np.float32]
I64 = NDArray[np.int64]
Tell = Callable[[str], None]
CUTS = (0, 2, 5, 10, 20, 30)
"""After so many deeds a training lead is asked about."""
AT_RANDOM = 100
"""Homes at random beside which those with a later deed are ranked."""
SHORTLIST = 300
VIEWING: Mapping[str, Any] = {
    "objective": "binary:logistic",
    "eta": 0.06,
    "max_depth": 4,
    "min_child_weight": 20,
    "subsample": 0.8,
    "colsample_bytree": 0.8,
    "nthread": 1,
    "verbosity": 0,
}
ORDER: Mapping[str, Any] = {
    **VIEWING,
    "objective": "rank:ndcg",
    "eta": 0.05,
    "max_depth": 3,
    "min_child_weight": 5,
    "lambdarank_pair_method": "mean",
    "lambdarank_num_pair_per_sample": 2,
}
FOREST: Mapping[str, Any] = {
    **VIEWING,
    "eta": 1.0,
    "max_depth": 8,
    "num_parallel_tree": 60,
    "subsample": 0.7,
    "colsample_bytree": 1.0,
    "colsample_bynode": 0.3,
}
"""XGBoost's random forest: one round of trees, each on its own rows and columns, averaged."""
VIEWING_ROUNDS, ORDER_ROUNDS = 150, 50


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
        Trees of the order.
    most : int
        Training questions at most.
    seed : int

    Attributes
    ----------
    segments_ : Segments
    popularity_ : Popularity
    viewing_ : pair of xgboost.Booster
    interest_ : pair of xgboost.Booster
        Random forests.
    order_ : xgboost.Booster
    counts_ : dict of str to int
        Questions and pairs that were learned from.
    """

    def __init__(self, rounds: int = ORDER_ROUNDS, most: int = 4_000, seed: int = 0) -> None:
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
            Too few leads did anything after they had done something.
        """
        tell("find segments of taste")
        self.segments_ = Segments.of(done, homes, seed=self.seed)
        self.popularity_ = Popularity.of(done, homes) if popularity is None else popularity
        tell("hold training leads against homes")
        asked = self._questions(done, homes, wants)
        half = np.concatenate([np.full(len(q.rows), q.lead % 2) for q in asked] or [np.empty(0)])
        if len(np.unique(half)) < 2:
            raise EmptyInput("too few leads did anything twice", where="deeds", got=len(asked))
        x, grade = np.concatenate([q.x for q in asked]), np.concatenate([q.grade for q in asked])
        tell("learn the chance of a view and interest")
        sides = [half != side for side in (0, 1)]
        self.viewing_ = [self._viewing(x[rows], grade[rows]) for rows in sides]
        self.interest_ = [self._interest(x[rows], grade[rows]) for rows in sides]
        tell("learn the order")
        odds, interest = np.zeros(len(x), np.float32), np.zeros(len(x), np.float32)
        for side, rows in enumerate(sides):
            odds[~rows], interest[~rows] = self._chances(x[~rows], (side,))
        data = xgb.DMatrix(
            np.column_stack([x, odds, interest]),
            grade,
            group=[len(q.rows) for q in asked],
            base_margin=odds,
            nthread=1,
        )
        self.order_ = xgb.train({**ORDER, "seed": self.seed}, data, self.rounds)
        self.counts_ = {"questions": len(asked), "pairs": len(x)}
        return self

    def _viewing(self, x: F32, grade: I64) -> xgb.Booster:
        data = xgb.DMatrix(x, grade > 0, nthread=1)
        return xgb.train({**VIEWING, "seed": self.seed}, data, VIEWING_ROUNDS)

    def _interest(self, x: F32, grade: I64) -> xgb.Booster:
        seen = grade > 0
        data = xgb.DMatrix(x[seen], grade[seen] >= 2, nthread=1)
        return xgb.train({**FOREST, "seed": self.seed}, data, 1)

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
        odds, interest = self._chances(x, (0, 1))
        data = xgb.DMatrix(np.column_stack([x, odds, interest]), base_margin=odds, nthread=1)
        return np.asarray(self.order_.predict(data, output_margin=True), np.float32)

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

    def _chances(self, x: F32, sides: Sequence[int]) -> tuple[F32, F32]:
        """Log-odds of a view and chance of interest, the mean of some halves' models."""
        odds = [self.viewing_[s].inplace_predict(x, predict_type="margin") for s in sides]
        chances = [self.interest_[s].inplace_predict(x) for s in sides]
        return (np.mean(odds, axis=0, dtype=np.float32),
                np.mean(chances, axis=0, dtype=np.float32))  # fmt: skip

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
        others = rng.integers(0, len(homes), AT_RANDOM)
        rows = np.unique(np.concatenate([np.flatnonzero(grade), others]))
        x = pair_features(standing, homes, rows, self.popularity_)
        return Question(int(later.lead[0]), rows, grade[rows], x)

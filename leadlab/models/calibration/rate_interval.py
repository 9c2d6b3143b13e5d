"""The interval beside a probability: how many of the next leads like this will convert."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leadlab.errors import BadInput, NotFitted
from leadlab.models import metrics
from leadlab.models.calibration.band import CalibrationBand
from leadlab.models.calibration.choice import scores
from leadlab.models.calibration.count_distribution import cumulative
from leadlab.models.calibration.score_blocks import score_blocks
from leadlab.models.folds import members

F64 = NDArray[np.float64]
ASSIGNMENTS = 20
SIZES = (20, 10, 5)
PRIOR_BLOCKS = 20
"""Blocks that the plain binomial at the plain level counts for when both are set."""
TINY = 1e-9


def interval_size(leads: int, folds: int = 5) -> int:
    """Leads that an interval can speak of when so many are held out over so many folds; 0 for none.

    Each fold must hold a block of different leads, with a quarter to spare.

    Examples
    --------
    >>> [interval_size(leads) for leads in (500, 92, 40, 20)]
    [20, 10, 5, 0]
    """
    return next((of for of in SIZES if leads >= 1.25 * folds * of), 0)


@dataclass(frozen=True)
class Coverage:
    """How often intervals held the count that came.

    Attributes
    ----------
    share : float
        Of the nonrandomised PIT (Czado, Gneiting and Held, 2009): counts are spread evenly over the
        probability that the prediction gave them, so that it is the level exactly where the
        prediction is right, although no interval of whole leads has just that level.
    inclusive : float
        Share of blocks whose count is within the whole-number interval, ends included: above the
        level where the prediction is right, as its ends are rounded outward.
    blocks : float
        Blocks in one assignment, mean over assignments.
    """

    share: float
    inclusive: float
    blocks: float


@dataclass(frozen=True)
class RateInterval:
    """Of the next `of` leads with this probability, how many will convert.

    Whether one lead's 4% was right can never be seen; whether "of 20 leads like this, 0 to 2" holds
    can be counted. The count is predicted as beta-binomial around p. Its overdispersion and the
    level in use are set on blocks of held-out rows of neighbouring score and different leads, so
    that the calibration's error, drift between folds and leads that go together are priced in.

    Attributes
    ----------
    of : int
        Leads that the interval speaks of.
    level : float
        Chance that the interval is to hold.
    theta : float
        Overdispersion, see `leadlab.models.calibration.count_distribution`.
    used_level : float
        Level of the beta-binomial that covered `level` of the held-out counts.
    blocks : float
        Blocks of different leads that both were set on.
    band : CalibrationBand or None
        How sure the probability itself is, see `probability_bounds`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> p = rng.beta(1, 9, 5000)
    >>> interval = RateInterval.fit(p, rng.random(5000) < p)
    >>> interval.say(0.1)
    'of 20 leads like this, 0 to 4'
    >>> low, high = interval.around([0.02, 0.5])
    >>> low.tolist(), high.tolist()
    ([0.0, 0.3], [0.1, 0.7])
    """

    of: int = 20
    level: float = 0.9
    theta: float = 0.0
    used_level: float = 0.9
    blocks: float = 0.0
    band: CalibrationBand | None = None

    @classmethod
    def fit(
        cls,
        p: ArrayLike,
        y: ArrayLike,
        *,
        groups: ArrayLike | None = None,
        folds: ArrayLike | None = None,
        level: float = 0.9,
        of: int = 20,
        seed: int = 0,
    ) -> Self:
        """Set the interval on rows that neither the model nor its calibration was fitted on.

        Parameters
        ----------
        p : array, shape (n,)
            Calibrated probabilities.
        y : array of 0 and 1, shape (n,)
        groups : array, shape (n,), optional
            Lead of each row; a block holds different leads.
        folds : array, shape (n,), optional
            Fold of each row; blocks stay within one, so that a drift from fold to fold shows.
        level : float
            In (0, 1).
        of : int
            At least 1.
        seed : int
            Of the assignments of rows to blocks.

        Raises
        ------
        BadInput
            If lengths differ, a value cannot be used, or there are too few groups for one block.
        """
        if not 0 < level < 1 or of < 1:
            raise BadInput("cannot make such an interval", got=f"level={level}, of={of}")
        outcome, chance, _ = metrics.checked(y, p)
        k, mean, blocks = _counts(outcome, chance, groups, folds, of, seed)
        # Rows of the same leads are no further witnesses.
        blocks = min(blocks, len(np.unique(members(groups, len(chance)))) / of)
        theta = _overdispersion(k, mean, of, blocks)
        below, upto = _pit(k, mean, of, theta)
        used = _level_that_covers(below, upto, level, blocks)
        band = CalibrationBand.fitted(chance, outcome, groups, level=level)
        return cls(int(of), float(level), theta, used, blocks, band)

    def counts(self, p: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Fewest and most of `of` leads that will convert, both included.

        The ends are the quantiles of the prediction, moved outward where ``p * of`` itself lies
        beyond them.
        """
        chance = np.clip(scores(p), TINY, 1 - TINY)
        low, high = (np.searchsorted(edges, chance) for edges in self._edges)
        return (
            np.minimum(low, np.floor(chance * self.of)).astype(np.int64),
            np.maximum(high, np.ceil(chance * self.of)).astype(np.int64),
        )

    @cached_property
    def _edges(self) -> tuple[F64, F64]:
        """Probabilities above which each quantile is one lead more; it never falls as p rises."""
        tail = (1 - self.used_level) / 2
        k = np.arange(self.of)
        edges = []
        # An end on the level itself must not hang on rounding in the last digit.
        for level in (tail - TINY, 1 - tail - TINY):
            low, high = np.zeros(self.of), np.ones(self.of)
            for _ in range(60):
                middle = np.clip((low + high) / 2, TINY, 1 - TINY)
                more = cumulative(middle, self.of, self.theta)[k, k] < level
                low, high = np.where(more, low, middle), np.where(more, middle, high)
            edges.append(high)
        return edges[0], edges[1]

    def around(self, p: ArrayLike) -> tuple[F64, F64]:
        """`counts` as shares of `of`; p lies within."""
        low, high = self.counts(p)
        return low / self.of, high / self.of

    def say(self, p: float) -> str:
        """One interval in words."""
        low, high = (int(end) for end in self.counts(p))
        span = f"{low} to {high}" if low < high else str(low)
        return f"of {self.of} leads like this, {span}"

    def probability_bounds(self, p: ArrayLike) -> tuple[F64, F64]:
        """Where the share of conversions among *all* leads of this probability may lie.

        This band is narrow where there was much to learn from, and says how far the probability is
        to be trusted. `around` speaks of the next `of` leads and adds their luck, which no amount
        of data takes away. Neither speaks of what sets one lead apart from others of its score.

        Raises
        ------
        NotFitted
            Where the interval was put together by hand.
        """
        if self.band is None:
            raise NotFitted("this interval saw no outcomes", hint="Use RateInterval.fit.")
        return self.band.around(p)

    def check(
        self, p: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None, *, seed: int = 0
    ) -> Coverage:
        """Coverage over blocks of rows that nothing was fitted on.

        Parameters
        ----------
        p, y, groups
            As in `fit`.
        seed : int
            Of the assignments of rows to blocks, of which 20 are averaged.
        """
        outcome, chance, _ = metrics.checked(y, p)
        k, mean, blocks = _counts(outcome, chance, groups, None, self.of, seed)
        below, upto = _pit(k, mean, self.of, self.theta)
        low, high = self.counts(mean)
        within = float(np.mean((low <= k) & (k <= high)))
        return Coverage(_share(below, upto, self.used_level), within, blocks)

    def coverage(
        self, p: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None, *, seed: int = 0
    ) -> float:
        """`Coverage.share` of `check`: near `level` where the intervals are right."""
        return self.check(p, y, groups, seed=seed).share

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        """What `to_json` gave.

        Raises
        ------
        BadInput
            If a field is missing or unknown.
        """
        names = set(cls.__dataclass_fields__)
        if names != set(found):
            raise BadInput(
                "fields of an interval differ",
                got=", ".join(sorted(found)),
                expected=", ".join(sorted(names)),
            )
        band = found["band"]
        kept = None if band is None else CalibrationBand.from_json(band)
        return cls(**{**found, "band": kept})


def _counts(
    outcome: F64, chance: F64, groups: ArrayLike | None, folds: ArrayLike | None, of: int, seed: int
) -> tuple[NDArray[np.int64], F64, float]:
    """Converted leads and mean probability of each block of all assignments; blocks in one."""
    n = len(outcome)
    fold = np.zeros(n, np.int64) if folds is None else members(folds, n)
    drawn = score_blocks(
        chance, members(groups, n), fold, of=of, assignments=ASSIGNMENTS, seed=seed
    )
    rows = np.concatenate(list(drawn))
    mean = np.clip(chance[rows].mean(axis=1), TINY, 1 - TINY)
    return outcome[rows].sum(axis=1).astype(np.int64), mean, len(rows) / ASSIGNMENTS


def _overdispersion(k: NDArray[np.int64], mean: F64, of: int, blocks: float) -> float:
    """Theta by the method of moments: squared surprise over what the binomial expects.

    Drawn to 0 where blocks are few.
    """
    if of == 1:
        return 0.0
    ratio = float(np.sum((k - of * mean) ** 2) / np.sum(of * mean * (1 - mean)))
    trusted = blocks / (blocks + PRIOR_BLOCKS)
    correlation = min(max(trusted * (ratio - 1) / (of - 1), 0.0), 0.99)
    return correlation / (1 - correlation)


def _pit(k: NDArray[np.int64], mean: F64, of: int, theta: float) -> tuple[F64, F64]:
    """P(fewer than k) and P(at most k) under the prediction of each block."""
    total = cumulative(mean, of, theta)
    row = np.arange(len(k))
    return np.where(k > 0, total[row, k - 1], 0.0), total[row, k]


def _share(below: F64, upto: F64, level: float) -> float:
    """Mean share of each count's probability that lies within the central `level`."""
    tail = (1 - level) / 2
    inside = np.minimum(upto, 1 - tail) - np.maximum(below, tail)
    return float(np.mean(np.clip(inside, 0, None) / np.maximum(upto - below, 1e-300)))


def _level_that_covers(below: F64, upto: F64, level: float, blocks: float) -> float:
    """Level at which held-out counts are covered at `level`, drawn to it where blocks are few."""
    low, high = 0.0, 1.0
    for _ in range(40):
        used = (low + high) / 2
        found = (blocks * _share(below, upto, used) + PRIOR_BLOCKS * used) / (blocks + PRIOR_BLOCKS)
        low, high = (used, high) if found < level else (low, used)
    return (low + high) / 2

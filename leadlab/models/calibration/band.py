"""How sure a calibrated probability itself is: a band around the calibration curve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leadlab.errors import BadInput
from leadlab.models import metrics
from leadlab.models.calibration.choice import scores
from leadlab.models.folds import members

F64 = NDArray[np.float64]
TINY = 1e-9
SHARE = 0.1
"""Of rows in a window of neighbouring scores, at least; more where conversions are few."""
INFORMATION = 8.0
"""Sum of p (1 - p) that a window is to have on average."""
KNOTS, SAMPLE = 41, 201


@dataclass(frozen=True)
class CalibrationBand:
    """Where the share of conversions among all leads of one probability may lie.

    Around each of 41 quantiles of p a window of neighbouring rows is taken, and all its
    probabilities are shifted by one amount on the log-odds: as far down, and up, as its conversions
    allow (score test, Wilson 1927; the variance grows by the design effect of leads with several
    rows). Between the quantiles the ends are joined by straight lines on the log-odds. The band
    never lets a higher probability have a lower end.

    It assumes that the error of p, not p, is level within a window.

    Attributes
    ----------
    level : float
    at, low, high : tuple of float
        Log-odds of the quantiles and of both ends there.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> p = rng.random(2000)
    >>> band = CalibrationBand.fitted(p, rng.random(2000) < p)
    >>> low, high = band.around([0.5])
    >>> low.round(2).tolist(), high.round(2).tolist()
    ([0.47], [0.6])
    """

    level: float
    at: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    @classmethod
    def fitted(
        cls, p: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None, *, level: float = 0.9
    ) -> Self:
        """Compare held-out rows with their probabilities.

        Parameters
        ----------
        p : array, shape (n,)
            Calibrated probabilities.
        y : array of 0 and 1, shape (n,)
        groups : array, shape (n,), optional
            Lead of each row.
        level : float
            Pointwise, in (0, 1).
        """
        if not 0 < level < 1:
            raise BadInput("a level lies in (0, 1)", where="level", got=level)
        outcome, chance, _ = metrics.checked(y, p)
        effect = design_effect(outcome, chance, members(groups, len(outcome)))
        order = np.lexsort((outcome, chance))
        margin, hits = log_odds(chance[order]), np.append(0, np.cumsum(outcome[order]))
        n = len(margin)
        width = min(n, max(round(SHARE * n), _rows_for(INFORMATION, chance), 1))
        middle = np.linspace(0, n - 1, min(n, KNOTS)).astype(np.int64)
        start = np.clip(middle - width // 2, 0, n - width)
        inside = margin[start[:, None] + np.linspace(0, width - 1, SAMPLE).astype(np.int64)]
        seen = (hits[start + width] - hits[start]) / width
        wide = NormalDist().inv_cdf((1 + level) / 2) * np.sqrt(effect / width)
        at = margin[middle]
        low = np.minimum.accumulate((at + _shift(inside, seen, wide))[::-1])[::-1]
        high = np.maximum.accumulate(at + _shift(inside, seen, -wide))
        at, first = np.unique(at, return_index=True)
        last = np.append(first[1:], len(low)) - 1
        return cls(level, *(tuple(ends.tolist()) for ends in (at, low[first], high[last])))

    def around(self, p: ArrayLike) -> tuple[F64, F64]:
        """Lower and upper bound of each probability, which lies within.

        Raises
        ------
        BadInput
            If a probability is NaN or outside [0, 1].
        """
        chance = scores(p)
        margin = log_odds(chance)
        # Beyond the outermost quantiles the shift stays as it is there.
        beyond = margin - np.clip(margin, self.at[0], self.at[-1])
        low, high = (np.interp(margin, self.at, end) + beyond for end in (self.low, self.high))
        return np.minimum(_expit(low), chance), np.maximum(_expit(high), chance)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        """What `to_json` gave."""
        return cls(found["level"], *(tuple(found[name]) for name in ("at", "low", "high")))


def design_effect(y: F64, p: F64, group: NDArray[np.int64]) -> float:
    """How much more the sum of surprises varies than it would with independent rows, at least 1.

    Examples
    --------
    >>> y, p, lead = np.array([1.0, 1.0, 0.0, 0.0]), np.full(4, 0.5), np.array([0, 0, 1, 1])
    >>> design_effect(y, p, lead)
    2.0
    """
    surprise = np.bincount(group, weights=y - p)
    return max(1.0, float(np.sum(surprise**2) / max(np.sum(p * (1 - p)), TINY)))


def _rows_for(information: float, p: F64) -> int:
    return int(np.ceil(information / max(float(np.mean(p * (1 - p))), TINY)))


def _shift(margin: F64, seen: F64, wide: float) -> F64:
    """Shift of each window's log-odds at which ``seen - mean p = wide sqrt(mean p (1 - p))``."""
    low, high = np.full(len(seen), -12.0), np.full(len(seen), 12.0)
    for _ in range(40):
        middle = (low + high) / 2
        chance = _expit(margin + middle[:, None])
        spread = np.sqrt(np.mean(chance * (1 - chance), axis=1))
        too_low = seen - chance.mean(axis=1) > wide * spread
        low, high = np.where(too_low, middle, low), np.where(too_low, high, middle)
    found: F64 = (low + high) / 2
    return found


def log_odds(p: F64) -> F64:
    """``ln p - ln(1 - p)``, p kept 1e-9 away from 0 and 1."""
    inside = np.clip(p, TINY, 1 - TINY)
    odds: F64 = np.log(inside) - np.log1p(-inside)
    return odds


def _expit(margin: F64) -> F64:
    small = np.exp(-np.abs(margin))
    chance: F64 = np.where(margin >= 0, 1, small) / (1 + small)
    return chance

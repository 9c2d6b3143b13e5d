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
from leadlab.models.calibration import scores
from leadlab.models.folds import members

F64 = NDArray[np.float64]
TINY = 1e-9
PRIOR_PRECISION = (0.25, 1.0)
"""Of a normal prior around "right as it is": intercept 0 (sd 2), slope 1 (sd 1)."""


@dataclass(frozen=True)
class CalibrationBand:
    """Where the share of conversions among all leads of one probability may lie.

    Outcomes are regressed on the log-odds of the probability (Cox, 1958): intercept 0 and slope 1
    say that it is right. The band is pointwise normal on the log-odds, with the larger of two
    variances: that of the fit were it right, and the sandwich over leads, whose rows go together
    (Liang and Zeger, 1986). It is what a bootstrap over leads tends to, without the resamples.

    Attributes
    ----------
    intercept, slope : float
    fit, sandwich : tuple of float
        Variance of the intercept, covariance, variance of the slope.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> p = rng.random(2000)
    >>> band = CalibrationBand.fitted(p, rng.random(2000) < p)
    >>> low, high = band.around([0.5], level=0.9)
    >>> low.round(2).tolist(), high.round(2).tolist()
    ([0.48], [0.53])
    """

    intercept: float
    slope: float
    fit: tuple[float, float, float]
    sandwich: tuple[float, float, float]

    @classmethod
    def fitted(cls, p: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Regress outcomes of held-out rows on their probabilities.

        Parameters
        ----------
        p : array, shape (n,)
            Calibrated probabilities.
        y : array of 0 and 1, shape (n,)
        groups : array, shape (n,), optional
            Lead of each row.
        """
        outcome, chance, _ = metrics.checked(y, p)
        columns = _columns(chance)
        prior = np.diag(PRIOR_PRECISION)
        beta: F64 = np.array([0.0, 1.0])
        for _ in range(50):
            fitted = _expit(columns @ beta)
            gradient = columns.T @ (outcome - fitted) - prior @ (beta - [0.0, 1.0])
            information = (columns.T * (fitted * (1 - fitted))) @ columns + prior
            step = np.linalg.solve(information, gradient)
            # Newton's steps are held short, so that far-off starts cannot overshoot.
            beta = beta + step / max(1.0, float(np.abs(step).max()))
            if np.abs(step).max() < TINY:
                break
        inverse: F64 = np.linalg.inv(information).astype(np.float64)
        group = members(groups, len(outcome))
        surprise = columns * (outcome - _expit(columns @ beta))[:, None]
        sums = np.column_stack([np.bincount(group, weights=column) for column in surprise.T])
        sandwich = inverse @ (sums.T @ sums) @ inverse
        return cls(float(beta[0]), float(beta[1]), _three(inverse), _three(sandwich))

    def around(self, p: ArrayLike, *, level: float = 0.9) -> tuple[F64, F64]:
        """Lower and upper bound of each probability, which lies within.

        Raises
        ------
        BadInput
            If a probability is NaN or outside [0, 1], or the level is not in (0, 1).
        """
        if not 0 < level < 1:
            raise BadInput("a level lies in (0, 1)", where="level", got=level)
        chance = scores(p)
        at = _columns(chance.ravel())[:, 1].reshape(chance.shape)
        spread = np.maximum(*(a + 2 * b * at + c * at**2 for a, b, c in (self.fit, self.sandwich)))
        wide = NormalDist().inv_cdf((1 + level) / 2) * np.sqrt(spread)
        centre = self.intercept + self.slope * at
        return (
            np.minimum(_expit(centre - wide), chance),
            np.maximum(_expit(centre + wide), chance),
        )

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        """What `to_json` gave."""
        fit, sandwich = (tuple(float(v) for v in found[name]) for name in ("fit", "sandwich"))
        return cls(found["intercept"], found["slope"], fit, sandwich)  # type: ignore[arg-type]


def _columns(p: F64) -> F64:
    inside = np.clip(p, TINY, 1 - TINY)
    return np.column_stack([np.ones(len(inside)), np.log(inside) - np.log1p(-inside)])


def _expit(margin: F64) -> F64:
    small = np.exp(-np.abs(margin))
    chance: F64 = np.where(margin >= 0, 1, small) / (1 + small)
    return chance


def _three(covariance: F64) -> tuple[float, float, float]:
    return float(covariance[0, 0]), float(covariance[0, 1]), float(covariance[1, 1])

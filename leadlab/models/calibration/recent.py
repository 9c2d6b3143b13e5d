"""A calibration that follows a changing rate: logistic maps that forget at several speeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leadlab.errors import BadInput

F64 = NDArray[np.float64]
HALF_LIVES = (100, 200, 400, 800, 1600)
PRIOR_LEVEL = 1.0
PRIOR_SLOPE = 20.0
"""Strength of the pull to the scores as they are, in units of information."""
CLIP = 1e-6
STEPS = 25


@dataclass(frozen=True)
class RecentCalibration:
    """Maps ``sigmoid(level + slope * logit(p))``, averaged in log-odds.

    One map is fitted for each half-life, in rows: a row that lies a half-life back weighs half.
    Averaging them spares a choice that only later rows could justify.

    Attributes
    ----------
    level, slope : tuple of float
        Of each map.

    Examples
    --------
    >>> p = np.full(2000, 0.1)
    >>> y = np.arange(2000) % 10 < np.where(np.arange(2000) < 1000, 1, 4)
    >>> float(y.mean()), float(RecentCalibration.fit(p, y).apply([0.1])[0].round(2))
    (0.25, 0.34)
    """

    level: tuple[float, ...]
    slope: tuple[float, ...]

    @classmethod
    def fit(
        cls,
        p: ArrayLike,
        y: ArrayLike,
        *,
        half_lives: Sequence[int] = HALF_LIVES,
    ) -> RecentCalibration:
        """Learn from scores that were given before their outcomes came, in order of time.

        Parameters
        ----------
        p : array, shape (n,)
            Scores, the latest last.
        y : array of 0 and 1, shape (n,)
        half_lives : sequence of int
            In rows.

        Raises
        ------
        BadInput
            If lengths differ.
        """
        z, outcome = _logit(p), np.asarray(y, np.float64)
        if z.ndim != 1 or outcome.shape != z.shape:
            raise BadInput("p and y must be of one length", got=f"{z.shape}, {outcome.shape}")
        back = np.arange(len(z))[::-1]
        maps = [_fitted(z, outcome, 0.5 ** (back / life)) for life in half_lives]
        return cls(tuple(m[0] for m in maps), tuple(m[1] for m in maps))

    def apply(self, p: ArrayLike) -> F64:
        """Calibrated probabilities."""
        z = _logit(p)
        found = np.mean([a + b * z for a, b in zip(self.level, self.slope, strict=True)], axis=0)
        return np.asarray(_sigmoid(found))


def _fitted(z: F64, y: F64, weight: F64) -> tuple[float, float]:
    """Level and slope by Newton's method, drawn to 0 and 1."""
    used = weight > 1e-4
    z, y, weight = z[used], y[used], weight[used]
    level, slope = 0.0, 1.0
    for _ in range(STEPS):
        q = _sigmoid(level + slope * z)
        slant, inform = weight * (y - q), weight * q * (1 - q)
        rise = np.array([slant.sum() - PRIOR_LEVEL * level, slant @ z - PRIOR_SLOPE * (slope - 1)])
        cross = inform @ z
        bend = np.array(
            [[inform.sum() + PRIOR_LEVEL, cross], [cross, inform @ (z * z) + PRIOR_SLOPE]]
        )
        step = np.clip(np.linalg.solve(bend, rise), -1.0, 1.0)
        level, slope = level + float(step[0]), slope + float(step[1])
        if np.abs(step).max() < 1e-6:
            break
    return level, slope


def _sigmoid(z: F64) -> F64:
    return np.asarray(1 / (1 + np.exp(-np.clip(z, -30, 30))))


def _logit(p: ArrayLike) -> F64:
    chance = np.clip(np.asarray(p, np.float64), CLIP, 1 - CLIP)
    return np.asarray(np.log(chance / (1 - chance)))

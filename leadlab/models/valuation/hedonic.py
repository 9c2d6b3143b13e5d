"""A linear model of log price: the part of a value that attributes alone explain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
PENALTIES = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
CLIP = 4.0
"""Standard deviations beyond which a number counts as if it stood there."""
LATEST = 0.2
"""Share of the sales, the latest ones, on which the penalty is chosen."""


@dataclass(frozen=True)
class Hedonic:
    """Ridge regression of log price on attributes.

    A number x enters standardised, squared, and as log(1 + x) where it is never negative; a
    category as one yes/no column a level; what is unknown as the mean. The penalty is chosen on
    the latest fifth of the sales, with the earlier ones as training.

    Attributes
    ----------
    is_level : tuple of int
        Levels of each column of values; 0 for numbers.
    centre, scale : float64 array
        Of the numbers' terms.
    positive : bool array
        Columns that enter as a logarithm as well.
    weights : float64 array
    base : float
    penalty : float

    Examples
    --------
    >>> area = np.linspace(500, 3000, 200)[:, None]
    >>> model = Hedonic.learn(area, np.log(300 * area[:, 0]), (0,))
    >>> bool(np.abs(model.value(area) - np.log(300 * area[:, 0])).max() < 0.05)
    True
    """

    is_level: tuple[int, ...]
    centre: F64
    scale: F64
    positive: NDArray[np.bool_]
    weights: F64
    base: float
    penalty: float

    @classmethod
    def learn(cls, values: F64, log_price: F64, is_level: tuple[int, ...]) -> Hedonic:
        """Learn from sales in order of time.

        Parameters
        ----------
        values : array, shape (n, m)
            Numbers, and places of levels; NaN where unknown.
        log_price : array, shape (n,)
        is_level : tuple of m ints
        """
        numbers = np.array(is_level) == 0
        positive = numbers & ~(np.nan_to_num(values) < 0).any(axis=0)
        raw = _terms(values, is_level, positive, None)
        known = ~np.isnan(raw)
        count = np.maximum(known.sum(axis=0), 1)
        centre = np.where(known, raw, 0).sum(axis=0) / count
        spread = np.sqrt((np.where(known, raw - centre, 0) ** 2).sum(axis=0) / count)
        draft = cls(is_level, centre, np.maximum(spread, 1e-9), positive, centre, 0.0, 0.0)
        X = draft.design(values)
        split = int(len(X) * (1 - LATEST))
        errors = []
        for penalty in PENALTIES:
            base, weights = _ridge(X[:split], log_price[:split], penalty)
            away = log_price[split:] - base - X[split:] @ weights
            errors.append(float(np.abs(away - np.median(away)).mean()))
        penalty = PENALTIES[int(np.argmin(errors))]
        base, weights = _ridge(X, log_price, penalty)
        return cls(is_level, draft.centre, draft.scale, positive, weights, base, penalty)

    def design(self, values: F64) -> F64:
        """Terms of the regression, shape (n, terms)."""
        return _terms(values, self.is_level, self.positive, (self.centre, self.scale))

    def value(self, values: F64) -> F64:
        """Log price, shape (n,)."""
        found: F64 = self.base + self.design(values) @ self.weights
        return found

    def contributions(self, values: F64) -> F64:
        """What each column adds to the mean log price, shape (n, m)."""
        parts = self.design(values) * self.weights
        found = np.zeros(values.shape)
        np.add.at(found.T, self._sources(), parts.T)
        return found

    def _sources(self) -> NDArray[np.int64]:
        """Column of values that each term comes from."""
        numbers = np.flatnonzero(np.array(self.is_level) == 0)
        logs = np.flatnonzero(self.positive)
        levels = [np.full(n, j) for j, n in enumerate(self.is_level) if n]
        return np.concatenate([numbers, numbers, logs, *levels]).astype(np.int64)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            name: value.tolist() if isinstance(value, np.ndarray) else value
            for name, value in vars(self).items()
        }

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Hedonic:
        """The inverse of `to_json`."""
        arrays = {n: np.array(content[n], np.float64) for n in ("centre", "scale", "weights")}
        return cls(
            tuple(map(int, content["is_level"])),
            arrays["centre"],
            arrays["scale"],
            np.array(content["positive"], bool),
            arrays["weights"],
            float(content["base"]),
            float(content["penalty"]),
        )


def _ridge(X: F64, y: F64, penalty: float) -> tuple[float, F64]:
    centre, mean = X.mean(axis=0), float(y.mean())
    Z = X - centre
    weights: F64 = np.linalg.solve(Z.T @ Z + penalty * np.eye(Z.shape[1]), Z.T @ (y - mean))
    return mean - float(centre @ weights), weights


def _terms(
    values: F64,
    is_level: tuple[int, ...],
    positive: NDArray[np.bool_],
    scaling: tuple[F64, F64] | None,
) -> F64:
    """Numbers, their squares, logarithms, levels; unscaled where no scaling is known yet."""
    numbers = values[:, np.array(is_level) == 0]
    logs = np.log1p(np.maximum(values[:, positive], 0))
    levels = [values[:, [j]] == np.arange(n) for j, n in enumerate(is_level) if n]
    n, m = numbers.shape[1], logs.shape[1]
    raw = np.hstack([numbers, numbers, logs, *levels]).astype(np.float64)
    if scaling is None:
        return raw
    end = 2 * n + m
    centre, scale = scaling
    raw[:, :end] = (raw[:, :end] - centre[:end]) / scale[:end]
    scaled = np.clip(np.nan_to_num(raw[:, :end], nan=0.0), -CLIP, CLIP)
    scaled[:, n : 2 * n] = scaled[:, n : 2 * n] ** 2 - np.isfinite(numbers)
    raw[:, :end] = scaled
    return raw

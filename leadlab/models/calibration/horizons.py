"""Calibration over several horizons that stay in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leadlab.errors import BadInput
from leadlab.models.calibration.choice import METHODS, Calibration, choose_calibration

F64 = NDArray[np.float64]


@dataclass(frozen=True)
class HorizonCalibration:
    """One calibration a horizon, and the order over horizons restored where they cross.

    Each column gets its own map. Where two neighbours then contradict each other, as P(silent 14
    days) above P(silent 7 days) would, they are drawn together to their mean (the row is projected
    on ordered rows in least squares, Barlow et al., 1972). Rows without a contradiction keep the
    calibrated values to the digit; the others move as little as they can, and their sum not at all.

    Attributes
    ----------
    maps : tuple of Calibration
        In the order of columns.
    rising : bool
        Whether probabilities rise with the horizon (conversion) or fall (silence).

    Examples
    --------
    >>> same = Calibration("none")
    >>> HorizonCalibration((same, same), rising=False).apply([[0.3, 0.5], [0.6, 0.2]]).round(3)
    array([[0.4, 0.4],
           [0.6, 0.2]])
    """

    maps: tuple[Calibration, ...]
    rising: bool = False

    def apply_each(self, P: ArrayLike) -> F64:
        """Calibrated columns, shape (n, k), before order is restored."""
        raw = _matrix(P, len(self.maps))
        return np.column_stack([one.apply(raw[:, i]) for i, one in enumerate(self.maps)])

    def apply(self, P: ArrayLike) -> F64:
        """Calibrated probabilities in order over horizons, shape (n, k).

        Raises
        ------
        BadInput
            If the shape differs from training, or a value is NaN or outside [0, 1].
        """
        each = self.apply_each(P)
        return in_order(each) if self.rising else 1 - in_order(1 - each)

    def crossed(self, P: ArrayLike) -> float:
        """Share of rows whose calibrated values contradicted each other."""
        steps = np.diff(self.apply_each(P), axis=1) * (1 if self.rising else -1)
        return float((steps < 0).any(axis=1).mean())

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"maps": [one.to_json() for one in self.maps], "rising": self.rising}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        """What `to_json` gave."""
        return cls(tuple(Calibration.from_json(one) for one in found["maps"]), found["rising"])


def calibrate_horizons(
    P: ArrayLike,
    Y: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    rising: bool = False,
    folds: int = 5,
    seed: int = 0,
    methods: Sequence[str] = METHODS,
) -> HorizonCalibration:
    """Choose a calibration for each horizon.

    Parameters
    ----------
    P : array, shape (n, k)
        Held-out scores, horizons in ascending order.
    Y : int array, shape (n, k)
        0, 1, or -1 where the outcome within that horizon is not known; such rows are left out of
        that horizon only.
    groups : array, shape (n,), optional
        Lead of each row.
    rising : bool
        See `HorizonCalibration`.
    folds, seed, methods
        See `leadlab.models.calibration.choice.choose_calibration`.

    Raises
    ------
    BadInput
        If shapes differ, or a horizon cannot be calibrated; the message names its column.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> week = rng.random(3000)
    >>> P, silent_days = np.column_stack([week, week**2]), rng.exponential(-1 / np.log(week))
    >>> found = calibrate_horizons(P**2, silent_days[:, None] > np.array([1, 2]))
    >>> found.apply([[0.25, 0.0625]]).round(1).tolist()
    [[0.5, 0.2]]
    """
    label = np.asarray(Y)
    if label.ndim != 2:
        raise BadInput("one column a horizon is needed", where="Y", got=label.shape)
    raw = _matrix(P, label.shape[1])
    if raw.shape != label.shape or not np.isin(label, (-1, 0, 1)).all():
        raise BadInput(
            "one outcome a row and horizon is needed",
            where="Y",
            got=f"{label.shape} for {raw.shape}",
            expected="0, 1 or, where not known, -1",
        )
    who = None if groups is None else np.asarray(groups)
    maps = []
    for i in range(label.shape[1]):
        known = np.flatnonzero(label[:, i] >= 0)
        try:
            one = choose_calibration(
                raw[known, i],
                label[known, i],
                groups=None if who is None else who[known],
                folds=folds,
                seed=seed,
                methods=methods,
            )
        except BadInput as error:
            raise BadInput(error.what, where=f"horizon {i}", got=error.got) from error
        maps.append(one)
    return HorizonCalibration(tuple(maps), rising)


def in_order(values: F64) -> F64:
    """Nearest non-decreasing rows in least squares, shape (n, k).

    ``max over a <= i of min over b >= i of mean(values[a..b])`` (Robertson, Wright and Dykstra,
    1988).

    Examples
    --------
    >>> in_order(np.array([[1.0, 3.0, 2.0]])).tolist()
    [[1.0, 2.5, 2.5]]
    """
    k = values.shape[1]
    falls = (np.diff(values, axis=1) < 0).any(axis=1)
    crossing = values[falls]
    total = np.hstack([np.zeros((len(crossing), 1)), np.cumsum(crossing, axis=1)])
    mended = np.full(crossing.shape, -np.inf)
    for a in range(k):
        means = [(total[:, b + 1] - total[:, a]) / (b + 1 - a) for b in range(a, k)]
        least = np.minimum.accumulate(np.array(means)[::-1], axis=0)[::-1].T
        mended[:, a:] = np.maximum(mended[:, a:], least)
    # Sums may differ in their last digit; order may not.
    found = values.copy()
    found[falls] = np.maximum.accumulate(mended, axis=1)
    return found


def _matrix(P: ArrayLike, k: int) -> F64:
    raw = np.asarray(P, np.float64)
    if raw.ndim != 2 or raw.shape[1] != k:
        raise BadInput(
            "one column a horizon is needed", where="P", got=raw.shape, expected=f"(n, {k})"
        )
    return raw

"""Calibration of several exclusive outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from leadlab.errors import BadInput, EmptyInput, UnknownName
from leadlab.models.calibration.choice import EPSILON, TIE, Calibration, fit_calibration, scores
from leadlab.models.folds import members

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
MULTICLASS_METHODS = ("none", "temperature", "one_vs_rest")
"""Candidates, the simplest first."""


@dataclass(frozen=True)
class MulticlassCalibration:
    """A frozen map from rows of class scores to rows of probabilities.

    "temperature" raises scores to ``1 / T`` (Guo et al., 2017): one number, the order of classes
    stays. "one_vs_rest" gives each class a beta calibration of its own and divides by the sum
    (Zadrozny and Elkan, 2002): it can mend a class that is too high as a whole, which no
    temperature can. Held-out loss says which is needed.

    Attributes
    ----------
    method : str
        One of `MULTICLASS_METHODS`.
    temperature : float
        1 leaves scores alone.
    maps : tuple of Calibration
        One a class, for "one_vs_rest".
    losses : mapping of str to float
        Mean held-out log-loss in nats.
    classes : int

    Examples
    --------
    >>> MulticlassCalibration("temperature", 3, temperature=2.0).apply([[0.8, 0.1, 0.1]]).round(2)
    array([[0.59, 0.21, 0.21]])
    """

    method: str
    classes: int
    temperature: float = 1.0
    maps: tuple[Calibration, ...] = ()
    losses: Mapping[str, float] = field(default_factory=dict)

    def apply(self, P: ArrayLike) -> F64:
        """Probabilities, shape (n, classes), each in (0, 1), rows of sum 1."""
        raw = _rows(P, self.classes)
        if self.method == "one_vs_rest":
            mapped = np.column_stack([one.apply(raw[:, i]) for i, one in enumerate(self.maps)])
        else:
            mapped = _tempered(raw, self.temperature)
        mapped = np.clip(mapped, EPSILON, None)
        found: F64 = mapped / mapped.sum(axis=1, keepdims=True)
        return found

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "method": self.method,
            "classes": self.classes,
            "temperature": self.temperature,
            "maps": [one.to_json() for one in self.maps],
            "losses": dict(self.losses),
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        """What `to_json` gave."""
        maps = tuple(Calibration.from_json(one) for one in found["maps"])
        return cls(found["method"], found["classes"], found["temperature"], maps, found["losses"])


def choose_multiclass(
    P: ArrayLike,
    y: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    folds: int = 5,
    seed: int = 0,
    methods: tuple[str, ...] = MULTICLASS_METHODS,
) -> MulticlassCalibration:
    """The map with the least mean log-loss on rows that it was not fitted on.

    Parameters
    ----------
    P : array, shape (n, k)
        Held-out class scores; rows of sum 1.
    y : int array, shape (n,)
        Class of each row, 0 ... k - 1; each must occur in at least two groups.
    groups : array, shape (n,), optional
        Lead of each row, kept on one side of each fold.
    folds, seed : int
    methods : tuple of str
        Of two that tie, the one that comes first in `MULTICLASS_METHODS` is taken.

    Raises
    ------
    UnknownName, EmptyInput, BadInput

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> truth = rng.dirichlet([1, 1, 1], 3000)
    >>> y = (rng.random((3000, 1)) > truth.cumsum(axis=1)).sum(axis=1)
    >>> sharp = truth**2 / (truth**2).sum(axis=1, keepdims=True)
    >>> found = choose_multiclass(sharp, y)
    >>> found.method, round(found.temperature, 1)
    ('temperature', 2.1)
    """
    unknown = [m for m in methods if m not in MULTICLASS_METHODS]
    if unknown:
        raise UnknownName("calibration", unknown[0], MULTICLASS_METHODS)
    if not methods:
        raise EmptyInput("no calibration to choose from", where="methods")
    label = np.asarray(y)
    raw = _rows(P, np.asarray(P).shape[1] if np.ndim(P) == 2 else 0)
    group = members(groups, len(raw))
    _refuse_absent(label, raw, group)
    witnesses = min(len(np.unique(group[label == c])) for c in range(raw.shape[1]))
    parts = min(folds, witnesses)
    alone = len(np.unique(group)) == len(group)
    maker = StratifiedKFold if alone else StratifiedGroupKFold
    maker = maker(parts, shuffle=True, random_state=seed)
    sides = list(maker.split(raw, label, None if alone else group))
    losses = {}
    for method in (m for m in MULTICLASS_METHODS if m in methods):
        held = np.empty(len(raw))
        for train, test in sides:
            fitted = _fit(raw[train], label[train], method).apply(raw[test])
            held[test] = fitted[np.arange(len(test)), label[test]]
        losses[method] = float(-np.log(held).mean())
    best = min(losses.values())
    chosen = next(m for m, loss in losses.items() if loss <= best * (1 + TIE))
    final = _fit(raw, label, chosen)
    return MulticlassCalibration(chosen, raw.shape[1], final.temperature, final.maps, losses)


def _fit(raw: F64, label: I64, method: str) -> MulticlassCalibration:
    k = raw.shape[1]
    if method == "one_vs_rest":
        maps = tuple(fit_calibration(raw[:, c], label == c, "beta") for c in range(k))
        return MulticlassCalibration(method, k, maps=maps)
    heat = _best_temperature(raw, label) if method == "temperature" else 1.0
    return MulticlassCalibration(method, k, temperature=heat)


def _best_temperature(raw: F64, label: I64) -> float:
    """Golden-section search of the log temperature between 1/20 and 20; the loss has one valley."""
    row = np.arange(len(raw))

    def loss(log_heat: float) -> float:
        chance = _tempered(raw, float(np.exp(log_heat)))[row, label]
        return float(-np.log(np.clip(chance, 1e-300, None)).mean())

    low, high, golden = -np.log(20), np.log(20), (np.sqrt(5) - 1) / 2
    left, right = high - golden * (high - low), low + golden * (high - low)
    at_left, at_right = loss(left), loss(right)
    while high - low > 1e-6:
        if at_left < at_right:
            high, right, at_right = right, left, at_left
            left = high - golden * (high - low)
            at_left = loss(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + golden * (high - low)
            at_right = loss(right)
    return float(np.exp((low + high) / 2))


def _tempered(raw: F64, heat: float) -> F64:
    logs = np.log(np.clip(raw, EPSILON, None)) / heat
    powers = np.exp(logs - logs.max(axis=1, keepdims=True))
    found: F64 = powers / powers.sum(axis=1, keepdims=True)
    return found


def _rows(P: ArrayLike, k: int) -> F64:
    raw = scores(P)
    if raw.ndim != 2 or raw.shape[1] != k or k < 2:
        raise BadInput(
            "one column a class is needed", where="P", got=raw.shape, expected=f"(n, {k})"
        )
    if not np.allclose(raw.sum(axis=1), 1, atol=1e-4):
        raise BadInput("rows of class scores must sum to 1", where="P")
    return raw


def _refuse_absent(label: NDArray[Any], raw: F64, group: I64) -> None:
    if not len(raw):
        raise EmptyInput("no rows to calibrate on")
    if label.shape != (len(raw),) or not np.isin(label, np.arange(raw.shape[1])).all():
        raise BadInput("one class a row is needed", where="y", expected=f"0 ... {raw.shape[1] - 1}")
    for c in range(raw.shape[1]):
        if len(np.unique(group[label == c])) < 2:
            raise BadInput("a class occurs in fewer than two groups", where="y", got=f"class {c}")

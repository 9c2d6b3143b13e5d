"""From scores to probabilities: the map that predicts held-out rows best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leadlab.errors import BadInput, EmptyInput, UnknownName
from leadlab.models import metrics
from leadlab.models.calibration.maps import MAPS
from leadlab.models.folds import grouped_folds, members

F64 = NDArray[np.float64]
METHODS = tuple(MAPS)
"""Candidates, the simplest first: none, beta, isotonic, venn_abers."""
EPSILON = 1e-6
"""Share of the result that is the score itself, and distance kept from 0 and from 1."""
TIE = 1e-4
"""Losses this near, as a share of the best, are a tie, which the simpler map wins."""
STEPPED = ("isotonic", "venn_abers")
"""Maps that give one figure to all scores of a step, so that leads stop moving within it."""


@dataclass(frozen=True)
class Calibration:
    """A frozen map from scores to probabilities.

    The result is ``e + (1 - 3e) map(p) + e p`` with e = 1e-6. So it stays within (0, 1), where no
    log-loss is infinite, and rises strictly with the score: steps of a map make no ties, and no
    ranking figure moves.

    Attributes
    ----------
    method : str
        One of `METHODS`.
    state : mapping
        Numbers of the map, see `leadlab.models.calibration.maps`.
    losses : mapping of str to float
        Mean held-out log-loss in nats of each candidate.
    n : int
        Rows that it was fitted on.

    Examples
    --------
    >>> Calibration("beta", {"a": 1.0, "b": 1.0, "c": 0.0}).apply([0.2, 0.9]).round(3).tolist()
    [0.2, 0.9]
    """

    method: str
    state: Mapping[str, Any] = field(default_factory=dict)
    losses: Mapping[str, float] = field(default_factory=dict)
    n: int = 0

    def __post_init__(self) -> None:
        if self.method not in MAPS:
            raise UnknownName("calibration", self.method, METHODS)

    def apply(self, p: ArrayLike) -> F64:
        """Probabilities of scores, shape as given.

        Raises
        ------
        BadInput
            If a score is NaN or outside [0, 1].
        """
        score = scores(p)
        mapped = MAPS[self.method][1](self.state, score.ravel()).reshape(score.shape)
        chance: F64 = EPSILON + (1 - 3 * EPSILON) * mapped + EPSILON * score
        return chance

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "method": self.method,
            "state": dict(self.state),
            "losses": dict(self.losses),
            "n": self.n,
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        """What `to_json` gave.

        Raises
        ------
        BadInput
            If a field is missing.
        """
        missing = {"method", "state", "losses", "n"} - set(found)
        if missing:
            raise BadInput("a calibration lacks fields", where=", ".join(sorted(missing)))
        return cls(found["method"], found["state"], found["losses"], int(found["n"]))


def scores(p: ArrayLike) -> F64:
    """Scores as float64.

    Raises
    ------
    BadInput
        If one is NaN or outside [0, 1].
    """
    score = np.asarray(p, np.float64)
    outside = ~((score >= 0) & (score <= 1))
    if outside.any():
        raise BadInput("scores must lie in [0, 1]", where="p", got=score[outside].flat[0])
    return score


def fit_calibration(p: ArrayLike, y: ArrayLike, method: str) -> Calibration:
    """One map, fitted on all rows.

    Parameters
    ----------
    p : array, shape (n,)
        Scores in [0, 1] of rows that the model did not train on.
    y : array of 0 and 1, shape (n,)
    method : str
        One of `METHODS`.

    Raises
    ------
    UnknownName, EmptyInput, BadInput
        If there is no such map, there are no rows, or rows are of one class.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> truth = rng.random(4000)
    >>> y = rng.random(4000) < truth
    >>> fit_calibration(truth**2, y, "beta").apply([0.25]).round(1).tolist()
    [0.5]
    """
    if method not in MAPS:
        raise UnknownName("calibration", method, METHODS)
    outcome, score = _both_classes(p, y)
    return Calibration(method, MAPS[method][0](score, outcome), {}, len(score))


def choose_calibration(
    p: ArrayLike,
    y: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    folds: int = 5,
    seed: int = 0,
    methods: Sequence[str] = METHODS,
) -> Calibration:
    """The map with the least mean log-loss on rows that it was not fitted on.

    Each candidate is fitted and judged in turn over the same folds, then the winner is fitted on
    all rows. The order of rows does not matter. A map of steps must beat the best smooth one by
    more than one standard error of their paired difference, rows of one group taken together: on
    few conversions its steps are noise, and leads within one show the same figure whatever they do.

    Parameters
    ----------
    p : array, shape (n,)
        Scores in [0, 1] of rows that the model did not train on.
    y : array of 0 and 1, shape (n,)
    groups : array, shape (n,), optional
        Lead of each row, kept on one side of each fold.
    folds, seed : int
        See `leadlab.models.folds.grouped_folds`.
    methods : sequence of str
        Candidates; of two alike that tie (`TIE`) the first in `METHODS` is taken.

    Raises
    ------
    UnknownName, EmptyInput, BadInput
        If a method is unknown or none is given, there are no rows, lengths differ, a score is NaN
        or outside [0, 1], or an outcome occurs in fewer than two groups.

    References
    ----------
    Kull, Silva Filho and Flach (2017), Beta calibration, AISTATS. Zadrozny and Elkan (2002),
    Transforming classifier scores into accurate multiclass probability estimates, KDD. Vovk, Petej
    and Fedorova (2015), Large-scale probabilistic predictors with and without guarantees of
    validity, NeurIPS.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> truth = rng.random(2000)
    >>> y = rng.random(2000) < truth
    >>> choose_calibration(truth, y).method, choose_calibration(truth**3, y).method
    ('none', 'beta')
    """
    unknown = [m for m in methods if m not in MAPS]
    if unknown:
        raise UnknownName("calibration", unknown[0], METHODS)
    if not methods:
        raise EmptyInput("no calibration to choose from", where="methods")
    outcome, score = _both_classes(p, y)
    group = members(groups, len(score))
    order = np.lexsort((group, outcome, score))
    outcome, score, group = outcome[order], score[order], group[order]
    sides = grouped_folds(outcome, None if groups is None else group, folds, seed)
    held = {}
    for method in (m for m in METHODS if m in methods):
        held[method] = np.empty(len(score))
        for train, test in sides:
            fitted = Calibration(method, MAPS[method][0](score[train], outcome[train]))
            chance = fitted.apply(score[test])
            held[method][test] = -np.log(np.where(outcome[test] == 1, chance, 1 - chance))
    losses = {method: float(loss.mean()) for method, loss in held.items()}
    chosen = _least({m: loss for m, loss in losses.items() if m not in STEPPED} or losses)
    stepped = {m: loss for m, loss in losses.items() if m in STEPPED}
    if stepped and chosen not in stepped:
        steps = _least(stepped)
        gain = np.bincount(group, held[chosen] - held[steps])
        if gain.sum() > np.sqrt(np.sum((gain - gain.mean()) ** 2)):
            chosen = steps
    return Calibration(chosen, MAPS[chosen][0](score, outcome), losses, len(score))


def _least(losses: Mapping[str, float]) -> str:
    best = min(losses.values())
    return next(method for method, loss in losses.items() if loss <= best * (1 + TIE))


def _both_classes(p: ArrayLike, y: ArrayLike) -> tuple[F64, F64]:
    outcome, score, _ = metrics.checked(y, p)
    if len(np.unique(outcome)) < 2:
        raise BadInput(
            "one class only: there is nothing to calibrate on",
            where="y",
            got=f"{len(outcome)} rows, all {int(outcome[0])}",
            expected="both outcomes",
        )
    return outcome, score

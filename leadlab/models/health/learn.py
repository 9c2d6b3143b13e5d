"""Weights of health learned from leads whose outcome is known, never below zero.

The outcome is regressed on the very score that is given out: ``logit P = a + b score / 100`` with
b >= 0, where the score depends on the weights through two means over what is known. All weights
stay positive, so more points of any measure never lower the score, whatever is learned.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import expit

from leadlab.errors import BadInput
from leadlab.features.table import FeatureTable
from leadlab.models.folds import grouped_folds
from leadlab.models.health.assess import assess_health, parts_of, score_of
from leadlab.models.health.weights import LEVELS, HealthWeights
from leadlab.models.matrix import outcomes
from leadlab.models.metrics import log_loss

F64 = NDArray[np.float64]
LEAST = 0.01
"""Least weight of a part, and of a measure in its part before they are scaled to 1: what is
declared to matter is never quite ignored."""
STRENGTHS = (0.0, 0.01, 0.1)
"""Of the pull toward the weights to begin with, in nats a row for a squared distance of 1."""
STOP = {"maxiter": 200, "ftol": 1e-6}
ODDS = (0.25, 1.0, 3.0, 8.0, 20.0)
"""Odds of converting, in times the odds of all, at which the second to the sixth level begin."""


def learn_weights(
    table: FeatureTable,
    y: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    start: HealthWeights | None = None,
    origin: str = "",
    folds: int = 3,
    seed: int = 0,
) -> HealthWeights:
    """Learn weights and cuts; how far to trust the data is chosen on folds.

    Parameters
    ----------
    table : FeatureTable
        Landmarks with a known outcome, of the catalogue.
    y : array of 0 and 1, shape (n,)
    groups : array, shape (n,), optional
        Lead of each row; kept whole in the folds.
    start : HealthWeights, optional
        Measures, and the weights that are drawn to; those of the package when not given.
    origin : str
        What the weights will say they were learned from; where the outcome hardly depends on the
        score the cuts stay those of `start`, and the origin says so.
    folds, seed : int
        Of the choice among `STRENGTHS` by log-loss.

    Raises
    ------
    BadInput
        If lengths differ, labels cannot be used, or there is one class only.
    """
    start = HealthWeights.default() if start is None else start
    label = outcomes(y, len(table)).astype(np.float64)
    if not 0 < label.sum() < len(label):
        raise BadInput("one class only: no weight can be learned", where="y", got=label[:1])
    points = assess_health(table, weights=start).points
    known = ~np.isnan(points).all(axis=1)
    points, label = points[known], label[known]
    owner = None if groups is None else np.asarray(groups)[known]
    losses = dict.fromkeys(STRENGTHS, 0.0)
    for train, held in grouped_folds(label.astype(np.int64), owner, folds=folds, seed=seed):
        for strength in STRENGTHS:
            found, line = _fitted(start, points[train], label[train], strength)
            losses[strength] += _loss(found, line, points[held], label[held])
    strength = min(STRENGTHS, key=lambda s: (losses[s], -s))
    learned, line = _fitted(start, points, label, strength)
    score = score_of(learned, parts_of(learned, points))
    cuts = _cuts(line, float(label.mean())) or start.cuts
    level = np.searchsorted(np.array(cuts), score, side="right")
    rows = np.bincount(level, minlength=len(LEVELS))
    won = np.bincount(level, weights=label, minlength=len(LEVELS))
    rates = np.divide(won, rows, out=np.zeros(len(LEVELS)), where=rows > 0)
    return replace(
        learned,
        cuts=cuts,
        rates=tuple(float(r) for r in rates),
        rows=tuple(int(n) for n in rows),
        origin=_origin(origin, len(label), cuts is start.cuts),
    )


def _cuts(line: tuple[float, float], rate: float) -> tuple[float, ...]:
    """Scores at which the line reaches `ODDS`; empty where it is too flat to reach them all."""
    if line[1] <= 0:
        return ()
    margin = np.log(rate / (1 - rate)) + np.log(ODDS)
    cuts = np.round(100 * (margin - line[0]) / line[1], 2)
    rising = (np.diff([0.0, *cuts, 100.0]) > 0).all()
    return tuple(map(float, cuts)) if rising else ()


def _origin(told: str, n: int, usual_cuts: bool) -> str:
    kept = "; cuts not learned, since the score reaches too few levels" if usual_cuts else ""
    return f"learned on {n:,} rows{f' of {told}' if told else ''}{kept}"


def _loss(weights: HealthWeights, line: tuple[float, float], points: F64, label: F64) -> float:
    score = score_of(weights, parts_of(weights, points)) / 100
    return log_loss(label, expit(line[0] + line[1] * score))


def _fitted(
    start: HealthWeights, points: F64, label: F64, strength: float
) -> tuple[HealthWeights, tuple[float, float]]:
    """Weights of the least penalised log-loss, and the line from score to log-odds."""
    sizes = [len(part.measures) for part in start.parts]
    usual = np.concatenate(
        [_scaled(np.array([part.weight for part in start.parts]))]
        + [_scaled(np.array([m.weight for m in part.measures])) for part in start.parts]
    )
    usual = np.maximum(usual, LEAST)
    task = _Task(points, label, sizes, usual, strength)
    rate = label.mean()
    begin = np.concatenate([[np.log(rate / (1 - rate)) - 2.0, 8.0], usual])
    bounds = [(None, None), (0.0, None), *[(LEAST, 1.0)] * len(usual)]
    found = minimize(task, begin, jac=True, method="L-BFGS-B", bounds=bounds,
                     options=STOP)  # fmt: skip
    parts, *own = np.split(found.x[2:], np.cumsum([len(sizes), *sizes])[:-1])
    weights = start.with_weights(
        [round(w, 4) for w in _scaled(parts)], [[round(w, 4) for w in _scaled(o)] for o in own]
    )
    return weights, (float(found.x[0]), float(found.x[1]))


def _scaled(weight: F64) -> F64:
    return np.asarray(weight / weight.sum())


class _Task:
    """Penalised log-loss of a line and weights, with its gradient."""

    def __init__(
        self, points: F64, label: F64, sizes: list[int], usual: F64, strength: float
    ) -> None:
        self.known = (~np.isnan(points)).astype(np.float64)
        self.points = np.nan_to_num(points) / 100
        self.label, self.usual, self.strength = label, usual, strength
        self.member = np.repeat(np.arange(len(sizes)), sizes)
        self.of = np.eye(len(sizes))[self.member]

    def __call__(self, x: F64) -> tuple[float, F64]:
        line, weight = x[:2], x[2:]
        k = self.of.shape[1]
        part_weight, own = weight[:k], weight[k:]
        mass = self.known @ (own[:, None] * self.of)
        there = mass > 0
        mass = np.where(there, mass, 1.0)
        parts = (self.points @ (own[:, None] * self.of)) / mass
        total = there @ part_weight
        score = np.where(there, parts, 0.0) @ part_weight / total
        margin = line[0] + line[1] * score
        chance = expit(margin)
        n = len(self.label)
        loss = float(np.mean(np.logaddexp(0.0, margin) - self.label * margin))
        residual = (chance - self.label) / n
        by_score = residual * line[1] / total
        by_part = by_score @ (there * (parts - score[:, None]))
        pull = by_score[:, None] * there * part_weight / mass
        spread = self.points - parts[:, self.member] * self.known
        by_own = np.einsum("nk,nk->k", pull[:, self.member], spread)
        away = weight - self.usual
        loss += self.strength * float(away @ away)
        by_weight = np.concatenate([by_part, by_own]) + 2 * self.strength * away
        return loss, np.concatenate([[residual.sum(), residual @ score], by_weight])

"""From linear scores and counts of key words to probabilities that hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from leadlab.models.calibration.choice import Calibration, choose_calibration
from leadlab.models.calibration.classes import MulticlassCalibration, choose_multiclass
from leadlab.models.conversation.text_classifier import softmax

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Map = Calibration | MulticlassCalibration
PENALTY = 0.3


@dataclass(frozen=True, eq=False)
class Stack:
    """A logistic regression of a target on its scores and on the key words, and a calibration.

    Attributes
    ----------
    weights : array, shape (classes + sorts of key words, classes)
        Each row of mean 0.
    intercept : array, shape (classes,)
    map : Calibration or MulticlassCalibration
        Of the probability of the second of two classes, or of all.
    """

    weights: F64
    intercept: F64
    map: Map

    @classmethod
    def fit(cls, scores: F64, words: F64, label: I64, groups: NDArray[Any], seed: int) -> Self:
        """Learn from scores of rows that the scoring model was not trained on.

        The calibration is chosen on what the regression says of groups that it was not fitted on.

        Parameters
        ----------
        scores : array, shape (n, classes)
        words : array, shape (n, sorts)
        label : int array, shape (n,)
        groups : array, shape (n,)
            At least two.
        seed : int
        """
        Z, k = np.hstack([scores, words]), scores.shape[1]
        held = np.empty((len(Z), k))
        for group in np.unique(groups):
            out = groups == group
            weights, intercept = _line(Z[~out], label[~out], k)
            held[out] = softmax(Z[out] @ weights + intercept)
        if k == 2:
            methods = ("none", "beta")
            chosen: Map = choose_calibration(held[:, 1], label, groups=groups, seed=seed,
                                             methods=methods)  # fmt: skip
        else:
            methods = ("none", "temperature")
            chosen = choose_multiclass(held, label, groups=groups, seed=seed, methods=methods)
        return cls(*_line(Z, label, k), chosen)

    def probabilities(self, scores: F64, words: F64) -> F64:
        """Calibrated, shape (n, classes)."""
        k = scores.shape[1]
        raw = softmax(scores @ self.weights[:k] + words @ self.weights[k:] + self.intercept)
        if k == 2:
            one = self.map.apply(np.clip(raw[:, 1], 0, 1))
            return np.column_stack([1 - one, one])
        return self.map.apply(raw)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        plain = {"weights": self.weights.tolist(), "intercept": self.intercept.tolist()}
        return {**plain, "map": self.map.to_json()}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        """What `to_json` gave."""
        kind = MulticlassCalibration if "classes" in found["map"] else Calibration
        weights, intercept = (np.array(found[name], float) for name in ("weights", "intercept"))
        return cls(weights, intercept, kind.from_json(found["map"]))


def _line(Z: F64, label: I64, k: int) -> tuple[F64, F64]:
    """Weights and intercepts of one score a class, of mean 0 over the classes."""
    line = LogisticRegression(C=PENALTY, max_iter=1000).fit(Z, label)
    if k == 2:
        return line.coef_.T * [[-0.5, 0.5]], line.intercept_ * [-0.5, 0.5]
    weights = line.coef_.T
    return weights - weights.mean(axis=1, keepdims=True), line.intercept_ - line.intercept_.mean()

"""All stacks of a reader at once: the same probabilities as `Stack` gives, in a few array steps.

One message costs what its array calls cost; ten stacks asked in turn are four times as slow.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from leadlab.models.calibration.choice import EPSILON, Calibration
from leadlab.models.calibration.classes import MulticlassCalibration
from leadlab.models.calibration.maps import TINY
from leadlab.models.conversation.stack import Stack
from leadlab.models.conversation.text_classifier import softmax

F64 = NDArray[np.float64]
_AS_BETA = {"a": 1.0, "b": 1.0, "c": 0.0}


class Fused:
    """Stacks in one matrix.

    Parameters
    ----------
    stacks : mapping of str to Stack
        In the order of the scores' columns; those of two classes are calibrated by "none" or
        "beta", the others by "none" or "temperature", as `Stack.fit` chooses.
    """

    def __init__(self, stacks: Mapping[str, Stack]) -> None:
        sizes = [len(one.intercept) for one in stacks.values()]
        first = np.cumsum([0, *sizes])
        words = next(iter(stacks.values())).weights.shape[0] - sizes[0]
        self.matrix = np.zeros((first[-1] + words, first[-1]))
        self.intercept = np.concatenate([one.intercept for one in stacks.values()])
        self.several: dict[str, tuple[slice, float]] = {}
        beta, pairs = [], []
        for (name, one), at, k in zip(stacks.items(), first[:-1], sizes, strict=True):
            here = slice(int(at), int(at) + k)
            self.matrix[here, here] = one.weights[:k]
            self.matrix[first[-1] :, here] = one.weights[k:]
            if isinstance(one.map, MulticlassCalibration):
                self.several[name] = (here, one.map.temperature)
            elif isinstance(one.map, Calibration):
                beta.append(one.map.state if one.map.method == "beta" else _AS_BETA)
                pairs.append(int(at))
        self.pairs = np.array(pairs, np.int64)
        self.beta = {name: np.array([one[name] for one in beta]) for name in "abc"}

    def probabilities(self, scores: F64, words: F64) -> tuple[dict[str, F64], F64]:
        """Of each target of several classes, shape (n, classes); of all others, of the second one.

        Parameters
        ----------
        scores : array, shape (n, classes of all)
        words : array, shape (n, sorts)
        """
        Z = scores @ self.matrix[: scores.shape[1]] + words @ self.matrix[scores.shape[1] :]
        Z += self.intercept
        several = {
            name: _kept_off(softmax(np.log(_kept_off(softmax(Z[:, at]))) / heat))
            for name, (at, heat) in self.several.items()
        }
        return several, self._two(Z[:, self.pairs + 1] - Z[:, self.pairs])

    def _two(self, margin: F64) -> F64:
        small = np.exp(-np.abs(margin))
        raw = np.where(margin >= 0, 1, small) / (1 + small)
        logs = np.log(np.clip(raw, TINY, None)), np.log(np.clip(1 - raw, TINY, None))
        moved = self.beta["a"] * logs[0] - self.beta["b"] * logs[1] + self.beta["c"]
        small = np.exp(-np.abs(moved))
        mapped = np.where(moved >= 0, 1, small) / (1 + small)
        found: F64 = EPSILON + (1 - 3 * EPSILON) * mapped + EPSILON * raw
        return found


def _kept_off(P: F64) -> F64:
    """Rows of probabilities, none nearer to 0 than `EPSILON`."""
    P = np.clip(P, EPSILON, None)
    found: F64 = P / P.sum(axis=1, keepdims=True)
    return found

"""How well scores tell apart who converts: ROC and precision-recall curves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from numpy.typing import ArrayLike

from leadlab.models.metrics import base_rate, why_undefined
from leadlab.models.validation.curves import precision_recall, read_curves, roc
from leadlab.models.validation.plain import plain


@dataclass(frozen=True, eq=False)
class Discrimination:
    """ROC and precision-recall curves of a model and its baselines.

    Attributes
    ----------
    curves : DataFrame
        model, curve ("roc": x is the false and y the true positive rate; "precision_recall": x is
        recall, y precision), x, y, and the 95% band low, high.
    base_rate : float
        What precision is without a model.
    why : str or None
        Why the curves do not exist.
    """

    curves: pd.DataFrame
    base_rate: float
    why: str | None

    def to_frame(self) -> pd.DataFrame:
        """The curves."""
        return self.curves

    def to_json(self) -> dict[str, Any]:
        """Plain values, None for NaN."""
        found: dict[str, Any] = plain(self)
        return found


def discrimination(
    y: ArrayLike,
    chances: Mapping[str, ArrayLike],
    *,
    groups: ArrayLike | None = None,
    resamples: int = 200,
    seed: int = 0,
) -> Discrimination:
    """ROC and precision-recall curves with a bootstrap over groups.

    Parameters
    ----------
    y : array of 0 and 1, shape (n,)
        One class only is no error: the curves are NaN then, with the reason.
    chances : mapping of str to array, shape (n,)
        Probabilities of each model.
    groups : array, shape (n,), optional

    Examples
    --------
    >>> found = discrimination([0, 1] * 9, {"m": [0.2, 0.7] * 9}, resamples=10)
    >>> found.curves["curve"].unique().tolist(), found.base_rate
    (['roc', 'precision_recall'], 0.5)
    """
    readings = {"roc": roc, "precision_recall": precision_recall}
    curves = read_curves(y, chances, readings, groups=groups, resamples=resamples, seed=seed)
    first = next(iter(chances.values()))
    return Discrimination(curves, base_rate(y, first), why_undefined(y))

"""What a model is worth on rows whose outcomes are not known yet, from its probabilities alone.

If every p is right, the outcomes are draws with those chances, and any figure has an expected value
(confidence-based performance estimation). The assumption is the whole of it: probabilities that
were calibrated before still are. Drift of inputs does not break that; drift of the concept (the
same lead now converts with another chance) does, and nothing in these figures can show it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from leadlab.models.draws import band, draws
from leadlab.models.folds import members
from leadlab.models.intervals import standard_metrics
from leadlab.models.metrics import checked
from leadlab.models.validation.plain import plain

F64 = NDArray[np.float64]
FIGURES = ("roc_auc", "pr_auc", "brier", "log_loss", "lift", "precision", "base_rate")
ASSUMPTION = (
    "Holds if the probabilities are calibrated on these rows and the concept has not drifted: "
    "each lead still converts with the chance that the model gives it. Without outcomes this "
    "cannot be checked."
)


@dataclass(frozen=True, eq=False)
class LabelFree:
    """Expected figures, beside the realised ones where outcomes are known.

    Attributes
    ----------
    figures : DataFrame
        metric, expected, low, high (95% of realised figures would lie there if every p were
        right), realised (NaN without outcomes), within (realised lies there; None without).
    assumption : str
        What the figures rest on.
    rows : int
    """

    figures: pd.DataFrame
    assumption: str
    rows: int

    def to_frame(self) -> pd.DataFrame:
        """One row a figure."""
        return self.figures

    def to_json(self) -> dict[str, Any]:
        """Plain values, None for NaN."""
        found: dict[str, Any] = plain(self)
        return found


def label_free(
    p: ArrayLike,
    *,
    y: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    capacity: float = 0.1,
    resamples: int = 200,
    seed: int = 0,
) -> LabelFree:
    """Expected ROC-AUC, PR-AUC, Brier score, log-loss, lift, precision and base rate.

    Each row counts as converted with weight p and as not converted with weight 1 - p; the figure
    of those weighted rows is the expected one (exactly so where it is linear in the outcomes, as
    are the Brier score, log-loss and precision; to the first order for ratios such as ROC-AUC).
    For the interval, leads are resampled and outcomes drawn; those of one lead share their luck,
    which is the widest that can be meant.

    Parameters
    ----------
    p : array, shape (n,)
        Calibrated probabilities.
    y : array of 0 and 1, shape (n,), optional
        Outcomes, to hold the estimate to.
    groups : array, shape (n,), optional
        Lead of each row.
    capacity : int or float
        For lift and precision.

    Examples
    --------
    >>> found = label_free([0.1, 0.9] * 50, resamples=20).figures.set_index("metric")
    >>> found["expected"].round(4).loc[["roc_auc", "brier", "base_rate"]].tolist()
    [0.9, 0.09, 0.5]
    """
    chance = np.asarray(p, np.float64)
    outcome, chance, mass = checked(np.zeros(chance.shape) if y is None else y, chance)
    figures = {name: f for name, f in standard_metrics(capacity).items() if name in FIGURES}
    both = np.repeat([1.0, 0.0], len(chance))
    twice, odds = np.tile(chance, 2), np.concatenate([chance, 1 - chance])
    expected = _expected(figures, both, twice, odds)
    drawn = _drawn(figures, chance, groups, resamples, seed)
    low, high = band(drawn or [np.full(len(figures), np.nan)])
    realised = [np.nan if y is None else f(outcome, chance, mass) for f in figures.values()]
    frame = pd.DataFrame(
        {"metric": list(figures), "expected": expected, "low": low, "high": high}
    ).assign(realised=np.array(realised, np.float64))
    known = frame[["realised", "low"]].notna().all(axis=1)
    inside = frame["realised"].between(frame["low"], frame["high"])
    frame["within"] = pd.Series(
        [bool(a) if k else None for a, k in zip(inside, known, strict=True)], dtype=object
    )
    return LabelFree(frame, ASSUMPTION, len(chance))


def _expected(figures: Mapping[str, Any], y: F64, p: F64, weight: F64) -> list[float]:
    return [float(figure(y, p, weight)) for figure in figures.values()]


def _drawn(
    figures: Mapping[str, Any], p: F64, groups: ArrayLike | None, resamples: int, seed: int
) -> list[list[float]]:
    """Figures of resampled leads with drawn outcomes."""
    order = np.argsort(-p, kind="stable")
    member, p = members(groups, len(p))[order], p[order]
    size = int(member.max()) + 1
    rng = np.random.default_rng([seed, 1])
    found = []
    for weight in draws(len(p), groups=member, resamples=resamples, seed=seed):
        y = (rng.random(size)[member] < p).astype(np.float64)
        found.append([float(figure(y, p, weight)) for figure in figures.values()])
    return found

"""What a team's capacity catches: gain and lift by the share of rows it can work on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from leadlab.models.metrics import why_undefined
from leadlab.models.validation.curves import gain as share_found
from leadlab.models.validation.curves import lift, read_curves
from leadlab.models.validation.plain import plain

SHARES = np.concatenate([[0.0, 0.01, 0.02, 0.03, 0.05], np.arange(0.1, 1.01, 0.05)])
"""Of rows that are worked on."""


@dataclass(frozen=True, eq=False)
class Gain:
    """Gain and lift of a model and its baselines by capacity.

    Attributes
    ----------
    curves : DataFrame
        model, curve ("gain": share of conversions caught; "lift": times better than random), x
        (share of rows worked on), y, low, high.
    capacity : float
        The share that the team can work on.
    why : str or None
    """

    curves: pd.DataFrame
    capacity: float
    why: str | None

    def to_frame(self) -> pd.DataFrame:
        """The curves."""
        return self.curves

    def to_json(self) -> dict[str, Any]:
        """Plain values, None for NaN."""
        found: dict[str, Any] = plain(self)
        return found


def gain(
    y: ArrayLike,
    chances: Mapping[str, ArrayLike],
    *,
    capacity: float = 0.1,
    groups: ArrayLike | None = None,
    resamples: int = 200,
    seed: int = 0,
) -> Gain:
    """Gain and lift with a bootstrap over groups; `capacity` itself is always on the curve.

    Parameters
    ----------
    y : array of 0 and 1, shape (n,)
    chances : mapping of str to array, shape (n,)
    capacity : int or float
        A number of rows, or a share of them in (0, 1].

    Examples
    --------
    >>> found = gain([1, 0, 0, 0] * 5, {"m": [0.9, 0.1, 0.1, 0.1] * 5}, capacity=0.25, resamples=0)
    >>> found.curves.query("curve == 'lift' and x == 0.25")["y"].tolist()
    [4.0]
    """
    share = capacity / len(np.asarray(y)) if isinstance(capacity, int) else float(capacity)
    share = min(share, 1.0)
    readings = {"gain": share_found, "lift": lift}
    at = np.unique(np.append(SHARES.round(2), share))
    curves = read_curves(y, chances, readings, at=at, groups=groups, resamples=resamples, seed=seed)
    return Gain(curves, share, why_undefined(y))

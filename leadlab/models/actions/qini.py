"""Qini curve: outcomes gained by treating those first who are said to gain most.

Written here although scikit-uplift has it: that takes outcomes of 0 and 1 only (not dollars), and
calls a function that scikit-learn drops in 1.10. The tests hold both equal where both exist.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leadlab.errors import BadInput, EmptyInput

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


class Curve(NamedTuple):
    """Points of a curve from (0, 0) on.

    Attributes
    ----------
    share : float array
        Of the rows that would be treated.
    gain : float array
        Outcomes gained a row of all, ``(Y_t - Y_c N_t / N_c) / n`` among the first so many.
    """

    share: F64
    gain: F64

    def at(self, share: ArrayLike) -> F64:
        """Gain at shares, straight between points."""
        return np.asarray(np.interp(np.asarray(share, np.float64), self.share, self.gain))

    @property
    def area(self) -> float:
        """Area between the curve and the straight line to its end, which random order has."""
        return float(np.trapezoid(self.gain, self.share) - self.gain[-1] / 2)


def curve(y: ArrayLike, uplift: ArrayLike, treated: ArrayLike) -> Curve:
    """Qini curve of an order on rows treated at random with one propensity.

    Rows of equal uplift are taken together. The factor N_t / N_c is 0 while no control was met.

    Parameters
    ----------
    y : array, shape (n,)
        Outcomes.
    uplift : array, shape (n,)
        Who comes first: higher is earlier; by a model that saw none of the rows.
    treated : array of 0 and 1, shape (n,)

    Raises
    ------
    EmptyInput
        If there is no row.
    BadInput
        If lengths differ, a value is not finite, or one side is empty.

    Examples
    --------
    >>> found = curve([1, 0, 0, 0], [2.0, 2.0, 1.0, 1.0], [1, 0, 1, 0])
    >>> found.share.tolist(), found.gain.tolist(), found.area
    ([0.0, 0.5, 1.0], [0.0, 0.25, 0.25], 0.0625)

    References
    ----------
    Radcliffe, N. J. (2007), Using control groups to target on predicted lift.
    """
    outcome, order, side = _checked(y, uplift, treated)
    by = np.argsort(-order, kind="stable")
    outcome, order, side = outcome[by], order[by], side[by]
    last = np.append(np.flatnonzero(np.diff(order)), len(order) - 1)
    n_t, y_t = np.cumsum(side)[last], np.cumsum(outcome * side)[last]
    n_c, y_c = last + 1 - n_t, np.cumsum(outcome * (1 - side))[last]
    factor = np.divide(n_t, n_c, out=np.zeros(len(last)), where=n_c > 0)
    gain = (y_t - y_c * factor) / len(outcome)
    share = (last + 1) / len(outcome)
    return Curve(np.append(0.0, share), np.append(0.0, gain))


def coefficient(y: ArrayLike, uplift: ArrayLike, treated: ArrayLike) -> float:
    """Area of the curve over that of the best order of these very outcomes.

    0 for random order, 1 for the best: treated with the outcome first, controls with it last. Only
    for outcomes of 0 and 1; NaN where all outcomes are alike.

    Examples
    --------
    >>> coefficient([1, 0, 0, 1], [3.0, 2.0, 1.0, 0.0], [1, 0, 1, 0])
    1.0

    References
    ----------
    Radcliffe (2007); the same as scikit-uplift's ``qini_auc_score`` with negative effects.
    """
    outcome, order, side = _checked(y, uplift, treated)
    if not np.isin(outcome, (0.0, 1.0)).all():
        raise BadInput("outcomes must be 0 or 1", where="y", hint="Use curve(...).area.")
    best = curve(outcome, outcome * (2 * side - 1), side).area
    return curve(outcome, order, side).area / best if best > 0 else float("nan")


def _checked(y: ArrayLike, uplift: ArrayLike, treated: ArrayLike) -> tuple[F64, F64, F64]:
    arrays = [np.asarray(a, np.float64) for a in (y, uplift, treated)]
    if arrays[0].ndim != 1 or len({a.shape for a in arrays}) > 1:
        got = ", ".join(str(a.shape) for a in arrays)
        raise BadInput("y, uplift and treated must be of one length", got=got)
    if not len(arrays[0]):
        raise EmptyInput("no rows to order")
    if not all(np.isfinite(a).all() for a in arrays):
        raise BadInput("a value is not a finite number")
    if set(np.unique(arrays[2])) != {0.0, 1.0}:
        raise BadInput("rows with and without treatment are needed", where="treated")
    return arrays[0], arrays[1], arrays[2]

"""How good an order is where some things matter more than others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

I64 = NDArray[np.int64]


def ndcg(order: I64, grade: I64, k: int = 10) -> float:
    """Normalised discounted cumulative gain of the first `k`, with gains ``2^grade - 1``.

    Parameters
    ----------
    order : int array
        Positions in `grade`, best first.
    grade : int array, shape (n,)
    k : int

    Returns
    -------
    float
        0 to 1; NaN where nothing has a grade above 0.

    References
    ----------
    Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", TOIS 2002; the
    exponential gain of Burges et al. 2005.

    Examples
    --------
    >>> ndcg(np.array([0, 1, 2]), np.array([3, 2, 0]))
    1.0
    >>> round(ndcg(np.array([2, 1, 0]), np.array([1, 0, 0])), 3)
    0.5
    """
    gain = 2.0 ** np.asarray(grade, np.float64) - 1
    discount = 1 / np.log2(np.arange(2, k + 2))
    best = np.sort(gain)[::-1][:k]
    ideal = float((best * discount[: len(best)]).sum())
    got = gain[order[:k]]
    return float((got * discount[: len(got)]).sum()) / ideal if ideal else float("nan")

"""How many of n leads convert: the beta-binomial distribution, with NumPy alone."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]


def cumulative(p: F64, of: int, theta: float) -> F64:
    """P(at most k of `of` convert) for k = 0 ... of.

    ``P(k) = C(of, k) prod_{i<k}(p + i t) prod_{i<of-k}(1 - p + i t) / prod_{i<of}(1 + i t)``; at
    t = 0 the binomial. The variance is that of the binomial times ``1 + (of - 1) t / (1 + t)``.

    Parameters
    ----------
    p : float array, shape (n,), in (0, 1)
    of : int
    theta : float
        Overdispersion t, not negative; ``t / (1 + t)`` is the correlation between two leads.

    Returns
    -------
    float array, shape (n, of + 1)

    References
    ----------
    Griffiths (1973), Maximum likelihood estimation for the beta-binomial distribution, Biometrics.

    Examples
    --------
    >>> cumulative(np.array([0.5]), 2, 0.0).round(4).tolist()
    [[0.25, 0.75, 1.0]]
    """
    i = np.arange(of)
    zero = np.zeros((len(p), 1))
    hit = np.hstack([zero, np.cumsum(np.log(p[:, None] + i * theta), axis=1)])
    miss = np.hstack([zero, np.cumsum(np.log1p(-p[:, None] + i * theta), axis=1)])
    ways = [
        math.lgamma(of + 1) - math.lgamma(k + 1) - math.lgamma(of - k + 1) for k in range(of + 1)
    ]
    mass = np.exp(hit + miss[:, ::-1] + np.array(ways) - np.log1p(i * theta).sum())
    total: F64 = np.minimum(np.cumsum(mass, axis=1), 1.0)
    total[:, -1] = 1.0
    return total

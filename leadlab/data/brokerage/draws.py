"""Chance as a function of keys: what is drawn depends on whom and what for, never on when asked.

A generator with a state would give other draws as soon as leads were simulated in another order or
in slices of another length. Here each lead, stay and event has a 64-bit key, and a draw is a hash
of that key and its purpose. So a log that is told slice by slice is the log told at once.

References
----------
Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014 (the mixing
function); Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011 (the idea).
"""

from __future__ import annotations

import hashlib
from functools import cache

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Keys = NDArray[np.uint64]
_C1, _C2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_30, _27, _31, _11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)


def _mix(h: Keys) -> Keys:
    """Mix in place; `h` must be this function's own."""
    h ^= h >> _30
    h *= _C1
    h ^= h >> _27
    h *= _C2
    h ^= h >> _31
    return h


@cache
def _salt(purpose: str) -> np.uint64:
    return np.uint64(int.from_bytes(hashlib.blake2b(purpose.encode(), digest_size=8).digest()))


def first_key(seed: int, purpose: str) -> Keys:
    """Key from a seed, shape (1,).

    Examples
    --------
    >>> first_key(0, "leads") == first_key(1, "leads")
    array([False])
    """
    return child(np.array([seed % 2**64], np.uint64), 0, purpose)


def child(keys: Keys, number: int | I64, purpose: str = "child") -> Keys:
    """Key of the `number`-th thing that hangs on each key.

    Parameters
    ----------
    keys : uint64 array, shape (n,) or (1,)
    number : int or int array, shape (n,)
    purpose : str
        What sort of thing.

    Returns
    -------
    uint64 array, shape (n,)

    Examples
    --------
    >>> keys = child(first_key(0, "leads"), np.arange(1000))
    >>> len(set(keys.tolist()))
    1000
    """
    own = np.atleast_1d(np.asarray(number, np.int64)).astype(np.uint64)
    return _mix(_mix(keys ^ _salt(purpose)) + (own + np.uint64(1)) * _GOLDEN)


def uniform(keys: Keys, purpose: str) -> F64:
    """One number above 0 and below 1 for each key.

    Examples
    --------
    >>> draws = uniform(child(first_key(0, "leads"), np.arange(10_000)), "taste")
    >>> bool(0.49 < draws.mean() < 0.51)
    True
    """
    return ((_mix(keys ^ _salt(purpose)) >> _11).astype(np.float64) + 0.5) * 2.0**-53


def normal(keys: Keys, purpose: str) -> F64:
    """One standard normal number for each key (Box and Muller 1958)."""
    radius = np.sqrt(-2.0 * np.log(uniform(keys, purpose)))
    return np.asarray(radius * np.cos(2.0 * np.pi * uniform(keys, purpose + ", angle")))


def exponential(keys: Keys, purpose: str) -> F64:
    """One exponential number of mean 1 for each key."""
    return np.asarray(-np.log(uniform(keys, purpose)))


def lognormal(keys: Keys, purpose: str, median: float | F64, sigma: float) -> F64:
    """One lognormal number for each key; its mean is ``median * exp(sigma**2 / 2)``."""
    return np.asarray(median * np.exp(sigma * normal(keys, purpose)))


def poisson(keys: Keys, purpose: str, mean: F64) -> I64:
    """Draw one Poisson number for each key, by inversion.

    Parameters
    ----------
    keys : uint64 array, shape (n,)
    purpose : str
    mean : float array, shape (n,)
        Up to 600: beyond, exp(-mean) is no longer a number to start from.

    Examples
    --------
    >>> keys = child(first_key(0, "x"), np.arange(10_000))
    >>> bool(2.9 < poisson(keys, "count", np.full(10_000, 3.0)).mean() < 3.1)
    True
    """
    counts = np.zeros(len(keys), np.int64)
    left = uniform(keys, purpose)
    chance = np.exp(-np.minimum(mean, 600.0))
    rows, mean = np.arange(len(keys)), np.minimum(mean, 600.0)
    k = 0
    while len(rows):
        left = left - chance
        more = (left > 0) & (chance > 0)
        rows, left, chance, mean = rows[more], left[more], chance[more], mean[more]
        k += 1
        chance = chance * mean / k
        counts[rows] = k
    return counts


def choose(keys: Keys, purpose: str, shares: F64) -> I64:
    """Draw one position for each key.

    Parameters
    ----------
    keys : uint64 array, shape (n,)
    purpose : str
    shares : float array, shape (k,) or (n, k)
        Weights; need not add up to 1.

    Examples
    --------
    >>> choose(child(first_key(0, "x"), np.arange(4)), "side", np.array([0.0, 1.0])).tolist()
    [1, 1, 1, 1]
    """
    bounds = np.cumsum(shares, axis=-1)
    at = uniform(keys, purpose) * bounds[..., -1]
    if bounds.ndim == 1:
        return np.minimum(np.searchsorted(bounds, at, side="right"), len(bounds) - 1)
    return np.asarray((bounds[:, :-1] <= at[:, None]).sum(axis=1), np.int64)

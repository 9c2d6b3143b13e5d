"""One factor: whether the buyer asked for it, how well each home meets it, and in what words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlab.models.matching.catalogue import Catalogue
from leadlab.models.matching.preferences import Preferences

F32 = NDArray[np.float32]


@dataclass(frozen=True)
class Factor:
    """One of the fifteen.

    Attributes
    ----------
    name : str
    fields : tuple of str
        What it reads of a listing; a test holds that none of it speaks of people.
    asked : callable
        Whether the buyer stated a wish about it.
    score : callable
        Catalogue and preferences to a float32 array of 0 to 1, shape (n,), NaN where unknown.
    reason : callable
        Catalogue, row and preferences to a few words on a home where the factor is known.
    change : callable
        Catalogue, row and preferences to the wishes under which the home would score 1.
    """

    name: str
    fields: tuple[str, ...]
    asked: Callable[[Preferences], bool]
    score: Callable[[Catalogue, Preferences], F32]
    reason: Callable[[Catalogue, int, Preferences], str]
    change: Callable[[Catalogue, int, Preferences], dict[str, Any]]


def at_least(values: F32, low: float | None, width: float) -> F32:
    """1 from `low` on, falling to 0 at `width` below it; 1 everywhere known without `low`.

    Examples
    --------
    >>> at_least(np.array([1, 2.5, 3, np.nan], np.float32), 3, 1).tolist()
    [0.0, 0.5, 1.0, nan]
    """
    if low is None:
        return np.where(np.isnan(values), np.float32(np.nan), np.float32(1))
    share = (values - np.float32(low)) / np.float32(width) + 1
    return np.asarray(np.clip(share, 0, 1), np.float32)


def at_most(values: F32, high: float | None, width: float) -> F32:
    """1 up to `high`, falling to 0 at `width` above it; 1 everywhere known without `high`.

    Examples
    --------
    >>> at_most(np.array([1, 3.5, 9], np.float32), 3, 1).tolist()
    [1.0, 0.5, 0.0]
    """
    return at_least(-values, None if high is None else -high, width)


def between(values: F32, low: float | None, high: float | None, below: float, above: float) -> F32:
    """Both of `at_least` and `at_most`.

    Examples
    --------
    >>> between(np.array([1, 3, 5.5], np.float32), 2, 5, 2, 1).tolist()
    [0.5, 1.0, 0.5]
    """
    if low is None:
        return at_most(values, high, above)
    if high is None:
        return at_least(values, low, below)
    return np.minimum(at_least(values, low, below), at_most(values, high, above))


def among(codes: NDArray[np.int32], names: tuple[str, ...], wanted: tuple[str, ...]) -> F32:
    """1 where the name is wanted, 0 where another is known, NaN where none is; case does not count.

    Examples
    --------
    >>> among(np.array([0, 1, -1], np.int32), ("Condominium", "Townhouse"), ("townhouse",)).tolist()
    [0.0, 1.0, nan]
    """
    folded = {name.casefold() for name in wanted}
    table = np.array([*(float(n.casefold() in folded) for n in names), np.nan], np.float32)
    return table[codes]


def number(value: float) -> str:
    """A number as people write it.

    Examples
    --------
    >>> number(1234.0), number(2.5), number(3)
    ('1,234', '2.5', '3')
    """
    return f"{value:,.0f}" if float(value).is_integer() or abs(value) >= 100 else f"{value:.1f}"


def span(low: float | None, high: float | None, unit: str = "") -> str:
    """A wish with one end or two.

    Examples
    --------
    >>> span(2, None, " bedrooms"), span(None, 4), span(2, 4)
    ('at least 2 bedrooms', 'at most 4', '2 to 4')
    """
    if low is not None and high is not None:
        return f"{number(low)} to {number(high)}{unit}"
    if low is not None:
        return f"at least {number(low)}{unit}"
    return f"at most {number(high or 0.0)}{unit}"


def reach(value: float, low: str | None, least: float | None, high: str | None,
          most: float | None) -> dict[str, Any]:  # fmt: skip
    """The wish of a range that a value would meet.

    Examples
    --------
    >>> reach(2.0, "bedrooms_min", 3, "bedrooms_max", None)
    {'bedrooms_min': 2.0}
    """
    if low is not None and least is not None and value < least:
        return {low: value}
    if high is not None and most is not None and value > most:
        return {high: value}
    return {}

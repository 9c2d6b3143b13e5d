"""Hard limits: which homes meet them, which limit leaves out how many, what would let some in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlab.models.matching.catalogue import Catalogue
from leadlab.models.matching.factors.table import Scores
from leadlab.models.matching.preferences import Preferences


@dataclass(frozen=True)
class Limit:
    """One hard limit.

    Attributes
    ----------
    factor : str
    excludes : int
        Homes that do not meet it.
    unknown : int
        Of those, homes on which it is unknown: they cannot be said to meet it.
    alone : int
        Homes that only this limit leaves out: so many come in if it goes.
    change : mapping of str to value
        The least change of wishes that lets a home in that meets all other limits; empty where
        nothing is left out or no other home meets the rest.
    """

    factor: str
    excludes: int
    unknown: int
    alone: int
    change: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Allowed:
    """Homes that meet every hard limit.

    Attributes
    ----------
    mask : bool array, shape (n,)
    limits : tuple of Limit
    """

    mask: NDArray[np.bool_]
    limits: tuple[Limit, ...]


def allowed(homes: Catalogue, wants: Preferences, scores: Scores) -> Allowed:
    """Find the homes within all hard limits.

    A limit on a factor about which nothing was wished holds no home off, and is told as such.

    Parameters
    ----------
    homes : Catalogue
    wants : Preferences
    scores : Scores
        Of these wishes on these homes.

    Examples
    --------
    >>> import pandas as pd
    >>> from leadlab.models.matching.factors.table import score
    >>> homes = Catalogue.prepare(
    ...     pd.DataFrame({"listing_key": ["a", "b"], "list_price": [5e5, 9e5]}))
    >>> wants = Preferences(budget_usd=4e5, hard=("budget",))
    >>> found = allowed(homes, wants, score(homes, wants))
    >>> found.mask.any(), found.limits[0].excludes, found.limits[0].change
    (np.False_, 2, {'budget_usd': 500000.0})
    """
    position = {factor.name: k for k, factor in enumerate(scores.factors)}
    names = tuple(dict.fromkeys(wants.hard))
    met = scores.met(names)
    missed = (~met).sum(axis=0)
    limits = []
    for k, name in enumerate(names):
        if name not in position:
            limits.append(Limit(name, 0, 0, 0, {}))
            continue
        row = position[name]
        only = ~met[k] & (missed == 1)
        unknown = int(np.isnan(scores.values[row]).sum())
        change = _least_change(homes, wants, scores, row, only)
        limits.append(Limit(name, int((~met[k]).sum()), unknown, int(only.sum()), change))
    return Allowed(missed == 0, tuple(limits))


def _least_change(
    homes: Catalogue, wants: Preferences, scores: Scores, row: int, only: NDArray[np.bool_]
) -> dict[str, Any]:
    """The wishes under which the nearest miss among some homes would be let in."""
    factor, values = scores.factors[row], scores.values[row]
    rows = np.flatnonzero(only & ~np.isnan(values))
    if not len(rows):
        return {}
    best = rows[values[rows] == values[rows].max()]
    change = factor.change(homes, int(best[0]), wants)
    wished = [getattr(wants, name) for name in change]
    if len(factor.fields) == len(wished) == 1 and isinstance(wished[0], int | float):
        field = homes.number[factor.fields[0]]
        nearest = best[int(np.argmin(np.abs(field[best] - wished[0])))]
        change = factor.change(homes, int(nearest), wants)
    return change

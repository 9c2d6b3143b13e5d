"""Hard limits: which homes meet them, which limit leaves out how many, what would let some in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlab.models.matching.catalogue import Catalogue
from leadlab.models.matching.factors.table import MEETS, Scores
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

    A limit on a factor about which nothing was wished holds no home off.

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
    names = tuple(name for name in dict.fromkeys(wants.hard) if name in position)
    met = scores.met(names)
    missed = (~met).sum(axis=0)
    limits = []
    for k, name in enumerate(names):
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
    values = np.where(only & ~np.isnan(scores.values[row]), scores.values[row], -1.0)
    nearest = int(np.argmax(values))
    if not 0 <= values[nearest] < MEETS:
        return {}
    ties = np.flatnonzero(values == values[nearest])[:50]
    if values[nearest] == 0 and len(scores.factors[row].fields) == 1:
        field = scores.factors[row].fields[0]
        if field in homes.number:
            near = homes.number[field][np.flatnonzero(values == 0)]
            end = next(iter(scores.factors[row].change(homes, int(ties[0]), wants).values()), None)
            if end is not None:
                wished = _wished(wants, scores.factors[row].change(homes, int(ties[0]), wants))
                best = np.flatnonzero(values == 0)[int(np.nanargmin(np.abs(near - wished)))]
                return scores.factors[row].change(homes, int(best), wants)
    return scores.factors[row].change(homes, nearest, wants)


def _wished(wants: Preferences, change: dict[str, Any]) -> float:
    """The present value of the wish that a change would move."""
    return float(getattr(wants, next(iter(change))) or 0.0)

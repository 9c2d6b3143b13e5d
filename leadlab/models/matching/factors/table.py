"""The fifteen factors in order, their scores side by side, and their weighted mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadlab.models.matching.catalogue import Catalogue
from leadlab.models.matching.factors import home, place, rooms
from leadlab.models.matching.factors.factor import F32, Factor
from leadlab.models.matching.preferences import NAMES, Preferences

_ALL = {factor.name: factor for factor in (*rooms.FACTORS, *home.FACTORS, *place.FACTORS)}
FACTORS: tuple[Factor, ...] = tuple(_ALL[name] for name in NAMES)
MEETS = 1 - 1e-5
"""A score from which a wish counts as met in full."""


@dataclass(frozen=True, eq=False)
class Scores:
    """Scores of all homes on the factors that the buyer asked about.

    Attributes
    ----------
    factors : tuple of Factor
    weight : float32 array, shape (k,)
    values : float32 array, shape (k, n)
        0 to 1, NaN where unknown.
    fit : float32 array, shape (n,)
        ``sum(w s) / sum(w)`` over the known factors; NaN where none is known.
    known : float32 array, shape (n,)
        Share of the asked weight that is known.
    """

    factors: tuple[Factor, ...]
    weight: F32
    values: F32
    fit: F32
    known: F32

    def met(self, names: tuple[str, ...]) -> NDArray[np.bool_]:
        """Which homes meet each of some factors in full, shape (len(names), n)."""
        rows = {factor.name: k for k, factor in enumerate(self.factors)}
        n = self.values.shape[1]
        met = [self.values[rows[m]] >= MEETS if m in rows else np.ones(n, bool) for m in names]
        return np.array(met, bool).reshape(len(names), n)


def score(homes: Catalogue, wants: Preferences) -> Scores:
    """Score all homes.

    Examples
    --------
    >>> import pandas as pd
    >>> homes = Catalogue.prepare(pd.DataFrame(
    ...     {"listing_key": ["a", "b"], "list_price": [3e5, None], "bedrooms_total": [2, 3]}))
    >>> found = score(homes, Preferences(budget_usd=4e5, bedrooms_min=3))
    >>> found.fit.tolist(), found.known.tolist()
    ([0.75, 1.0], [1.0, 0.5])
    """
    asked = tuple(f for f in FACTORS if f.asked(wants))
    n = len(homes)
    weight = np.array([wants.weights.get(f.name, 1.0) for f in asked], np.float32)
    values = np.empty((len(asked), n), np.float32)
    total, mass = np.zeros(n, np.float32), np.zeros(n, np.float32)
    for k, factor in enumerate(asked):
        values[k] = factor.score(homes, wants)
        here = ~np.isnan(values[k])
        if here.all():
            total += weight[k] * values[k]
            mass += weight[k]
        else:
            total += weight[k] * np.where(here, values[k], np.float32(0))
            mass += weight[k] * here
    with np.errstate(invalid="ignore", divide="ignore"):
        fit = np.minimum(total / mass, 1).astype(np.float32)
    whole = float(weight.sum())
    known = mass / np.float32(whole) if whole else np.ones(n, np.float32)
    return Scores(asked, weight, values, fit, np.minimum(known, 1))

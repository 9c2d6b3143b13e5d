"""What a buyer likes, learned deed by deed from the homes that it views, saves and puts aside.

Every trait of the homes that a lead took to is held against the catalogue at large: with weights w
of its deeds, W their sum, the mean m and variance v of trait z shrink towards those of all homes,

    m = sum(w z) / (W + m0),    v = (v0 + sum w (z - m)^2) / (W + v0),

and a home's evidence is how much likelier its trait is under the one than under the other,

    log N(z; m, v) - log N(z; 0, 1),

with counts in the place of a bell for the sort of home and its area. Unknown traits give none. The
state is the weight by home, so taste is a pure function of the deeds so far, in any order.

References
----------
Murphy, "Conjugate Bayesian analysis of the Gaussian distribution" (2007), for the shrinkage.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from leadlab.models.matching.catalogue import TRAITS, Catalogue

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
PRIOR_MEAN, PRIOR_SPREAD, PRIOR_COUNT = 1.0, 4.0, 2.0
"""Deeds' worth of belief that a lead wants what all want: in means, variances and counts."""
LARGEST = 12.0
"""Weight that one home can gather."""
EVIDENCE = (*TRAITS, "sort", "area")
"""Names of the columns that `Taste.evidence` gives."""


@dataclass(frozen=True)
class Taste:
    """Weight of a lead's deeds by home (row of the catalogue).

    Attributes
    ----------
    weights : mapping of int to float
        Sum of `leadlab.models.matching.signals.WEIGHTS` over the deeds with a home.
    deeds : int
        How many there were.

    Examples
    --------
    >>> one = Taste().after(3, 1.0).after(3, 3.0).after(5, -2.0)
    >>> dict(one.weights), one.deeds
    ({3: 4.0, 5: -2.0}, 3)
    >>> one == Taste.of(np.array([5, 3, 3]), np.array([-2.0, 1.0, 3.0]))
    True
    """

    weights: Mapping[int, float] = field(default_factory=lambda: MappingProxyType({}))
    deeds: int = 0

    @classmethod
    def of(cls, home: I64, weight: F64) -> Taste:
        """Taste after some deeds, in any order."""
        rows, where = np.unique(home, return_inverse=True)
        total = np.bincount(where, weights=weight, minlength=len(rows))
        return cls(
            MappingProxyType(dict(zip(rows.tolist(), total.tolist(), strict=True))), len(home)
        )

    def after(self, home: int, weight: float) -> Taste:
        """Taste after one deed more; this one stays as it is."""
        known = self.weights.get(home, 0.0)
        return Taste(MappingProxyType({**self.weights, home: known + weight}), self.deeds + 1)

    def liked(self, sign: float = 1.0) -> tuple[I64, F64]:
        """Homes with weight above 0 (below it with ``sign=-1``) and the size of that weight."""
        rows = np.array(list(self.weights), np.int64)
        weight = sign * np.array(list(self.weights.values()), np.float64)
        kept = weight > 0
        return rows[kept], np.minimum(weight[kept], LARGEST)


@dataclass(frozen=True, eq=False)
class Leaning:
    """A taste held against a catalogue: what `evidence` needs, in a few numbers.

    Attributes
    ----------
    mean, variance : float array, shape (11,)
        Of `leadlab.models.matching.catalogue.TRAITS` in standard units.
    sort, area : float array
        Log ratio by code; the last entry, 0, is for unknown.
    weight : float
        Of all deeds together.
    """

    mean: F64
    variance: F64
    sort: F64
    area: F64
    weight: float

    def evidence(self, homes: Catalogue, rows: I64 | slice = slice(None)) -> F32:
        """Log ratio of each trait of each home, shape (n, 13), columns as `EVIDENCE` names them."""
        z = homes.standard[rows]
        a, b, c = self.square()
        found = np.empty((len(z), len(EVIDENCE)), np.float32)
        np.multiply(z, a, out=found[:, : len(TRAITS)])
        found[:, : len(TRAITS)] += b
        found[:, : len(TRAITS)] *= z
        found[:, : len(TRAITS)] += c
        np.nan_to_num(found, copy=False)
        found[:, -2] = self.sort[homes.sort[rows]]
        found[:, -1] = self.area[homes.area[rows]]
        return found

    def square(self) -> tuple[F32, F32, F32]:
        """The log ratio as ``a z^2 + b z + c``."""
        a = 0.5 - 0.5 / self.variance
        b = self.mean / self.variance
        c = -0.5 * self.mean**2 / self.variance - 0.5 * np.log(self.variance)
        return a.astype(np.float32), b.astype(np.float32), c.astype(np.float32)

    def total(self, homes: Catalogue) -> F32:
        """Evidence of each home over all traits, shape (n,)."""
        return totals(homes, self)[0]


def totals(homes: Catalogue, *leanings: Leaning) -> list[F32]:
    """Evidence of each home over all traits for some leanings, by one matrix product."""
    weights = np.column_stack([np.concatenate(lean.square()) for lean in leanings])
    sums = homes.powers @ weights
    return [
        np.asarray(
            sums[:, k]
            + lean.sort.astype(np.float32)[homes.sort]
            + lean.area.astype(np.float32)[homes.area]
        )
        for k, lean in enumerate(leanings)
    ]


def leaning(
    homes: Catalogue, taste: Taste, *, sign: float = 1.0, prior: Leaning | None = None
) -> Leaning:
    """What a taste leans to.

    Parameters
    ----------
    homes : Catalogue
        The one whose rows the taste names.
    taste : Taste
    sign : 1.0 or -1.0
        What the lead took to, or what it put aside.
    prior : Leaning, optional
        Towards which to shrink instead of the catalogue at large: that of a segment.

    Examples
    --------
    >>> import pandas as pd
    >>> homes = Catalogue.prepare(pd.DataFrame(
    ...     {"listing_key": list("abcd"), "list_price": [1e5, 2e5, 4e5, 8e5]}))
    >>> lean = leaning(homes, Taste().after(3, 4.0))
    >>> bool(np.argmax(lean.total(homes)) == 3)
    True
    """
    rows, weight = taste.liked(sign)
    z = homes.standard[rows].astype(np.float64)
    known = ~np.isnan(z)
    w = weight[:, None] * known
    z = np.where(known, z, 0.0)
    start = np.zeros(len(TRAITS)) if prior is None else prior.mean
    usual = np.ones(len(TRAITS)) if prior is None else prior.variance
    mass = w.sum(axis=0)
    mean = ((w * z).sum(axis=0) + PRIOR_MEAN * start) / (mass + PRIOR_MEAN)
    spread = (w * (z - mean) ** 2).sum(axis=0) + PRIOR_MEAN * (mean - start) ** 2
    variance = (PRIOR_SPREAD * usual + spread) / (mass + PRIOR_SPREAD)
    logs = []
    for name, code in (("sort", homes.sort), ("area", homes.area)):
        own = None if prior is None else getattr(prior, name)
        logs.append(_by_code(homes.usual[name], code[rows], weight, own))
    return Leaning(mean, np.maximum(variance, 0.05), logs[0], logs[1], float(weight.sum()))


def _by_code(usual: F64, liked: NDArray[np.int32], weight: F64, own: F64 | None) -> F64:
    """Log ratio of shares by code, a last 0 for unknown."""
    share = usual * (1.0 if own is None else np.exp(own[:-1]))
    share = share / share.sum()
    known = liked >= 0
    counted = np.bincount(liked[known], weights=weight[known], minlength=len(usual))
    found = (counted + PRIOR_COUNT * share) / (counted.sum() + PRIOR_COUNT)
    return np.append(np.log(found / usual), 0.0)

"""What all buyers did: popularity as it stood at a moment, and segments of taste."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadlab.errors import EmptyInput
from leadlab.models.matching.catalogue import TRAITS, Catalogue
from leadlab.models.matching.signals import Deeds
from leadlab.models.matching.taste import Leaning, Taste, leaning

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
WEEK_US = 7 * 86_400_000_000
SEGMENTS = 8
LEAST_DEEDS = 5
"""Deeds from which a lead takes part in finding the segments."""


@dataclass(frozen=True, eq=False)
class Popularity:
    """Deeds by home up to the end of each week.

    Attributes
    ----------
    start_us : int
    counts : float32 array, shape (weeks + 1, homes)
        Row i: all deeds with weight above 0 before ``start_us + i`` weeks.
    """

    start_us: int
    counts: F32

    @classmethod
    def of(cls, done: Deeds, homes: Catalogue) -> Popularity:
        """Count deeds week by week.

        Examples
        --------
        >>> import pandas as pd
        >>> homes = Catalogue.prepare(pd.DataFrame({"listing_key": ["a", "b"]}))
        >>> one = np.zeros(1, np.int64)
        >>> done = Deeds(one, np.array(["x"], object), one + 1, np.ones(1), one + 1, one)
        >>> found = Popularity.of(done, homes)
        >>> found.as_of(0).tolist(), found.as_of(WEEK_US).tolist()
        ([0.0, 0.0], [0.0, 1.0])
        """
        if not len(done):
            return cls(0, np.zeros((1, len(homes)), np.float32))
        start = int(done.at_us.min())
        week = (done.at_us - start) // WEEK_US + 1
        counts = np.zeros((int(week.max()) + 1, len(homes)), np.float32)
        good = done.weight > 0
        np.add.at(counts, (week[good], done.home[good]), 1)
        return cls(start, np.cumsum(counts, axis=0, dtype=np.float32))

    def as_of(self, at_us: int) -> F32:
        """Deeds by home in the full weeks before a moment, shape (homes,)."""
        week = (at_us - self.start_us) // WEEK_US
        return np.asarray(self.counts[int(np.clip(week, 0, len(self.counts) - 1))])


@dataclass(frozen=True, eq=False)
class Segments:
    """Groups of leads that like alike, and what each group leans to.

    Attributes
    ----------
    centres : float array, shape (k, d)
    leanings : tuple of Leaning
        One a group; the last is that of all leads, for a lead that has done nothing yet.
    sizes : int array, shape (k,)
    """

    centres: F64
    leanings: tuple[Leaning, ...]
    sizes: I64

    @classmethod
    def of(cls, done: Deeds, homes: Catalogue, *, k: int = SEGMENTS, seed: int = 0) -> Segments:
        """Find groups by k-means over what leads lean to.

        Parameters
        ----------
        done : Deeds
            Of training leads.
        homes : Catalogue
        k : int
            Groups; fewer where there are fewer leads with enough deeds.
        seed : int

        Raises
        ------
        EmptyInput
            Nobody did anything.
        """
        from sklearn.cluster import KMeans  # noqa: PLC0415  (a fitted population needs none)

        if not len(done):
            raise EmptyInput("no lead has done anything with these homes", where="deeds")
        rows = [r for r in done.by_lead() if len(r) >= LEAST_DEEDS] or [
            r for r in done.by_lead() if len(r)
        ]
        tastes = [Taste.of(done.home[r], done.weight[r]) for r in rows]
        points = np.array([_point(leaning(homes, taste)) for taste in tastes])
        k = min(k, len(np.unique(points, axis=0)))
        found = KMeans(k, n_init=4, random_state=seed).fit(points)
        label = found.labels_
        groups = [np.concatenate([rows[i] for i in np.flatnonzero(label == g)]) for g in range(k)]
        leanings = [_shared(homes, done, own) for own in (*groups, np.arange(len(done)))]
        return cls(found.cluster_centers_, tuple(leanings), np.bincount(label, minlength=k))

    def segment(self, lean: Leaning) -> int:
        """Number of the group whose centre is nearest; -1 before a first deed in favour."""
        if not lean.weight:
            return -1
        point = _point(lean)
        return int(np.argmin(((self.centres - point) ** 2).sum(axis=1)))


def _point(lean: Leaning) -> F64:
    """Where a lead stands among others: means of traits, and what sorts of home it takes to."""
    return np.concatenate([lean.mean, 0.5 * lean.sort[:-1]])


def _shared(homes: Catalogue, done: Deeds, rows: I64) -> Leaning:
    """What a whole group leans to: home by home, without the bound on a single lead's weight."""
    good = rows[done.weight[rows] > 0]
    total = np.bincount(done.home[good], weights=done.weight[good], minlength=len(homes))
    liked = np.flatnonzero(total)
    weight = total[liked]
    z = homes.standard[liked].astype(np.float64)
    known = ~np.isnan(z)
    w, z = weight[:, None] * known, np.where(known, z, 0.0)
    mass = w.sum(axis=0) + 1.0
    mean = (w * z).sum(axis=0) / mass
    variance = ((w * (z - mean) ** 2).sum(axis=0) + 1.0) / mass
    logs = []
    for name, code in (("sort", homes.sort), ("area", homes.area)):
        usual, own = homes.usual[name], code[liked]
        seen = np.bincount(own[own >= 0], weights=weight[own >= 0], minlength=len(usual)) + 1.0
        ratio = np.log(seen / seen.sum()) - np.log(usual)
        logs.append(np.append(ratio, 0.0))
    assert len(mean) == len(TRAITS)
    return Leaning(mean, np.maximum(variance, 0.05), logs[0], logs[1], float(weight.sum()))

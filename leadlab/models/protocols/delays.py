"""How much of what will come has come: the share of outcomes that are known by an age."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leadlab.errors import BadInput

F64 = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Delays:
    """Distribution of the time from a row to its outcome, where the outcome comes.

    Only outcomes that came before today are seen, and young rows show short delays only. The
    product limit in reverse time corrects for that (Lynden-Bell, 1971): with the delays d and the
    ages a of rows whose outcome came, ``F(t) = prod over d > t of 1 - n(d) / N(d)``, where n(d)
    counts delays of d and N(d) the rows with ``delay <= d <= age``.

    Attributes
    ----------
    delay : float array, shape (m,)
        Distinct delays, ascending.
    share : float array, shape (m,)
        F at each, 1 at the last.

    References
    ----------
    Lynden-Bell (1971), A method of allowing for known observational selection in small samples
    applied to 3CR quasars. Kalbfleisch and Lawless (1989), Inference based on retrospective
    ascertainment.

    Examples
    --------
    >>> Delays.of([1.0, 1.0, 3.0], [9.0, 9.0, 9.0]).known_by([0.5, 2.0, 5.0]).round(3).tolist()
    [0.0, 0.667, 1.0]
    """

    delay: F64
    share: F64

    @classmethod
    def of(cls, delay: ArrayLike, age: ArrayLike) -> Delays:
        """Learn from rows whose outcome came.

        Parameters
        ----------
        delay : array, shape (n,)
            From the row to its outcome, in any unit.
        age : array, shape (n,)
            From the row to today, at least the delay.

        Raises
        ------
        BadInput
            If lengths differ, or a delay is negative or above its age.
        """
        d, a = np.asarray(delay, np.float64), np.asarray(age, np.float64)
        if d.ndim != 1 or d.shape != a.shape:
            raise BadInput("one age a delay is needed", got=f"{d.shape}, {a.shape}")
        if not ((d >= 0) & (d <= a)).all():
            raise BadInput("a delay lies between 0 and the age of its row")
        distinct, count = np.unique(d, return_counts=True)
        came = np.cumsum(count)
        younger = np.searchsorted(np.sort(a), distinct, side="left")  # too young to show it
        at_risk = np.maximum(came - younger, count)
        stays = 1.0 - count / at_risk
        share = np.append(np.cumprod(stays[::-1])[::-1][1:], 1.0) if len(d) else stays
        return cls(distinct, share)

    def known_by(self, age: ArrayLike) -> F64:
        """Share of the outcomes to come that have come by an age; 1 where nothing was learnt."""
        asked = np.asarray(age, np.float64)
        if not len(self.delay):
            return np.ones(asked.shape)
        found = np.append(0.0, self.share)[np.searchsorted(self.delay, asked, side="right")]
        return np.asarray(found, np.float64)

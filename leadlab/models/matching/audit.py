"""Which areas' homes get shown: a check on what rankings do to places, after the fact.

No ranking reads anything about people. Places can still stand for people, so the share of homes of
each area among those shown is watched with the same four-fifths line as everything else.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from leadlab.errors import EmptyInput
from leadlab.models.matching.catalogue import Catalogue
from leadlab.models.validation.exposure import Exposure, exposure

I64 = NDArray[np.int64]


def audit_exposure(
    shown: Sequence[I64], homes: Catalogue, *, resamples: int = 100, seed: int = 0
) -> Exposure:
    """Selection of homes by area over the lists shown to buyers.

    Parameters
    ----------
    shown : sequence of int arrays
        Rows of the catalogue shown to each buyer.
    homes : Catalogue
    resamples : int
        Of buyers, for the intervals.
    seed : int

    Returns
    -------
    Exposure
        Field "area"; each row of its table counts pairs of buyer and home.

    Raises
    ------
    EmptyInput
        Nobody was shown anything.

    Examples
    --------
    >>> import pandas as pd
    >>> homes = Catalogue.prepare(
    ...     pd.DataFrame({"listing_key": list("abcd"), "city": ["A", "A", "B", "B"]}))
    >>> shown = [np.array([0, 2])] * 20 + [np.array([0, 1])] * 20
    >>> found = audit_exposure(shown, homes).figures
    >>> found["ratio"].round(2).tolist()
    [1.0, 0.33]
    """
    lists = [rows for rows in shown if len(rows)]
    if not lists:
        raise EmptyInput("nobody was shown a home", where="shown")
    n, m = len(homes), len(lists)
    chosen = np.zeros((m, n), np.float64)
    for number, rows in enumerate(lists):
        chosen[number, rows] = 1.0
    names = np.array([*homes.areas, None], dtype=object)[homes.area]
    return exposure(
        chosen.ravel(),
        {"area": np.tile(names, m)},
        capacity=int(chosen.sum()),
        groups=np.repeat(np.arange(m), n),
        resamples=resamples,
        seed=seed,
    )

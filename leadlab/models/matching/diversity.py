"""Lists that do not show the same home twenty times: relevance less likeness to what is shown."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadlab.models.matching.catalogue import Catalogue

F32 = NDArray[np.float32]
I64 = NDArray[np.int64]


def diverse(
    homes: Catalogue, rows: I64, score: F32, top: int, *, variety: float, area_cap: int | None
) -> I64:
    """Choose homes by maximal marginal relevance.

    One after the other, the home with the highest
    ``(1 - variety) * place - variety * likeness to the nearest chosen``, where place runs from 1
    for the best score to 0 for the last, and likeness is ``exp(-d^2 / 2k)`` of the distance d in k
    standardised traits; another area halves it.

    Parameters
    ----------
    homes : Catalogue
    rows : int array, shape (n,)
        Candidates.
    score : float array, shape (n,)
        Theirs.
    top : int
        How many at most.
    variety : float
        0: by score alone; below 1.
    area_cap : int or None
        Homes of one area at most; homes of no known area count as one area each.

    Returns
    -------
    int array, at most `top`
        Positions in `rows`.

    References
    ----------
    Carbonell and Goldstein, "The use of MMR, diversity-based reranking", SIGIR 1998.

    Examples
    --------
    >>> import pandas as pd
    >>> homes = Catalogue.prepare(pd.DataFrame({
    ...     "listing_key": list("abc"), "city": list("AAB"), "list_price": [1e5, 1e5, 9e5]}))
    >>> rows, score = np.arange(3), np.array([3, 2, 1], np.float32)
    >>> diverse(homes, rows, score, 2, variety=0.0, area_cap=1).tolist()
    [0, 2]
    """
    order = np.argsort(-score, kind="stable")
    z = homes.filled[rows[order]]
    area = homes.area[rows[order]]
    worth = np.linspace(1, 0, len(order), dtype=np.float32)
    nearest = np.zeros(len(order), np.float32)
    open_, seen, chosen = np.ones(len(order), bool), dict[int, int](), list[int]()
    while len(chosen) < top and open_.any():
        value = (1 - np.float32(variety)) * worth - np.float32(variety) * nearest
        best = int(np.argmax(np.where(open_, value, -np.inf)))
        chosen.append(best)
        open_[best] = False
        code = int(area[best])
        seen[code] = seen.get(code, 0) + 1
        if area_cap is not None and code >= 0 and seen[code] >= area_cap:
            open_ &= area != code
        if variety:
            square = ((z - z[best]) ** 2).sum(axis=1) / z.shape[1]
            likeness = np.exp(-square / 2) * np.where(area == code, 1.0, 0.5)
            nearest = np.maximum(nearest, likeness.astype(np.float32))
    return order[np.array(chosen, np.int64)]

"""How much each home appeals to each lead: the hidden order that a matcher is to find."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlab.data.brokerage.intent import ACTIVE
from leadlab.data.brokerage.listings import AREAS, EACH
from leadlab.data.brokerage.taste import Tastes, liking, traits_of
from leadlab.data.brokerage.visits import CARE, ELSEWHERE, WIDTH

F64 = NDArray[np.float64]


def appeal(leads: pd.DataFrame, listings: pd.DataFrame) -> F64:
    """Log of how likely an active lead is to look at each home, but for a constant by lead.

    ``log P(area) - (place - price)^2 / (2 width^2) + care * liking``: where and at what price homes
    come up for it, and how well it likes them.

    Parameters
    ----------
    leads : DataFrame
        Rows of `leadlab.data.brokerage.truth.Truth.leads`.
    listings : DataFrame
        All homes, in their order.

    Returns
    -------
    float array, shape (n leads, n listings)

    Examples
    --------
    >>> from leadlab.data.brokerage import simulate
    >>> made = simulate(4, 10, seed=0)
    >>> appeal(made.truth.leads, made.listings).shape
    (4, 2000)
    """
    tastes, traits = Tastes.of_frame(leads), traits_of(listings)
    n, m = len(leads), len(listings)
    lead, home = np.divmod(np.arange(n * m), m)
    liked = liking(tastes, lead, traits, home).reshape(n, m)
    area, place = np.divmod(np.arange(m), EACH)
    same = leads["area"].to_numpy()[:, None] == area
    share = ELSEWHERE[ACTIVE] / len(AREAS) + np.where(same, 1 - ELSEWHERE[ACTIVE], 0.0)
    gap = (place + 0.5) / EACH - leads["price_place"].to_numpy(np.float64)[:, None]
    return np.asarray(np.log(share) - 0.5 * (gap / WIDTH[ACTIVE]) ** 2 + CARE[ACTIVE] * liked)

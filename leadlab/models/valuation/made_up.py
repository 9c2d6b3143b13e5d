"""Sales drawn from a known law, to try a valuation on where no real ones are at hand."""

from __future__ import annotations

import numpy as np
import pandas as pd

DAYS = 400
FIRST = "2024-11-01"


def made_up_sales(n: int, *, seed: int, noise: float = 0.1) -> pd.DataFrame:
    """MADE-UP sales of a town that gets dearer by 1% a month and towards the north-east.

    Log price = log(200 x living area) + 0.05 x quality + 4 x (degrees north + degrees east) +
    market + noise.

    Parameters
    ----------
    n : int
    seed : int
    noise : float
        Standard deviation of log price.

    Returns
    -------
    DataFrame
        In order of time, over 400 days.

    Examples
    --------
    >>> made_up_sales(3, seed=0)["listing_key"].tolist()
    ['made-up-0', 'made-up-1', 'made-up-2']
    """
    rng = np.random.default_rng(seed)
    day = np.sort(rng.integers(0, DAYS, n))
    area = np.round(rng.lognormal(7.4, 0.35, n))
    quality = rng.integers(1, 6, n)
    north, east = rng.uniform(0, 0.1, n), rng.uniform(0, 0.1, n)
    log_price = np.log(200 * area) + 0.05 * quality + 4 * (north + east)
    log_price += 0.01 * day / 30 + noise * rng.normal(size=n)
    return pd.DataFrame(
        {
            "listing_key": [f"made-up-{i}" for i in range(n)],
            "close_date": pd.Timestamp(FIRST) + pd.to_timedelta(day, unit="D"),
            "close_price": np.round(np.exp(log_price)),
            "living_area": area,
            "bedrooms_total": np.clip(np.round(area / 500), 1, 6).astype(np.int64),
            "quality_score": quality,
            "postal_code": np.where(north > 0.05, "00001", "00002"),
            "latitude": 40 + north,
            "longitude": -100 + east,
        }
    )

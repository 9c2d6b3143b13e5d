"""Homes for one buyer: the best 20 of 100,000 listings with reasons.

``python benchmarks/match_homes.py [--json] [--quick]``

Listings are SIMULATED (those of the brokerage, drawn again with noise). The buyer states seven
wishes, two of them hard limits, and has done 20 deeds; the trained ranker orders the best 300 anew.
The catalogue is prepared once. Figures are of single calls in turn, each for another buyer.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np
import pandas as pd
from record import finish, record

from leadlab.data.brokerage import simulate
from leadlab.models.matching.catalogue import Catalogue
from leadlab.models.matching.match import match
from leadlab.models.matching.preferences import Preferences
from leadlab.models.matching.ranker import Ranker
from leadlab.models.matching.signals import deeds
from leadlab.models.matching.stated import stated_preferences
from leadlab.models.matching.taste import Taste

TARGET_MS = 20.0


def many(listings: pd.DataFrame, n: int, rng: np.random.Generator) -> pd.DataFrame:
    """So many listings like those given."""
    table = listings.iloc[rng.integers(0, len(listings), n)].reset_index(drop=True)
    noise = np.exp(0.05 * rng.normal(size=n))
    return table.assign(
        listing_key=[f"home-{i}" for i in range(n)],
        list_price=np.round(table["list_price"] * noise, -3),
        latitude=table["latitude"] + 0.01 * rng.normal(size=n),
        longitude=table["longitude"] + 0.01 * rng.normal(size=n),
    )


def buyer(homes: Catalogue, rng: np.random.Generator) -> tuple[Preferences, Taste]:
    """Somebody with wishes and 20 deeds."""
    wants = Preferences(
        budget_usd=float(rng.integers(300, 900) * 1_000),
        bedrooms_min=float(rng.integers(2, 4)),
        bathrooms_min=2.0,
        living_area_min_sqft=float(rng.integers(900, 1_800)),
        areas=(homes.areas[int(rng.integers(len(homes.areas)))],),
        work=(39.7, -104.97),
        built_from=1_970.0,
        hard=("budget", "bedrooms") if rng.random() < 0.5 else (),
    )
    return wants, Taste.of(rng.integers(0, len(homes), 20), rng.choice([1.0, 3.0, -2.0], 20))


def run(quick: bool) -> list[dict[str, Any]]:
    """Measure; records as in `benchmarks/record.py`."""
    rng = np.random.default_rng(0)
    made = simulate(1_000 if quick else 3_000, 365, seed=0)
    small = Catalogue.prepare(made.listings)
    ranker = Ranker(most=500).fit(
        deeds(made.log, small), small, stated_preferences(made.stated)
    )  # fmt: skip
    n = 20_000 if quick else 100_000
    table = many(made.listings, n, rng)
    start = time.perf_counter()
    homes = Catalogue.prepare(table)
    match(homes, Preferences(work=(39.7, -104.97)), taste=Taste().after(0, 1.0))
    found = [record(f"prepare {n:,} listings", time.perf_counter() - start, "s", "-", None)]
    ranker.popularity_ = type(ranker.popularity_)(0, np.zeros((1, n), np.float32))
    for name, model in (("stated and learned", None), ("with the trained ranker", ranker)):
        taken = []
        for _ in range(40 if quick else 200):
            wants, taste = buyer(homes, rng)
            start = time.perf_counter()
            match(homes, wants, taste=taste, ranker=model, top=20)
            taken.append((time.perf_counter() - start) * 1e3)
        for q in (50, 95):
            title = f"top 20 of {n:,} with reasons, {name}, p{q}"
            found.append(record(title, float(np.percentile(taken, q)), "ms", "target", TARGET_MS))
    return found


if __name__ == "__main__":
    sys.exit(finish(run, __doc__))

"""Homes on offer: where they are, what they are like, what they cost, and what they are worth.

Attributes bear their RESO names as `leadlab.schema.property` spells them. The hidden value is a
log-linear function of place and features with an unseen part (condition, taste); the list price is
what an agent made of it. Listings stay on the market for as long as the log lasts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlab.data.brokerage.draws import (
    Keys,
    child,
    choose,
    exponential,
    first_key,
    normal,
    uniform,
)
from leadlab.data.brokerage.taste import Traits, traits_of

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
AREAS = ("Alder Heights", "Bayside", "Cedar Park", "Dunmore", "Eastgate", "Fairview", "Glen Oaks",
         "Harbor Point")  # fmt: skip
AREA_EFFECT = np.array([0.20, 0.35, -0.05, -0.30, -0.15, 0.05, 0.10, 0.45])
EACH = 250
"""Listings in an area."""
_HIDDEN = ("hidden_value", "hidden_condition")


@dataclass(frozen=True, eq=False)
class Listings:
    """All listings, by area and within it by price.

    Attributes
    ----------
    table : DataFrame
        One listing a row, with ``hidden_value`` and ``hidden_condition``.
    """

    table: pd.DataFrame

    def __len__(self) -> int:
        return len(self.table)

    @cached_property
    def price_usd(self) -> F64:
        """List prices."""
        return self.table["list_price"].to_numpy(np.float64)

    @cached_property
    def traits(self) -> Traits:
        """Homes as leads' tastes see them."""
        return traits_of(self.table)

    @property
    def names(self) -> NDArray[np.object_]:
        """Names: "listing-0000" and so on."""
        return self.table["listing_key"].to_numpy(object)

    def public(self) -> pd.DataFrame:
        """What a listing feed tells."""
        return self.table.drop(columns=list(_HIDDEN))

    def hidden(self) -> pd.DataFrame:
        """What no feed tells: the value and the part of it that nobody sees."""
        return self.table[["listing_key", *_HIDDEN]].copy()

    def near(self, area: I64, place: F64) -> I64:
        """Rows of the listings at a place of an area's price range, 0 to 1."""
        return area * EACH + (np.clip(place, 0, 0.99999) * EACH).astype(np.int64)


def draw_listings(seed: int) -> Listings:
    """Draw 2,000 homes in eight areas.

    Examples
    --------
    >>> homes = draw_listings(0)
    >>> len(homes), "hidden_value" in homes.public()
    (2000, False)
    """
    n = len(AREAS) * EACH
    keys = child(first_key(seed, "listings"), np.arange(n))
    area = np.repeat(np.arange(len(AREAS)), EACH)
    living_area = np.round(np.exp(np.log(1_750) + 0.36 * normal(keys, "size")), -1)
    table = _features(keys, area, living_area)
    condition = normal(keys, "condition")
    log_value = (
        np.log(430_000)
        + AREA_EFFECT[area]
        + 0.62 * np.log(living_area / 1_750)
        + 0.05 * (table["bathrooms_full"] - 2)
        + 0.035 * table["garage_spaces"]
        + 0.06 * np.log(table["lot_size_square_feet"] / 7_000)
        - 0.0025 * (2024 - table["year_built"])
        + 0.08 * condition
    )
    table["hidden_condition"] = condition
    table["hidden_value"] = np.exp(log_value)
    asked = np.exp(log_value + 0.015 + 0.05 * normal(keys, "asking"))
    table["list_price"] = np.maximum(np.round(asked, -3), 40_000.0)
    table["tax_annual_amount"] = np.round(0.011 * table["hidden_value"], 0)
    table = table.assign(area=area).sort_values(["area", "list_price"], kind="stable")
    table = table.drop(columns="area").reset_index(drop=True)
    table.insert(0, "listing_key", [f"listing-{i:04d}" for i in range(n)])
    return Listings(table)


def _features(keys: Keys, area: I64, living_area: F64) -> pd.DataFrame:
    """Everything but the money."""
    kind = choose(keys, "kind", np.array([0.66, 0.16, 0.18]))
    rooms = living_area / 620 + 0.5 * normal(keys, "bedrooms")
    lot = np.where(kind == 0, 7_500 * np.exp(0.5 * normal(keys, "lot")), 1_500 + living_area / 2)
    place = child(first_key(0, "areas"), np.arange(len(AREAS)))
    latitude = 39.6 + 0.25 * uniform(place, "north")[area] + 0.012 * normal(keys, "north")
    longitude = -105.1 + 0.3 * uniform(place, "east")[area] + 0.015 * normal(keys, "east")
    built = 2024 - np.minimum(100, 34 * exponential(keys, "age")).astype(np.int64)
    return pd.DataFrame(
        {
            "standard_status": "Active",
            "property_sub_type": np.array(
                ["Single Family Residence", "Townhouse", "Condominium"], dtype=object
            )[kind],
            "city": np.array(AREAS, dtype=object)[area],
            "postal_code": np.array([f"0000{i + 1}" for i in range(len(AREAS))], dtype=object)[
                area
            ],
            "latitude": np.round(latitude, 5),
            "longitude": np.round(longitude, 5),
            "living_area": living_area,
            "bedrooms_total": np.clip(np.round(rooms), 1, 7).astype(np.int64),
            "bathrooms_full": np.clip(np.round(rooms * 0.7), 1, 5).astype(np.int64),
            "lot_size_square_feet": np.round(lot, -1),
            "year_built": built,
            "garage_spaces": choose(keys, "garage", np.array([0.2, 0.3, 0.4, 0.1])).astype(float),
            "stories_total": 1 + (uniform(keys, "stories") < 0.45).astype(np.int64),
        }
    )

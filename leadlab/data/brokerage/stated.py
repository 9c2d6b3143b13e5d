"""What leads say on the form when they register: part of what they want, and not quite that."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlab.data.brokerage.draws import child, normal, uniform
from leadlab.data.brokerage.leads import Leads
from leadlab.data.brokerage.listings import AREAS, Listings
from leadlab.data.brokerage.taste import SORTS

SAYS_BUDGET, SAYS_AREA, SAYS_BEDROOMS, SAYS_SORT, SAYS_WORK = 0.85, 0.75, 0.80, 0.50, 0.30
"""Share of leads that fill in each field."""
OTHER_AREA = 0.2
"""Share of the areas given that are not where the lead then looks first."""


def stated(leads: Leads, listings: Listings) -> pd.DataFrame:
    """What each lead wrote; NaN and None where it left a field empty.

    Returns
    -------
    DataFrame
        ``lead``, ``budget_usd``, ``city``, ``bedrooms_min``, ``property_sub_type``,
        ``work_latitude``, ``work_longitude``.
    """
    key, tastes = child(leads.key, 0, "form"), leads.taste
    price = listings.price_usd[listings.near(leads.area, leads.price)]
    budget = np.round(price * np.exp(0.10 + 0.12 * normal(key, "budget")), -4)
    elsewhere = uniform(key, "other area") < OTHER_AREA
    area = np.where(elsewhere, (uniform(key, "which") * len(AREAS)).astype(int), leads.area)
    beds = np.round(3 + 1.1 * tastes.ideal[:, 1] + 0.5 * normal(key, "beds") - 0.3)
    says = {
        name: uniform(key, name) < share
        for name, share in (
            ("budget", SAYS_BUDGET),
            ("area", SAYS_AREA),
            ("bedrooms", SAYS_BEDROOMS),
            ("sort", SAYS_SORT),
            ("work", SAYS_WORK),
        )
    }
    work = np.where(says["work"][:, None], np.round(tastes.work, 3), np.nan)
    return pd.DataFrame(
        {
            "lead": [f"lead-{i:06d}" for i in range(len(leads))],
            "budget_usd": np.where(says["budget"], budget, np.nan),
            "city": _where(says["area"], np.array(AREAS, dtype=object)[area]),
            "bedrooms_min": np.where(says["bedrooms"], np.clip(beds, 1, 6), np.nan),
            "property_sub_type": _where(says["sort"], np.array(SORTS, dtype=object)[tastes.sort]),
            "work_latitude": work[:, 0],
            "work_longitude": work[:, 1],
        }
    )


def _where(told: NDArray[np.bool_], values: NDArray[np.object_]) -> NDArray[np.object_]:
    """Values where they were told, else None."""
    found = np.full(len(values), None, dtype=object)
    found[told] = values[told]
    return found

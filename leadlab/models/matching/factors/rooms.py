"""Money and measures: budget, bedrooms, bathrooms, living area, lot."""

from __future__ import annotations

from collections.abc import Callable

from leadlab.models.matching.catalogue import Catalogue
from leadlab.models.matching.factors.factor import F32, Factor, between, number, reach, span
from leadlab.models.matching.preferences import Preferences

OVER_BUDGET, UNDER_BUDGET = 0.15, 0.30
"""Shares of the budget above and below it at which nothing is left of the score."""
ROOMS = 2.0
"""Rooms too few or too many at which nothing is left."""
AREA_BELOW, AREA_ABOVE = 0.30, 0.60
"""Shares of the wished area below and above it at which nothing is left."""
LOT_BELOW = 0.60


def budget(homes: Catalogue, wants: Preferences) -> F32:
    """1 within the budget, 0 from 15% above it (30% below its lower end).

    Examples
    --------
    >>> import pandas as pd
    >>> homes = Catalogue.prepare(
    ...     pd.DataFrame({"listing_key": ["a", "b", "c"], "list_price": [400e3, 430e3, 0]}))
    >>> budget(homes, Preferences(budget_usd=400e3)).tolist()
    [1.0, 0.5, nan]
    """
    low, high = wants.budget_min_usd, wants.budget_usd
    below, above = UNDER_BUDGET * (low or 1.0), OVER_BUDGET * (high or 1.0)
    return between(homes.number["list_price"], low, high, below, above)


def bedrooms(homes: Catalogue, wants: Preferences) -> F32:
    """1 within the wish, half for a room too few or too many, 0 for two."""
    return between(
        homes.number["bedrooms_total"], wants.bedrooms_min, wants.bedrooms_max, ROOMS, ROOMS
    )


def bathrooms(homes: Catalogue, wants: Preferences) -> F32:
    """1 from the wish on, half for one too few; a half bathroom counts half."""
    return between(homes.number["bathrooms"], wants.bathrooms_min, None, ROOMS, ROOMS)


def living_area(homes: Catalogue, wants: Preferences) -> F32:
    """1 within the wish, 0 at 30% below it and at 60% above it."""
    low, high = wants.living_area_min_sqft, wants.living_area_max_sqft
    below, above = AREA_BELOW * (low or 1.0), AREA_ABOVE * (high or 1.0)
    return between(homes.number["living_area"], low, high, below, above)


def lot(homes: Catalogue, wants: Preferences) -> F32:
    """1 from the wish on, 0 at 60% below it."""
    low = wants.lot_min_sqft
    return between(homes.number["lot_size_square_feet"], low, None, LOT_BELOW * (low or 1.0), 1.0)


def _budget_reason(homes: Catalogue, row: int, wants: Preferences) -> str:
    price, high, low = (
        float(homes.number["list_price"][row]), wants.budget_usd, wants.budget_min_usd
    )  # fmt: skip
    if high is not None and price > high:
        return f"${price:,.0f} is {price / high - 1:.0%} above the budget of ${high:,.0f}"
    if low is not None and price < low:
        return f"${price:,.0f} is below ${low:,.0f}"
    return f"${price:,.0f} is within the budget"


def _measured(
    name: str, field: str, unit: str, low: str, high: str | None, score: Callable[..., F32]
) -> Factor:
    """A factor that compares one number with one range."""

    def wish(wants: Preferences) -> tuple[float | None, float | None]:
        return getattr(wants, low), None if high is None else getattr(wants, high)

    def asked(wants: Preferences) -> bool:
        return any(end is not None for end in wish(wants))

    def reason(homes: Catalogue, row: int, wants: Preferences) -> str:
        value = float(homes.number[field][row])
        least, most = wish(wants)
        if (least is None or value >= least) and (most is None or value <= most):
            return f"{number(value)}{unit}, as wished"
        return f"{number(value)}{unit} instead of {span(least, most)}"

    def change(homes: Catalogue, row: int, wants: Preferences) -> dict[str, object]:
        least, most = wish(wants)
        return reach(float(homes.number[field][row]), low, least, high, most)

    return Factor(name, (field,), asked, score, reason, change)


_PRICE = _measured("budget", "list_price", "", "budget_min_usd", "budget_usd", budget)
FACTORS = (
    Factor("budget", _PRICE.fields, _PRICE.asked, budget, _budget_reason, _PRICE.change),
    _measured("bedrooms", "bedrooms_total", " bedrooms", "bedrooms_min", "bedrooms_max", bedrooms),
    _measured("bathrooms", "bathrooms", " bathrooms", "bathrooms_min", None, bathrooms),
    _measured("living area", "living_area", " sq ft", "living_area_min_sqft",
              "living_area_max_sqft", living_area),
    _measured("lot", "lot_size_square_feet", " sq ft of land", "lot_min_sqft", None, lot),
)  # fmt: skip

"""What it is like: type, amenities, age, how it stands on the market, style."""

from __future__ import annotations

from typing import Any

import numpy as np

from leadlab.models.matching.catalogue import Catalogue
from leadlab.models.matching.factors.factor import F32, Factor, among, at_least, at_most, between
from leadlab.models.matching.preferences import Preferences

AGE_FADES_YEARS = 30.0
FRESH_DAYS, STALE_DAYS = 7.0, 60.0
"""Days on the market that count as new, and after how many more nothing is left."""
GOOD_CUT = 0.05
"""Share of the first price by which it came down for full credit."""


def kind(homes: Catalogue, wants: Preferences) -> F32:
    """1 for a wished type of home, else 0."""
    return among(homes.sort, homes.sorts, wants.types)


def amenities(homes: Catalogue, wants: Preferences) -> F32:
    """Share of the wished amenities that the listing names; unknown where listings name none."""
    if not homes.has_amenities:
        return np.full(len(homes), np.nan, np.float32)
    none = np.zeros(len(homes), bool)
    has = [homes.amenities.get(name.casefold(), none) for name in wants.amenities]
    return np.asarray(np.mean(has, axis=0, dtype=np.float32))


def age(homes: Catalogue, wants: Preferences) -> F32:
    """1 for a home built in the wished years, 0 from 30 years outside of them."""
    low, high = wants.built_from, wants.built_to
    return between(homes.number["year_built"], low, high, AGE_FADES_YEARS, AGE_FADES_YEARS)


def cut(homes: Catalogue) -> F32:
    """Share of the first list price by which the price came down; NaN where none is known.

    Examples
    --------
    >>> import pandas as pd
    >>> homes = Catalogue.prepare(pd.DataFrame(
    ...     {"listing_key": ["a"], "list_price": [95.0], "original_list_price": [100.0]}))
    >>> cut(homes).round(2).tolist()
    [0.05000000074505806]
    """
    return np.asarray(1 - homes.number["list_price"] / homes.number["original_list_price"])


def market(homes: Catalogue, wants: Preferences) -> F32:
    """New: 1 up to 7 days on the market, 0 from 67. Reduced: 1 from 5% below the first price on."""
    if wants.market == "new":
        return at_most(homes.number["days_on_market"], FRESH_DAYS, STALE_DAYS)
    return at_least(cut(homes), GOOD_CUT, GOOD_CUT)


def style(homes: Catalogue, wants: Preferences) -> F32:
    """Mean over what was wished of style, storeys and garage; NaN where one of them is unknown."""
    parts = []
    if wants.styles:
        parts.append(among(homes.style, homes.styles, wants.styles))
    if wants.stories_max is not None:
        parts.append(at_most(homes.number["stories_total"], wants.stories_max, 1.0))
    if wants.garage_min is not None:
        parts.append(at_least(homes.number["garage_spaces"], wants.garage_min, 2.0))
    return np.asarray(np.mean(parts, axis=0, dtype=np.float32))


def _kind_reason(homes: Catalogue, row: int, wants: Preferences) -> str:
    name = homes.sorts[int(homes.sort[row])]
    fits = name.casefold() in {t.casefold() for t in wants.types}
    return f"{name}, as wished" if fits else f"{name} instead of {' or '.join(wants.types)}"


def _has(homes: Catalogue, row: int, wants: Preferences) -> tuple[list[str], list[str]]:
    has: list[str] = []
    lacks: list[str] = []
    for name in wants.amenities:
        column = homes.amenities.get(name.casefold())
        (has if column is not None and column[row] else lacks).append(name)
    return has, lacks


def _amenities_reason(homes: Catalogue, row: int, wants: Preferences) -> str:
    has, lacks = _has(homes, row, wants)
    told = [f"has {', '.join(has)}"] if has else []
    return "; ".join([*told, *([f"names no {', '.join(lacks)}"] if lacks else [])])


def _age_reason(homes: Catalogue, row: int, wants: Preferences) -> str:
    year, low, high = float(homes.number["year_built"][row]), wants.built_from, wants.built_to
    if low is not None and year < low:
        return f"built in {year:.0f}, before {low:.0f}"
    if high is not None and year > high:
        return f"built in {year:.0f}, after {high:.0f}"
    return f"built in {year:.0f}, as wished"


def _age_change(homes: Catalogue, row: int, wants: Preferences) -> dict[str, Any]:
    year = float(homes.number["year_built"][row])
    early = wants.built_from is not None and year < wants.built_from
    return {"built_from" if early else "built_to": year}


def _market_reason(homes: Catalogue, row: int, wants: Preferences) -> str:
    if wants.market == "new":
        return f"{homes.number['days_on_market'][row]:.0f} days on the market"
    share = float(cut(homes)[row])
    return f"price down by {share:.1%}" if share > 0 else "price not reduced"


def _style_reason(homes: Catalogue, row: int, wants: Preferences) -> str:
    told = []
    if wants.styles:
        code = int(homes.style[row])
        told.append(homes.styles[code])
    for wish, field, word in ((wants.stories_max, "stories_total", "storeys"),
                              (wants.garage_min, "garage_spaces", "garage spaces")):  # fmt: skip
        if wish is not None:
            told.append(f"{homes.number[field][row]:.0f} {word}")
    return ", ".join(told)


def _style_change(homes: Catalogue, row: int, wants: Preferences) -> dict[str, Any]:
    found: dict[str, Any] = {}
    code = int(homes.style[row])
    if wants.styles and code >= 0:
        found["styles"] = (*wants.styles, homes.styles[code])
    stories, garage = (float(homes.number[f][row]) for f in ("stories_total", "garage_spaces"))
    if wants.stories_max is not None and stories > wants.stories_max:
        found["stories_max"] = stories
    if wants.garage_min is not None and garage < wants.garage_min:
        found["garage_min"] = garage
    return found


FACTORS = (
    Factor("type", ("property_sub_type",), lambda w: bool(w.types), kind, _kind_reason,
           lambda h, r, w: {"types": (*w.types, h.sorts[int(h.sort[r])])}),
    Factor("amenities", ("amenities",), lambda w: bool(w.amenities), amenities, _amenities_reason,
           lambda h, r, w: {"amenities": tuple(_has(h, r, w)[0])}),
    Factor("age", ("year_built",), lambda w: w.built_from is not None or w.built_to is not None,
           age, _age_reason, _age_change),
    Factor("market", ("days_on_market", "list_price", "original_list_price"),
           lambda w: w.market is not None, market, _market_reason,
           lambda h, r, w: {"market": None}),
    Factor("style", ("architectural_style", "stories_total", "garage_spaces"),
           lambda w: bool(w.styles) or w.stories_max is not None or w.garage_min is not None,
           style, _style_reason, _style_change),
)  # fmt: skip

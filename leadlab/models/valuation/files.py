"""A valuation model as files: plain JSON, trees in XGBoost's own format, sales as Parquet."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import xgboost as xgb

from leadlab.errors import NotFitted
from leadlab.models.files.described import described, opened, reading
from leadlab.models.valuation.columns import DATE, PLACE, PRICE, HomeColumns
from leadlab.models.valuation.hedonic import Hedonic
from leadlab.models.valuation.intervals import PriceRange
from leadlab.models.valuation.market import Lens, Market
from leadlab.models.valuation.model import ValuationModel
from leadlab.models.valuation.price_trees import PriceTrees
from leadlab.models.valuation.sales import Sales, tidy_sales

FORMAT, ABOUT, SALES, SIZE = "leadlab-valuation/1", "valuation.json", "sales.parquet", "size.ubj"
KEY = "listing_key"
Model = TypeVar("Model", bound=ValuationModel)


def to_files(model: ValuationModel) -> dict[str, bytes]:
    """``valuation.json``, ``sales.parquet`` and the trees.

    Raises
    ------
    NotFitted
        Before `fit`.
    """
    if not hasattr(model, "trained_until_"):
        raise NotFitted("cannot store a model that is not trained yet", hint="Call fit.")
    lens = model.trees_.lens
    files = {
        SALES: _parquet(model.market_.sales, lens.columns),
        SIZE: bytes(model.range_.size.save_raw("ubj")),
        **{_tree_name(i): bytes(b.save_raw("ubj")) for i, b in enumerate(model.trees_.boosters)},
    }
    settings = model.get_params(deep=False)
    content = {
        "format": FORMAT,
        "settings": {**settings, "without": list(model.without)},
        "columns": _columns_json(lens.columns),
        "hedonic": lens.hedonic.to_json(),
        "half_life_days": lens.half_life_days,
        "rate": lens.rate,
        "middle": model.trees_.middle,
        "range": {"low": model.range_.low, "high": model.range_.high, "level": model.range_.level},
        "trained_until": model.trained_until_,
        "set_aside": model.set_aside_,
    }
    return described(ABOUT, content, files)


def from_files(kind: type[Model], files: Mapping[str, bytes]) -> Model:
    """What `to_files` gave.

    Raises
    ------
    BrokenFile
        If a file is missing, cut short, altered or of another kind.
    """
    with reading("a valuation model"):
        return _restored(kind, opened(files, ABOUT, FORMAT), files)


def _restored(kind: type[Model], described: Mapping[str, Any], files: Mapping[str, bytes]) -> Model:
    model = kind(**{**described["settings"], "without": tuple(described["settings"]["without"])})
    columns = _columns(described["columns"])
    hedonic = Hedonic.from_json(described["hedonic"])
    lens = Lens(columns, hedonic, described["half_life_days"], described["rate"])
    trees = tuple(_booster(files[_tree_name(i)]) for i in range(len(described["sha256"]) - 2))
    model.trees_ = PriceTrees(lens, trees, float(described["middle"]))
    ends = described["range"]
    model.range_ = PriceRange(_booster(files[SIZE]), ends["low"], ends["high"], ends["level"])
    model.market_ = Market.known(lens, tidy_sales(pd.read_parquet(io.BytesIO(files[SALES]))))
    model.leaves_, model.gains_ = None, model.trees_.gains()
    model.trained_until_ = int(described["trained_until"])
    model.set_aside_ = dict(described["set_aside"])
    if any(t.num_features() != len(lens.names) for t in trees):
        raise ValueError("trees and columns are not of one model")
    return model


def _tree_name(place: int) -> str:
    return f"trees-{place}.ubj"


def _booster(content: bytes) -> xgb.Booster:
    found = xgb.Booster({"nthread": 1})
    found.load_model(bytearray(content))
    return found


def _parquet(sales: Sales, columns: HomeColumns) -> bytes:
    """The columns that a model reads, key, date and price; texts as texts."""
    kept = [n for n in (KEY, *columns.names, *PLACE) if n in sales.homes.columns]
    frame = sales.homes[list(dict.fromkeys(kept))].copy()
    for name in (KEY, *columns.levels):
        if name in frame:
            texts = frame[name].astype(object)
            frame[name] = texts.map(str).where(texts.notna(), None)
    frame[DATE] = sales.day.astype("datetime64[D]").astype("datetime64[s]")
    frame[PRICE] = np.exp(sales.log_price)
    out = io.BytesIO()
    frame.to_parquet(out, index=False)
    return out.getvalue()


def _columns_json(columns: HomeColumns) -> dict[str, Any]:
    ends = {
        name: [None if np.isinf(v) else float(v) for v in getattr(columns, name)]
        for name in ("middle", "low", "high")
    }
    aside = list(columns.set_aside)
    return {"names": list(columns.names), "levels": columns.levels, "set_aside": aside, **ends}


def _columns(content: Mapping[str, Any]) -> HomeColumns:
    open_ends = {"middle": np.nan, "low": -np.inf, "high": np.inf}
    ends = {
        name: np.array([missing if v is None else v for v in content[name]], np.float64)
        for name, missing in open_ends.items()
    }
    return HomeColumns(
        tuple(content["names"]), content["levels"], **ends, set_aside=tuple(content["set_aside"])
    )

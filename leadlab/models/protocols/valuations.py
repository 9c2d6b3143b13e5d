"""Protocols of house sales in order of time: King County's and those of Ames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import xgboost as xgb
from numpy.typing import NDArray

from leadlab.models.protocols.evaluation import Evaluation
from leadlab.models.protocols.held_out_folds import Tell
from leadlab.models.valuation.columns import HomeColumns
from leadlab.models.valuation.hedonic import Hedonic
from leadlab.models.valuation.model import ValuationModel
from leadlab.models.valuation.ratio_study import ratio_figures, ratio_study, value_bands
from leadlab.models.valuation.sales import Sales, tidy_sales

F64 = NDArray[np.float64]
BANDS = 4
KING_COUNTY, AMES = "2015-04-01", "2009-07-01"
BETTER = {"mdape": min, "cod": min, "mape": min, "within_10": max, "within_20": max}
RULE = (
    "Sales before {split} train, the rest are judged, each valued as on the day of its closing. "
    "Model: leadlab.models.valuation.model.ValuationModel with its usual settings. Main figures: "
    "as a live system would, a valuation may use judged sales of strictly earlier days "
    "(neighbours, level of the market); trees, worth of attributes and range stay as trained. "
    "frozen_*: no judged sale is used at all. mdape, mape, cod, within_*, coverage_* in percent; "
    "mdape: median of |estimate / price - 1|; prb: change of the ratio when value doubles. "
    "coverage_90: share of prices in the 90% range; ..._band_1 to {bands}: by quarters of value, "
    "cheap to dear, value being the mean of price and estimate over median ratio. *_low, *_high: "
    "95% bootstrap. Baselines know the training sales only: area rate (median price per square "
    "foot of the {area}, times living area), hedonic regression (log price, ridge), XGBoost (log "
    "price, 600 trees of depth 6, attributes, coordinates and day, no neighbours). Settings: "
    "{chosen}"
)
CHOSEN = (
    "chosen on folds in order of time inside the training parts (King County's sales of "
    "2014-11-01 to 2015-01-14 and of 2015-01-15 to 2015-03-31, those of Ames of 2008-07 to "
    "2009-06, each from the sales before): the mean of three sets of trees over each, losses and "
    "regularisation of each set, depth 6 over 4, 5 and 8, statistics of neighbours over none, "
    "rates per area besides residuals, no sales left out at the start, no H3 cells in the "
    "regression. How fast the level moves is not fitted but follows from the number and noise of "
    "sales. Figures of the judged sales were seen in between, for two earlier settings."
)


def evaluate_king_county(
    sales: pd.DataFrame, *, seed: int = 0, rounds: int | None = None, tell: Tell = lambda step: None
) -> Evaluation:
    """Sales from April 2015 on, valued from those before.

    Parameters
    ----------
    sales : DataFrame
        From `leadlab.data.king_county`.
    seed : int
        The same seed gives the same figures.
    rounds : int, optional
        Boosting rounds; fewer for a quick look.
    tell : callable
        Called with a few words at each step.

    Returns
    -------
    Evaluation
    """
    return _evaluate("king_county", sales, KING_COUNTY, "postal_code", seed, rounds, tell)


def evaluate_ames(
    sales: pd.DataFrame, *, seed: int = 0, rounds: int | None = None, tell: Tell = lambda step: None
) -> Evaluation:
    """The last year of sales, July 2009 to July 2010, valued from those before.

    ``normal_*`` judges only sales whose condition is "Normal": no foreclosure, no sale within a
    family, no house that was not finished when it was assessed. Type and condition of a sale are
    not known before it, and no model sees them.

    Parameters
    ----------
    sales : DataFrame
        From `leadlab.data.ames`.
    seed : int
    rounds : int, optional
    tell : callable

    Returns
    -------
    Evaluation
    """
    return _evaluate("ames", sales, AMES, "neighborhood", seed, rounds, tell)


def _evaluate(
    name: str,
    sales: pd.DataFrame,
    split: str,
    area: str,
    seed: int,
    rounds: int | None,
    tell: Tell,
) -> Evaluation:
    past, future = sales[sales["close_date"] < split], sales[sales["close_date"] >= split]
    price = future["close_price"].to_numpy(np.float64)
    settings: dict[str, Any] = {"seed": seed, **({} if rounds is None else {"rounds": rounds})}
    tell(f"train on {len(past):,} sales")
    model = ValuationModel(**settings).fit(past)
    tell("value the later ones")
    live = model.with_sales(future).predict(future, at=future["close_date"])
    frozen = model.predict(future, at=future["close_date"])
    metrics = {**figures(live, price), **_ends(live, price, future[area], seed)}
    metrics |= {f"frozen_{k}": v for k, v in figures(frozen, price).items()}
    if "sale_condition" in future:
        normal = (future["sale_condition"] == "Normal").to_numpy()
        judged = figures(live[normal], price[normal])
        metrics |= {f"normal_{k}": v for k, v in judged.items()}
    tell("baselines")
    simple = {
        called: figures(pd.DataFrame({"estimate": estimate}), price)
        for called, estimate in _baselines(past, future, area, seed).items()
    }
    best = {k: better(found[k] for found in simple.values()) for k, better in BETTER.items()}
    counts = {
        "sales": len(sales),
        "train_sales": len(past),
        "held_out_sales": len(future),
        "with_caution": int((live["caution"] != "").sum()),
        "without_estimate": int(live["estimate"].isna().sum()),
    }
    words = RULE.format(split=split, bands=BANDS, area=area.replace("_", " "), chosen=CHOSEN)
    return Evaluation(name, words, seed, metrics, best, simple, counts)


def figures(found: pd.DataFrame, price: F64) -> dict[str, float]:
    """Figures of valuations against prices; those without estimate count as missed by all.

    Examples
    --------
    >>> found = figures(pd.DataFrame({"estimate": [90.0, 100, 220]}), np.array([100.0, 100, 200]))
    >>> round(found["mdape"], 3), round(found["within_10"], 3)
    (10.0, 100.0)
    """
    estimate = found["estimate"].to_numpy(np.float64)
    away = np.where(np.isnan(estimate), np.inf, np.abs(estimate / price - 1))
    there = ~np.isnan(estimate)
    told = {
        "mdape": 100 * float(np.median(away)),
        "mape": 100 * float(np.mean(away)),
        "within_10": 100 * float((away <= 0.1 + 1e-12).mean()),
        "within_20": 100 * float((away <= 0.2 + 1e-12).mean()),
        **ratio_figures(estimate[there], price[there]),
    }
    if "low" in found:
        low, high = found["low"].to_numpy(np.float64), found["high"].to_numpy(np.float64)
        inside = (price >= low) & (price <= high)
        told["coverage_90"] = 100 * float(inside.mean())
        told["range_width"] = 100 * float(np.nanmedian((high - low) / estimate))
        bands = value_bands(estimate[there], price[there], BANDS)
        for k, (_, rows) in enumerate(bands, 1):
            told[f"coverage_90_band_{k}"] = 100 * float(inside[there][rows].mean())
    return told


def _ends(found: pd.DataFrame, price: F64, area: pd.Series[Any], seed: int) -> dict[str, float]:
    """Intervals of the ratio study, and how areas spread."""
    there = found["estimate"].notna().to_numpy()
    study = ratio_study(
        found["estimate"].to_numpy()[there], price[there], area=area.to_numpy()[there],
        bands=BANDS, seed=seed,
    )  # fmt: skip
    told: dict[str, float] = {}
    for name in study.figures:
        told |= {f"{name}_low": study.low[name], f"{name}_high": study.high[name]}
    groups = study.groups
    for k, (_, row) in enumerate(groups[groups["by"] == "band"].iterrows(), 1):
        told |= {f"median_ratio_band_{k}": row["median_ratio"], f"cod_band_{k}": row["cod"]}
    large = groups[(groups["by"] == "area") & (groups["n"] >= 20)]
    told["areas_of_20_sales"] = float(len(large))
    if len(large):
        told["median_ratio_lowest_area"] = float(large["median_ratio"].min())
        told["median_ratio_highest_area"] = float(large["median_ratio"].max())
    return told


def _baselines(past: pd.DataFrame, future: pd.DataFrame, area: str, seed: int) -> Mapping[str, F64]:
    """Estimates by simple means, from the training sales only."""
    train = tidy_sales(past)
    rate = (past["close_price"] / past["living_area"]).groupby(past[area]).median()
    overall = float((past["close_price"] / past["living_area"]).median())
    by_area = future[area].map(rate).fillna(overall) * future["living_area"]
    columns = HomeColumns.learn(train.homes, train.log_price)
    values = columns.values(train.homes)
    levels = tuple(len(columns.levels.get(name, ())) for name in columns.names)
    hedonic = Hedonic.learn(values, train.log_price, levels)
    asked = columns.values(future)
    return {
        "area rate": by_area.to_numpy(np.float64),
        "hedonic regression": np.exp(hedonic.value(asked)),
        "XGBoost": np.exp(_plain_trees(train, values, asked, future, seed)),
    }


def _plain_trees(train: Sales, values: F64, asked: F64, future: pd.DataFrame, seed: int) -> F64:
    day = future["close_date"].to_numpy("datetime64[D]").astype(np.int64)
    settings = {"eta": 0.04, "max_depth": 6, "subsample": 0.7, "colsample_bytree": 0.4,
                "min_child_weight": 5, "nthread": 1, "seed": seed}  # fmt: skip
    data = xgb.DMatrix(np.column_stack([values, train.day]), train.log_price, nthread=1)
    trees = xgb.train(settings, data, 600)
    found: F64 = trees.inplace_predict(np.column_stack([asked, day])).astype(np.float64)
    return found

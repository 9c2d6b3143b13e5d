"""What homes would sell for on a day, with a range that holds the price as often as promised."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from leadlab.errors import BadInput, NotFitted
from leadlab.models.valuation.cautions import cautions
from leadlab.models.valuation.columns import AREA, OFFERED, by_reso_names, days_of
from leadlab.models.valuation.intervals import PriceRange
from leadlab.models.valuation.market import Asked, Market
from leadlab.models.valuation.price_trees import PriceTrees
from leadlab.models.valuation.sales import Sales, tidy_sales, with_places

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
FEWEST = 300
LATEST = 0.25
"""Share of the sales, the latest ones, that calibrates the range."""
TREES, NONE = "attributes, market level and trees", "none"


class ValuationModel(BaseEstimator):  # type: ignore[misc]
    """Estimates of sale prices: an estimate with a range, neither an appraisal nor guaranteed.

    log price = worth of the attributes (ridge regression) + level of the market (a decayed mean of
    what earlier sales fetched beyond it) + boosted trees on attributes, place and the residuals of
    earlier sales nearby. No sale of a day enters the valuation of that day or of an earlier one.

    The range is conformal: a model of the earlier three quarters of the sales values the latest
    quarter, and its errors there, scaled by their foreseen size, set the range around the model
    of all sales.

    Parameters
    ----------
    rounds, learning_rate, max_depth
        Of the boosted trees; see `leadlab.models.valuation.price_trees`.
    level : float
        Share of prices that ranges are to hold.
    mapping : mapping of str to str, optional
        The tables' own column names to RESO's.
    without : sequence of str
        Columns, under RESO names, that may not be used: those not known before the sale.
    seed : int

    Attributes
    ----------
    trees_ : PriceTrees
    market_ : Market
        Sales that are known; `with_sales` adds to them.
    gains_ : float64 array, shape (trees,)
        Share of each tree in what all splits gained in training.
    range_ : PriceRange
    trained_until_ : int
        Day of the last sale that trained the trees, since 1970. No earlier day can be asked about.
    set_aside_ : dict of str to int
        Sales that could not be used, by reason.

    Examples
    --------
    >>> from leadlab.models.valuation.made_up import made_up_sales
    >>> sales = made_up_sales(600, seed=1)
    >>> model = ValuationModel(rounds=60).fit(sales)
    >>> found = model.predict(sales.head(2), at="2026-01-01")
    >>> found.columns.tolist(), bool((found["low"] < found["estimate"]).all())
    (['estimate', 'low', 'high', 'method', 'caution'], True)
    """

    kind: ClassVar[str] = "valuation"

    def __init__(
        self,
        *,
        rounds: int = 400,
        learning_rate: float = 0.05,
        max_depth: int = 6,
        level: float = 0.9,
        mapping: Mapping[str, str] | None = None,
        without: Sequence[str] = (),
        seed: int = 0,
    ) -> None:
        self.rounds = rounds
        self.learning_rate = learning_rate
        self.max_depth = max_depth
        self.level = level
        self.mapping = mapping
        self.without = without
        self.seed = seed

    def fit(self, sales: Any, y: None = None) -> Self:
        """Learn from a table of sales.

        Parameters
        ----------
        sales : DataFrame
            close_date, close_price (US dollars) and living_area (square feet) at least; latitude,
            longitude and any other numbers and categories.
        y : None
            The price is a column.

        Raises
        ------
        EmptyInput, BadInput
            If columns are missing or fewer than 300 sales can be used.
        """
        if self.rounds < 1 or not 0 < self.learning_rate <= 1 or not 1 <= self.max_depth <= 8:
            got = f"{self.rounds}, {self.learning_rate}, {self.max_depth}"
            raise BadInput("rounds, learning_rate or max_depth cannot be used", got=got)
        known = tidy_sales(sales, self.mapping)
        split = int(known.day[int(len(known) * (1 - LATEST))])
        early = known.before(split)
        if len(known) < FEWEST or len(early) < FEWEST / 2:
            raise BadInput(
                "too few sales to learn from", got=len(known), expected=f"{FEWEST}, on many days"
            )
        settings: dict[str, Any] = {
            "rounds": self.rounds,
            "learning_rate": self.learning_rate,
            "max_depth": self.max_depth,
            "without": tuple(self.without),
            "seed": self.seed,
        }
        self.trees_, self.market_ = PriceTrees.learn(known, **settings)
        self.range_ = self._range(early, known, settings)
        self.leaves_: NDArray[np.uint16] | None = None
        self.gains_ = self.trees_.gains()
        self.trained_until_ = int(known.day[-1])
        self.set_aside_ = dict(known.set_aside)
        return self

    def _range(self, early: Sales, known: Sales, settings: Mapping[str, Any]) -> PriceRange:
        trees, _ = PriceTrees.learn(early, **settings)
        seen = Market.known(trees.lens, known).asked
        late = slice(len(early), None)
        estimate = trees.log_price(seen)[late]
        error = known.log_price[late] - estimate
        values = self.trees_.lens.columns.values(known.homes)
        features = self._sizing(values, seen.near)[late]
        return PriceRange.learn(features, estimate, error, level=self.level, seed=self.seed)

    def _sizing(self, values: F64, near: F64) -> NDArray[np.float32]:
        """What the size of errors is foreseen from: numbers, which mean the same to any lens."""
        columns = self.trees_.lens.columns
        numbers = [j for j, name in enumerate(columns.names) if name not in columns.levels]
        return np.hstack([values[:, numbers], near]).astype(np.float32)

    def with_sales(self, sales: Any) -> Self:
        """The same model with more sales known: neighbours and level of the market follow them.

        Trees and ranges stay as they were trained.

        Raises
        ------
        NotFitted
            Before `fit`.
        EmptyInput, BadInput
            As `fit` for the table.
        """
        self._check_fitted()
        more = self.market_.sales.joined(tidy_sales(sales, self.mapping))
        found = copy.copy(self)
        found.market_ = Market.known(self.trees_.lens, more)
        found.leaves_ = None
        return found

    def leaves(self) -> NDArray[np.uint16]:
        """Leaf of each known sale in each tree, shape (sales, trees); kept once asked for."""
        self._check_fitted()
        if self.leaves_ is None:
            self.leaves_ = self.trees_.leaves(self.market_.asked.features)
        return self.leaves_

    def predict(self, listings: Any, at: Any) -> pd.DataFrame:
        """Value homes.

        Parameters
        ----------
        listings : DataFrame, n rows
            living_area at least; further columns as at training, unknown where missing.
        at : date, or n dates
            Day of the valuation. Only sales of earlier days are used.

        Returns
        -------
        DataFrame, n rows, index of `listings`
            ``estimate``, ``low``, ``high`` in US dollars, NaN where there is no estimate;
            ``method``: "attributes, market level and trees", or "none"; ``caution``: what to
            mind, empty where there is nothing.

        Raises
        ------
        NotFitted
            Before `fit`.
        BadInput
            If columns or dates cannot be used, or a day is not after the last training sale.
        """
        homes, day = self.homes(listings, at)
        asked = self.market_.ask(homes, day)
        return self.valued(asked, homes)

    def homes(self, listings: Any, at: Any) -> tuple[pd.DataFrame, I64]:
        """Listings under RESO names, and the day of each."""
        self._check_fitted()
        homes = with_places(by_reso_names(listings, OFFERED, self.mapping))
        day = days_of(at, "at")
        if len(day) not in {1, len(homes)}:
            raise BadInput("one date, or one a home, is needed", where="at", got=len(day))
        if day.min() <= self.trained_until_:
            raise BadInput(
                "this model has seen sales of that day or later",
                where="at",
                got=str(np.datetime64(int(day.min()), "D")),
                expected=f"after {np.datetime64(self.trained_until_, 'D')}",
                hint="Train one on the sales before it.",
            )
        return homes, np.broadcast_to(day, len(homes)).copy()

    def valued(self, asked: Asked, homes: pd.DataFrame) -> pd.DataFrame:
        """Estimates of homes that the market has been asked about."""
        log_price = self.trees_.log_price(asked)
        low, high = self.range_.around(self._sizing(asked.values, asked.near), log_price)
        area = self.trees_.lens.columns.column(asked.values, AREA)
        none = ~(area > 0)
        found = {}
        for name, value in (("estimate", log_price), ("low", low), ("high", high)):
            found[name] = np.where(none, np.nan, np.exp(value))
        last = int(self.market_.sales.day[-1])
        told = cautions(self.trees_.lens.columns, asked, homes, last)
        method = np.where(none, NONE, TREES).astype(object)
        return pd.DataFrame({**found, "method": method, "caution": told}, index=homes.index)

    def to_files(self) -> dict[str, bytes]:
        """The model as named files: plain JSON, XGBoost's own format and a Parquet table of sales.

        Raises
        ------
        NotFitted
            Before `fit`.
        """
        from leadlab.models.valuation import files  # noqa: PLC0415  (it imports this module)

        return files.to_files(self)

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """The model that `to_files` wrote.

        Raises
        ------
        BrokenFile
            If a file is missing, cut short, altered or of another kind.
        """
        from leadlab.models.valuation.files import from_files  # noqa: PLC0415  (as above)

        return from_files(cls, files)

    def _check_fitted(self) -> None:
        if not hasattr(self, "trained_until_"):
            raise NotFitted("this ValuationModel is not trained yet", hint="Call fit.")

"""Exact Shapley values of boosted trees, and the margin with them, at the speed of a stream."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray

from leadlab.errors import BadInput
from leadlab.explain.ensemble import booster_of, read_ensemble
from leadlab.explain.program import Program, compile_ensemble
from leadlab.explain.rows import as_rows
from leadlab.explain.shapley import LANES

EXACT = "exact table"
FALLBACK = "xgboost"


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why each row got its margin.

    Attributes
    ----------
    contributions : ndarray of float64, shape (n, n_features) or (n, n_features, n_classes)
        What each feature adds to the margin (log-odds for a logistic objective).
    base : float, or ndarray of float64, shape (n_classes,)
        The expected margin, which no feature explains.
    margin : ndarray of float64, shape (n,) or (n, n_classes)
        The model's raw output: `base` plus the contributions.
    names : tuple of str
        The features.
    method : str
        ``"exact table"``, or ``"xgboost"`` where XGBoost's own code had to be used.
    why : str
        Why it had to be; empty for the exact table.
    """

    contributions: NDArray[np.float64]
    base: float | NDArray[np.float64]
    margin: NDArray[np.float64]
    names: tuple[str, ...]
    method: str
    why: str


@dataclass(frozen=True, slots=True)
class TreeShapley:
    """Path-dependent TreeSHAP, compiled from a fitted XGBoost model of 3.1 or newer.

    Values equal ``pred_contribs=True`` of XGBoost within 1e-5 (relative to the margins' scale
    where that is above 1).  Models that the exact table cannot serve (trees deeper than 8,
    categorical features, dart, linear boosters, vector leaves, covers that do not add up) are
    explained by XGBoost itself, and `method` and `why` say so.

    Attributes
    ----------
    names : tuple of str
        Features, in the order of the model's columns.
    iterations : int
        Boosting rounds that are explained.
    method, why : str
        As in `Explanation`.

    References
    ----------
    Lundberg, Erion and Lee (2018), Consistent Individualized Feature Attribution for Tree
    Ensembles.  The algorithm here is described in `leadlab.explain.shapley`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 3))
    >>> model = xgboost.XGBClassifier(n_estimators=5, max_depth=3).fit(X, X[:, 1] > 0)
    >>> explainer = TreeShapley.compile(model, feature_names=["calls", "showings", "visits"])
    >>> explanation = explainer.explain(X)
    >>> explanation.method, explanation.contributions.shape
    ('exact table', (200, 3))
    >>> total = explanation.base + explanation.contributions.sum(axis=1)
    >>> bool(np.allclose(total, model.predict(X, output_margin=True), atol=1e-5))
    True
    """

    names: tuple[str, ...]
    iterations: int
    method: str
    why: str
    missing: float
    _booster: xgboost.Booster
    _program: Program | None

    @classmethod
    def compile(
        cls,
        model: Any,
        feature_names: Sequence[str] | None = None,
        iterations: int | None = None,
    ) -> TreeShapley:
        """Compile `model`.

        Parameters
        ----------
        model : xgboost.Booster, XGBClassifier, XGBRegressor or XGBRanker
            Fitted.  It is kept, for models that only XGBoost itself can explain.
        feature_names : sequence of str, optional
            By default those of the model, else f0, f1, ...
        iterations : int, optional
            Explain the first so many boosting rounds.  By default those up to the best one where
            training stopped early (a bare Booster's ``predict`` needs an ``iteration_range`` to do
            the same), else all.

        Raises
        ------
        NotFitted
            When the model was not trained.
        BadInput
            When it is no XGBoost model, or the names or iterations do not fit it.
        """
        booster = booster_of(model)
        ensemble = read_ensemble(booster, iterations)
        names = _names(booster, ensemble.n_features, feature_names)
        missing = float(getattr(model, "missing", np.nan))
        program, why = None, ensemble.why
        if not why:
            program = compile_ensemble(ensemble)
            why = _contradiction(program, booster, ensemble.rounds, ensemble.n_features)
        method = FALLBACK if why else EXACT
        kept = None if why else program
        return cls(names, ensemble.rounds, method, why, missing, booster, kept)

    def explain(self, X: Any, threads: int = 1, *, alike: bool = False) -> Explanation:
        """Explain every row of `X`.

        Parameters
        ----------
        X : array-like or DataFrame, shape (n, n_features)
            Numbers, NaN = missing; n may be 0.
        threads : int
            Threads to share the rows among.
        alike : bool
            Take a single row the way that many are taken, so that no last digit of a row depends
            on how many others it came with; else it is taken the fastest way.

        Raises
        ------
        BadInput
            On a wrong shape, wrong columns, text or infinite values.
        """
        if threads < 1:
            raise BadInput("at least one thread is needed", where="threads", got=threads)
        if self._program is None:
            return self._ask_xgboost(X, threads)
        rows = as_rows(X, self.names, self.missing)
        if threads == 1 or len(rows) <= LANES:
            return self._answer(*self._program.run(rows, alike), self._program.base)
        size = -(-len(rows) // (threads * LANES)) * LANES
        spans = [rows[start : start + size] for start in range(0, len(rows), size)]
        with ThreadPoolExecutor(threads) as pool:
            parts = list(pool.map(self._program.run, spans))
        contributions, margin = (np.concatenate(pieces) for pieces in zip(*parts, strict=True))
        return self._answer(contributions, margin, self._program.base)

    def explain_one(self, row: Any) -> Explanation:
        """Explain one row of shape (n_features,) at the least cost; the result has n = 1.

        Raises
        ------
        BadInput
            As in `explain`.
        """
        values = np.asarray(row)
        return self.explain(values[None] if values.ndim == 1 else values)

    def _answer(
        self,
        contributions: NDArray[np.float64],
        margin: NDArray[np.float64],
        base: NDArray[np.float64],
    ) -> Explanation:
        """Wrap contributions of shape (n, n_groups, n_features)."""
        if len(base) == 1:
            one = contributions[:, 0], float(base[0]), margin[:, 0]
            return Explanation(*one, self.names, self.method, self.why)
        many = contributions.transpose(0, 2, 1), base.copy(), margin
        return Explanation(*many, self.names, self.method, self.why)

    def _ask_xgboost(self, X: Any, threads: int) -> Explanation:
        types = self._booster.feature_types
        linear = "gblinear" in self.why
        try:
            data = xgboost.DMatrix(
                X,
                missing=self.missing,
                nthread=threads,
                feature_types=None if hasattr(X, "columns") else types,
                enable_categorical=True,
            )
            values = self._booster.predict(
                data,
                pred_contribs=True,
                strict_shape=True,
                validate_features=False,
                iteration_range=(0, 0) if linear else (0, self.iterations),
            )
        except (xgboost.core.XGBoostError, TypeError, ValueError) as error:
            text = str(error).strip().splitlines()
            raise BadInput(
                "XGBoost cannot explain this",
                where="X",
                got=text[0] if text else type(error).__name__,
                hint=f"XGBoost's own code is used because {self.why}.",
            ) from error
        values = values.astype(np.float64)
        base = values[0, :, -1] if len(values) else np.full(values.shape[1], np.nan)
        return self._answer(values[:, :, :-1], values.sum(axis=2), base)


def _names(
    booster: xgboost.Booster, n_features: int, given: Sequence[str] | None
) -> tuple[str, ...]:
    if given is None:
        given = booster.feature_names or [f"f{i}" for i in range(n_features)]
    if len(given) != n_features:
        raise BadInput(
            "the names do not fit the model",
            where="feature_names",
            got=f"{len(given)} names",
            expected=n_features,
        )
    return tuple(given)


def _contradiction(program: Program, booster: xgboost.Booster, rounds: int, n_features: int) -> str:
    """Say how margins differ from XGBoost's on rows made of the model's own thresholds, if so.

    A guard against model formats to come; it also has the kernels compiled before the first row.
    """
    rng = np.random.default_rng(0)
    rows = np.full((2 * LANES, n_features), np.nan, np.float32)
    if len(program.nodes):
        drawn = rng.integers(len(program.nodes), size=(len(rows) - 1, len(program.used)))
        cuts = program.nodes["threshold"][drawn]
        rows[1:, program.used] = np.where(rng.random(cuts.shape) < 0.1, np.nan, cuts)
    rows[np.isinf(rows)] = np.nan
    margin = np.vstack([program.run(rows[:1])[1], program.run(rows)[1][1:]])
    theirs = booster.predict(
        xgboost.DMatrix(rows, nthread=1),
        output_margin=True,
        strict_shape=True,
        validate_features=False,
        iteration_range=(0, rounds),
    )
    scale = 1 + np.abs(theirs).max()
    worst = float(np.abs(margin - theirs).max())
    return "" if worst <= 1e-3 * scale else f"margins differ from XGBoost's by {worst:.3g}"

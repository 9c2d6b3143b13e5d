"""Shapley values of any classifier: our own for boosted trees, shap's for the rest."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted
from xgboost import Booster, XGBClassifier

from leadlab.errors import BadInput
from leadlab.explain.column_scores import LOG_ODDS, PROBABILITY, ColumnScores
from leadlab.explain.trees import EXACT, TreeShapley
from leadlab.models.calibration.calibrated import Calibrated
from leadlab.models.conversion import ConversionModel
from leadlab.models.tables.model import TableModel

F64 = NDArray[np.float64]
BACKGROUND_ROWS = 100
PERMUTATIONS = 10
TOLERANCE = 1e-4
"""Contributions and base may miss the margin by so much of its scale."""


class _Found(NamedTuple):
    """Contributions on the learner's own columns."""

    contributions: F64
    base: float
    unit: str
    method: str
    exact: bool
    why: str


def explain_classifier(
    model: Any,
    X: pd.DataFrame,
    *,
    background: pd.DataFrame | None = None,
    seed: int = 0,
    permutations: int = PERMUTATIONS,
) -> ColumnScores:
    """Score rows and say what each column did, whatever the classifier.

    Boosted trees of XGBoost are explained by `leadlab.explain.TreeShapley`; trees and forests of
    scikit-learn by shap's TreeExplainer (path-dependent); linear models by its LinearExplainer; and
    all others by its permutation estimate on probabilities. `ColumnScores.method` says which. Of a
    `TableModel` the contributions of encoded columns are summed back to the table's; of a
    `Calibrated` model the margin before calibration is explained.

    Parameters
    ----------
    model : fitted TableModel, or any fitted classifier of two classes on numbers
        Perhaps in a `Calibrated`.
    X : DataFrame, n rows
        As the model takes it.
    background : DataFrame, optional
        Rows that stand for "not known" in linear and permutation values, best from training; rows
        of X where not given, which `ColumnScores.why` then says. 100 are drawn where there are
        more.
    seed : int
        Of that draw and of the permutations.
    permutations : int
        Passes over the columns, forth and back, of the permutation estimate.

    Raises
    ------
    BadInput
        If the model is not of two classes, X does not fit it, or contributions do not add up.
    NotFitted
        If a TableModel is not fitted.

    References
    ----------
    Lundberg and Lee (2017), A unified approach to interpreting model predictions.

    Examples
    --------
    >>> frame = pd.DataFrame({"source": ["web", "ad"] * 100, "visits": np.arange(200.0)})
    >>> model = TableModel().fit(frame, (frame["source"] == "ad").astype(int))
    >>> scores = explain_classifier(model, frame)
    >>> scores.method, scores.exact, scores.contributions.shape
    ('exact tree Shapley, leadlab', True, (200, 2))
    """
    if not isinstance(X, pd.DataFrame) or not len(X):
        raise BadInput("rows to explain are a DataFrame with rows", where="X")
    inner = model.estimator_ if isinstance(model, Calibrated) else model
    if isinstance(inner, BaseEstimator) and not isinstance(inner, TableModel):
        check_is_fitted(inner)
    probability = np.asarray(model.predict_proba(_as_fitted(inner, X)), np.float64)
    if probability.ndim != 2 or probability.shape[1] != 2:
        raise BadInput("only models of two classes are explained", got=probability.shape)
    drawn = _background(X if background is None else background, seed)
    if isinstance(inner, TableModel):
        learner, values, behind = inner.learner_, inner.encode(X), inner.encode(drawn)
    else:
        learner, values, behind = inner, _numbers(X), _numbers(drawn)
    found = _values(learner, values, behind, seed, permutations)
    _must_add_up(found, learner, values)
    if background is None and "background" in found.why:
        found = found._replace(why=f"{found.why}, drawn from the rows explained")
    contributions = found.contributions
    if isinstance(inner, TableModel):
        names = [str(name) for name in X.columns]
        contributions = summed(contributions, inner.columns_.sources, names)
    margin = found.base + contributions.sum(axis=1)
    kind = type(learner).__name__
    return ColumnScores(X, probability[:, 1], margin, contributions, *found[1:], learner=kind)


def summed(contributions: F64, sources: list[str], names: list[str]) -> F64:
    """Contributions of encoded columns summed to the columns they come from.

    Examples
    --------
    >>> summed(np.array([[1.0, 2.0, 4.0]]), ["b", "a", "b"], ["a", "b", "c"]).tolist()
    [[2.0, 5.0, 0.0]]
    """
    place = {name: i for i, name in enumerate(names)}
    member = np.zeros((len(sources), len(names)))
    member[np.arange(len(sources)), [place[source] for source in sources]] = 1.0
    found: F64 = contributions @ member
    return found


def _values(learner: Any, X: Any, background: Any, seed: int, permutations: int) -> _Found:
    if isinstance(learner, (XGBClassifier, ConversionModel, Booster)):
        return _boosted(learner, X)
    module = type(learner).__module__
    if module.startswith(("sklearn.ensemble", "sklearn.tree")) and hasattr(learner, "fit"):
        found = _trees(learner, X)
        if found is not None:
            return found
    if module.startswith("sklearn.linear_model") and hasattr(learner, "coef_"):
        found = _linear(learner, X, background)
        if _gap(found, learner, X) <= TOLERANCE:
            return found
    return _permuted(learner, X, background, seed, permutations)


def _boosted(learner: Any, X: Any) -> _Found:
    booster = getattr(learner, "booster_", learner)
    told = TreeShapley.compile(booster).explain(np.asarray(X, np.float32))
    exact = told.method == EXACT
    method = "exact tree Shapley, leadlab" if exact else "tree Shapley, xgboost"
    return _Found(told.contributions, float(told.base), LOG_ODDS, method, True, told.why)


def _trees(learner: Any, X: Any) -> _Found | None:
    """Values by shap's TreeExplainer; None where it does not know the learner or is wrong on it."""
    shap = _shap()
    try:
        explainer = shap.TreeExplainer(learner, feature_perturbation="tree_path_dependent")
        values = np.asarray(explainer.shap_values(X, check_additivity=False), np.float64)
    except (shap.utils._exceptions.InvalidModelError, TypeError, ValueError):
        return None
    base = float(np.atleast_1d(explainer.expected_value)[-1])
    unit = LOG_ODDS if values.ndim == 2 else PROBABILITY
    values = values if values.ndim == 2 else values[..., 1]
    found = _Found(values, base, unit, "shap TreeExplainer", True, "tree path dependent")
    return found if _gap(found, learner, X) <= TOLERANCE else None


def _linear(learner: Any, X: Any, background: Any) -> _Found:
    explainer = _shap().LinearExplainer(learner, np.asarray(background, np.float64))
    values = np.asarray(explainer.shap_values(np.asarray(X, np.float64)))
    base = float(np.atleast_1d(explainer.expected_value)[0])
    why = f"against the mean of {len(background)} background rows"
    return _Found(values, base, LOG_ODDS, "shap LinearExplainer", True, why)


def _permuted(learner: Any, X: Any, background: Any, seed: int, permutations: int) -> _Found:
    shap = _shap()
    masker = shap.maskers.Independent(np.asarray(background), max_samples=len(background))
    explainer = shap.PermutationExplainer(
        lambda rows: learner.predict_proba(_as_fitted(learner, rows))[:, 1], masker, seed=seed
    )
    told = explainer(np.asarray(X), max_evals=permutations * (2 * X.shape[1] + 1), silent=True)
    method = f"shap permutation, {permutations} permutations, approximate"
    why = f"against {len(background)} background rows"
    base = float(np.mean(told.base_values))
    return _Found(np.asarray(told.values), base, PROBABILITY, method, False, why)


def _gap(found: _Found, learner: Any, X: Any) -> float:
    """Largest distance of base and contributions from the learner's own probability."""
    total = found.base + found.contributions.sum(axis=1)
    chance = 1 / (1 + np.exp(-np.clip(total, -500, 500))) if found.unit == LOG_ODDS else total
    own = learner.predict_proba(_as_fitted(learner, X))
    return float(np.abs(chance - np.asarray(own, np.float64)[:, 1]).max())


def _must_add_up(found: _Found, learner: Any, X: Any) -> None:
    gap = 0.0 if isinstance(learner, Booster) else _gap(found, learner, X)
    if not gap <= TOLERANCE:
        raise BadInput(
            "contributions do not add up to the model's output",
            where=found.method,
            got=f"off by {gap:.3g}",
            expected=f"at most {TOLERANCE}",
        )


def _background(frame: pd.DataFrame, seed: int) -> pd.DataFrame:
    if len(frame) <= BACKGROUND_ROWS:
        return frame
    rows = np.random.default_rng(seed).choice(len(frame), BACKGROUND_ROWS, replace=False)
    return frame.iloc[np.sort(rows)]


def _as_fitted(learner: Any, X: Any) -> Any:
    """A frame for what was fitted on named columns, an array for what was not."""
    names = getattr(learner, "feature_names_in_", None)
    if isinstance(X, pd.DataFrame):
        return X if names is not None else _numbers(X)
    return X if names is None else pd.DataFrame(X, columns=names)


def _numbers(frame: pd.DataFrame) -> Any:
    texts = [str(c) for c, t in frame.dtypes.items() if not pd.api.types.is_numeric_dtype(t)]
    if texts:
        raise BadInput(
            "columns that are no numbers", where="X", got=", ".join(texts),
            hint="Let a TableModel do the column work.",
        )  # fmt: skip
    return frame.to_numpy(np.float64)


def _shap() -> Any:
    with warnings.catch_warnings():  # it sets up colours that Matplotlib means to change
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        import shap  # noqa: PLC0415  (seconds, and only for foreign learners)
    return shap

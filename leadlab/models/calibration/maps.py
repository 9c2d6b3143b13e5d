"""The maps from a score to a probability that `leadlab.models.calibration.choice` chooses among.

Each ``fit_*`` gives plain numbers, each ``apply_*`` reads them with NumPy alone. All maps are
non-decreasing and keep within (0, 1).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

F64 = NDArray[np.float64]
State = dict[str, Any]
TINY = 1e-12


def _logs(p: F64) -> F64:
    """Columns ln p and -ln(1 - p), shape (n, 2)."""
    inside = np.clip(p, TINY, 1 - TINY)
    return np.column_stack([np.log(inside), -np.log1p(-inside)])


def fit_none(p: F64, y: F64) -> State:
    """Nothing to learn."""
    return {}


def apply_none(state: Mapping[str, Any], p: F64) -> F64:
    """The score itself."""
    return p


def fit_beta(p: F64, y: F64) -> State:
    """Logistic regression on ln p and -ln(1 - p), slopes not negative (Kull et al., 2017).

    A slope that comes out negative is set to 0 and the other fitted again; were both negative the
    score ranks the wrong way round, and the base rate is all it can say.
    """
    columns = _logs(p)
    slopes, kept = np.zeros(2), [0, 1]
    intercept = float(np.log(y.mean() / (1 - y.mean())))
    while kept:
        # The faint ridge keeps slopes finite where the score separates the classes.
        model = LogisticRegression(C=1e4, solver="newton-cholesky", max_iter=200)
        model.fit(columns[:, kept], y)
        if (model.coef_[0] >= 0).all():
            slopes[kept] = model.coef_[0]
            intercept = float(model.intercept_[0])
            break
        kept.pop(int(np.argmin(model.coef_[0])))
    return {"a": float(slopes[0]), "b": float(slopes[1]), "c": intercept}


def apply_beta(state: Mapping[str, Any], p: F64) -> F64:
    """``1 / (1 + exp(-(a ln p - b ln(1 - p) + c)))``."""
    margin = _logs(p) @ np.array([state["a"], state["b"]]) + state["c"]
    # exp(-|m|) cannot overflow.
    small = np.exp(-np.abs(margin))
    chance: F64 = np.where(margin >= 0, 1, small) / (1 + small)
    return chance


def fit_isotonic(p: F64, y: F64) -> State:
    """Isotonic regression whose outermost blocks are kept off 0 and 1.

    A block of m rows without a conversion says 0, though one more row could be the first. It is
    given ``0.5 / (m + 1)`` (Krichevsky and Trofimov, 1981), at most the next block's rate; a block
    of conversions only likewise.
    """
    found = IsotonicRegression(out_of_bounds="clip").fit(p, y)
    at, rate = found.X_thresholds_.astype(np.float64), found.y_thresholds_.astype(np.float64)
    fitted = found.predict(p)
    inner = rate[(rate > 0) & (rate < 1)]
    least = min(0.5 / (np.sum(fitted <= 0) + 1), inner.min(initial=1.0))
    most = max(1 - 0.5 / (np.sum(fitted >= 1) + 1), inner.max(initial=0.0))
    rate = np.where(rate <= 0, least, np.where(rate >= 1, most, rate))
    return {"at": at.tolist(), "rate": rate.tolist()}


def apply_isotonic(state: Mapping[str, Any], p: F64) -> F64:
    """Straight lines between the thresholds, level outside them."""
    rate: F64 = np.interp(p, state["at"], state["rate"])
    return rate


def fit_venn_abers(p: F64, y: F64) -> State:
    """Step tables of the two isotonic fits of an inductive Venn-Abers predictor.

    The package venn-abers computes them (Vovk, Petej and Fedorova, 2015); steps at which nothing
    changes are dropped.
    """
    # The package switches NumPy's warnings off for the whole process when imported.
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from venn_abers.venn_abers import calc_p0p1  # noqa: PLC0415  (slow to import)

        # It sorts with an unstable sort, so that ties are handed over in one order.
        order = np.lexsort((y, p))
        scores = np.column_stack([1 - p[order], p[order]])
        p0, p1, at = calc_p0p1(scores, y[order])
    state: State = {}
    for name, rate in (("p0", p0[:, 1]), ("p1", p1[:, 1])):
        steps = np.flatnonzero(np.diff(rate))
        state[name] = {
            "at": at[steps].tolist(),
            "rate": [float(rate[0]), *rate[steps + 1].tolist()],
        }
    return state


def venn_abers_pair(state: Mapping[str, Any], p: F64) -> tuple[F64, F64]:
    """The two probabilities: were the row to convert not (p0), and were it to convert (p1)."""
    lower, upper = state["p0"], state["p1"]
    p0 = np.asarray(lower["rate"])[np.searchsorted(lower["at"], p, side="right")]
    p1 = np.asarray(upper["rate"])[np.searchsorted(upper["at"], p, side="left")]
    return p0, p1


def apply_venn_abers(state: Mapping[str, Any], p: F64) -> F64:
    """``p1 / (1 - p0 + p1)``: of all single probabilities, the one of least regret in log-loss."""
    p0, p1 = venn_abers_pair(state, p)
    merged: F64 = p1 / (1 - p0 + p1)
    return merged


Fit = Callable[[F64, F64], State]
Apply = Callable[[Mapping[str, Any], F64], F64]
MAPS: dict[str, tuple[Fit, Apply]] = {
    "none": (fit_none, apply_none),
    "beta": (fit_beta, apply_beta),
    "isotonic": (fit_isotonic, apply_isotonic),
    "venn_abers": (fit_venn_abers, apply_venn_abers),
}
"""Fit and apply of each map, the simplest first."""

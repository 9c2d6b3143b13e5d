"""Exact explanations against the field: the same models and rows, one thread each.

``python benchmarks/explain.py [--json] [--quick]``

Models are XGBoost's (binary, 40 features, a tenth of the values missing), trained on 20,000 rows
that are SIMULATED from a seed: work is measured here, not insight.  Everybody starts from a table
in memory (ours, XGBoost and shap from a float32 array, woodelf from a frame, as it asks) and gives
path-dependent Shapley values of the margin; models are compiled or loaded before the clock starts.
Before anything is timed, values are held against XGBoost's.  A peer that would take longer than a
few seconds is timed on the first rows only, and its row says on how many; woodelf, whose work for a
model comes again with every call, always gets all rows.  For XGBoost models, `shap.TreeExplainer`
hands this task to XGBoost's own code.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import xgboost
from record import best_of, finish, missing, record
from threadpoolctl import threadpool_limits

from leadlab.explain.trees import TreeShapley

N_FEATURES = 40
BUDGET_S = 4.0
TINY_S = 1e-9
WHOLE = {"woodelf_explainer"}
Explain = Callable[[np.ndarray], np.ndarray]


def simulated(n: int, seed: int) -> np.ndarray:
    """SIMULATED rows, a tenth of the values missing."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, N_FEATURES)).astype(np.float32)
    X[rng.random(X.shape) < 0.1] = np.nan
    return X


def trained(trees: int, depth: int) -> xgboost.Booster:
    X = simulated(20_000, seed=0)
    Z = np.nan_to_num(X)
    score = Z[:, 0] * Z[:, 1] + np.sin(3 * Z[:, 2]) + Z[:, 3] * (Z[:, 4] > 0)
    score += Z[:, 5:15].sum(axis=1) / 2 + np.random.default_rng(1).normal(size=len(X))
    parameters = {"objective": "binary:logistic", "max_depth": depth, "eta": 0.1, "nthread": 1}
    return xgboost.train(parameters, xgboost.DMatrix(X, score > 0, nthread=1), trees)


def xgboost_own(booster: xgboost.Booster) -> Explain:
    def explain(X: np.ndarray) -> np.ndarray:
        return booster.predict(xgboost.DMatrix(X, nthread=1), pred_contribs=True)[:, :-1]

    return explain


def shap_trees(booster: xgboost.Booster) -> Explain:
    import shap  # noqa: PLC0415 - a peer may be missing

    return shap.TreeExplainer(booster, feature_perturbation="tree_path_dependent").shap_values


def woodelf_trees(booster: xgboost.Booster) -> Explain:
    from woodelf import WoodelfExplainer  # noqa: PLC0415 - a peer may be missing

    explainer = WoodelfExplainer(booster, feature_perturbation="tree_path_dependent")
    names = [f"f{i}" for i in range(N_FEATURES)]
    frames: dict[int, pd.DataFrame] = {}

    def explain(X: np.ndarray) -> np.ndarray:
        if len(X) not in frames:
            frames[len(X)] = pd.DataFrame(X, columns=names)
        return explainer.shap_values(frames[len(X)], verbose=False)

    return explain


PEERS: dict[str, Callable[[xgboost.Booster], Explain]] = {
    "xgboost pred_contribs": xgboost_own,
    "shap.TreeExplainer": shap_trees,
    "woodelf_explainer": woodelf_trees,
}


def timed(explain: Explain, X: np.ndarray, guess_s: float) -> tuple[float, int]:
    """Microseconds a row and the number of rows timed, when a row may take `guess_s`."""
    n = max(1, min(len(X), int(BUDGET_S / guess_s)))
    once_s = best_of(partial(explain, X[:n]), 1)
    again = min(100, int(BUDGET_S / 4 / once_s))
    return min(once_s, best_of(partial(explain, X[:n]), again)) / n * 1e6, n


def compare(booster: xgboost.Booster, title: str, sizes: list[int]) -> list[dict[str, Any]]:
    explainer = TreeShapley.compile(booster)
    X = simulated(max(sizes), seed=2)
    few = X[:64]
    expected = xgboost_own(booster)(few)
    np.testing.assert_allclose(explainer.explain(few).contributions, expected, atol=1e-5)
    ours = {n: timed(lambda x: explainer.explain(x).contributions, X[:n], TINY_S) for n in sizes}
    found = []
    for peer, make in PEERS.items():
        try:
            theirs = make(booster)
        except ModuleNotFoundError as error:
            name = f"explain, {title}"
            found.append(missing(name, ours[sizes[-1]][0], "us/row", peer, error))
            continue
        np.testing.assert_allclose(theirs(few), expected, atol=1e-4, err_msg=peer)
        guess_s = TINY_S if peer in WHOLE else best_of(partial(theirs, few), 1) / len(few)
        for n in sizes:
            name = f"explain, {title}, {n:,} {'row' if n == 1 else 'rows'}"
            time_us, timed_rows = timed(theirs, X[:n], guess_s)
            label = peer if timed_rows == n else f"{peer}, timed on {timed_rows:,} rows"
            found.append(record(name, ours[n][0], "us/row", label, time_us))
    return found


def one_by_one(booster: xgboost.Booster, title: str, n: int) -> list[dict[str, Any]]:
    """Tails of single rows, as a stream asks for them."""
    explain_one = TreeShapley.compile(booster).explain_one
    theirs = xgboost_own(booster)
    X = simulated(n, seed=3)
    both = []
    for explain in (lambda i: explain_one(X[i]), lambda i: theirs(X[i : i + 1])):
        taken = np.empty(n)
        for i in range(n):
            start = time.perf_counter()
            explain(i)
            taken[i] = time.perf_counter() - start
        both.append(np.percentile(taken * 1e6, [50, 99]))
    return [
        record(f"explain one row, {title}, {name}", mine, "us", "xgboost pred_contribs", other)
        for name, mine, other in zip(("p50", "p99"), *both, strict=True)
    ]


def run(quick: bool) -> list[dict[str, Any]]:
    """Measure; records as in `benchmarks/record.py`."""
    sizes = [1, 64, 1024] if quick else [1, 64, 1024, 65_536]
    counts = {5: [200], 8: [100]} if quick else dict.fromkeys((4, 5, 6, 8), (100, 200, 500))
    found = []
    for depth, trees in counts.items():
        booster = trained(max(trees), depth)
        for count in trees:
            title = f"{count} trees of depth {depth}"
            found += compare(booster[:count], title, sizes)
            if (count, depth) == (200, 5):
                found += one_by_one(booster[:count], title, 500 if quick else 5000)
    booster = trained(300, 6)
    TreeShapley.compile(booster)
    seconds = best_of(partial(TreeShapley.compile, booster), 3)
    return [*found, record("compile 300 trees of depth 6", seconds, "s", "target", 2.0)]


if __name__ == "__main__":
    with threadpool_limits(1):
        sys.exit(finish(run, __doc__))

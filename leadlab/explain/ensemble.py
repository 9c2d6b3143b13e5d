"""What a fitted XGBoost model says of itself: its trees, as plain lists."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray

from leadlab.errors import BadInput, NotFitted
from leadlab.explain.shapley import MAX_DEPTH

COVER_TOLERANCE = 1e-5


@dataclass(frozen=True, slots=True)
class Tree:
    """One tree; every list has one entry per node, the root first.

    Attributes
    ----------
    left, right : list of int
        Children; -1 at a leaf.
    feature, threshold, default_left : list
        A row goes left where ``value < threshold`` in float32, or missing and `default_left`.
    value : list of float
        The leaf's value at a leaf (XGBoost keeps it where a split keeps its threshold).
    cover : list of float
        Sum of hessians of the training rows that came through.
    group : int
        The class whose margin the tree adds to.
    """

    left: list[int]
    right: list[int]
    feature: list[int]
    threshold: list[float]
    default_left: list[int]
    cover: list[float]
    group: int

    @property
    def value(self) -> list[float]:
        """Values of the leaves; meaningless at splits."""
        return self.threshold

    def depth(self) -> int:
        """Give the number of splits on the longest path."""
        deepest, ahead = 0, [(0, 0)]
        while ahead:
            node, level = ahead.pop()
            deepest = max(deepest, level)
            if self.left[node] >= 0:
                ahead += [(self.left[node], level + 1), (self.right[node], level + 1)]
        return deepest


@dataclass(frozen=True, slots=True)
class Ensemble:
    """A model's trees, or the reason why they cannot be used.

    Attributes
    ----------
    trees : list of Tree
        Those of the first `rounds` boosting rounds; empty where `why` is given.
    base : ndarray of float64, shape (n_groups,)
        Margin before any tree.
    n_features : int
        Columns of the model's input.
    rounds : int
        Boosting rounds used.
    why : str
        Why the exact table cannot serve this model; empty when it can.
    """

    trees: list[Tree]
    base: NDArray[np.float64]
    n_features: int
    rounds: int
    why: str


def booster_of(model: Any) -> xgboost.Booster:
    """Give the trained booster inside a scikit-learn wrapper, or the booster itself.

    Raises
    ------
    NotFitted
        When nothing was trained.
    BadInput
        When `model` is no XGBoost model.
    """
    if isinstance(model, xgboost.XGBModel):
        if not model.__sklearn_is_fitted__():
            raise NotFitted("the model is not fitted", got=type(model).__name__, hint="Call fit.")
        model = model.get_booster()
    if not isinstance(model, xgboost.Booster):
        raise BadInput(
            "not a model that can be explained",
            where="model",
            got=type(model).__name__,
            expected="a fitted xgboost Booster, XGBClassifier, XGBRegressor or XGBRanker",
        )
    try:
        model.num_features()
    except xgboost.core.XGBoostError as error:
        raise NotFitted("the booster holds no model", hint="Train it or load one.") from error
    return model


def read_ensemble(booster: xgboost.Booster, iterations: int | None = None) -> Ensemble:
    """Read the trees of `booster`.

    Parameters
    ----------
    booster : xgboost.Booster
        Of XGBoost 3.1 or newer.
    iterations : int, optional
        Use this many boosting rounds.  By default those up to the best one if training stopped
        early, else all.

    Raises
    ------
    BadInput
        When `iterations` is not between 1 and the number of rounds.

    Examples
    --------
    >>> X = np.array([[0.0], [1.0]])
    >>> data = xgboost.DMatrix(X, [0.0, 1.0])
    >>> booster = xgboost.train({"max_depth": 1, "min_child_weight": 0}, data, 2)
    >>> ensemble = read_ensemble(booster)
    >>> len(ensemble.trees), ensemble.rounds, ensemble.trees[0].left
    (2, 2, [1, -1, -1])
    """
    learner = json.loads(booster.save_raw("json"))["learner"]
    gradient = learner["gradient_booster"]
    n_features = booster.num_features()
    rounds = _rounds(booster, gradient["name"], iterations)
    why = _unreadable(learner)
    if why:
        return Ensemble([], np.zeros(1), n_features, rounds, why)
    model = gradient["model"]
    ends = model["iteration_indptr"]
    last = ends[rounds]
    trees = [
        _tree(tree, group)
        for tree, group in zip(model["trees"][:last], model["tree_info"][:last], strict=True)
    ]
    why = _unusable(trees)
    base = _base_margin(booster, trees[: ends[min(1, rounds)]], n_features)
    return Ensemble([] if why else trees, base, n_features, rounds, why)


def _rounds(booster: xgboost.Booster, kind: str, iterations: int | None) -> int:
    known = int(booster.num_boosted_rounds())
    if iterations is None:
        best = booster.attr("best_iteration")
        return known if best is None else min(int(best) + 1, known)
    if kind == "gblinear":
        raise BadInput("a linear booster cannot be cut to a number of rounds", where="iterations")
    if not 1 <= iterations <= known:
        raise BadInput(
            "the model has no such number of boosting rounds",
            where="iterations",
            got=iterations,
            expected=f"1 to {known}",
        )
    return iterations


def _unreadable(learner: dict[str, Any]) -> str:
    """Say what keeps this kind of model from the exact table, if anything does."""
    gradient = learner["gradient_booster"]
    if gradient["name"] != "gbtree":
        return f"the booster is {gradient['name']}, not gbtree"
    if any(weight != 1 for weight in gradient["model"].get("weight_drop", [])):
        return "the booster is dart: its trees have weights"  # how XGBoost 3.4 writes it
    if "c" in (learner["feature_types"] or []):
        return "the model has categorical features"
    for tree in gradient["model"]["trees"]:
        if any(tree["split_type"]):
            return "the model has categorical splits"
        if int(tree["tree_param"]["size_leaf_vector"]) > 1:
            return "the model's leaves are vectors"
    return ""


def _tree(content: dict[str, Any], group: int) -> Tree:
    return Tree(
        content["left_children"],
        content["right_children"],
        content["split_indices"],
        content["split_conditions"],
        content["default_left"],
        content["sum_hessian"],
        group,
    )


def _unusable(trees: list[Tree]) -> str:
    deepest = max((tree.depth() for tree in trees), default=0)
    if deepest > MAX_DEPTH:
        return f"a tree has depth {deepest}, more than {MAX_DEPTH}"
    for number, tree in enumerate(trees):
        left, cover = np.array(tree.left), np.array(tree.cover)
        split = left >= 0
        if np.any(cover < 0) or not np.isfinite(cover).all():
            return f"tree {number} has a negative or infinite cover"
        both = cover[left[split]] + cover[np.array(tree.right)[split]]
        if np.any(np.abs(both - cover[split]) > COVER_TOLERANCE * cover[split]):
            return f"the covers of tree {number} do not add up"
    return ""


def _base_margin(
    booster: xgboost.Booster, first_round: list[Tree], n_features: int
) -> NDArray[np.float64]:
    """Give the margin before any tree: what XGBoost says of nothing known, less what trees say.

    The link from ``base_score`` to the margin is the objective's own (logit, log, none, ...), so
    it is best left to XGBoost; one round keeps the rounding to that of a few float32 sums.
    """
    nothing = xgboost.DMatrix(np.full((1, n_features), np.nan, np.float32), nthread=1)
    margin = booster.predict(
        nothing,
        output_margin=True,
        validate_features=False,
        iteration_range=(0, 1 if first_round else 0),
    )
    base = np.array(margin, np.float64).reshape(-1)
    for tree in first_round:
        at = 0
        while tree.left[at] >= 0:
            at = tree.left[at] if tree.default_left[at] else tree.right[at]
        base[tree.group] -= np.float32(tree.value[at])
    return base

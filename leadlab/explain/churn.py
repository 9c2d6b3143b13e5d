"""Forecasts of silence that explain themselves: each stage exactly, and all stages as one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from leadlab.errors import BadInput
from leadlab.explain.scores import Scores
from leadlab.explain.trees import TreeShapley
from leadlab.features.feature_set import FeatureSet
from leadlab.features.table import FeatureTable
from leadlab.models.churn.model import ChurnModel


@dataclass(frozen=True, eq=False)
class Forecasts:
    """What a churn model says of some leads, and why.

    Attributes
    ----------
    frame : DataFrame, n rows
        From `ChurnModel.predict`.
    scores : Scores
        All stages as one: `leadlab.explain.reasons` reads it. The probability is that of the
        longest horizon; the margin is the weighted mean of the stages' log-odds.
    stages : tuple of Scores
        Each stage's own: log-odds and contributions of P(silent through its horizon | silent
        through the one before), before calibration.
    weights : float64 array, shape (k,)
        Of the stages in `scores`.
    """

    frame: pd.DataFrame
    scores: Scores
    stages: tuple[Scores, ...]
    weights: np.ndarray


class ChurnScorer:
    """A trained churn model, its features, and the tables that explain its stages.

    The logarithm of P(silent to the end) is the sum of the stages' logarithms, and a stage of
    probability p moves it by 1 - p for each unit of its log-odds. Stages are weighted by the mean
    of that in training, scaled to 1. Shapley values are linear, so the weighted sum of the stages'
    exact contributions is the exact contribution to the weighted margin.

    Parameters
    ----------
    model : ChurnModel
        Fitted on `features`, in their order.
    features : FeatureSet
    version : str
        How results name the model.

    Examples
    --------
    >>> from leadlab.data import simulate
    >>> from leadlab.features import build, catalogue
    >>> from leadlab.models.churn.silence import label_silence
    >>> log = simulate(80, 120, seed=3).log
    >>> table = build(log, catalogue())
    >>> model = ChurnModel(folds=2).fit(table, label_silence(table, log))
    >>> found = ChurnScorer(model, catalogue(), "example").score(table)
    >>> total = found.scores.base + found.scores.contributions.sum(axis=1)
    >>> bool(np.allclose(total, found.scores.margin, atol=1e-4))
    True
    """

    def __init__(self, model: ChurnModel, features: FeatureSet, version: str) -> None:
        self.model = model
        self.features = features
        self.version = version
        self.shapley = [
            TreeShapley.compile(stage.booster_, feature_names=features.names)
            for stage in model.stages_
        ]
        rates = model.base_rates_
        conditional = rates / np.append(1.0, rates[:-1])
        weights = np.maximum(1.0 - conditional, 1e-6)
        self.weights = weights / weights.sum()

    def score(self, table: FeatureTable) -> Forecasts:
        """Foresee and explain every row.

        Parameters
        ----------
        table : FeatureTable
            Built from `features`.

        Raises
        ------
        BadInput
            If the columns are not the model's.
        """
        if table.names != self.features.names:
            raise BadInput(
                "these are not the model's features",
                where="table",
                got=f"{len(table.names)} columns",
                expected=f"the {len(self.features)} of model {self.version}, in order",
            )
        chance = self.model.silence(table)
        low, high = self.model.interval(table)
        stages = tuple(
            self._stage(k, table, chance[:, k], low[:, k], high[:, k])
            for k in range(len(self.shapley))
        )
        parts = list(zip(self.weights, stages, strict=True))
        joint = Scores(
            table,
            chance[:, -1],
            low[:, -1],
            high[:, -1],
            np.sum([w * s.margin for w, s in parts], axis=0),
            np.sum([w * s.contributions for w, s in parts], axis=0),
            float(sum(w * s.base for w, s in parts)),
            stages[-1].method,
            stages[-1].why,
            self.version,
            self.model.intervals_[-1].of,
            "chain",
        )
        return Forecasts(self.model.predict(table), joint, stages, self.weights)

    def _stage(
        self, k: int, table: FeatureTable, chance: np.ndarray, low: np.ndarray, high: np.ndarray
    ) -> Scores:
        told = self.shapley[k].explain(table.values)
        return Scores(
            table,
            chance,
            low,
            high,
            told.margin,
            told.contributions,
            float(told.base),
            told.method,
            told.why,
            self.version,
            self.model.intervals_[k].of,
            self.model.calibrations_[k].method,
        )

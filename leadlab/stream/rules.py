"""Rules that stand in where there is no model, or where it is broken; every result says so.

A few visible weights on features of the catalogue, added in log-odds to a declared base rate. They
are judgement, not measurement, so they never pass for a model's score.
"""

from __future__ import annotations

import numpy as np

from leadlab.explain.scorer import sigmoid
from leadlab.explain.scores import Scores
from leadlab.features.table import FeatureTable

VERSION = "rules"
BASE = -3.9
"""Log-odds of about 2%."""
WEIGHTS = {
    "activity_count_7d": (0.05, 20.0),
    "inquiry_count_30d": (0.3, 4.0),
    "showing_request_count_30d": (0.5, 3.0),
    "showing_count_30d": (0.7, 3.0),
    "offer_count_30d": (1.5, 2.0),
    "activity_recency": (-0.03, 60.0),
}
"""Log-odds for each unit of a feature, and how many units count."""


def rule_scores(table: FeatureTable, why: str) -> Scores:
    """Score rows by the rules; `why` says why no model did.

    Examples
    --------
    >>> from leadlab.data import simulate
    >>> from leadlab.features import build, catalogue
    >>> table = build(simulate(20, 60, seed=3).log, catalogue())
    >>> scores = rule_scores(table, "no model is loaded")
    >>> bool(np.allclose(scores.base + scores.contributions.sum(axis=1), scores.margin))
    True
    """
    contributions = np.zeros(table.values.shape)
    for column, name in enumerate(table.names):
        if name in WEIGHTS:
            weight, most = WEIGHTS[name]
            value = np.nan_to_num(table.values[:, column].astype(np.float64), nan=0.0)
            contributions[:, column] = weight * np.clip(value, 0.0, most)
    margin = BASE + contributions.sum(axis=1)
    unknown = np.full(len(table), np.nan)
    return Scores(
        table, sigmoid(margin), unknown, unknown, margin, contributions, BASE, "rules", why, VERSION
    )

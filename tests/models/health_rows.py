"""Rows of the features that health reads."""

from __future__ import annotations

import numpy as np

from leadlab.features.table import FeatureTable
from leadlab.models.health.assess import health_features
from leadlab.models.health.weights import HealthWeights
from leadlab.schema import Coded

WEIGHTS = HealthWeights.default()
FEATURES = health_features(WEIGHTS)
PLACE = {name: i for i, name in enumerate(FEATURES.names)}


def table_of(values) -> FeatureTable:
    """One lead a row, all at one moment."""
    values = np.asarray(values, np.float32)
    n = len(values)
    names = Coded.of([f"lead-{i}" for i in range(n)])
    return FeatureTable(values, FEATURES, Coded.constant("t", n), names, np.zeros(n, np.int64))

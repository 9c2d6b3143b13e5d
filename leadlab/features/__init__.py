"""Features declared once, computed by one kernel for training sets and live reads alike."""

from leadlab.features.automatic import automatic
from leadlab.features.batch import build
from leadlab.features.catalogue import catalogue
from leadlab.features.feature import Events, Feature, Number
from leadlab.features.feature_set import FeatureSet
from leadlab.features.moments import Moments
from leadlab.features.online import OnlineStore
from leadlab.features.table import FeatureTable
from leadlab.features.vocabulary import (
    count,
    decay,
    difference,
    distinct,
    events,
    first,
    gap,
    gaps,
    highest,
    hour,
    is_latest,
    latest,
    lowest,
    mean,
    number,
    rate,
    ratio,
    recency,
    response,
    season,
    tenure,
    total,
    trend,
    waiting,
    weekday,
)

__all__ = [
    "Events",
    "Feature",
    "FeatureSet",
    "FeatureTable",
    "Moments",
    "Number",
    "OnlineStore",
    "automatic",
    "build",
    "catalogue",
    "count",
    "decay",
    "difference",
    "distinct",
    "events",
    "first",
    "gap",
    "gaps",
    "highest",
    "hour",
    "is_latest",
    "latest",
    "lowest",
    "mean",
    "number",
    "rate",
    "ratio",
    "recency",
    "response",
    "season",
    "tenure",
    "total",
    "trend",
    "waiting",
    "weekday",
]

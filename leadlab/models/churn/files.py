"""A chain of silences as files: trees in XGBoost's own format, everything else as plain JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np

from leadlab.errors import NotFitted
from leadlab.models.calibration.choice import Calibration
from leadlab.models.calibration.rate_interval import RateInterval
from leadlab.models.churn.model import ChurnModel
from leadlab.models.conversion import ConversionModel
from leadlab.models.files.described import described, opened, reading

FORMAT, CHAIN = "leadlab-churn/1", "churn.json"
Model = TypeVar("Model", bound=ChurnModel)


def to_files(model: ChurnModel) -> dict[str, bytes]:
    """``churn.json``, and of each horizon what `ConversionModel.to_files` gives.

    Raises
    ------
    NotFitted
        Before `fit`.
    """
    if not hasattr(model, "stages_"):
        raise NotFitted("cannot store a model that is not trained yet", hint="Call fit.")
    files = {
        f"stage-{k}-{name}": content
        for k, stage in enumerate(model.stages_)
        for name, content in stage.to_files().items()
    }
    settings = model.get_params(deep=False)
    trees = settings.pop("estimator")
    content = {
        "format": FORMAT,
        "settings": {**settings, "horizons_days": [float(h) for h in model.horizons_days]},
        "estimator": None if trees is None else trees.get_params(),
        "features": [str(name) for name in model.feature_names_in_],
        "named": model.named_,
        "plan_hash": model.plan_hash_,
        "base_rates": model.base_rates_.tolist(),
        "wait_days": model.wait_days_.tolist(),
        "calibrations": [one.to_json() for one in model.calibrations_],
        "intervals": [one.to_json() for one in model.intervals_],
    }
    return described(CHAIN, content, files)


def from_files(kind: type[Model], files: Mapping[str, bytes]) -> Model:
    """What `to_files` gave.

    Raises
    ------
    BrokenFile
        If a file is missing, cut short, altered or of another kind.
    """
    with reading("a churn model"):
        return _restored(kind, opened(files, CHAIN, FORMAT), files)


def _restored(kind: type[Model], described: Mapping[str, Any], files: Mapping[str, bytes]) -> Model:
    trees = described["estimator"]
    estimator = None if trees is None else ConversionModel(**trees)
    horizons = tuple(described["settings"]["horizons_days"])
    model = kind(**{**described["settings"], "horizons_days": horizons, "estimator": estimator})
    names = np.array(described["features"], dtype=object)
    model.feature_names_in_, model.n_features_in_ = names, len(names)
    model.named_, model.plan_hash_ = bool(described["named"]), str(described["plan_hash"])
    model.base_rates_ = np.array(described["base_rates"], np.float64)
    model.wait_days_ = np.array(described["wait_days"], np.float64)
    model.stages_ = [
        ConversionModel.from_files(
            {
                name.removeprefix(f"stage-{k}-"): content
                for name, content in files.items()
                if name.startswith(f"stage-{k}-")
            }
        )
        for k in range(len(horizons))
    ]
    model.calibrations_ = [Calibration.from_json(one) for one in described["calibrations"]]
    model.intervals_ = [RateInterval.from_json(one) for one in described["intervals"]]
    parts = (model.calibrations_, model.intervals_, model.wait_days_, model.base_rates_)
    if {len(part) for part in parts} != {len(horizons)}:
        raise ValueError("calibrations, intervals and horizons differ in number")
    if any(stage.n_features_in_ != len(names) for stage in model.stages_):
        raise ValueError("trees and feature names differ in number")
    return model

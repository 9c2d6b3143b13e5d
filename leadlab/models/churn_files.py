"""A chain of silences as files: trees in XGBoost's own format, everything else as plain JSON."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np
import xgboost as xgb

from leadlab.errors import BrokenFile, LeadlabError, NotFitted
from leadlab.models.calibration import Calibration
from leadlab.models.churn import ChurnModel
from leadlab.models.conversion import ConversionModel, one_thread
from leadlab.models.rate_interval import RateInterval

FORMAT = "leadlab-churn/1"
ABOUT = "churn.json"
_UNREADABLE = (LeadlabError, LookupError, TypeError, ValueError, AttributeError)
_XGB_UNREADABLE = xgb.core.XGBoostError
Model = TypeVar("Model", bound=ChurnModel)


def to_files(model: ChurnModel) -> dict[str, bytes]:
    """``churn.json`` and one ``stage_<k>.ubj`` a horizon.

    Raises
    ------
    NotFitted
        Before `fit`.
    """
    if not hasattr(model, "stages_"):
        raise NotFitted("cannot store a model that is not trained yet", hint="Call fit.")
    files = {
        f"stage_{k}.ubj": bytes(stage.booster_.save_raw("ubj"))
        for k, stage in enumerate(model.stages_)
    }
    settings = model.get_params(deep=False)
    trees = settings.pop("estimator")
    described = {
        "format": FORMAT,
        "settings": {**settings, "horizons_days": [float(h) for h in model.horizons_days]},
        "estimator": None if trees is None else trees.get_params(),
        "features": [str(name) for name in model.feature_names_in_],
        "named": model.named_,
        "base_rates": model.base_rates_.tolist(),
        "wait_days": model.wait_days_.tolist(),
        "stages": [
            {"settings": stage.get_params(), "base_rate": stage.base_rate_}
            for stage in model.stages_
        ],
        "calibrations": [one.to_json() for one in model.calibrations_],
        "intervals": [one.to_json() for one in model.intervals_],
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    }
    text = json.dumps(described, indent=1, sort_keys=True, allow_nan=False)
    return {ABOUT: text.encode(), **files}


def from_files(kind: type[Model], found: Mapping[str, bytes]) -> Model:
    """What `to_files` gave.

    Raises
    ------
    BrokenFile
        If a file is missing, cut short, altered or of another kind.
    """
    try:
        described = json.loads(found[ABOUT])
        if described["format"] != FORMAT:
            raise BrokenFile("a model of another kind", where=ABOUT, got=described["format"])
        for name, digest in described["sha256"].items():
            if hashlib.sha256(found[name]).hexdigest() != digest:
                raise BrokenFile("the file was altered or cut short", where=name)
        return _restored(kind, described, found)
    except BrokenFile:
        raise
    except (*_UNREADABLE, _XGB_UNREADABLE) as error:
        raise BrokenFile(
            "cannot read a churn model: cut short, altered or of another kind",
            got=f"{type(error).__name__}: {str(error)[:100]}",
            hint="Train again, or take the files from a backup.",
        ) from error


def _restored(kind: type[Model], described: Mapping[str, Any], found: Mapping[str, bytes]) -> Model:
    trees = described["estimator"]
    estimator = None if trees is None else ConversionModel(**trees)
    horizons = tuple(described["settings"]["horizons_days"])
    model = kind(**{**described["settings"], "horizons_days": horizons, "estimator": estimator})
    names = np.array(described["features"], dtype=object)
    model.feature_names_in_, model.n_features_in_ = names, len(names)
    model.named_ = bool(described["named"])
    model.base_rates_ = np.array(described["base_rates"], np.float64)
    model.wait_days_ = np.array(described["wait_days"], np.float64)
    model.stages_ = [
        _stage(one, found[f"stage_{k}.ubj"], names, model.named_)
        for k, one in enumerate(described["stages"])
    ]
    model.calibrations_ = [Calibration.from_json(one) for one in described["calibrations"]]
    model.intervals_ = [RateInterval.from_json(one) for one in described["intervals"]]
    parts = (model.stages_, model.calibrations_, model.intervals_, model.wait_days_)
    if {len(part) for part in parts} != {len(horizons)}:
        raise ValueError("stages, calibrations, intervals and horizons differ in number")
    return model


def _stage(
    described: Mapping[str, Any], content: bytes, names: np.ndarray, named: bool
) -> ConversionModel:
    stage = ConversionModel(**described["settings"])
    booster = xgb.Booster()
    booster.load_model(bytearray(content))
    if booster.num_features() != len(names):
        raise ValueError("trees and feature names differ in number")
    stage.booster_ = one_thread(booster)
    stage.calibration_ = stage.interval_ = None  # the chain keeps its own
    stage.best_iteration_, stage.validation_log_loss_ = booster.num_boosted_rounds() - 1, math.nan
    stage.base_rate_, stage.named_ = float(described["base_rate"]), named
    stage.feature_names_in_, stage.n_features_in_ = names, len(names)
    stage.classes_ = np.array([0, 1])
    return stage

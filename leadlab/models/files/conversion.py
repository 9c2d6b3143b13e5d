"""A fitted conversion model as named files: trees in XGBoost's own format, the rest in JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import xgboost as xgb

from leadlab.errors import BadInput, NotFitted

if TYPE_CHECKING:
    from leadlab.models.conversion import ConversionModel

M = TypeVar("M", bound="ConversionModel")

TREES, SETTINGS = "model.ubj", "model.json"
CALIBRATION, INTERVAL = "calibration.json", "interval.json"
_FITTED = ("best_iteration_", "validation_log_loss_", "base_rate_", "named_")


def to_files(model: ConversionModel) -> dict[str, bytes]:
    """Contents by file name; ``calibration.json`` and ``interval.json`` where `calibrate` ran.

    Raises
    ------
    NotFitted
        Before `fit`.
    BadInput
        If a setting is no plain value.
    """
    if not hasattr(model, "booster_"):
        raise NotFitted("cannot save a model that is not trained yet")
    described = {
        "settings": model.get_params(),
        "fitted": {name: _or_none(getattr(model, name)) for name in _FITTED},
        "feature_names": [str(n) for n in model.feature_names_in_],
        "plan_hash": model.plan_hash_,
    }
    files = {TREES: bytes(model.booster_.save_raw("ubj")), SETTINGS: _text(described)}
    if model.calibration_ is not None:
        files[CALIBRATION] = _text(model.calibration_.to_json())
    if model.interval_ is not None:
        files[INTERVAL] = _text(model.interval_.to_json())
    return files


def _text(content: Any) -> bytes:
    try:
        return json.dumps(content, indent=1, sort_keys=True, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise BadInput("a model file holds plain values only", where="model", got=error) from error


def _or_none(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


def from_files(cls: type[M], files: Mapping[str, bytes]) -> M:
    """The inverse of `to_files`.

    Raises
    ------
    KeyError, TypeError, ValueError, xgboost.core.XGBoostError
        If a file is missing or of another kind.
    """
    from leadlab.models.calibration.choice import Calibration  # noqa: PLC0415  (few models have one)
    from leadlab.models.calibration.rate_interval import RateInterval  # noqa: PLC0415  (few models have one)
    from leadlab.models.conversion import one_thread  # noqa: PLC0415  (cycle)

    described = json.loads(files[SETTINGS])
    model = cls(**described["settings"])
    booster = xgb.Booster()
    booster.load_model(bytearray(files[TREES]))
    model.booster_ = one_thread(booster)
    for name in _FITTED:
        kept = described["fitted"][name]
        setattr(model, name, math.nan if kept is None else kept)
    model.feature_names_in_ = np.array(described["feature_names"], dtype=object)
    model.n_features_in_ = len(model.feature_names_in_)
    model.classes_ = np.array([0, 1])
    model.plan_hash_ = str(described.get("plan_hash", ""))
    if booster.num_features() != model.n_features_in_:
        raise ValueError("trees and feature names differ in number")
    model.calibration_ = model.interval_ = None
    if CALIBRATION in files:
        model.calibration_ = Calibration.from_json(json.loads(files[CALIBRATION]))
    if INTERVAL in files:
        model.interval_ = RateInterval.from_json(json.loads(files[INTERVAL]))
    return model

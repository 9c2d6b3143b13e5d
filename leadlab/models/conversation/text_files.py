"""A fitted text classifier as files: arrays without pickle, the rest in JSON."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from leadlab.errors import NotFitted
from leadlab.models.calibration.classes import MulticlassCalibration
from leadlab.models.conversation.ngrams import NGrams
from leadlab.models.files.described import reading

if TYPE_CHECKING:
    from leadlab.models.conversation.text_classifier import TextClassifier

M = TypeVar("M", bound="TextClassifier")
FORMAT, ARRAYS, DESCRIBED = "leadlab-text/1", "text.npz", "text.json"


def to_files(model: TextClassifier) -> dict[str, bytes]:
    """``text.npz`` and ``text.json``.

    Raises
    ------
    NotFitted
        Before `fit`.
    """
    if not hasattr(model, "weights_"):
        raise NotFitted("cannot store a model that is not trained yet", hint="Call fit.")
    arrays: dict[str, Any] = model.ngrams_.to_arrays()
    out = io.BytesIO()
    np.savez_compressed(
        out,
        allow_pickle=False,
        ngram_keys=arrays["keys"],
        ngram_weights=arrays["weights"],
        weights=model.weights_,
        intercept=model.intercept_,
        classes=model.classes_,
    )
    described = {
        "format": FORMAT,
        "settings": model.get_params(),
        "c": model.c_,
        "held_out_log_loss": model.held_out_log_loss_,
        "scope": model.scope_,
        "calibration": model.calibration_.to_json(),
        "ngrams": model.ngrams_.settings,
    }
    text = json.dumps(described, indent=1, sort_keys=True, allow_nan=False)
    return {ARRAYS: out.getvalue(), DESCRIBED: text.encode()}


def from_files(cls: type[M], files: Mapping[str, bytes]) -> M:
    """The inverse of `to_files`.

    Raises
    ------
    BrokenFile
        If a file is missing, cut short, altered or of another kind.
    """
    with reading("a text classifier"):
        return _restored(cls, files)


def _restored(cls: type[M], files: Mapping[str, bytes]) -> M:
    described = json.loads(files[DESCRIBED])
    if described["format"] != FORMAT:
        raise ValueError(f"a file of another kind: {str(described['format'])[:60]!r}")
    with np.load(io.BytesIO(files[ARRAYS]), allow_pickle=False) as found:
        arrays = {name: found[name] for name in found.files}
    settings = described["settings"]
    if isinstance(settings["c"], list):
        settings["c"] = tuple(settings["c"])
    model = cls(**settings)
    model.classes_, model.c_ = arrays["classes"], described["c"]
    model.weights_, model.intercept_ = arrays["weights"], arrays["intercept"]
    kept = {"keys": arrays["ngram_keys"], "weights": arrays["ngram_weights"]}
    model.ngrams_ = NGrams.from_arrays(kept, described["ngrams"])
    model.calibration_ = MulticlassCalibration.from_json(described["calibration"])
    model.held_out_log_loss_, model.scope_ = described["held_out_log_loss"], described["scope"]
    k = len(model.classes_)
    if model.weights_.shape != (len(kept["keys"]), k) or model.intercept_.shape != (k,):
        raise ValueError("n-grams, classes and weights differ in number")
    return model

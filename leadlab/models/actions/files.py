"""An uplift model as files: trees in XGBoost's own format, everything else as plain JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np
import xgboost as xgb

from leadlab.errors import NotFitted
from leadlab.models.actions.uplift import UpliftModel
from leadlab.models.files.described import described, opened, reading

FORMAT, DESCRIBED = "leadlab-uplift/1", "uplift.json"
Model = TypeVar("Model", bound=UpliftModel)


def to_files(model: UpliftModel) -> dict[str, bytes]:
    """``uplift.json``, and the trees of each member and arm.

    Raises
    ------
    NotFitted
        Before `fit`.
    """
    if not hasattr(model, "members_"):
        raise NotFitted("cannot store a model that is not trained yet", hint="Call fit.")
    files = {
        f"trees-{i}-{a}.ubj": bytes(tree.save_raw("ubj"))
        for i, (_, grown) in enumerate(model.members_)
        for a, tree in enumerate(grown, 1)
    }
    content = {
        "format": FORMAT,
        "settings": model.get_params(),
        "names": list(model.names_),
        "named": model.named_,
        "n_tried": model.n_tried_.tolist(),
        "center": model.center_.tolist(),
        "scale": model.scale_.tolist(),
        "lines": [[line.tolist() for line in lines] for lines, _ in model.members_],
    }
    return described(DESCRIBED, content, files)


def from_files(kind: type[Model], files: Mapping[str, bytes]) -> Model:
    """What `to_files` gave.

    Raises
    ------
    BrokenFile
        If a file is missing, cut short, altered or of another kind.
    """
    with reading("an uplift model"):
        return _restored(kind, opened(files, DESCRIBED, FORMAT), files)


def _restored(kind: type[Model], described: Mapping[str, Any], files: Mapping[str, bytes]) -> Model:
    model = kind(**described["settings"])
    model.names_, model.named_ = tuple(map(str, described["names"])), bool(described["named"])
    model.n_tried_ = np.array(described["n_tried"], np.int64)
    model.arms_ = len(model.n_tried_)
    model.center_ = np.array(described["center"], np.float64)
    model.scale_ = np.array(described["scale"], np.float64)
    columns = (len(model.names_),)
    if model.center_.shape != columns or model.scale_.shape != columns:
        raise ValueError("columns and their scales differ in number")
    if len(described["lines"]) != model.members:
        raise ValueError("members and lines differ in number")
    model.members_ = []
    for i, told in enumerate(described["lines"]):
        lines = [np.array(line, np.float64) for line in told]
        if [len(line) for line in lines] != [len(model.names_) + 1] * (model.arms_ - 1):
            raise ValueError("arms, columns and lines differ in number")
        grown = [
            xgb.Booster({"nthread": 1}, model_file=bytearray(files[f"trees-{i}-{a}.ubj"]))
            for a in range(1, model.arms_)
        ]
        if any(tree.num_features() != len(model.names_) for tree in grown):
            raise ValueError("trees and columns differ in number")
        model.members_.append((lines, grown))
    return model

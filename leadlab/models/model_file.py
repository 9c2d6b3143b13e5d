"""One safe file a model: trees, and what they were trained on. No pickle.

A ``.leadlab`` file is a zip of ``model.ubj`` (XGBoost's own format), ``about.json`` (plain values)
and ``checksums.json`` (the sha256 of both). A file that was cut, altered or is of another kind
raises `BrokenFile`; nothing of it is used before the checksums agree.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import platform
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import xgboost as xgb

from leadlab.errors import BadInput, BrokenFile, NotFitted
from leadlab.models.conversion import ConversionModel, one_thread
from leadlab.models.matrix import Matrix
from leadlab.schema.atomic import atomic_path

FORMAT = "leadlab-model/1"
LARGEST_BYTES = 1 << 30
"""A member that claims to be larger is refused unread."""
_FITTED = ("best_iteration_", "validation_log_loss_", "base_rate_", "named_")
_ZIPPED_AT = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class About:
    """What a saved model must say of itself; plain values only.

    Attributes
    ----------
    features : mapping, optional
        Definitions, from `FeatureSet.to_json`; None for a bare matrix.
    converted, ended : tuple of str
        Outcome kinds.
    horizon_days : float or None
    seed : int or None
    fingerprint : str
        `fingerprint` of the training set.
    metrics : mapping
        As measured on the test side, plain values.
    trained_at : str
        ISO 8601, UTC; given by the caller.
    versions : mapping of str to str
        Of Python and the packages; filled in on saving.
    notes : mapping
        Anything else that is plain.
    """

    features: Mapping[str, Any] | None = None
    converted: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()
    horizon_days: float | None = None
    seed: int | None = None
    fingerprint: str = ""
    metrics: Mapping[str, Any] = field(default_factory=dict)
    trained_at: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, Any] = field(default_factory=dict)


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that figures depend on."""
    packages = ("leadlab", "numpy", "scikit-learn")
    found = {name: version(name) for name in packages}
    return {"python": platform.python_version(), **found, "xgboost": str(xgb.__version__)}


def fingerprint(table: Matrix, y: np.typing.ArrayLike) -> str:
    """sha256 of names, values and labels, so that a training set is recognised.

    Examples
    --------
    >>> from leadlab.models.matrix import matrix
    >>> fingerprint(matrix([[1.0], [2.0]]), [0, 1])[:12]
    '1a1b833d9896'
    """
    # One NaN among the many that float32 has, so that equal tables give equal bytes.
    values = np.where(np.isnan(table.values), np.float32(np.nan), table.values)
    digest = hashlib.sha256(json.dumps([table.names, values.shape]).encode())
    digest.update(values.astype("<f4").tobytes())
    digest.update(np.asarray(y).astype("<i1").tobytes())
    return digest.hexdigest()


def save_model(path: str | Path, model: ConversionModel, about: About | None = None) -> Path:
    """Write a fitted model, whole or not at all.

    Raises
    ------
    NotFitted
        Before `fit`.
    BadInput
        If `about` holds anything but plain values.
    """
    if not hasattr(model, "booster_"):
        raise NotFitted("cannot save a model that is not trained yet", where=str(path))
    content = about or About()
    described = {
        "format": FORMAT,
        "kind": type(model).__name__,
        "settings": model.get_params(),
        "fitted": {name: _or_none(getattr(model, name)) for name in _FITTED},
        "feature_names": [str(n) for n in model.feature_names_in_],
        "about": {**vars(content), "versions": {**versions(), **content.versions}},
    }
    try:
        text = json.dumps(described, indent=1, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise BadInput("a model file holds plain values only", where="about", got=error) from error
    members = {"model.ubj": bytes(model.booster_.save_raw("ubj")), "about.json": text.encode()}
    sums = {name: hashlib.sha256(data).hexdigest() for name, data in members.items()}
    members["checksums.json"] = json.dumps(sums, sort_keys=True).encode()
    with atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, _ZIPPED_AT), data, zipfile.ZIP_DEFLATED)
    return Path(path)


def _or_none(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


def load_model(path: str | Path) -> tuple[ConversionModel, About]:
    """Read what `save_model` wrote.

    Raises
    ------
    BrokenFile
        If the file is missing, cut short, altered, of another kind or of a newer format.
    """
    try:
        members = _members(Path(path).read_bytes())
        described = json.loads(members["about.json"])
        if described["format"] != FORMAT or described["kind"] != ConversionModel.__name__:
            got = f"{described['format']} {described['kind']}"
            raise BrokenFile("a model file of another kind", where=str(path), got=got)
        model = _restored(described, members["model.ubj"])
        about = described["about"]
        kinds = {name: tuple(about[name]) for name in ("converted", "ended")}
        return model, About(**{**about, **kinds})
    except FileNotFoundError as error:
        raise BrokenFile("no such model file", where=str(path), hint="Train one first.") from error
    except _UNREADABLE as error:
        raise BrokenFile(
            "cannot read a model file: cut short, altered or of another kind",
            where=str(path),
            got=f"{type(error).__name__}: {str(error)[:100]}",
            hint="Train again, or take the file from a backup.",
        ) from error


_UNREADABLE = (
    OSError,
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    KeyError,
    TypeError,
    ValueError,
    AttributeError,
    NotImplementedError,
    RuntimeError,
    xgb.core.XGBoostError,
)


def _members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if sum(info.file_size for info in archive.infolist()) > LARGEST_BYTES:
            raise ValueError("larger than any model")
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    sums = json.loads(members.pop("checksums.json"))
    found = {name: hashlib.sha256(content).hexdigest() for name, content in members.items()}
    if sums != found:
        raise ValueError("checksums do not agree")
    return members


def _restored(described: Mapping[str, Any], trees: bytes) -> ConversionModel:
    model = ConversionModel(**described["settings"])
    booster = xgb.Booster()
    booster.load_model(bytearray(trees))
    model.booster_ = one_thread(booster)
    for name in _FITTED:
        kept = described["fitted"][name]
        setattr(model, name, math.nan if kept is None else kept)
    model.feature_names_in_ = np.array(described["feature_names"], dtype=object)
    model.n_features_in_ = len(model.feature_names_in_)
    model.classes_ = np.array([0, 1])
    if booster.num_features() != model.n_features_in_:
        raise ValueError("trees and feature names differ in number")
    return model

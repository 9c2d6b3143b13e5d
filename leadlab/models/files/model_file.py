"""One safe file a model: the model's own files, and what it was trained on. No pickle.

A ``.leadlab`` file is a zip of what the model's ``to_files`` gives (see `files.stored`),
``about.json`` (plain values) and ``checksums.json`` (the sha256 of all). A file that was cut,
altered or is of another kind raises `BrokenFile`; nothing of it is used before the checksums agree.
The registry keeps the same members, one file each.
"""

from __future__ import annotations

import hashlib
import json
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

from leadlab.errors import BadInput, BrokenFile, BrokenPlugin
from leadlab.models.conversion import ConversionModel
from leadlab.models.files.conversion import SETTINGS
from leadlab.models.files.feature_plan import check_plan
from leadlab.models.files.members import format_number, unzipped, zipped
from leadlab.models.files.stored import Storable, files_of, model_class, revive
from leadlab.models.matrix import Matrix
from leadlab.schema.atomic import atomic_path

FAMILY, READS = "leadlab-model", 2
FORMAT = f"{FAMILY}/{READS}"
ABOUT = "about.json"


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


def members_of(model: Storable, about: About | None = None) -> dict[str, bytes]:
    """Files of a model with ``about.json``, by name.

    Raises
    ------
    NotFitted
        Before `fit`.
    BadInput
        If `about` holds anything but plain values, or a feature plan that is not the model's.
    BrokenPlugin
        If the model's kind cannot be written.
    """
    content = about or About()
    if content.features is not None or getattr(model, "plan_hash_", None):
        check_plan(model, content.features, where="about.features")
    files = files_of(model)
    described = {
        "format": FORMAT,
        "kind": model.kind,
        "about": {**vars(content), "versions": {**versions(), **content.versions}},
    }
    try:
        text = json.dumps(described, indent=1, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise BadInput("a model file holds plain values only", where="about", got=error) from error
    if ABOUT in files:
        raise BadInput("a model's files may not use this name", where=model.kind, got=ABOUT)
    return {**files, ABOUT: text.encode()}


def model_of(members: Mapping[str, bytes], *, where: str) -> tuple[Storable, About]:
    """The inverse of `members_of`.

    Raises
    ------
    BrokenFile
        If a member is missing or cannot be read, or plan and model do not belong together.
    NewerFormat
        If a later leadlab wrote it.
    UnknownName, BrokenPlugin
        If no package, or a broken one, knows the kind.
    """
    try:
        files = dict(members)
        described = json.loads(files.pop(ABOUT))
        if format_number(described["format"], FAMILY, READS, where) == 1:
            described, files = _from_first_format(described, files)
        content, kind = about_of(described), str(described["kind"])
    except _UNREADABLE as error:
        raise _broken(error, where) from error
    model_class(kind)
    try:
        model = revive(kind, files)
        if content.features is not None:
            check_plan(model, content.features, where=where)
    except (BrokenPlugin, *_UNREADABLE) as error:
        raise _broken(error, where) from error
    return model, content


def about_of(described: Mapping[str, Any]) -> About:
    """What the content of ``about.json`` says."""
    about = described["about"]
    kinds = {name: tuple(about[name]) for name in ("converted", "ended")}
    return About(**{**about, **kinds})


def _from_first_format(
    described: Mapping[str, Any], files: Mapping[str, bytes]
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Format 1 held a conversion model's settings beside what it was trained on."""
    kept = {name: described[name] for name in ("settings", "fitted", "feature_names")}
    return {**described, "kind": "conversion"}, {**files, SETTINGS: json.dumps(kept).encode()}


def save_model(path: str | Path, model: Storable, about: About | None = None) -> Path:
    """Write a fitted model, whole or not at all.

    Raises
    ------
    NotFitted, BadInput, BrokenPlugin
        As `members_of`.
    """
    content = zipped(members_of(model, about))
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)
    return Path(path)


def read_model(path: str | Path) -> tuple[Storable, About]:
    """Read what `save_model` wrote, of any kind.

    Raises
    ------
    BrokenFile
        If the file is missing, cut short, altered, of another kind or of a newer format.
    UnknownName, BrokenPlugin
        As `model_of`.
    """
    try:
        members = unzipped(Path(path).read_bytes())
    except FileNotFoundError as error:
        raise BrokenFile("no such model file", where=str(path), hint="Train one first.") from error
    except _UNREADABLE as error:
        raise _broken(error, str(path)) from error
    return model_of(members, where=str(path))


def load_model(path: str | Path) -> tuple[ConversionModel, About]:
    """Read a conversion model that `save_model` wrote.

    Raises
    ------
    BrokenFile
        As `read_model`, and if it is a model of another kind.
    """
    model, about = read_model(path)
    if not isinstance(model, ConversionModel):
        raise BrokenFile(
            "a model of another kind",
            where=str(path),
            got=model.kind,
            expected=ConversionModel.kind,
        )
    return model, about


def _broken(error: Exception, where: str) -> BrokenFile:
    return BrokenFile(
        "cannot read a model file: cut short, altered or of another kind",
        where=where,
        got=f"{type(error).__name__}: {str(error)[:400]}",
        hint="Train again, or take the file from a backup.",
    )


_UNREADABLE = (
    OSError,
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    NotImplementedError,
    RuntimeError,
)

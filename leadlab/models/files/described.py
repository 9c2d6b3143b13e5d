"""What models with one describing JSON file share: its checks, and one kind of error."""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import xgboost as xgb

from leadlab.errors import BrokenFile, LeadlabError

UNREADABLE = (
    LeadlabError,
    OSError,
    EOFError,
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    zipfile.BadZipFile,
    zlib.error,
    pa.ArrowException,
    xgb.core.XGBoostError,
)
"""What reading a file that is not what it should be may raise."""


def described(
    name: str, content: Mapping[str, Any], files: Mapping[str, bytes]
) -> dict[str, bytes]:
    """Files of a model, the one called `name` with the description and the sha256 of the others.

    Examples
    --------
    >>> found = described("d.json", {"format": "toy/1", "n": 3}, {"a.bin": b"abc"})
    >>> sorted(found), opened(found, "d.json", "toy/1")["n"]
    (['a.bin', 'd.json'], 3)
    """
    sums = {file: hashlib.sha256(data).hexdigest() for file, data in files.items()}
    text = json.dumps({**content, "sha256": sums}, indent=1, sort_keys=True, allow_nan=False)
    return {name: text.encode(), **files}


def opened(files: Mapping[str, bytes], name: str, form: str) -> dict[str, Any]:
    """The description of a model, all its files held to their sums.

    Raises
    ------
    BrokenFile
        If it is of another format, or a file was altered or cut short.
    """
    found: dict[str, Any] = json.loads(files[name])
    if found["format"] != form:
        raise BrokenFile("a model of another kind", where=name, got=found["format"])
    for file, digest in found["sha256"].items():
        if hashlib.sha256(files[file]).hexdigest() != digest:
            raise BrokenFile("the file was altered or cut short", where=file)
    return found


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Tell in one way that a model's files cannot be read, whatever it was that failed.

    Examples
    --------
    >>> with reading("a toy"):
    ...     opened({}, "d.json", "toy/1")
    Traceback (most recent call last):
    leadlab.errors.BrokenFile: cannot read a toy: cut short, altered or of another kind (got: ...
    """
    try:
        yield
    except BrokenFile:
        raise
    except UNREADABLE as error:
        raise BrokenFile(
            f"cannot read {what}: cut short, altered or of another kind",
            got=f"{type(error).__name__}: {str(error)[:100]}",
            hint="Train again, or take the files from a backup.",
        ) from error

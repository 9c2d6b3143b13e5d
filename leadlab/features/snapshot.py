"""A whole online store as one file, written in one step.

The file is NumPy's ``.npz`` (a zip archive with a checksum an entry, no pickles): the arrays of
each entity's store, and a JSON entry with the features and the names.
"""

from __future__ import annotations

import io
import json
import os
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlab.errors import BrokenFile
from leadlab.features.arrays import Seen, Tape
from leadlab.features.arrival import Chains, Rows
from leadlab.features.entity_store import EntityStore
from leadlab.features.feature_set import FeatureSet
from leadlab.features.online import OnlineStore

FORMAT = "leadlab-online-store-1"
_PARTS: dict[str, Any] = {"tape": Tape, "seen": Seen, "rows": Rows, "bases": Rows, "chains": Chains}


def arrays_of(store: OnlineStore) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """All of a store: its arrays by name (not copies), and the names that go with them."""
    arrays: dict[str, NDArray[Any]] = {}
    names: dict[str, Any] = {}
    for entity, own in store.stores.items():
        for part in _PARTS:
            for field, array in getattr(own, part)._asdict().items():
                arrays[f"{entity}.{part}.{field}"] = array
        names[entity] = {
            "slots": list(own.slots),
            "texts": {field: list(codes) for field, codes in own.texts.items()},
            "bases": own._n_bases,
        }
    return arrays, names


def store_of(
    features: FeatureSet, arrays: Mapping[str, NDArray[Any]], names: Mapping[str, Any]
) -> OnlineStore:
    """The inverse of `arrays_of`; the store takes the arrays over."""
    store = OnlineStore(features)
    for entity, own in store.stores.items():
        _restore(own, entity, arrays, names[entity])
    return store


def save(store: OnlineStore, path: Path) -> None:
    """Write `store` to `path`; a crash leaves the old file or the new one, never half of one."""
    arrays, names = arrays_of(store)
    meta = {"format": FORMAT, "features": store.features.to_json(), "names": names}
    arrays["meta"] = np.frombuffer(json.dumps(meta).encode(), np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Arrays of an ``.npz`` file, each read whole and checked before it is looked into.

    `numpy.load` parses an array's header before the archive's checksum is known, so a damaged
    header may give a shorter array and no error.

    Raises
    ------
    FileNotFoundError
    BrokenFile
        If the file is cut short, altered, or something else.
    """
    arrays: dict[str, NDArray[Any]] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                if entry.compress_type != zipfile.ZIP_STORED:
                    raise zipfile.BadZipFile(f"{entry.filename} is compressed")
                content = io.BytesIO(archive.read(entry))
                name = entry.filename.removesuffix(".npy")
                arrays[name] = np.lib.format.read_array(content, allow_pickle=False)
    except FileNotFoundError:
        raise
    except (
        zipfile.BadZipFile, struct.error, ArithmeticError, LookupError, ValueError, EOFError,
        OSError, RuntimeError,
    ) as error:  # fmt: skip
        raise BrokenFile(
            "cannot read the snapshot", where=str(path), got=str(error), expected="a whole file"
        ) from error
    return arrays


def load(path: Path) -> OnlineStore:
    """Read what `save` wrote.

    Raises
    ------
    BrokenFile
        If the file is cut short, altered, or something else.
    """
    arrays = read_arrays(path)
    try:
        meta = json.loads(arrays["meta"].tobytes())
        if meta["format"] != FORMAT:
            raise BrokenFile("a snapshot of another format", where=str(path), got=meta["format"])
    except (ValueError, KeyError) as error:
        raise BrokenFile(
            "cannot read the snapshot", where=str(path), got=str(error), expected="a whole file"
        ) from error
    return store_of(FeatureSet.from_json(meta["features"]), arrays, meta["names"])


def _restore(
    own: EntityStore, entity: str, arrays: Mapping[str, NDArray[Any]], names: Mapping[str, Any]
) -> None:
    for part, kind in _PARTS.items():
        setattr(own, part, kind(*(arrays[f"{entity}.{part}.{f}"] for f in kind._fields)))
    own.slots = {name: slot for slot, name in enumerate(names["slots"])}
    own.texts = {
        field: {text: code for code, text in enumerate(texts)}
        for field, texts in names["texts"].items()
    }
    own._n_bases = names["bases"]

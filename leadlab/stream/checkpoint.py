"""The engine's whole state and the offset it stands at, in one file that appears in one step.

The file is NumPy's ``.npz`` without pickles: the arrays of every lane, a JSON entry with names, and
the states of sinks as bytes. What lies behind the offset is taken from the journal again, so a
crash at any moment loses nothing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from leadlab.errors import BrokenFile, StoreFailed
from leadlab.features.online import SEPARATOR
from leadlab.features.snapshot import arrays_of, store_of
from leadlab.stream.archive import read_arrays
from leadlab.stream.lane import Counts, Lane
from leadlab.stream.lead_book import LeadBook
from leadlab.stream.live_engine import LiveEngine
from leadlab.stream.names import Names

FORMAT = "leadlab-live-state-1"
KEPT = 2
"""Checkpoints kept: the newest, and one to go back to where that cannot be read."""
Frozen = tuple[int, dict[str, NDArray[Any]], dict[str, Any]]


def freeze(engine: LiveEngine, sinks: Mapping[str, bytes]) -> Frozen:
    """A copy of all state as of now; `write` puts it on disk, from any thread."""
    arrays: dict[str, NDArray[Any]] = {}
    told: dict[str, Any] = {}
    for number, (name, lane) in enumerate(engine.lanes.items()):
        own, names = arrays_of(lane.store)
        arrays.update({f"{number}.store.{key}": array.copy() for key, array in own.items()})
        for part in LeadBook.PARTS:
            arrays[f"{number}.book.{part}"] = getattr(lane.book, part)[: len(lane.names)].copy()
        told[name] = {
            "number": number,
            "features": lane.plan.features.to_json(),
            "store": names,
            "kinds": list(lane.kinds),
            "agents": list(lane.agents),
            "tenants": list(lane.tenants),
            "models": list(lane.models),
            "clocks": dict(lane.clocks),
            "counts": asdict(lane.counts),
        }
    for name, state in sinks.items():
        arrays[f"sink.{name}"] = np.frombuffer(state, np.uint8)
    meta = {"format": FORMAT, "offset": engine.offset, "lanes": told}
    return engine.offset, arrays, meta


def write(frozen: Frozen, folder: Path) -> Path:
    """Write a checkpoint and drop all but the newest `KEPT`.

    Raises
    ------
    StoreFailed
        If the disk is full; older checkpoints stay.
    """
    offset, arrays, meta = frozen
    told = msgspec.json.encode({**meta, "arrays": list(arrays)})
    arrays = {**arrays, "meta": np.frombuffer(told, np.uint8)}
    path = folder / f"state-{offset:015d}.npz"
    partial = path.with_suffix(".partial")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for unfinished in folder.glob("state-*.partial"):
            unfinished.unlink()  # of a process that ended while it wrote
        with partial.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        held = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(held)
        finally:
            os.close(held)
        for old in listed(folder)[KEPT:]:
            old.unlink()
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise StoreFailed("no checkpoint was written", where=str(path), got=str(error)) from error
    return path


def listed(folder: Path) -> list[Path]:
    """Checkpoints of a folder, the newest first."""
    return sorted(folder.glob("state-*.npz"), reverse=True)


def offset_of(path: Path) -> int:
    """Offset that a checkpoint stands at, by its name."""
    return int(path.stem.removeprefix("state-"))


def restore(engine: LiveEngine, path: Path) -> dict[str, bytes]:
    """Bring an engine that has taken nothing to the state of a checkpoint.

    Returns
    -------
    dict of str to bytes
        States of sinks by name.

    Raises
    ------
    BrokenFile
        If the file cannot be read, or is of other lanes or features than the engine's.
    """
    try:
        arrays = read_arrays(path)
        meta = msgspec.json.decode(arrays.pop("meta").data)
        if meta["format"] != FORMAT:
            raise BrokenFile("a checkpoint of another format", where=str(path), got=meta["format"])
        if set(meta["arrays"]) != set(arrays):
            raise BrokenFile("a checkpoint that lacks arrays", where=str(path))
        if set(meta["lanes"]) != set(engine.lanes):
            got = ", ".join(map(repr, meta["lanes"]))
            raise BrokenFile("a checkpoint of other plans", where=str(path), got=got)
        for name, told in meta["lanes"].items():
            _restore_lane(engine.lanes[name], told, arrays, path)
    except (ValueError, KeyError) as error:
        raise BrokenFile("cannot read the checkpoint", where=str(path), got=str(error)) from error
    engine.offset = int(meta["offset"])
    sinks = [name for name in arrays if name.startswith("sink.")]
    return {name.removeprefix("sink."): arrays[name].tobytes() for name in sinks}


def _restore_lane(
    lane: Lane, told: dict[str, Any], arrays: dict[str, NDArray[Any]], path: Path
) -> None:
    own_features = msgspec.json.decode(msgspec.json.encode(lane.plan.features.to_json()))
    if told["features"] != own_features:
        raise BrokenFile(
            "a checkpoint of other features",
            where=str(path),
            hint="The journal is taken again from its start.",
        )
    prefix = f"{told['number']}.store."
    own = {k.removeprefix(prefix): a for k, a in arrays.items() if k.startswith(prefix)}
    lane.store = store_of(lane.plan.features, own, told["store"])
    for part in LeadBook.PARTS:
        setattr(lane.book, part, arrays[f"{told['number']}.book.{part}"])
    keys = lane.store.stores["lead"].slots
    lane.names = [(tenant, lead) for tenant, _, lead in (k.partition(SEPARATOR) for k in keys)]
    lane.kinds, lane.agents = Names(told["kinds"]), Names(told["agents"])
    lane.tenants = Names(told["tenants"])
    lane.models = list(told["models"])
    lane.clocks = {tenant: int(us) for tenant, us in told["clocks"].items()}
    lane.counts = Counts(**told["counts"])
    lane.use(lane.plan)

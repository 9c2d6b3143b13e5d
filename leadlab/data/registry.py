"""Public data sets by address and checksum; nothing of them is part of leadlab.

A file is looked for in ``LEADLAB_DATA_DIR`` first, then among the downloads (``LEADLAB_HOME``), and
fetched if it has an address. Its SHA-256 is checked each time it is handed out.

The reader of data set NAME is the function ``read`` of the module ``leadlab.data.NAME``: another
set is one more file. It takes the path of the set's file, or of the folder where a set has several.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any

from leadlab.config import Settings
from leadlab.errors import BrokenFile, DataUnavailable, UnknownName


@dataclass(frozen=True, slots=True)
class DataFile:
    """One file of a data set.

    Attributes
    ----------
    path : str
        Relative to the folder of all data sets.
    bytes : int
    sha256 : str
    url : str or None
        Where it can be fetched; None where no lasting address is known.

    Examples
    --------
    >>> dataset("telco").files[0].path
    'telco/Telco-Customer-Churn.csv'
    """

    path: str
    bytes: int
    sha256: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class DataSet:
    """A public data set: what it is, under which licence, whom to cite, and its files.

    Examples
    --------
    >>> dataset("clinc150").licence
    'CC BY 3.0'
    """

    name: str
    title: str
    size: str
    licence: str
    citation: str
    notes: str
    files: tuple[DataFile, ...]


@dataclass(frozen=True, slots=True)
class FileState:
    """What became of one file: "ok", "missing" or "altered", and where it is or should be."""

    file: DataFile
    state: str
    place: Path


@cache
def datasets() -> Mapping[str, DataSet]:
    """List all data sets by name.

    Examples
    --------
    >>> datasets()["bpic2012"].size
    '13,087 cases, 262,200 events'
    """
    text = files("leadlab.data").joinpath("manifest.json").read_text(encoding="utf-8")
    return MappingProxyType(
        {
            name: DataSet(
                name=name, **{**facts, "files": tuple(DataFile(**f) for f in facts["files"])}
            )
            for name, facts in json.loads(text).items()
        }
    )


def dataset(name: str) -> DataSet:
    """Look up one data set.

    Examples
    --------
    >>> dataset("bpic2021")
    Traceback (most recent call last):
    leadlab.errors.UnknownName: unknown data set 'bpic2021'. Did you mean 'bpic2012'?
    """
    if name not in datasets():
        raise UnknownName("data set", name, datasets())
    return datasets()[name]


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _place(file: DataFile, settings: Settings) -> Path:
    """Where the file is, or else where it would be put."""
    places = [folder / file.path for folder in (settings.data_dir, settings.downloads) if folder]
    return next((place for place in places if place.is_file()), places[-1])


def verify(one: DataSet | str, settings: Settings | None = None) -> list[FileState]:
    """Say of each file of a data set whether it is here and what it should be.

    Examples
    --------
    >>> verify("hillstrom", Settings(Path("/nowhere")))[0].state
    'missing'
    """
    one = dataset(one) if isinstance(one, str) else one
    settings = settings or Settings.from_environment()
    states = []
    for file in one.files:
        place = _place(file, settings)
        if not place.is_file():
            state = "missing"
        else:
            state = "ok" if _sha256(place) == file.sha256 else "altered"
        states.append(FileState(file, state, place))
    return states


def path(one: DataSet | str, settings: Settings | None = None) -> Path:
    """Find a data set on this machine, without a download.

    Returns
    -------
    Path
        Of the file, or of the folder where the set has several.

    Raises
    ------
    DataUnavailable
        A file is missing; the message says what to do next.
    BrokenFile
        A file is not what was published.

    Examples
    --------
    >>> path("hillstrom", Settings(Path("/nowhere")))
    Traceback (most recent call last):
    leadlab.errors.DataUnavailable: data set 'hillstrom' is not on this machine. Fetch it with ...
    """
    one = dataset(one) if isinstance(one, str) else one
    settings = settings or Settings.from_environment()
    states = verify(one, settings)
    for found in states:
        if found.state == "altered":
            raise BrokenFile(
                f"a file of data set '{one.name}' is not the published one",
                where=str(found.place),
                expected=f"sha256 {found.file.sha256}",
                hint="Remove it, then get it again.",
            )
        if found.state == "missing":
            raise _unavailable(one, found, settings)
    if len(states) == 1:
        return states[0].place
    return _common_folder(one, states)


def _common_folder(one: DataSet, states: list[FileState]) -> Path:
    """Find the data set's own folder, in which all its files lie."""
    folders = {
        state.place.parents[len(Path(state.file.path).parts) - 2].resolve() for state in states
    }
    if len(folders) > 1:
        raise DataUnavailable(
            f"the files of data set '{one.name}' are in several folders",
            got=", ".join(sorted(map(str, folders))),
            hint="Put them into one.",
        )
    return folders.pop()


def _unavailable(one: DataSet, state: FileState, settings: Settings) -> DataUnavailable:
    if state.file.url:
        hint = (
            f"Fetch it with 'leadlab data get {one.name}', or set LEADLAB_DATA_DIR to a folder "
            f"that holds {state.file.path}."
        )
    else:
        hint = (
            "It has no public address: place the file by hand at "
            f"{settings.downloads / state.file.path}, or set LEADLAB_DATA_DIR to a folder that "
            f"holds {state.file.path}."
        )
    return DataUnavailable(f"data set '{one.name}' is not on this machine", hint=hint)


def get(one: DataSet | str, settings: Settings | None = None, *, progress: Any = None) -> Path:
    """Find a data set, fetching what is missing.

    Parameters
    ----------
    one : DataSet or str
    settings : Settings, optional
        The environment's when not given.
    progress : object, optional
        A progress bar as `pooch.HTTPDownloader` takes it.

    Returns
    -------
    Path
        As `path` does.

    Raises
    ------
    DataUnavailable
        No network, or no address.
    BrokenFile
        What is there or what came is not what was published.

    Examples
    --------
    >>> get("ames", Settings(Path("/nowhere")))
    Traceback (most recent call last):
    leadlab.errors.DataUnavailable: data set 'ames' is not on this machine. It has no public ...
    """
    one = dataset(one) if isinstance(one, str) else one
    settings = settings or Settings.from_environment()
    for found in verify(one, settings):
        if found.state == "missing" and found.file.url:
            _fetch(one, found.file, settings, progress)
    return path(one, settings)


def _fetch(one: DataSet, file: DataFile, settings: Settings, progress: Any) -> None:
    import pooch  # noqa: PLC0415  (an import of leadlab.data must stay light)

    place = settings.downloads / file.path
    try:
        pooch.retrieve(
            file.url,
            known_hash=f"sha256:{file.sha256}",
            fname=place.name,
            path=place.parent,
            downloader=pooch.HTTPDownloader(progressbar=progress or False, timeout=30),
        )
    except ValueError as error:  # pooch's word for a wrong checksum
        raise BrokenFile(
            f"what came for data set '{one.name}' is not the published file",
            where=file.url,
            expected=f"sha256 {file.sha256}",
        ) from error
    except OSError as error:  # requests' errors are OSErrors
        raise DataUnavailable(
            f"data set '{one.name}' is not on this machine and cannot be fetched",
            got=f"{type(error).__name__}",
            hint=f"Go online, or set LEADLAB_DATA_DIR to a folder that holds {file.path}.",
        ) from error


def readers() -> list[str]:
    """List the data sets that have a reader.

    Examples
    --------
    >>> "bpic2012" in readers(), "ghl" in readers()
    (True, False)
    """
    return [n for n in datasets() if importlib.util.find_spec(f"leadlab.data.{n}") is not None]


def load(name: str, settings: Settings | None = None) -> Any:
    """Get a data set and read it: an `EventLog`, a `LeadTable`, or a DataFrame of house sales.

    Raises
    ------
    UnknownName
        No such data set, or none that has a reader.

    Examples
    --------
    >>> load("ghl")
    Traceback (most recent call last):
    leadlab.errors.UnknownName: unknown reader of data set 'ghl'. Known: ames, ...
    """
    if dataset(name).name not in readers():
        raise UnknownName("reader of data set", name, readers())
    module = importlib.import_module(f"leadlab.data.{name}")
    return module.read(get(name, settings))

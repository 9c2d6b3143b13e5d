"""Whether everything that the registry holds is what was written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from leadlab.errors import BrokenFile
from leadlab.registry.decisions import Decisions
from leadlab.registry.folder_store import UNFINISHED
from leadlab.registry.store import Found, Store
from leadlab.registry.versions import Versions

_GROUPS = ("versions", "files", "decisions")


@dataclass(frozen=True, slots=True)
class Verification:
    """What was checked, and what is wrong.

    Attributes
    ----------
    versions, files, decisions : int
        How many were found whole.
    problems : tuple of str
        One sentence each; empty where all is well.
    leftovers : tuple of str
        Files that writers left who did not finish; no version refers to them.
    """

    versions: int
    files: int
    decisions: int
    problems: tuple[str, ...]
    leftovers: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "versions": self.versions,
            "files": self.files,
            "decisions": self.decisions,
            "problems": list(self.problems),
            "leftovers": list(self.leftovers),
        }


def verification(store: Store, names: Sequence[str], *, everything: bool) -> Verification:
    """Check all versions, files and decisions of some models.

    Parameters
    ----------
    store : Store
    names : sequence of str
        Models.
    everything : bool
        Whether to look for leftovers and foreign files too.
    """
    whole = {"versions": 0, "files": 0, "decisions": 0}
    problems: list[str] = []
    for name in names:
        _check_model(store, name, whole, problems)
    left = leftovers(store) if everything else []
    if everything:
        problems += _foreign(store, {one.path for one in left})
    return Verification(
        **whole, problems=tuple(problems), leftovers=tuple(one.path for one in left)
    )


def _check_model(store: Store, name: str, whole: dict[str, int], problems: list[str]) -> None:
    own = Versions(store, name)
    numbers = own.numbers()
    for number in numbers:
        try:
            version = own.read(number)
            whole["versions"] += 1
        except BrokenFile as error:
            problems.append(str(error))
            continue
        for file in version.files:
            try:
                own.file(version, file)
                whole["files"] += 1
            except BrokenFile as error:
                problems.append(str(error))
    try:
        history = Decisions(store, f"models/{name}/decisions").all()
    except BrokenFile as error:
        problems.append(str(error))
        return
    whole["decisions"] += len(history)
    problems.extend(
        f"a decision is about a version that is not there (where: {name}; got: {one})"
        for one in history
        if one.version not in numbers
    )


def leftovers(store: Store) -> list[Found]:
    """Files of writers that did not finish.

    Where a manifest cannot be read, the files of its model are left out: one of them may be its.
    """
    found = store.find("")
    kept: dict[str, set[str] | None] = {}
    left = []
    for one in found:
        parts = one.path.split("/")
        if parts[-1].startswith(UNFINISHED):
            left.append(one)
        elif len(parts) == 5 and parts[0] == "models" and parts[2] == "files":
            if parts[1] not in kept:
                kept[parts[1]] = _folders_in_use(store, parts[1])
            in_use = kept[parts[1]]
            if in_use is not None and parts[3] not in in_use:
                left.append(one)
    return left


def _folders_in_use(store: Store, name: str) -> set[str] | None:
    own = Versions(store, name)
    try:
        return {own.read(number).folder for number in own.numbers()}
    except BrokenFile:
        return None


def _foreign(store: Store, left: set[str]) -> list[str]:
    """Files that no registry writes, and files in a version's folder that it does not name."""
    named: set[str] = {"registry.json"}
    unsure: set[str] = set()
    found = [one.path for one in store.find("") if one.path not in left]
    for name in {path.split("/")[1] for path in found if path.startswith("models/")}:
        own = Versions(store, name)
        for number in own.numbers():
            try:
                version = own.read(number)
            except BrokenFile:
                unsure.add(name)
                continue
            named.update(own.path(version, file) for file in version.files)
    problems = []
    for path in found:
        parts = path.split("/")
        model = parts[1] if len(parts) > 2 and parts[0] == "models" else ""
        group = parts[2] if model else ""
        numbered = len(parts) == 4 and parts[3].endswith(".json") and parts[3][:-5].isdecimal()
        if path in named or (group in ("versions", "decisions") and numbered):
            continue
        if not (group == "files" and model in unsure):
            problems.append(f"a file that the registry did not write (where: {path})")
    return problems

"""A list of versions in which one that cannot be used does not hide the others."""

from __future__ import annotations

from dataclasses import dataclass

from leadlab.errors import BrokenFile
from leadlab.registry.stages import State
from leadlab.registry.version import Version
from leadlab.registry.versions import Versions


@dataclass(frozen=True)
class Listed:
    """One line of a list of versions.

    Attributes
    ----------
    model : str
    number : int
    stage : str or None
    version : Version or None
        None where its manifest cannot be used.
    problem : str or None
        Why it cannot.
    """

    model: str
    number: int
    stage: str | None
    version: Version | None
    problem: str | None = None


def listed(own: Versions, state: State) -> list[Listed]:
    """All versions of one model, with their stages."""
    found = []
    for number in own.numbers():
        stage = state.stage(number)
        try:
            found.append(Listed(own.model, number, stage, own.read(number)))
        except BrokenFile as error:
            found.append(Listed(own.model, number, stage, None, str(error)))
    return found

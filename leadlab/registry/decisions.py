"""The append-only log of decisions: one file each, numbered, chained, and written once.

A decision is made on the last one that was read and takes the number after it. That number can be
taken once only (see `Store.create`), so of two who decide at once one is told who was first.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from leadlab.errors import BrokenFile, Overtaken
from leadlab.models.files.members import sha256
from leadlab.registry.sealed import LARGEST_BYTES, seal, unseal
from leadlab.registry.stages import State
from leadlab.registry.store import Store, Taken

FAMILY = "leadlab-decision"
_FILE = re.compile(r"(\d{6})\.json")


@dataclass(frozen=True)
class Decision:
    """One entry of a model's history.

    Attributes
    ----------
    number : int
        1, 2, ...
    action : str
        "promote", "roll back" or "remove challenger".
    version : int
        Whom it was about: the promoted, the restored, the removed.
    stage : str
        What that version is now.
    at : str
        ISO 8601; given by the caller.
    who, why : str or None
        Given by the caller.
    state : State
        All stages afterwards.
    previous : str
        sha256 of the file of the decision before; empty for the first.
    token : str
        Tells two equal decisions apart.
    """

    number: int
    action: str
    version: int
    stage: str
    at: str
    who: str | None
    why: str | None
    state: State
    previous: str
    token: str

    def __str__(self) -> str:
        by = f" by {self.who}" if self.who else ""
        return f"decision {self.number}: {self.action} {self.version} ({self.stage}){by}, {self.at}"

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "state": self.state.to_json()}


class Decisions:
    """The log of one model.

    Parameters
    ----------
    store : Store
    folder : str
        Where the model's decisions are.
    """

    def __init__(self, store: Store, folder: str) -> None:
        self.store, self.folder = store, folder

    def head(self) -> tuple[Decision | None, str]:
        """The last decision and the sha256 of its file; None and "" before the first.

        Raises
        ------
        BrokenFile
            If it cannot be read, or one before it is gone.
        """
        numbers = self._numbers()
        return self._read(numbers[-1]) if numbers else (None, "")

    def state(self) -> State:
        """Stages as they are now."""
        last, _ = self.head()
        return last.state if last else State()

    def all(self) -> list[Decision]:
        """The whole history, first to last, each link of the chain checked.

        Raises
        ------
        BrokenFile
            If one is gone, altered, or does not follow from the one before.
        """
        found: list[Decision] = []
        link = ""
        for number in self._numbers():
            one, own = self._read(number)
            if one.previous != link:
                raise BrokenFile(
                    "a decision does not follow the one before it",
                    where=self._path(number),
                    hint="The history was altered; take it from a backup.",
                )
            found.append(one)
            link = own
        return found

    def append(
        self,
        decide: Callable[[State], tuple[State, int]],
        *,
        action: str,
        at: str,
        who: str | None,
        why: str | None,
        after: int | None = None,
    ) -> Decision:
        """Decide on the present state, unless somebody else does so first.

        Parameters
        ----------
        decide : callable
            From the present state to the next, and the version that it is about.
        action, at, who, why : str
            As in `Decision`.
        after : int, optional
            The last decision that the caller knows of; any when not given.

        Raises
        ------
        Overtaken
            If another decision was made since; nothing is changed.
        """
        last, link = self.head()
        number = last.number + 1 if last else 1
        if after is not None and after != number - 1:
            raise self._overtaken(action, last)
        state, version = decide(last.state if last else State())
        one = Decision(
            number=number,
            action=action,
            version=version,
            stage=state.stage(version) or "",
            at=at,
            who=who,
            why=why,
            state=state,
            previous=link,
            token=secrets.token_hex(8),
        )
        try:
            self.store.create(self._path(number), seal(FAMILY, one.to_json()))
        except Taken as taken:
            raise self._overtaken(action, self._read(number)[0]) from taken
        return one

    def _overtaken(self, action: str, winner: Decision | None) -> Overtaken:
        return Overtaken(
            f"somebody else decided first, so nothing was done ({action})",
            where=self.folder,
            got=str(winner) if winner else "no decision yet",
            hint="Look at the history, and decide anew.",
        )

    def _path(self, number: int) -> str:
        return f"{self.folder}/{number:06d}.json"

    def _numbers(self) -> list[int]:
        names = [one.path.rsplit("/", 1)[1] for one in self.store.find(self.folder)]
        numbers = sorted(int(m[1]) for m in map(_FILE.fullmatch, names) if m)
        if numbers != list(range(1, len(numbers) + 1)):
            lost = next(i for i, n in enumerate(numbers, 1) if i != n)
            raise BrokenFile(
                "a decision of the history is gone",
                where=self._path(lost),
                hint="Take it from a backup.",
            )
        return numbers

    def _read(self, number: int) -> tuple[Decision, str]:
        path = self._path(number)
        where = f"{self.store.address}/{path}"
        data = self.store.read(path, LARGEST_BYTES)
        if data is None:
            raise BrokenFile("a decision is gone", where=where)
        body = unseal(data, FAMILY, where=where)
        try:
            one = Decision(**{**body, "state": State.from_json(body["state"])})
            if one.number != number:
                raise ValueError(f"it says that it is number {one.number}")
        except (KeyError, TypeError, ValueError) as error:
            raise BrokenFile("no decision", where=where, got=str(error)[:100]) from error
        return one, sha256(data)

"""Which version is in use: states, and the decisions that lead from one to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from leadlab.errors import BadInput, UnknownName

STAGES = ("champion", "challenger", "archived")


@dataclass(frozen=True, slots=True)
class State:
    """Stages of a model's versions.

    Whoever is displaced, rolled back or removed is archived; an archived version can be promoted
    again.

    Attributes
    ----------
    champions : tuple of int
        The way back: champions that a roll-back can return to, the present one last.
    challenger : int or None
    archived : tuple of int
        Tried once, and in no use now; ascending.

    Examples
    --------
    >>> state = promoted(promoted(State(), 1, "champion"), 2, "champion")
    >>> state.champion, state.stage(1), rolled_back(state).champion
    (2, 'archived', 1)
    """

    champions: tuple[int, ...] = ()
    challenger: int | None = None
    archived: tuple[int, ...] = ()

    @property
    def champion(self) -> int | None:
        """The version in use."""
        return self.champions[-1] if self.champions else None

    def stage(self, number: int) -> str | None:
        """Stage of a version; None for one that was never promoted."""
        if number == self.champion:
            return "champion"
        if number == self.challenger:
            return "challenger"
        return "archived" if number in self.archived else None

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "champions": list(self.champions),
            "challenger": self.challenger,
            "archived": list(self.archived),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> State:
        """The inverse of `to_json`."""
        challenger = content["challenger"]
        return cls(
            tuple(int(n) for n in content["champions"]),
            None if challenger is None else int(challenger),
            tuple(int(n) for n in content["archived"]),
        )


def promoted(state: State, number: int, stage: str) -> State:
    """The state after a version is given a stage.

    Raises
    ------
    UnknownName
        If there is no such stage.
    BadInput
        If the version has it already, or the champion would be put aside without another.
    """
    if stage not in STAGES:
        raise UnknownName("stage", stage, STAGES)
    if state.stage(number) == stage:
        raise BadInput(f"version {number} is {stage} already")
    if number == state.champion:
        raise BadInput(
            f"version {number} is the champion; it is only replaced",
            expected="another champion, or a roll-back",
        )
    if stage == "champion":
        after = replace(state, champions=(*state.champions, number))
        if number == state.challenger:
            after = replace(after, challenger=None)
        return _archive(after, state.champion)
    if stage == "challenger":
        return _archive(replace(state, challenger=number), state.challenger)
    if number == state.challenger:
        return without_challenger(state)
    return _archive(state, number)


def rolled_back(state: State) -> State:
    """The state after the champion before is in use again.

    A version that is the challenger now leaves that place when it becomes champion again.

    Raises
    ------
    BadInput
        If there was none.
    """
    if len(state.champions) < 2:
        raise BadInput(
            "there is no champion before to go back to",
            got=f"champion {state.champion}" if state.champions else "no champion yet",
        )
    after = replace(state, champions=state.champions[:-1])
    if after.champion == after.challenger:
        after = replace(after, challenger=None)
    return _archive(after, state.champion)


def without_challenger(state: State) -> State:
    """The state after the challenger is put aside.

    Raises
    ------
    BadInput
        If there is none.
    """
    if state.challenger is None:
        raise BadInput("there is no challenger")
    return _archive(replace(state, challenger=None), state.challenger)


def _archive(state: State, number: int | None) -> State:
    """Put one aside, and keep apart those that are in use."""
    tried = {*state.archived} | ({number} if number is not None else set())
    return replace(state, archived=tuple(sorted(tried - {state.champion, state.challenger})))

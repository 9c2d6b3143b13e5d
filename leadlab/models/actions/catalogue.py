"""The actions a team may take: a checked table with costs, preconditions and declared priors.

The priors are opinions with a width, by action and situation. They are no estimates: what a model
of conversions says would happen to a lead with another feature value is association, not the effect
of an action. Effects are learned from logged recommendations (`leadlab.models.actions.beliefs`).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from leadlab.errors import BadInput, UnknownName
from leadlab.models.churn.interventions import NO_CONTACT, PLAYS, holds
from leadlab.schema.fields import Name, Record

WAIT = "wait"
Condition = tuple[str, float, float]
"""A feature, the least and the most; NaN never holds."""
Channel = Literal["call", "sms", "email", "task", "none"]
Family = Literal["immediate response", "engagement", "nurturing", "conversion", "none"]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Effect = Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)]


class Prior(Record):
    """What is believed of an action before anything was observed.

    Attributes
    ----------
    otherwise : float
        Expected change of the outcome's probability against waiting.
    by : mapping of str to float
        The same in named situations.
    sd : float
        How wide the belief is.
    """

    otherwise: Effect
    by: dict[str, Effect] = Field(default_factory=dict)
    sd: Amount


class Action(Record):
    """One action.

    Attributes
    ----------
    name, words : str
    family : str
    channel : str
        "call", "sms" and "email" reach the lead and need consent; "task" is for the team.
    minutes, usd : float
        The team's time, and money.
    within_hours : float
        Deadline; 0 for none.
    rest_hours : float
        Least time since the team's last touch.
    when : tuple of (feature, least, most)
        All must hold of what is known of the lead.
    prior : Prior
    """

    name: Name
    family: Family
    channel: Channel
    words: Name
    minutes: Amount
    usd: Amount
    within_hours: Amount = 0.0
    rest_hours: Amount = 0.0
    when: tuple[Condition, ...] = ()
    prior: Prior

    def believed(self, situation: str) -> float:
        """Declared effect in a situation."""
        return self.prior.by.get(situation, self.prior.otherwise)


class Situation(Record):
    """A state that a lead may be in; several may hold, the first in the table counts."""

    name: Name
    when: tuple[Condition, ...] | None = None

    @model_validator(mode="after")
    def _declared(self) -> Self:
        if self.when is None and not any(p.when for p in PLAYS if p.situation == self.name):
            raise ValueError("has no conditions, and no play of churn bears this name")
        return self

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Own conditions, or those of the churn play of the same name."""
        if self.when is not None:
            return self.when
        return next(p.when for p in PLAYS if p.situation == self.name and p.when)


class Terms(Record):
    """What is sought, what it is worth, and how much is explored.

    Attributes
    ----------
    outcome : str
        In words.
    kinds : tuple of str
        Events of the lead that count as the outcome.
    horizon_days : float
        Within how many days of the recommendation.
    outcome_rate : float
        Declared rate while none is observed.
    worth_usd, minute_usd : float
        Of one outcome more; of a minute of the team.
    floor : float
        Least propensity of each eligible action.
    """

    outcome: Name
    kinds: tuple[Name, ...] = Field(min_length=1)
    horizon_days: float = Field(gt=0, allow_inf_nan=False)
    outcome_rate: float = Field(gt=0, lt=1)
    worth_usd: Amount
    minute_usd: Amount
    floor: float = Field(gt=0, lt=1)


class Catalogue(Record):
    """Terms, situations and actions.

    Examples
    --------
    >>> table = catalogue()
    >>> table.situation_of({"request_waiting": 2.0}), table.situation_of({})
    ('no answer yet', 'quiet')
    >>> table.cost_usd(table["call now"])
    6.05
    """

    terms: Terms
    situation: tuple[Situation, ...]
    action: tuple[Action, ...]

    @model_validator(mode="after")
    def _sound(self) -> Self:
        names, places = [a.name for a in self.action], [s.name for s in self.situation]
        for what, given in (("action", names), ("situation", places)):
            if len(set(given)) < len(given):
                raise ValueError(f"two entries of one name under {what}")
        if not self.situation or self.situation[-1].conditions:
            raise ValueError("the last situation must hold always: when = []")
        for action in self.action:
            unknown = set(action.prior.by) - set(places)
            if unknown:
                raise ValueError(
                    f"action '{action.name}' has a prior for no situation {sorted(unknown)}"
                )
        if self.terms.floor * len(self.action) > 1:
            raise ValueError("the floor leaves nothing to choose: floor x actions exceeds 1")
        return self

    @model_validator(mode="after")
    def _idle(self) -> Self:
        idle = [a for a in self.action if a.name == WAIT]
        if not idle or idle[0].channel != NO_CONTACT or idle[0].prior != Prior(otherwise=0, sd=0):
            raise ValueError("an action 'wait' of channel 'none' and effect 0 is needed")
        if idle[0].when or idle[0].rest_hours or idle[0].minutes or idle[0].usd:
            raise ValueError("'wait' costs nothing and is always open")
        return self

    def __getitem__(self, name: str) -> Action:
        for action in self.action:
            if action.name == name:
                return action
        raise UnknownName("action", name, self.names)

    @property
    def names(self) -> list[str]:
        """Actions in the table's order."""
        return [action.name for action in self.action]

    def cost_usd(self, action: Action) -> float:
        """Time and money together."""
        return action.minutes * self.terms.minute_usd + action.usd

    def situation_of(self, known: Mapping[str, float]) -> str:
        """First situation whose conditions hold of what is known of a lead."""
        return next(s.name for s in self.situation if holds(s.conditions, known))


def read_catalogue(path: str | Path) -> Catalogue:
    """Read and check a table of one's own.

    Raises
    ------
    BadInput
        Naming the first entry that cannot be used.

    Examples
    --------
    >>> read_catalogue("nowhere.toml")
    Traceback (most recent call last):
    leadlab.errors.BadInput: cannot read the catalogue of actions (where: nowhere.toml; ...
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            "cannot read the catalogue of actions", where=str(path), got=type(error).__name__
        ) from error
    return _checked(text, str(path))


@cache
def catalogue() -> Catalogue:
    """The table that leadlab brings along.

    Examples
    --------
    >>> catalogue().names[:3]
    ['wait', 'call now', 'answer by text']
    """
    place = files("leadlab.models.actions").joinpath("catalogue.toml")
    return _checked(place.read_text(encoding="utf-8"), "catalogue.toml")


def _checked(text: str, where: str) -> Catalogue:
    try:
        return Catalogue.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise BadInput("not TOML", where=where, got=str(error)) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BadInput(
            f"this catalogue of actions cannot be used: {first['msg']}",
            where=f"{where}: {place}" if place else where,
            got=None if first["type"] == "value_error" else repr(first["input"])[:100],
        ) from error

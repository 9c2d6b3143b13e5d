"""The kinds of condition that a rule may have, as they are written in the file."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from leadlab.schema.fields import Name
from leadlab.stream.alerts.fields import TEXTS, check_field, level_of
from leadlab.stream.alerts.span import LongSpan

Of = Literal["lead", "window"]
Level = Annotated[float, Field(allow_inf_nan=False)] | Name


class Strict(BaseModel):
    """Frozen; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class _OnField(Strict):
    of: Of = "lead"
    field: Name

    @model_validator(mode="after")
    def _known(self) -> Self:
        check_field(self.of, self.field)
        return self


class Threshold(_OnField):
    """Holds at each event (or look at a window) at which the field compares so.

    Attributes
    ----------
    of : str
        "lead" or "window".
    field : str
    op : str
    value : float, str or tuple of str
        A number, a tier, or for a text any of the names given.
    """

    type: Literal["threshold"]
    op: Literal[">", ">=", "<", "<=", "==", "!="] = ">="
    value: Level | tuple[Name, ...]

    @model_validator(mode="after")
    def _comparable(self) -> Self:
        if self.is_text:
            if self.op not in ("==", "!="):
                raise PydanticCustomError("op", "a text is compared by == or != only")
            if isinstance(self.value, float):
                raise PydanticCustomError("text", "this field is compared with names")
        elif isinstance(self.value, tuple):
            raise PydanticCustomError("single", "this field is compared with one value")
        else:
            level_of(self.field, self.value)
        return self

    @property
    def is_text(self) -> bool:
        """Whether names are compared."""
        return self.of == "lead" and self.field in TEXTS

    @property
    def names(self) -> tuple[str, ...]:
        """The names a text is compared with."""
        return self.value if isinstance(self.value, tuple) else (str(self.value),)


class _OnNumber(_OnField):
    @model_validator(mode="after")
    def _numeric(self) -> Self:
        if self.of == "lead" and self.field in TEXTS:
            raise PydanticCustomError("numeric", "a text has no level: use a threshold with ==")
        return self


class Crossing(_OnNumber):
    """Holds when the field goes through a level: up to it or above, or down below it.

    Attributes
    ----------
    first : bool
        Whether a first value counts, with nothing known before it.
    """

    type: Literal["crossing"]
    level: Level
    direction: Literal["up", "down"] = "up"
    first: bool = False

    @model_validator(mode="after")
    def _comparable(self) -> Self:
        level_of(self.field, self.level)
        return self


class Change(_OnNumber):
    """Holds when the field differs by more than `by` from a value within the span before.

    The span is looked at in 8 equal parts: between 7/8 of it and all of it.
    """

    type: Literal["change"]
    by: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    direction: Literal["up", "down", "either"] = "either"
    within: LongSpan


class Absence(Strict):
    """Holds when a span has passed without an event.

    Attributes
    ----------
    of : str
        "lead" or "tenant".
    kinds : tuple of str
        Events that are awaited; any when empty.
    after : tuple of str
        Events that start the wait; the awaited events themselves when empty.
    until : tuple of str
        Events that end the wait for good.
    span : int
        In microseconds.
    """

    type: Literal["absence"]
    of: Literal["lead", "tenant"] = "lead"
    kinds: tuple[Name, ...] = ()
    after: tuple[Name, ...] = ()
    until: tuple[Name, ...] = ()
    span: LongSpan

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if self.after and not self.kinds:
            raise PydanticCustomError("kinds", "with 'after', say in 'kinds' what is awaited")
        both = sorted({*self.kinds} & {*self.after, *self.until} | {*self.after} & {*self.until})
        if both:
            raise PydanticCustomError("twice", "one kind has two meanings: {k}", {"k": both[0]})
        return self


class Combination(Strict):
    """Holds when all, or any, of other rules' conditions held within a span.

    The cooldowns of those rules do not count here.
    """

    type: Literal["combination"]
    all: tuple[Name, ...] = ()
    any: tuple[Name, ...] = ()
    within: LongSpan

    @model_validator(mode="after")
    def _one(self) -> Self:
        if bool(self.all) == bool(self.any):
            raise PydanticCustomError("one", "either 'all' or 'any', with names of rules")
        if len({*self.parts}) < len(self.parts):
            raise PydanticCustomError("repeated", "a rule is named twice")
        return self

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the other rules."""
        return self.all or self.any


Condition = Annotated[
    Threshold | Crossing | Change | Absence | Combination, Field(discriminator="type")
]

"""One rule: when to raise an alert, how grave it is, who is told, and how often."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from leadlab.schema.fields import Name
from leadlab.stream.alerts.conditions import Absence, Combination, Condition, Strict
from leadlab.stream.alerts.fields import TEXTS, unknown
from leadlab.stream.alerts.quiet import Quiet
from leadlab.stream.alerts.severity import Severity, at_least
from leadlab.stream.alerts.span import LongSpan, Span
from leadlab.stream.alerts.template import COMMON, OF_LEAD, check_template

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
"""A short name: small letters, digits, hyphens, underscores."""
_HOUR_US = 3_600_000_000
TIER = "tier"


class Escalation(Strict):
    """What happens to an alert that nobody acknowledged.

    Attributes
    ----------
    after : int
        Since it was sent, in microseconds.
    severity : str or None
        What it becomes; as it was if None.
    routes : tuple of str
        Who else is told.
    """

    after: LongSpan
    severity: Severity | None = None
    routes: tuple[Slug, ...] = ()

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.severity is None and not self.routes:
            raise PydanticCustomError("nothing", "an escalation changes the severity or the routes")
        return self


class Rule(Strict):
    """One rule of the file.

    Attributes
    ----------
    name : str
        Part of every alert's id: a renamed rule is another.
    when : Condition
    where : dict of str to tuple of str
        Only events whose ``kind``, ``agent``, ``source`` or ``tier`` is one of these; of rules on
        leads only.
    severity : str
    cooldown : int
        Least time between two alerts of one key, in microseconds of stream time.
    per : str
        The key that alerts are the same by: "lead" or "tenant".
    silent : bool
        Counts for combinations only.
    escalate, quiet : Escalation or None, Quiet or None
    routes : tuple of str
    action : str or None
        Entry point of ``leadlab.actions`` that is started.
    tenants : tuple of str or None
        Whose events count; everybody's if None.
    message : str
        Template; see `leadlab.stream.alerts.template`.
    """

    name: Slug
    when: Condition
    where: dict[Name, tuple[Name, ...]] = Field(default_factory=dict)
    severity: Severity = "warning"
    cooldown: Span = _HOUR_US
    per: Literal["lead", "tenant"] = "lead"
    silent: bool = False
    escalate: Escalation | None = None
    quiet: Quiet | None = None
    routes: tuple[Slug, ...] = ("app",)
    action: Name | None = None
    tenants: tuple[Name, ...] | None = Field(default=None, min_length=1)
    message: Annotated[str, Field(min_length=1)]

    @property
    def reach(self) -> Literal["lead", "window", "tenant", "combination"]:
        """What the condition looks at."""
        return "combination" if isinstance(self.when, Combination) else self.when.of

    @property
    def message_fields(self) -> tuple[str, ...]:
        """What the message may name."""
        match self.reach:
            case "lead" if isinstance(self.when, Absence):
                return (*COMMON, "lead")
            case "lead":
                return (*COMMON, *OF_LEAD)
            case "window":
                return (*COMMON, "value")
            case "combination" if self.per == "lead":
                return (*COMMON, "lead")
            case _:
                return COMMON

    @model_validator(mode="after")
    def _filters(self) -> Self:
        for field in self.where:
            if field not in (*TEXTS, TIER):
                raise unknown("field to filter by", field, (*TEXTS, TIER), "where")
        if self.where and (self.reach != "lead" or isinstance(self.when, Absence)):
            raise PydanticCustomError("where", "'where' is for conditions on events of a lead")
        return self

    @model_validator(mode="after")
    def _keyed(self) -> Self:
        if self.per == "lead" and self.reach in ("window", "tenant"):
            raise PydanticCustomError("per", "this condition knows no lead: write per: tenant")
        lower = self.escalate and self.escalate.severity
        if lower and not at_least(lower, self.severity):
            raise PydanticCustomError("lower", "an escalation cannot lower the severity")
        return self

    @model_validator(mode="after")
    def _message(self) -> Self:
        check_template(self.message, self.message_fields)
        return self

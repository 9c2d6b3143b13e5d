"""The file of rules: YAML, read whole and checked whole before any of it is used."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from leadlab.errors import BadInput
from leadlab.stream.alerts.actions import action_names
from leadlab.stream.alerts.conditions import Combination, Strict
from leadlab.stream.alerts.fields import unknown
from leadlab.stream.alerts.routes import Route
from leadlab.stream.alerts.rule import Rule, Slug
from leadlab.stream.alerts.rules_error import refusal, where_in

LARGEST = 1_000_000
"""Bytes of a file of rules."""


class RulesFile(Strict):
    """Ways out, and rules.

    Attributes
    ----------
    version : int
    routes : dict of str to Route
    rules : tuple of Rule

    Examples
    --------
    >>> [rule.name for rule in default_rules().rules][:2]
    ['became-hot', 'inquiry-unanswered']
    """

    version: Literal[1]
    routes: dict[Slug, Route]
    rules: tuple[Rule, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _names(self) -> Self:
        names = [rule.name for rule in self.rules]
        twice = next((n for n in names if names.count(n) > 1), None)
        if twice:
            raise PydanticCustomError("twice", "two rules are named '{name}'", {"name": twice})
        silent = {rule.name for rule in self.rules if rule.silent}
        used: set[str] = set()
        for rule in self.rules:
            self._check_routes(rule)
            self._check_action(rule)
            if isinstance(rule.when, Combination):
                self._check_parts(rule, rule.when)
                used |= {*rule.when.parts}
        if silent - used:
            raise PydanticCustomError(
                "unused", "rule '{name}' is silent and in no combination",
                {"name": min(silent - used)},
            )  # fmt: skip
        return self

    def _check_routes(self, rule: Rule) -> None:
        later = rule.escalate.routes if rule.escalate else ()
        for name in (*rule.routes, *later):
            if name not in self.routes:
                raise unknown("route", name, self.routes, "rule", rule.name, "routes")
            limited = self.routes[name].tenants
            if limited is not None and not (rule.tenants and {*rule.tenants} <= {*limited}):
                raise PydanticCustomError(
                    "tenants", "rule '{rule}' would tell route '{route}' of other tenants",
                    {"rule": rule.name, "route": name, "at": ("rule", rule.name, "routes")},
                )  # fmt: skip

    def _check_action(self, rule: Rule) -> None:
        if rule.action is not None and rule.action not in action_names():
            raise unknown("action", rule.action, action_names(), "rule", rule.name, "action")

    def _check_parts(self, rule: Rule, when: Combination) -> None:
        by_name = {r.name: r for r in self.rules}
        for name in when.parts:
            part = by_name.get(name)
            if part is None:
                raise unknown("rule", name, by_name, "rule", rule.name, "when")
            if part.reach == "combination":
                raise PydanticCustomError(
                    "nested", "a combination cannot be part of another",
                    {"at": ("rule", rule.name, "when")},
                )  # fmt: skip
        reaches = {by_name[name].reach for name in when.parts}
        if rule.per == "lead" and "lead" not in reaches:
            raise PydanticCustomError(
                "per", "no part of '{rule}' knows a lead: write per: tenant", {"rule": rule.name}
            )


class _Loader(yaml.SafeLoader):
    """YAML's safe loader, but a key given twice is an error, and days are text."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key, _ in node.value:
        name = loader.construct_object(key, deep=True)
        if not isinstance(name, str):
            raise yaml.constructor.ConstructorError(
                None, None, f"a key is no text: {name!r}", key.start_mark
            )
        if name in seen:
            raise yaml.constructor.ConstructorError(
                None, None, f"'{name}' is given twice", key.start_mark
            )
        seen.add(name)
    return loader.construct_mapping(node, deep=True)


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)


def read_rules(path: str | Path) -> RulesFile:
    """Read and check a file of rules.

    Raises
    ------
    BadInput
        Naming file, line, rule and field of the first thing that cannot be used.
    UnknownName
        For a name that nothing bears, with close ones.

    Examples
    --------
    >>> read_rules("nowhere.yaml")
    Traceback (most recent call last):
    leadlab.errors.BadInput: cannot read the rules (where: nowhere.yaml; ...
    """
    try:
        content = Path(path).read_bytes()
        text = content.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            "cannot read the rules", where=str(path), got=type(error).__name__
        ) from error
    return parse_rules(text, str(path))


def parse_rules(text: str, where: str) -> RulesFile:
    """The same for text; `where` names its source in errors.

    Examples
    --------
    >>> parse_rules("version: 1", "here")
    Traceback (most recent call last):
    leadlab.errors.BadInput: Field required (where: here: routes)
    """
    if len(text) > LARGEST:
        raise BadInput("the rules are too long", where=where, got=len(text), expected=LARGEST)
    try:
        raw = yaml.load(text, _Loader)  # noqa: S506  (a safe loader)
        node = yaml.compose(text, yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{where}:{mark.line + 1}" if mark else where
        problem = getattr(error, "problem", None) or str(error)[:200]
        raise BadInput("not YAML that can be used", where=place, got=problem) from error
    if not isinstance(raw, dict):
        raise BadInput("no rules", where=where, expected="version, routes and rules")
    try:
        return RulesFile.model_validate(raw)
    except ValidationError as error:
        raise refusal(error, raw, where_in(node), where) from error


@cache
def default_rules() -> RulesFile:
    """The rules that leadlab brings along; they tell the app only."""
    place = files("leadlab.stream.alerts").joinpath("default.yaml")
    return parse_rules(place.read_text(encoding="utf-8"), "default.yaml")

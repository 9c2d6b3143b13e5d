"""What is wrong with a file of rules, in one sentence: where, what was there, what could be."""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import yaml
from pydantic import ValidationError

from leadlab.errors import BadInput, LeadlabError, UnknownName
from leadlab.stream.alerts import conditions, routes
from leadlab.stream.alerts.quiet import Quiet
from leadlab.stream.alerts.rule import Escalation, Rule

_TYPES = ("threshold", "crossing", "change", "absence", "combination", "app", "webhook", "smtp")
_FORMS: tuple[type[conditions.Strict], ...] = (
    Rule, Escalation, Quiet, conditions.Threshold, conditions.Crossing, conditions.Change,
    conditions.Absence, conditions.Combination, routes.AppRoute, routes.WebhookRoute,
    routes.MailRoute,
)  # fmt: skip
Loc = Sequence[int | str]


def where_in(root: yaml.Node | None) -> Callable[[Loc], int | None]:
    """A function from a place in the content to the line that it is on, counted from 1."""

    def line(loc: Loc) -> int | None:
        node, found = root, None
        for part in loc:
            if isinstance(node, yaml.SequenceNode) and isinstance(part, int):
                node = node.value[part] if part < len(node.value) else None
            elif isinstance(node, yaml.MappingNode):
                pairs = [(k, v) for k, v in node.value if getattr(k, "value", None) == str(part)]
                if not pairs:
                    continue  # the name of a form, which the file does not hold
                found, node = pairs[0][0].start_mark.line + 1, pairs[0][1]
                continue
            if node is None:
                break
            found = node.start_mark.line + 1
        return found

    return line


def refusal(
    error: ValidationError, raw: Mapping[str, Any], line: Callable[[Loc], int | None], source: str
) -> LeadlabError:
    """The first thing that was found wrong."""
    first = error.errors(include_url=False)[0]
    kind, context = first["type"], first.get("ctx", {})
    loc = (*first["loc"], *_below(context.get("at", ()), raw))
    number = line(loc)
    at = _place(loc, raw)
    place = source if number is None else f"{source}:{number}"
    where = f"{place}: {at}" if at else place
    if kind == "unknown_name":
        return UnknownName(context["what"], context["name"], context["known"], where=where)
    if kind == "extra_forbidden":
        return UnknownName("field", str(loc[-1]), _known_beside(loc), where=where)
    if kind == "union_tag_invalid":
        known = [word.strip("' ") for word in str(context["expected_tags"]).split(",")]
        return UnknownName("type", str(context["tag"]), known, where=f"{where}.type")
    shown = kind in ("missing", "union_tag_not_found") or isinstance(first["input"], dict)
    return BadInput(
        _plain(first["msg"]),
        where=where,
        got=None if shown or isinstance(first["input"], conditions.Strict)
        else reprlib.repr(first["input"]),
        expected=context.get("expected") or context.get("pattern"),
        hint=_hint(first["input"], context.get("expected")),
    )  # fmt: skip


def _below(at: Loc, raw: Mapping[str, Any]) -> Loc:
    """The rest of a place, where a validator said ``rule NAME`` or the name of a field."""
    if at[:1] != ("rule",):
        return at
    names = [rule.get("name") for rule in raw["rules"]]
    return ("rules", names.index(at[1]), *at[2:])


def _plain(text: str) -> str:
    return text.removeprefix("Value error, ").removesuffix(".")


def _hint(given: Any, expected: Any) -> str | None:
    words = [word.strip("' ") for word in str(expected or "").replace(" or ", ",").split(",")]
    close = difflib.get_close_matches(str(given), words, n=1)
    return f"Did you mean '{close[0]}'?" if close else None


def _place(loc: Loc, raw: Mapping[str, Any]) -> str:
    """``rule 'became-hot': when.level`` for ("rules", 0, "when", "crossing", "level")."""
    parts = [*loc]
    head = ""
    if parts[:1] == ["rules"] and len(parts) > 1 and isinstance(parts[1], int):
        entry = raw["rules"][parts[1]]
        name = entry.get("name") if isinstance(entry, dict) else None
        head = f"rule '{name}'" if name else f"rule {parts[1] + 1}"
        parts = parts[2:]
    own = [str(p) for i, p in enumerate(parts) if not (i and p in _TYPES) and not _form(p)]
    return f"{head}: {'.'.join(own)}" if head and own else head or ".".join(own)


def _form(part: int | str) -> bool:
    """Whether a part of a place is one of Pydantic's own, for a member of a union."""
    return isinstance(part, str) and ("[" in part or part in ("str", "float"))


def _known_beside(loc: Loc) -> list[str]:
    """Fields that may stand where an unknown one was found."""
    tag = next((p for p in reversed(loc[:-1]) if p in _TYPES), None)
    beside = loc[-2] if len(loc) > 1 else None
    form = next(
        (
            f
            for f in _FORMS
            if (beside == "escalate" and f is Escalation)
            or (beside == "quiet" and f is Quiet)
            or (isinstance(beside, int) and f is Rule)
            or (beside == tag and tag is not None and _tag(f) == tag)
        ),
        None,
    )
    if form is None:
        return ["version", "routes", "rules"]
    return [field.alias or name for name, field in form.model_fields.items()]


def _tag(form: type[conditions.Strict]) -> str | None:
    field = form.model_fields.get("type")
    return None if field is None else str(field.annotation.__args__[0])  # type: ignore[union-attr]

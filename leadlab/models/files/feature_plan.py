"""The feature plan that a model was trained with: its hash, and what differs from another plan.

A plan is what `FeatureSet.to_json` gives. Two plans of one hash compute the same columns; a model
states the hash of its own (``plan_hash_``, from the table it was fitted on), so that columns of one
plan never reach a model of another.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from leadlab.errors import BadInput
from leadlab.features.feature_set import FeatureSet

Plan = Mapping[str, Any]
_SHOWN = 6
"""Differences that a message spells out."""


def plan_hash(plan: Plan) -> str:
    """sha256 of a plan, whatever the order of its keys.

    Examples
    --------
    >>> from leadlab.features import count, events
    >>> plan = FeatureSet([count(events("Visit", noun="visit"), "7d")]).to_json()
    >>> plan_hash(plan) == plan_hash(dict(reversed(plan.items())))
    True
    """
    text = json.dumps(plan, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def plan_difference(before: Plan, after: Plan) -> list[str]:
    """What differs between two plans, one phrase a difference; empty where none does.

    Examples
    --------
    >>> from leadlab.features import count, events
    >>> visits = events("Visit", noun="visit")
    >>> week, month = count(visits, "7d"), count(visits, "30d")
    >>> one = FeatureSet([week]).to_json()
    >>> plan_difference(one, FeatureSet([month], tz="America/Denver").to_json())
    ['- visit_count_7d', '+ visit_count_30d', "tz: 'UTC', now 'America/Denver'"]
    """
    old = {f["name"]: _settled(f) for f in before["features"]}
    new = {f["name"]: _settled(f) for f in after["features"]}
    found = [f"- {name}" for name in old if name not in new]
    found += [f"+ {name}" for name in new if name not in old]
    for name in (n for n in old if n in new):
        keys = sorted(old[name].keys() | new[name].keys())
        for key in keys:
            was, now = old[name].get(key), new[name].get(key)
            if was != now:
                found.append(f"{name}.{key}: {was!r}, now {now!r}")
    if not found and list(old) != list(new):
        found.append("the same features in another order")
    if before.get("tz") != after.get("tz"):
        found.append(f"tz: {before.get('tz')!r}, now {after.get('tz')!r}")
    return found


def _settled(feature: Mapping[str, Any]) -> dict[str, Any]:
    """As it would be read back from a file: lists for tuples."""
    content: dict[str, Any] = json.loads(json.dumps(feature))
    return content


def same_plan(trained: Plan, given: Plan, *, where: str) -> None:
    """Hold a plan to the one that a model was trained with.

    Raises
    ------
    BadInput
        If they differ, with the differences.
    """
    if plan_hash(trained) == plan_hash(given):
        return
    found = plan_difference(trained, given)
    more = f", and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    raise BadInput(
        "this is not the feature plan that the model was trained with",
        where=where,
        got=f"plan {plan_hash(given)[:12]}: {'; '.join(found[:_SHOWN])}{more}",
        expected=f"plan {plan_hash(trained)[:12]}",
        hint="Build the features with the plan of the model.",
    )


def check_plan(model: object, plan: Plan | None, *, where: str) -> None:
    """Hold a plan to what a fitted model says of itself.

    Parameters
    ----------
    model : object
        Its ``plan_hash_``, where it has one, must be the plan's; its ``feature_names_in_``, where
        training had names, must be the plan's features in order.
    plan : mapping or None
        None, for a model of a bare matrix, fits a model that states no hash.
    where : str
        What to name in an error.

    Raises
    ------
    BadInput
        If the model was trained with another plan.
    """
    stated = str(getattr(model, "plan_hash_", "") or "")
    if plan is None:
        if stated:
            raise BadInput(
                "the model was trained with a feature plan, and none is given",
                where=where,
                expected=f"plan {stated[:12]}",
            )
        return
    names = [str(f["name"]) for f in plan["features"]]
    columns = [str(n) for n in getattr(model, "feature_names_in_", names)]
    if columns != names and getattr(model, "named_", True):
        raise BadInput(
            "the feature plan is not that of the model's columns",
            where=where,
            got=_columns_apart(columns, names),
            expected=f"the {len(columns)} columns of training, in order",
        )
    if len(columns) != len(names):
        raise BadInput(
            "the feature plan has another number of features than the model",
            where=where,
            got=len(names),
            expected=len(columns),
        )
    if stated and stated != plan_hash(plan):
        raise BadInput(
            "this is not the feature plan that the model was trained with",
            where=where,
            got=f"plan {plan_hash(plan)[:12]}, of the same names but other definitions",
            expected=f"plan {stated[:12]}",
        )


def _columns_apart(columns: list[str], names: list[str]) -> str:
    lost = [f"- {n}" for n in columns if n not in names]
    odd = [f"+ {n}" for n in names if n not in columns]
    return "; ".join([*lost, *odd][:_SHOWN]) or "the same names in another order"


def plan_of(X: object) -> str:
    """Hash of the plan that a table was built with; empty for a table that states none.

    Examples
    --------
    >>> plan_of([[1.0]])
    ''
    """
    features = getattr(X, "features", None)
    return plan_hash(features.to_json()) if isinstance(features, FeatureSet) else ""

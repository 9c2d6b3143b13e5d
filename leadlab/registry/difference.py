"""What changed from one version of a model to another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from leadlab.models.files.feature_plan import Plan, plan_difference
from leadlab.registry.version import Version

Pair = tuple[Any, Any]


@dataclass(frozen=True)
class Difference:
    """Everything that is not the same in two versions; what is the same is left out.

    Attributes
    ----------
    before, after : str
        Names of the versions.
    data : (str, str) or None
        Fingerprints of the training sets, where they differ.
    features_added, features_removed : tuple of str
    features_changed : tuple of str
        Definitions of the same name that differ, and their order or zone, in words.
    settings, libraries, code, card : mapping of str to (before, after)
        None on a side that lacks it.
    metrics : mapping of str to (before, after, change)
        Every figure of either side; the change is None where one side lacks it.
    parents : (list, list) or None
    """

    before: str
    after: str
    data: Pair | None
    features_added: tuple[str, ...]
    features_removed: tuple[str, ...]
    features_changed: tuple[str, ...]
    settings: Mapping[str, Pair]
    metrics: Mapping[str, tuple[Any, Any, float | None]]
    libraries: Mapping[str, Pair]
    code: Mapping[str, Pair]
    card: Mapping[str, Pair]
    parents: Pair | None

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    def to_frame(self) -> pd.DataFrame:
        """One row a difference: part, name, before, after, change."""
        rows: list[tuple[str, str, Any, Any, Any]] = []
        if self.data:
            rows.append(("data", "fingerprint", *self.data, None))
        rows += [("feature", name, None, "added", None) for name in self.features_added]
        rows += [("feature", name, "removed", None, None) for name in self.features_removed]
        rows += [("feature", text, None, None, "changed") for text in self.features_changed]
        rows += [("setting", name, *pair, None) for name, pair in self.settings.items()]
        rows += [("metric", name, *three) for name, three in self.metrics.items()]
        for part, pairs in (("library", self.libraries), ("code", self.code), ("card", self.card)):
            rows += [(part, name, *pair, None) for name, pair in pairs.items()]
        if self.parents:
            rows.append(("parents", "", *self.parents, None))
        columns = ["part", "name", "before", "after", "change"]
        return pd.DataFrame(rows, columns=columns, dtype=object)


def difference(
    old: Version, new: Version, old_plan: Plan | None, new_plan: Plan | None
) -> Difference:
    """Compare two versions.

    Parameters
    ----------
    old, new : Version
    old_plan, new_plan : mapping or None
        Their feature plans.
    """
    changed: tuple[str, ...] = ()
    if old_plan is not None and new_plan is not None:
        told = plan_difference(old_plan, new_plan)
        changed = tuple(t for t in told if not t.startswith(("+ ", "- ")))
    return Difference(
        before=old.name,
        after=new.name,
        data=_pair(old.data_hash, new.data_hash),
        features_added=tuple(f for f in new.features if f not in old.features),
        features_removed=tuple(f for f in old.features if f not in new.features),
        features_changed=changed,
        settings=_pairs(old.settings, new.settings),
        metrics=_metrics(old.metrics, new.metrics),
        libraries=_pairs(old.libraries, new.libraries),
        code=_pairs(old.code, new.code),
        card=_pairs(asdict(old.card), asdict(new.card)),
        parents=_pair(list(old.parents), list(new.parents)),
    )


def _pair(before: Any, after: Any) -> Pair | None:
    return None if before == after else (before, after)


def _pairs(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Pair]:
    names = dict.fromkeys([*before, *after])
    return {
        name: (before.get(name), after.get(name))
        for name in names
        if before.get(name) != after.get(name)
    }


def _metrics(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> dict[str, tuple[Any, Any, float | None]]:
    found: dict[str, tuple[Any, Any, float | None]] = {}
    for name in dict.fromkeys([*before, *after]):
        was, now = before.get(name), after.get(name)
        change = None
        if isinstance(was, (int, float)) and isinstance(now, (int, float)):
            change = now - was
        found[name] = (was, now, change)
    return found

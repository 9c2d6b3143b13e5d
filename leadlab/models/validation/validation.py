"""One report object for every model: all that can be said of its probabilities on unseen rows.

Anything with ``predict_proba`` can be judged, on a FeatureTable, a DataFrame or an array; one
horizon or class of several through `validation.one_outcome`. Each part is a module of its own
and gives a frame and JSON; `leadlab.ui.validation` draws them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from leadlab.errors import BadInput
from leadlab.features.table import FeatureTable
from leadlab.models.report import Fitted, Report, evaluate
from leadlab.models.tabular import column_names
from leadlab.models.validation.dependence import Dependence, dependence
from leadlab.models.validation.discrimination import Discrimination, discrimination
from leadlab.models.validation.drift import Drift, drift
from leadlab.models.validation.exposure import Exposure, exposure, refuse_features
from leadlab.models.validation.gain import Gain, gain
from leadlab.models.validation.importance import Importance, families, permutation_importance
from leadlab.models.validation.plain import plain
from leadlab.models.validation.reliability import Reliability, reliability
from leadlab.models.validation.segments import Segments, by_period, by_segment
from leadlab.models.validation.unlabelled import LabelFree, label_free

FORMAT = "leadlab-validation/1"
DRAWN = 6
"""Partial dependence is given of the strongest column of so many families."""
F64 = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Validation:
    """What a model is worth on one test side; a part that is None says why in `absent`.

    Attributes
    ----------
    report : Report
        Figures with intervals, beside the baselines'.
    discrimination, reliability, gain
        Curves and bins of the model and its baselines.
    importance : Importance
        By permutation.
    dependence : Dependence
        Of the strongest columns.
    label_free : LabelFree
        What would have been expected without outcomes, beside what was.
    segments, periods : Segments or None
        By segment, and over time.
    drift : Drift or None
        Against the reference.
    exposure : Exposure or None
        By sensitive group.
    shapley : Importance or None
        Mean absolute Shapley values, as given.
    absent : mapping of str to str
        Why a part is None.
    """

    report: Report
    discrimination: Discrimination
    reliability: Reliability
    gain: Gain
    importance: Importance
    dependence: Dependence
    label_free: LabelFree
    segments: Segments | None = None
    periods: Segments | None = None
    drift: Drift | None = None
    exposure: Exposure | None = None
    shapley: Importance | None = None
    absent: Mapping[str, str] = field(default_factory=dict)

    @property
    def parts(self) -> dict[str, Any]:
        """Parts that are there, by name."""
        found = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "absent"}
        return {name: part for name, part in found.items() if part is not None}

    def to_frame(self) -> pd.DataFrame:
        """The report: one row a model and figure."""
        return self.report.to_frame()

    def to_json(self) -> dict[str, Any]:
        """Every part in plain values, None for NaN and for a part that is absent."""
        told: dict[str, Any] = {one.name: None for one in fields(self)}
        told |= {name: plain(part.to_json()) for name, part in self.parts.items()}
        return {"format": FORMAT, **told, "absent": dict(self.absent)}


class _Told:
    """A model whose answer is known already."""

    def __init__(self, chance: F64) -> None:
        self.chance = chance

    def predict_proba(self, X: Any) -> F64:
        return np.column_stack([1.0 - self.chance, self.chance])


def validate(
    model: Fitted,
    X: Any,
    y: ArrayLike,
    *,
    baselines: Mapping[str, Fitted],
    groups: ArrayLike | None = None,
    at_us: ArrayLike | None = None,
    segments: Mapping[str, ArrayLike] | None = None,
    sensitive: Mapping[str, ArrayLike] | None = None,
    reference: Any = None,
    reference_groups: ArrayLike | None = None,
    columns: Mapping[str, Sequence[str]] | None = None,
    shapley: Importance | None = None,
    capacity: float = 0.1,
    resamples: int = 200,
    seed: int = 0,
    name: str = "model",
) -> Validation:
    """Judge a fitted model on rows that it never saw.

    Parameters
    ----------
    model, baselines
        Anything with ``predict_proba``, fitted elsewhere.
    X : FeatureTable, DataFrame or array, shape (n, k)
    y : array of 0 and 1, shape (n,)
        One class only is no error: what then does not exist is NaN, with the reason.
    groups : array, shape (n,), optional
        Lead of each row: intervals resample whole leads. A FeatureTable brings its own.
    at_us : int array, shape (n,), optional
        Moment of each row, microseconds since 1970-01-01 UTC. A FeatureTable brings its own.
    segments : mapping of str to array, shape (n,), optional
        Fields to judge by.
    sensitive : mapping of str to array, shape (n,), optional
        Fields to audit exposure by, and for nothing else.
    reference : like X, optional
        Training rows; drift is told against them.
    reference_groups : array, optional
        Lead of each reference row.
    columns : mapping of str to names, optional
        Families that are permuted together; those of a FeatureTable, else single columns.
    shapley : Importance, optional
        From `leadlab.explain.importance`, to stand beside the permutation's.
    capacity : int or float
        Number or share of rows that the team can work on.
    resamples : int
        Of every bootstrap.
    seed : int
    name : str
        Of the model.

    Raises
    ------
    BadInput
        If lengths differ, or a sensitive field is among the features.

    Examples
    --------
    >>> from leadlab.models.baselines import BaseRate, Logistic
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame({"calls": rng.normal(size=300), "noise": rng.normal(size=300)})
    >>> y = (X["calls"] + rng.normal(size=300) > 0).astype(int)
    >>> found = validate(
    ...     Logistic().fit(X, y), X, y, baselines={"base rate": BaseRate().fit(X, y)}, resamples=20
    ... )
    >>> found.report.beats("roc_auc"), found.importance.figures["name"].iloc[0]
    ({'base rate': True}, 'calls')
    >>> found.absent["drift"]
    'no reference rows were given'
    """
    label = np.asarray(y)
    if label.ndim != 1 or len(label) != len(X):
        raise BadInput("one outcome a row is needed", where="y", got=label.shape, expected=len(X))
    if isinstance(X, FeatureTable):
        at_us = X.as_of_us if at_us is None else at_us
        groups = leads_of(X) if groups is None else groups
    audited = dict(sensitive or {})
    refuse_features(audited, column_names(X))
    chances = {title: _chance(one, X) for title, one in {name: model, **baselines}.items()}
    own = chances[name]
    again: dict[str, Any] = {"groups": groups, "resamples": resamples, "seed": seed}
    room = {**again, "capacity": capacity}
    told = {title: _Told(chance) for title, chance in chances.items()}
    others = {title: told[title] for title in baselines}
    found = permutation_importance(model, X, label, columns=columns, **again)
    strongest = _strongest(model, X, label, found, columns, seed)
    moved = None
    if reference is not None:
        moved = _drift(model, reference, X, own, reference_groups, groups)
    return Validation(
        report=evaluate(told[name], others, X, label, name=name, **room),
        discrimination=discrimination(label, chances, **again),
        reliability=reliability(label, chances, **again),
        gain=gain(label, chances, **room),
        importance=found,
        dependence=dependence(model, X, strongest),
        label_free=label_free(own, y=label, **room),
        segments=by_segment(label, own, segments, **room) if segments else None,
        periods=None if at_us is None else by_period(label, own, at_us, **room),
        drift=moved,
        exposure=exposure(own, audited, y=label, **room) if audited else None,
        shapley=shapley,
        absent=_absent(segments, at_us, reference, audited, shapley),
    )


def leads_of(table: FeatureTable) -> NDArray[np.int64]:
    """One number per tenant and lead."""
    codes: NDArray[np.int64] = table.tenant.codes.astype(np.int64) * (
        int(table.lead.codes.max(initial=0)) + 2
    )
    return codes + table.lead.codes


def _chance(model: Fitted, X: Any) -> F64:
    return np.asarray(model.predict_proba(X), np.float64)[:, 1]


def _drift(
    model: Fitted,
    before: Any,
    after: Any,
    scores: F64,
    groups_before: ArrayLike | None,
    groups_after: ArrayLike | None,
) -> Drift:
    if isinstance(before, FeatureTable) and groups_before is None:
        groups_before = leads_of(before)
    sizes = (len(before), len(after))
    given = (groups_before, groups_after)
    groups = None
    if any(one is not None for one in given):
        a, b = (np.arange(n) if g is None else g for g, n in zip(given, sizes, strict=True))
        groups = (a, b)
    return drift(before, after, scores=(_chance(model, before), scores), groups=groups)


def _strongest(
    model: Fitted,
    X: Any,
    y: NDArray[Any],
    found: Importance,
    columns: Mapping[str, Sequence[str]] | None,
    seed: int,
) -> list[str]:
    """The strongest column of each of the strongest families."""
    those = columns or families(X)
    chosen = []
    for family in found.figures["name"].head(DRAWN):
        mine = list(those[family])
        if len(mine) > 1:
            alone = {one: [one] for one in mine}
            ranked = permutation_importance(
                model, X, y, columns=alone, repeats=1, resamples=0, seed=seed, most_rows=2_000
            )
            mine = list(ranked.figures["name"])
        chosen.append(mine[0])
    return chosen


def _absent(
    segments: object, at_us: object, reference: object, sensitive: object, shapley: object
) -> dict[str, str]:
    reasons = {
        "segments": (segments, "no segments were given"),
        "periods": (None if at_us is None else True, "no moments were given"),
        "drift": (None if reference is None else True, "no reference rows were given"),
        "exposure": (sensitive, "no sensitive fields were given; groups are never inferred"),
        "shapley": (shapley, "no Shapley values were given"),
    }
    return {name: why for name, (given, why) in reasons.items() if not given}

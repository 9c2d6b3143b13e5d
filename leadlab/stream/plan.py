"""What is computed for a tenant: its models, their features as one set, its tiers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from leadlab.errors import BadInput
from leadlab.explain.churn import ChurnScorer
from leadlab.explain.scorer import Scorer
from leadlab.features.catalogue import catalogue
from leadlab.features.feature import Feature
from leadlab.features.feature_set import FeatureSet
from leadlab.stream.outcome import NO_TIER, TIERS

CONVERTED = ("Offer Accepted", "Closed")
ENDED = ("Lost",)


@dataclass(frozen=True, eq=False)
class Plan:
    """Models of a tenant; without a conversion model rules stand in, and results say so.

    Attributes
    ----------
    conversion : Scorer or None
    churn : ChurnScorer or None
    converted, ended : tuple of str
        Kinds after which a lead's outcome is known; the model's own where it has them.
    warm_lift, hot_lift : float
        Times the base rate of the model's training that a warm and a hot lead promises.
    health : bool
        Compute the catalogue's features too, which health, insights and next actions read.
    extra : FeatureSet, optional
        Further features, which come first.

    Examples
    --------
    >>> plan = Plan()
    >>> plan.conversion is None, "visit_recency" in plan.features.names or len(plan.features) > 50
    (True, True)
    """

    conversion: Scorer | None = None
    churn: ChurnScorer | None = None
    converted: tuple[str, ...] = CONVERTED
    ended: tuple[str, ...] = ENDED
    warm_lift: float = 1.0
    hot_lift: float = 3.0
    health: bool = True
    extra: FeatureSet | None = field(default=None, repr=False)

    @classmethod
    def of(cls, conversion: Scorer | None, churn: ChurnScorer | None = None) -> Plan:
        """The plan that a model's file implies.

        The catalogue's features join in where the model looks at kinds of the catalogue.
        """
        if conversion is None or conversion.about is None:
            return cls(conversion, churn)
        about = conversion.about
        kindred = not conversion.features.kinds.isdisjoint(catalogue().kinds)
        return cls(
            conversion,
            churn,
            about.converted or CONVERTED,
            about.ended or ENDED,
            health=kindred,
        )

    @cached_property
    def features(self) -> FeatureSet:
        """All features that any part of the plan reads, each once."""
        sets = [] if self.extra is None else [self.extra]
        sets += [m.features for m in (self.conversion, self.churn) if m is not None]
        tz = sets[0].tz if sets else "UTC"
        if self.health or not sets:
            sets.append(catalogue(tz))
        return _union(sets, tz)

    def with_conversion(self, conversion: Scorer | None) -> Plan:
        """The same plan with another model; all of the present features stay, in their order.

        Raises
        ------
        BadInput
            If the model reads features that the plan does not compute.
        """
        swapped = replace(self, conversion=conversion, extra=self.features)
        lacking = [n for n in swapped.features.names if n not in self.features.names]
        if lacking:
            raise BadInput(
                "the model reads features that are not computed",
                where=swapped.version,
                got=f"{len(lacking)}, such as {lacking[0]}",
                hint="Start again from the journal with this model.",
            )
        return swapped

    def columns(self, model: FeatureSet) -> NDArray[np.int64]:
        """Where the features of a model are among all of the plan's."""
        place = {name: i for i, name in enumerate(self.features.names)}
        return np.array([place[name] for name in model.names], np.int64)

    @property
    def version(self) -> str:
        """How results name the conversion model; "rules" where there is none."""
        return "rules" if self.conversion is None else self.conversion.version

    @property
    def base_rate(self) -> float:
        """Share that converted in training; a declared 2% where there is no model."""
        if self.conversion is None:
            return 0.02
        return float(self.conversion.model.base_rate_)

    def tiers(self, probability: NDArray[np.float64]) -> NDArray[np.int8]:
        """Tier of each probability, as an index into `TIERS`; `NO_TIER` where it is NaN."""
        cuts = self.base_rate * np.array([self.warm_lift, self.hot_lift])
        tier = np.searchsorted(cuts, probability, side="right").astype(np.int8)
        return np.where(np.isnan(probability), np.int8(NO_TIER), np.minimum(tier, len(TIERS) - 1))


def _union(sets: Iterable[FeatureSet], tz: str) -> FeatureSet:
    joined: dict[str, Feature] = {}
    for features in sets:
        if features.tz != tz:
            raise BadInput(
                "models of one plan with local times of different zones",
                where="features",
                got=features.tz,
                expected=tz,
            )
        for feature in features:
            other = joined.setdefault(feature.name, feature)
            if other != feature:
                raise BadInput(
                    "two models of one plan mean different things by one feature",
                    where=feature.name,
                    hint="Train both on the same catalogue.",
                )
    return FeatureSet(joined.values(), tz=tz)

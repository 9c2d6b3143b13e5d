"""Hot, warm and cold: by what the team has time for and by how much more often leads convert."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from leadlab.errors import BadInput
from leadlab.models import metrics
from leadlab.models.calibration.choice import scores
from leadlab.models.tier_cuts import Cut, cut_whole, cuts_by_segment

F64 = NDArray[np.float64]
TIERS = ("cold", "warm", "hot")


@dataclass(frozen=True, eq=False)
class Tiered:
    """Tiers of leads, and whether each lead's own segment was known.

    Attributes
    ----------
    tier : str array, shape (n,)
        "hot", "warm" or "cold".
    fell_back : bool array, shape (n,)
        True where the segment was not seen in `Tiers.fit`, so that the whole's thresholds served.
    """

    tier: NDArray[np.str_]
    fell_back: NDArray[np.bool_]


@dataclass(frozen=True)
class Tiers:
    """Thresholds of one probability for the whole and for each segment.

    Hot are the leads that the team has time for, best first, as long as they promise `hot_lift`
    times the base rate. Warm are the others that promise at least the base rate. Both thresholds
    of a segment are its own, drawn to the whole's where it is small; all hot leads together keep
    within the capacity. No fixed probability is ever hot: at base rates of 1 to 3% none would be.

    Attributes
    ----------
    whole : Cut
    segments : mapping of str to Cut
    capacity : float
        Share of all leads that there is time for.
    hysteresis : float
        How far, in log-odds, a lead must fall below a threshold to lose the tier it has.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> p = rng.beta(1, 40, 6000)
    >>> segment = rng.choice(["buyer", "renter"], 6000)
    >>> tiers = Tiers.fit(p, rng.random(6000) < p, segment, capacity=0.1)
    >>> tiers.of([0.20, 0.03, 0.001], ["renter", "renter", "landlord"]).tier.tolist()
    ['hot', 'warm', 'cold']
    >>> print(tiers.why("renter"))
    hot from 5.6%: the 305 hottest of 3,060 leads fill the team's time; they converted 3.7 times as
    often as all. Warm from 2.6%, the rate of the segment. Thresholds are 94% its own, 6% the
    whole's.
    """

    whole: Cut
    segments: Mapping[str, Cut]
    capacity: float
    hysteresis: float = 0.25

    @classmethod
    def fit(
        cls,
        p: ArrayLike,
        y: ArrayLike,
        segment: ArrayLike | None = None,
        *,
        capacity: float = 0.1,
        hot_lift: float = 1.5,
        prior_leads: float = 200.0,
        hysteresis: float = 0.25,
    ) -> Self:
        """Set thresholds on held-out rows.

        Parameters
        ----------
        p : array, shape (n,)
            Calibrated probabilities.
        y : array of 0 and 1, shape (n,)
        segment : array of str, shape (n,), optional
        capacity : float
            Share of leads that there is time for, in (0, 1]; see `weekly_capacity`.
        hot_lift : float
            Times the base rate that a hot lead must promise, at least 1.
        prior_leads : float
            Leads that the whole counts for in each segment: a segment of n leads has the weight
            ``n / (n + prior_leads)`` in its thresholds.
        hysteresis : float
            See above, not negative.

        Raises
        ------
        EmptyInput, BadInput
            If there are no rows, lengths differ, a value cannot be used, or nobody converted.
        """
        outcome, chance, _ = metrics.checked(y, p)
        _check(capacity, hot_lift, prior_leads, hysteresis)
        if not outcome.any():
            raise BadInput("no row converted, so there is no rate to compare with", where="y")
        names = None if segment is None else _names(segment, len(chance))
        whole = cut_whole(chance, outcome, capacity, hot_lift)
        parts: dict[str, Cut] = {}
        if names is not None:
            parts = cuts_by_segment(chance, outcome, names, whole, capacity, hot_lift, prior_leads)
        return cls(whole, parts, float(capacity), float(hysteresis))

    def of(
        self,
        p: ArrayLike,
        segment: ArrayLike | None = None,
        *,
        previous: ArrayLike | None = None,
    ) -> Tiered:
        """Tier of each lead.

        Parameters
        ----------
        p : array, shape (n,)
        segment : array of str, shape (n,), optional
            The whole's thresholds serve where none is given or it is not known.
        previous : array of str, shape (n,), optional
            The tier that each lead has now ("" for none): it keeps it until it has fallen
            `hysteresis` below its threshold, so that noise around a threshold changes nothing.

        Raises
        ------
        BadInput
            If lengths differ, a probability is NaN or outside [0, 1], or a tier is unknown.
        """
        chance = scores(p)
        if chance.ndim != 1:
            raise BadInput("one probability a lead is needed", where="p", got=chance.shape)
        names = _names([""] * len(chance) if segment is None else segment, len(chance))
        kinds, which = np.unique(names, return_inverse=True)
        cuts = [self.segments.get(str(kind), self.whole) for kind in kinds]
        known = np.array([str(kind) in self.segments for kind in kinds], dtype=bool)
        margin = _log_odds(chance)
        rank = np.zeros(len(chance), np.int64)
        has = _ranks(previous, len(chance))
        for place, edges in ((1, [c.warm for c in cuts]), (2, [c.hot for c in cuts])):
            edge = _log_odds(np.array([math.nan if e is None else e for e in edges]))[which]
            kept = margin >= edge - self.hysteresis * (has >= place)
            rank[kept] = place
        fell_back = np.zeros(len(chance), bool) if segment is None else ~known[which]
        return Tiered(np.array(TIERS)[rank], fell_back)

    def why(self, segment: str | None = None) -> str:
        """The thresholds of a segment, or of the whole, in words."""
        if segment is None:
            return self.whole.why("all leads")
        if segment in self.segments:
            return self.segments[segment].why("the segment")
        return (
            f"{segment!r} was not seen before, so the whole serves. {self.whole.why('all leads')}"
        )

    def held_out(
        self, p: ArrayLike, y: ArrayLike, segment: ArrayLike | None = None
    ) -> pd.DataFrame:
        """What each tier was worth on rows that the thresholds were not set on.

        Returns
        -------
        DataFrame
            Rows hot, warm, cold; columns ``leads``, ``share``, ``rate`` (NaN in an empty tier) and
            ``lift``, the rate over that of all these rows.
        """
        outcome, chance, _ = metrics.checked(y, p)
        tier = self.of(chance, segment).tier
        found = pd.DataFrame({"tier": tier, "rate": outcome}).groupby("tier")["rate"]
        table = pd.DataFrame({"leads": found.size(), "rate": found.mean()}).reindex(TIERS[::-1])
        table["leads"] = table["leads"].fillna(0).astype(int)
        base = outcome.mean()
        table["lift"] = table["rate"] / base if base > 0 else math.nan
        table.insert(1, "share", table["leads"] / len(outcome))
        return table

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        """What `to_json` gave."""
        parts = {name: Cut(**cut) for name, cut in found["segments"].items()}
        return cls(Cut(**found["whole"]), parts, found["capacity"], found["hysteresis"])


def weekly_capacity(agents: int, leads_per_agent_week: float, new_leads_week: float) -> float:
    """Share of a week's new leads that the team has time for, at most 1.

    Raises
    ------
    BadInput
        If a number is not positive.

    Examples
    --------
    >>> weekly_capacity(agents=3, leads_per_agent_week=4, new_leads_week=120)
    0.1
    """
    if not (agents > 0 and leads_per_agent_week > 0 and new_leads_week > 0):
        raise BadInput(
            "a capacity needs positive numbers",
            got=f"{agents} agents, {leads_per_agent_week} leads each, {new_leads_week} new leads",
        )
    return min(1.0, agents * leads_per_agent_week / new_leads_week)


def _check(capacity: float, hot_lift: float, prior_leads: float, hysteresis: float) -> None:
    if not 0 < capacity <= 1:
        raise BadInput(
            "cannot read a capacity",
            where="capacity",
            got=capacity,
            expected="a share of leads in (0, 1]",
            hint="weekly_capacity makes one of agents and leads.",
        )
    if not (hot_lift >= 1 and prior_leads >= 0 and 0 <= hysteresis < math.inf):
        raise BadInput(
            "cannot use these settings",
            got=f"hot_lift={hot_lift}, prior_leads={prior_leads}, hysteresis={hysteresis}",
        )


def _names(segment: ArrayLike, n: int) -> NDArray[np.str_]:
    names = np.asarray(segment)
    if names.shape != (n,):
        raise BadInput(
            "one segment a lead is needed", where="segment", got=names.shape, expected=(n,)
        )
    return names.astype(str)


def _ranks(previous: ArrayLike | None, n: int) -> NDArray[np.int64]:
    """0, 1, 2 for the tier a lead has; 0 where it has none."""
    if previous is None:
        return np.zeros(n, np.int64)
    has = _names(previous, n)
    unknown = ~np.isin(has, ["", *TIERS])
    if unknown.any():
        raise BadInput("no such tier", where="previous", got=str(has[unknown][0]), expected=TIERS)
    return np.where(has == "hot", 2, np.where(has == "warm", 1, 0)).astype(np.int64)


def _log_odds(p: F64) -> F64:
    with np.errstate(divide="ignore"):
        odds: F64 = np.log(p) - np.log1p(-p)
    return odds

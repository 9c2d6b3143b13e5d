"""How two models' scores of the same events differ, and which leads moved most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlab.stream.outcome import NO_TIER, TIERS
from leadlab.stream.time_travel import Scored

SHOWN = (*TIERS, "none")


@dataclass(frozen=True, slots=True)
class Moved:
    """A lead whose score differs most at one of its events.

    Attributes
    ----------
    tenant, lead, event, kind : str
        Event at which they differ most, and its kind.
    as_of_us : int
    before, after : float
        Probabilities.
    tier_before, tier_after : str
        Of `SHOWN`.
    reasons : tuple of (str, float)
        Families of features and what they add to the newer score, in log-odds.
    """

    tenant: str
    lead: str
    event: str
    kind: str
    as_of_us: int
    before: float
    after: float
    tier_before: str
    tier_after: str
    reasons: tuple[tuple[str, float], ...]


@dataclass(frozen=True, eq=False)
class ScoreDiff:
    """Scores of the same events by two models.

    Attributes
    ----------
    frame : DataFrame
        A row an event: ``offset``, ``event``, ``tenant``, ``lead``, ``kind``, ``as_of`` (UTC),
        ``before``, ``after``, ``difference``, ``tier_before``, ``tier_after``, ``model_before``,
        ``model_after``.
    tiers : int array, shape (4, 4)
        Events by tier before (rows) and after (columns), in the order of `SHOWN`.
    moved : list of Moved
        Leads most moved, the largest difference first.
    alone : int
        Events that only one of the two has a result of.
    raised, silent : tuple of str
        Alerts that only the newer one raises, and that only the older one does.
    """

    frame: pd.DataFrame
    tiers: NDArray[np.int64]
    moved: list[Moved]
    alone: int
    raised: tuple[str, ...]
    silent: tuple[str, ...]

    def figures(self) -> dict[str, float | int]:
        """Count, changed scores, tiers that changed; mean, median and largest difference by size.

        Differences are NaN where no event has both scores.
        """
        size = self.frame["difference"].abs().to_numpy()
        size = size[~np.isnan(size)]
        some = len(size) > 0
        return {
            "events": len(self.frame),
            "changed": int((size > 0).sum()),
            "mean": float(size.mean()) if some else float("nan"),
            "median": float(np.median(size)) if some else float("nan"),
            "max": float(size.max()) if some else float("nan"),
            "tiers_changed": int(self.tiers.sum() - np.trace(self.tiers)),
            "alone": self.alone,
        }


def score_diff(before: Scored, after: Scored, top: int = 10) -> ScoreDiff:
    """Compare two runs of the same stretch.

    Parameters
    ----------
    before : Scored
    after : Scored
        From `leadlab.stream.time_travel.rerun`: names and reasons are taken from it.
    top : int
        Leads to name in `ScoreDiff.moved`.
    """
    _, old, new = np.intersect1d(
        before.rows["offset"], after.rows["offset"], assume_unique=True, return_indices=True
    )
    tiers = np.zeros((len(SHOWN), len(SHOWN)), np.int64)
    tier_old, tier_new = _tier(before.rows["tier"][old]), _tier(after.rows["tier"][new])
    np.add.at(tiers, (tier_old, tier_new), 1)
    names = np.array(SHOWN, dtype=object)
    chance_old, chance_new = before.rows["probability"][old], after.rows["probability"][new]
    frame = pd.DataFrame(
        {
            "offset": after.rows["offset"][new],
            "event": after.event[new],
            "tenant": after.tenant[new],
            "lead": after.lead[new],
            "kind": after.kind[new],
            "as_of": pd.to_datetime(after.rows["as_of_us"][new], unit="us", utc=True),
            "before": chance_old,
            "after": chance_new,
            "difference": chance_new - chance_old,
            "tier_before": names[tier_old],
            "tier_after": names[tier_new],
            "model_before": before.versions()[old],
            "model_after": after.versions()[new],
        }
    )
    alone = len(before) + len(after) - 2 * len(frame)
    return ScoreDiff(
        frame,
        tiers,
        _moved(frame, after, new, top),
        alone,
        tuple(sorted(after.alerts - before.alerts)),
        tuple(sorted(before.alerts - after.alerts)),
    )


def _tier(code: NDArray[np.int8]) -> NDArray[np.int64]:
    return np.where(code == NO_TIER, len(TIERS), code).astype(np.int64)


def _moved(frame: pd.DataFrame, after: Scored, new: NDArray[Any], top: int) -> list[Moved]:
    size = np.nan_to_num(frame["difference"].abs().to_numpy())
    order = np.argsort(-size, kind="stable")
    order = order[size[order] > 0]
    _, first = np.unique(after.rows["place"][new[order]], return_index=True)
    found = []
    for k in order[np.sort(first)[:top]]:
        row, one = frame.iloc[int(k)], after.rows[new[k]]
        reasons = tuple(
            (after.families[f], float(effect))
            for f, effect in zip(one["reason"].tolist(), one["effect"], strict=True)
            if f >= 0
        )
        found.append(
            Moved(
                row["tenant"], row["lead"], row["event"], row["kind"], int(one["as_of_us"]),
                float(row["before"]), float(row["after"]), row["tier_before"], row["tier_after"],
                reasons,
            )
        )  # fmt: skip
    return found

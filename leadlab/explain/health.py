"""An assessment in words: of each part what speaks for it, what against, and what is unknown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from leadlab.explain.sentences import phrase
from leadlab.models.health.health import Healths, MeasureHealth, PartHealth


@dataclass(frozen=True, slots=True)
class PartTold:
    """One part of one lead, in words.

    Attributes
    ----------
    name, what : str
    points : float
        0 to 100; NaN where nothing of it is known.
    share : float
        Of the score.
    reason : str
        What adds most to it, and where most is left; each with its points.
    unknown : tuple of str
        What could not be measured and left the mean.
    """

    name: str
    what: str
    points: float
    share: float
    reason: str
    unknown: tuple[str, ...]


def part_reasons(found: Healths, row: int) -> tuple[PartTold, ...]:
    """Say why each part of a lead is as it is.

    Parameters
    ----------
    found : Healths
        From `leadlab.models.health.assess.assess_health`.
    row : int
        Which lead.

    Examples
    --------
    >>> import pandas as pd
    >>> from leadlab.models.health.assess import assess_health
    >>> from leadlab.schema import EventLog
    >>> log = EventLog.from_frame(pd.DataFrame({"lead": ["ann"], "kind": ["Showing Completed"],
    ...     "at": ["2026-03-01"]}), lead="lead", kind="kind", at="at")
    >>> told = part_reasons(assess_health(log), 0)
    >>> told[1].reason
    '+ last showing 0 minutes ago (100); - no showing requests in 30 days (0)'
    >>> told[4].points, told[4].reason
    (nan, 'nothing of it is known')
    """
    return tuple(_told(found, part) for part in found[row].parts)


def _told(found: Healths, part: PartHealth) -> PartTold:
    known = [one for one in part.measures if not np.isnan(one.points)]
    unknown = tuple(_words(found, one) for one in part.measures if np.isnan(one.points))
    if not known:
        reason = "nothing of it is known"
    else:
        best = max(known, key=lambda one: one.measure.weight * one.points)
        others = [one for one in known if one is not best or best.points == 0]
        worst = max(others, key=lambda one: one.measure.weight * (100 - one.points), default=best)
        said = [f"+ {_words(found, best)} ({best.points:.0f})"] if best.points > 0 else []
        if worst is not best or best.points == 0:
            said.append(f"- {_words(found, worst)} ({worst.points:.0f})")
        reason = "; ".join(said)
    return PartTold(part.name, part.what, part.points, part.share, reason, unknown)


def _words(found: Healths, one: MeasureHealth) -> str:
    name = one.measure.feature
    if name not in found.table.names:
        return f"{name} was not computed"
    feature = found.table.features[name]
    if np.isnan(one.points):
        return feature.label
    return phrase(feature, one.value)

"""A decision as plain JSON values, for a terminal, a page or another program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from leadlab.models.actions.catalogue import Catalogue
from leadlab.models.actions.policy import Option
from leadlab.models.actions.recommendation import Recommendation


def ranked(
    options: Sequence[Option],
    record: Recommendation,
    scored: Mapping[str, Any],
    offered: Catalogue,
) -> dict[str, Any]:
    """What was drawn, what is open and what is not, and why.

    Parameters
    ----------
    options, record
        From `leadlab.models.actions.policy.recommend`.
    scored : mapping
        What is told of the score beside it.
    offered : Catalogue
    """
    return {
        "lead": record.lead,
        "tenant": record.tenant,
        "as_of": record.as_of.isoformat(),
        "model": record.model,
        "situation": record.situation,
        **scored,
        "outcome": offered.terms.outcome,
        "horizon_days": offered.terms.horizon_days,
        "worth_usd": offered.terms.worth_usd,
        "recommended": {
            "id": record.id,
            "action": record.action,
            "propensity": record.propensity,
        },
        "actions": [
            {
                "action": o.action.name,
                "family": o.action.family,
                "channel": o.action.channel,
                "words": o.action.words,
                "within_hours": o.action.within_hours,
                "uplift": o.uplift,
                "low": o.low,
                "high": o.high,
                "cost_usd": o.cost_usd,
                "net_usd": o.net_usd,
                "propensity": o.propensity,
                "basis": o.basis,
            }
            for o in options
        ],
        "refused": [
            {"action": r.action, "why": list(r.why), "until": r.until and r.until.isoformat()}
            for r in record.refused
        ],
    }

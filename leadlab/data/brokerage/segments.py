"""Segments and sources of leads, and what an early answer is worth.

Published ranges contradict each other: 0.4-1.2% of all leads close, internet leads 1-4%, referrals
15-30%. A brokerage with a few referrals and the lowest of the internet rates is above the overall
range already. The rates by source are taken as the finer statement: each source has its own target
within its range, and the overall rate is what their mix gives (about 3%). A source sets only where
leads begin: the share that arrives *active*, found by solving the chain for its target.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Segment:
    """What sort of client.

    Attributes
    ----------
    name : str
    share : float
        Of leads.
    lift : float
        Factor on the rates that depend on the lead.
    price : tuple of two floats
        Beta distribution of the place in the price range, 0 to 1.
    zeal : float
        Factor on how much the lead does in any state.
    """

    name: str
    share: float
    lift: float
    price: tuple[float, float]
    zeal: float = 1.0


@dataclass(frozen=True)
class Source:
    """Where leads come from.

    Attributes
    ----------
    name : str
    share : float
        Of leads.
    closing : float
        The share that is to close in the long run.
    active : float
        The share that is active on arrival; the others browse.
    """

    name: str
    share: float
    closing: float
    active: float


SEGMENTS = (
    Segment("first-time buyer", 0.34, 0.95, (2.0, 4.0), 1.1),
    Segment("move-up", 0.24, 1.1, (4.0, 3.0)),
    Segment("investor", 0.10, 1.15, (2.0, 3.0), 1.15),
    Segment("luxury", 0.06, 0.9, (9.0, 1.5), 0.9),
    Segment("seller", 0.14, 1.25, (3.0, 3.0), 0.8),
    Segment("renter", 0.12, 0.6, (1.5, 5.0)),
)
SOURCES = (
    Source("portal", 0.34, 0.016, 0.025),
    Source("website", 0.20, 0.030, 0.08),
    Source("paid search", 0.14, 0.016, 0.025),
    Source("social", 0.14, 0.012, 0.01),
    Source("open house", 0.08, 0.050, 0.15),
    Source("sign call", 0.04, 0.040, 0.11),
    Source("referral", 0.06, 0.200, 0.72),
)
SELLER = [s.name for s in SEGMENTS].index("seller")
EARLY_H, SAME_DAY_H = 0.5, 24.0
EARLY_LIFT, SAME_DAY_LIFT, LATE_LIFT = 1.75, 1.55, 0.72
"""Contact gets unlikely after half an hour; none on the same day costs 40-50% of the sales."""


def shares(table: tuple[Segment, ...] | tuple[Source, ...]) -> F64:
    """Share of each row of a table.

    Examples
    --------
    >>> float(shares(SEGMENTS).sum().round(9)), float(shares(SOURCES).sum().round(9))
    (1.0, 1.0)
    """
    return np.array([row.share for row in table])


def answer_lift(first_answer_h: F64) -> F64:
    """Factor on a lead's rates by the hours until its first answer; NaN is never.

    Examples
    --------
    >>> answer_lift(np.array([0.1, 3.0, 30.0, np.nan])).tolist()
    [1.75, 1.55, 0.72, 0.72]
    """
    late = np.where(first_answer_h <= SAME_DAY_H, SAME_DAY_LIFT, LATE_LIFT)
    return np.where(first_answer_h <= EARLY_H, EARLY_LIFT, late)

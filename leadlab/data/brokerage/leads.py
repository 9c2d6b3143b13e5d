"""Who comes to the brokerage, when, from where and with what in mind."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlab.data.brokerage.agents import Agents, answer_day
from leadlab.data.brokerage.clock import Clock
from leadlab.data.brokerage.draws import Keys, child, choose, first_key, normal, uniform
from leadlab.data.brokerage.intent import ACTIVE, BROWSING
from leadlab.data.brokerage.listings import AREAS
from leadlab.data.brokerage.market import Market
from leadlab.data.brokerage.segments import SEGMENTS, SOURCES, answer_lift, shares
from leadlab.data.brokerage.taste import Tastes, draw_tastes

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Leads:
    """Leads in flat arrays of shape (n,), in order of arrival.

    Attributes
    ----------
    key : uint64 array
        Of all that is drawn for the lead.
    arrival : float array
        Days since the clock's origin.
    segment, source, agent, first_state : int array
    first_answer_h : float array
        Hours from the registration to the first answer; NaN where nobody follows up.
    lift : float array
        Factor on those rates of hidden intent that depend on the lead.
    zeal : float array
        Factor on how much the lead does.
    area : int array
        Where it looks first.
    price : float array
        At which place of the price range, 0 to 1.
    taste : Tastes
        What it would like in a home.
    """

    key: Keys
    arrival: F64
    segment: I64
    source: I64
    agent: I64
    first_state: I64
    first_answer_h: F64
    lift: F64
    zeal: F64
    area: I64
    price: F64
    taste: Tastes

    def __len__(self) -> int:
        return len(self.key)

    def and_then(self, others: Leads) -> Leads:
        """These leads and, behind them, others."""
        columns: dict[str, Any] = {
            f.name: np.concatenate([getattr(self, f.name), getattr(others, f.name)])
            for f in fields(self)
            if f.name != "taste"
        }
        return Leads(**columns, taste=self.taste.and_then(others.taste))


def draw_leads(
    n: int, days: int, period: int, seed: int, clock: Clock, market: Market, agents: Agents
) -> Leads:
    """Draw the leads that arrive in one period of `days`; the first period is number 0.

    Arrivals follow the hours of the week and the market's pace.

    Examples
    --------
    >>> from leadlab.data.brokerage.agents import draw_agents
    >>> clock = Clock(1_735_689_600_000_000)
    >>> leads = draw_leads(50, 30, 0, 0, clock, Market(clock, 0), draw_agents(50, 0))
    >>> bool((np.diff(leads.arrival) >= 0).all()), len(leads)
    (True, 50)
    """
    key = child(first_key(seed, "leads"), period * n + np.arange(n))
    ends = clock.waking(clock.start + days * np.array([period, period + 1.0]))
    low, high = np.interp(ends, market.bounds, market.paced)
    at = np.sort(low + (high - low) * uniform(key, "arrival"))
    arrival = clock.day(np.interp(at, market.paced, market.bounds))
    last = clock.start + days * (period + 1)
    arrival = np.clip(arrival, clock.start + days * period, last - 1e-9)
    segment, source = (
        choose(key, "segment", shares(SEGMENTS)),
        choose(key, "source", shares(SOURCES)),
    )
    agent = choose(key, "agent", np.ones(len(agents)))
    answered = uniform(key, "follow up") < agents.follow_up[agent]
    first = answer_day(key, "first answer", arrival, agents.pace[agent]) - arrival
    first_answer_h = np.where(answered, 24 * first, np.nan)
    price = _price(key, segment)
    begins_active = uniform(key, "first state") < np.array([s.active for s in SOURCES])[source]
    return Leads(
        key=key,
        arrival=arrival,
        segment=segment,
        source=source,
        agent=agent,
        first_state=np.where(begins_active, ACTIVE, BROWSING),
        first_answer_h=first_answer_h,
        lift=np.array([s.lift for s in SEGMENTS])[segment] * answer_lift(first_answer_h),
        zeal=np.array([s.zeal for s in SEGMENTS])[segment] * np.exp(0.2 * normal(key, "zeal")),
        area=choose(key, "area", np.ones(len(AREAS))),
        price=price,
        taste=draw_tastes(child(key, 0, "taste"), price),
    )


def _price(key: Keys, segment: I64) -> F64:
    """Place in the price range by segment: a normal number with the beta's mean and spread."""
    a, b = np.array([s.price for s in SEGMENTS]).T
    mean, spread = a / (a + b), np.sqrt(a * b / ((a + b) ** 2 * (a + b + 1)))
    return np.asarray(np.clip(mean[segment] + spread[segment] * normal(key, "price"), 0.01, 0.99))

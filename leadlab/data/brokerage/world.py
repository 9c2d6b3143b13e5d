"""All that a simulation runs on: clock, market, agents, homes and the leads so far."""

from __future__ import annotations

from dataclasses import dataclass, replace

from leadlab.data.brokerage.agents import Agents, draw_agents
from leadlab.data.brokerage.clock import Clock
from leadlab.data.brokerage.intent import Generator
from leadlab.data.brokerage.leads import Leads, draw_leads
from leadlab.data.brokerage.listings import Listings, draw_listings
from leadlab.data.brokerage.market import Market
from leadlab.data.brokerage.settings import Settings


@dataclass(frozen=True, eq=False)
class World:
    """What is fixed before anything happens.

    Attributes
    ----------
    settings : Settings
    clock : Clock
    market : Market
    agents : Agents
    listings : Listings
    leads : Leads
        Of the periods drawn so far.
    chain : Generator
    """

    settings: Settings
    clock: Clock
    market: Market
    agents: Agents
    listings: Listings
    leads: Leads
    chain: Generator

    @classmethod
    def of(cls, settings: Settings) -> World:
        """Draw agents, homes and the first period's leads.

        Examples
        --------
        >>> len(World.of(Settings(n_leads=5, days=3, seed=0)).leads)
        5
        """
        clock = Clock(settings.start_us)
        market = Market(clock, settings.seed)
        agents = draw_agents(settings.n_leads, settings.seed)
        leads = draw_leads(settings.n_leads, settings.days, 0, settings.seed, clock, market, agents)
        listings = draw_listings(settings.seed)
        return cls(settings, clock, market, agents, listings, leads, Generator())

    def with_period(self, period: int) -> World:
        """The same, and the leads of one more period; `period` is its number."""
        s = self.settings
        more = draw_leads(s.n_leads, s.days, period, s.seed, self.clock, self.market, self.agents)
        return replace(self, leads=self.leads.and_then(more))

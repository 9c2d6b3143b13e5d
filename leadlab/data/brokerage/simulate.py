"""A simulated brokerage in one go: the log, and the truth kept beside it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlab.data.brokerage.appeal import appeal
from leadlab.data.brokerage.log import as_log
from leadlab.data.brokerage.process import advance, arriving, happenings
from leadlab.data.brokerage.settings import START, Settings, settings
from leadlab.data.brokerage.stated import stated
from leadlab.data.brokerage.store import read_tables, read_truth, write_brokerage
from leadlab.data.brokerage.truth import Truth, truth_of
from leadlab.data.brokerage.world import World
from leadlab.schema.fields import DEFAULT_TENANT
from leadlab.schema.log import EventLog

Tell = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Brokerage:
    """A SIMULATED brokerage: nobody in it exists.

    Attributes
    ----------
    log : EventLog
        What happened; ``source`` is "simulated" on every event.
    truth : Truth
        What was planted.
    listings : DataFrame
        Homes by their RESO names, as `leadlab.schema.property` spells them.
    agents : DataFrame
        ``agent``: who acts for the team.
    stated : DataFrame
        What each lead wrote on the form; see `leadlab.data.brokerage.stated`.
    settings : Settings
    """

    log: EventLog
    truth: Truth
    listings: pd.DataFrame
    agents: pd.DataFrame
    stated: pd.DataFrame
    settings: Settings

    def appeal(self, lead: Sequence[str]) -> NDArray[np.float64]:
        """Hidden appeal of every home to leads by name, shape (leads, listings).

        Raises
        ------
        UnknownName
            A lead is not of this brokerage.
        """
        return appeal(self.truth.leads.iloc[self.truth.rows(lead)], self.listings)

    def write(self, folder: str | Path, *, force: bool = False) -> Path:
        """Write all of it; see `leadlab.data.brokerage.store.write_brokerage`."""
        tables = {"listings": self.listings, "agents": self.agents, "stated": self.stated}
        return write_brokerage(folder, self.log, self.truth, tables, force=force)


def simulate(
    n_leads: int = 2_000,
    days: int = 365,
    seed: int = 0,
    *,
    tenant: str = DEFAULT_TENANT,
    start: dt.datetime | str = START,
    texts: bool = False,
    tell: Tell = lambda step: None,
) -> Brokerage:
    """Simulate real-estate leads; nobody in them exists.

    About 3 leads in 100 close in the long run ("Closed"; "Lost" where the agent gave one up). The
    log's data fields are ``channel``, ``listing``, ``lead_source`` (at the registration), and of
    written messages ``sentiment`` (-1 to 1), ``urgency`` (0 to 1), ``length`` (characters) and,
    with `texts`, ``text``. ``value`` is a price in US dollars.

    Parameters
    ----------
    n_leads : int
        At least 1; their arrivals are spread over the whole log.
    days : int
        How long the log is.
    seed : int
        The same seed gives the same log.
    tenant : str
    start : datetime or ISO 8601
        The log's first moment, UTC.
    texts : bool
        Write out what leads say. ``length`` is then that of the text; all else is the same.
    tell : callable
        Called with a few words at each step, for progress bars.

    Returns
    -------
    Brokerage

    Raises
    ------
    BadInput
        There is nothing to simulate.

    Examples
    --------
    >>> made = simulate(50, 90, seed=1)
    >>> set(made.log.source.names), set(made.truth.leads["segment"]) <= {
    ...     "first-time buyer", "move-up", "investor", "luxury", "seller", "renter"}
    ({'simulated'}, True)
    """
    asked = settings(n_leads, days, seed, tenant, start, texts)
    tell("draw agents, homes and leads")
    world = World.of(asked)
    end = world.clock.start + days
    tell("let leads make up their minds")
    _, stays = advance(arriving(world), world, float(world.clock.waking(np.array(end))))
    tell("tell what happens")
    events = happenings(stays, world)
    tell("put it into a log")
    told = as_log(events.take(world.clock.at_us(events.day) < end_us(world)), world)
    truth = truth_of(world, stays, events, told.messages)
    agents = truth.agents[["agent"]].copy()
    form = stated(world.leads, world.listings)
    return Brokerage(told.log, truth, world.listings.public(), agents, form, asked)


def end_us(world: World) -> int:
    """The first moment after the first period, in microseconds since 1970."""
    return world.settings.start_us + world.settings.days * 86_400_000_000


def read_brokerage(folder: str | Path) -> Brokerage:
    """Read what `Brokerage.write` wrote.

    Raises
    ------
    BadInput
        The folder holds no simulated brokerage.
    BrokenFile
        A file of it is missing, cut short or of another kind.

    Examples
    --------
    >>> import tempfile
    >>> made = simulate(20, 30, seed=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     again = read_brokerage(made.write(folder))
    >>> again.settings == made.settings, len(again.log) == len(made.log)
    (True, True)
    """
    log, tables = read_tables(folder)
    truth = read_truth(folder)
    return Brokerage(log, truth, **tables, settings=truth.settings)

"""The brokerage forward in time, slice by slice, for ever; and at a chosen speed.

The process is that of `simulate`: the first `days` of it are, event for event and id for id, the
log that `simulate` gives, however long the slices are. After them the next `n_leads` arrive.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from leadlab.data.brokerage.clock import DAY_US
from leadlab.data.brokerage.happening import Happening, joined
from leadlab.data.brokerage.log import as_log
from leadlab.data.brokerage.process import Standing, advance, arriving, happenings
from leadlab.data.brokerage.settings import START, settings
from leadlab.data.brokerage.world import World
from leadlab.errors import BadInput
from leadlab.schema.fields import DEFAULT_TENANT
from leadlab.schema.log import EventLog


@dataclass(frozen=True, eq=False)
class Moment:
    """A brokerage at a moment: what is carried over from slice to slice.

    Attributes
    ----------
    world : World
    standing : Standing
        Where each lead stands.
    pending : Happening
        What is settled, or will come from stays begun already, and lies ahead.
    now_us : int
        All before this has been told.
    told : int
        Events told so far.
    """

    world: World
    standing: Standing
    pending: Happening
    now_us: int
    told: int

    @classmethod
    def first(cls, world: World) -> Moment:
        """Before anything has happened."""
        standing, stays = advance(arriving(world), world, -np.inf)
        return cls(world, standing, happenings(stays, world), world.settings.start_us, 0)

    def until(self, end_us: int) -> tuple[Moment, EventLog]:
        """Go on to a moment; what happened before it, in order of time.

        Raises
        ------
        BadInput
            The moment has passed.
        """
        if end_us < self.now_us:
            raise BadInput("time does not run backwards", got=end_us, expected=f">= {self.now_us}")
        world, standing = _peopled(self.world, self.standing, end_us)
        due = float(world.clock.waking(world.clock.day_of(np.array(end_us))))
        standing, stays = advance(standing, world, due)
        ahead = joined([self.pending, happenings(stays, world)])
        now = world.clock.at_us(ahead.day) < end_us
        told = as_log(ahead.take(now), world, self.told)
        later = Moment(world, standing, ahead.take(~now), end_us, self.told + len(told.log))
        return later, told.log


def _peopled(world: World, standing: Standing, end_us: int) -> tuple[World, Standing]:
    """Draw the leads of further periods that begin before `end_us`."""
    settings = world.settings
    known = len(world.leads) // settings.n_leads
    needed = -(-(end_us - settings.start_us) // (settings.days * DAY_US))
    for period in range(known, needed):
        first = len(world.leads)
        world = world.with_period(period)
        standing = standing.and_then(arriving(world, first))
    return world, standing


def forward(
    n_leads: int = 2_000,
    days: int = 365,
    seed: int = 0,
    *,
    tenant: str = DEFAULT_TENANT,
    start: dt.datetime | str = START,
    texts: bool = False,
    step_s: float = 86_400.0,
) -> Iterator[EventLog]:
    """Tell a SIMULATED brokerage slice by slice, without end.

    Parameters
    ----------
    n_leads, days, seed, tenant, start, texts
        As in `leadlab.data.brokerage.simulate`; leads go on to come, `n_leads` in `days`.
    step_s : float
        Length of a slice in simulated seconds.

    Yields
    ------
    EventLog
        The events of one slice in order of time; it may be empty.

    Examples
    --------
    >>> from itertools import islice
    >>> slices = list(islice(forward(200, 30, seed=1), 3))
    >>> len(slices), {name for log in slices for name in log.source.names}
    (3, {'simulated'})
    """
    if not step_s * 1e6 >= 1:
        raise BadInput("no such step", where="step_s", got=step_s, expected="above 0")
    moment = Moment.first(World.of(settings(n_leads, days, seed, tenant, start, texts)))
    begun_us, number = moment.now_us, 0
    while True:
        number += 1
        moment, log = moment.until(begun_us + round(number * step_s * 1e6))
        yield log


def live(
    moment: Moment,
    speed: float = 3_600.0,
    *,
    for_s: float | None = None,
    tick_s: float = 0.25,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[EventLog]:
    """Tell a brokerage from a moment on, in step with a clock.

    What the clock brings due is told at each tick. If telling falls behind, the next slice is
    longer; nothing is left out.

    Parameters
    ----------
    moment : Moment
    speed : float
        Simulated seconds a second.
    for_s : float, optional
        End after so many seconds of the clock; go on for ever when not given.
    tick_s : float
        Seconds between slices.
    clock, sleep : callable
        Seconds now; and how to wait.

    Yields
    ------
    EventLog
        Never empty.

    Examples
    --------
    >>> from leadlab.data.brokerage.settings import Settings
    >>> now_s = [0.0]
    >>> def sleep(s): now_s[0] += s
    >>> first = Moment.first(World.of(Settings(500, 30, 0)))
    >>> logs = list(live(first, 3600, for_s=48, clock=lambda: now_s[0], sleep=sleep))
    >>> sum(map(len, logs)) > 10
    True
    """
    for name, given in (("speed", speed), ("tick_s", tick_s), ("for_s", for_s or 1.0)):
        if not 0 < given < 1e9:
            raise BadInput("unusable", where=name, got=given, expected="above 0")
    begun_s, begun_us = clock(), moment.now_us
    end_s = np.inf if for_s is None else begun_s + for_s
    while True:
        now_s = min(clock(), end_s)
        moment, log = moment.until(max(begun_us + round((now_s - begun_s) * speed * 1e6),
                                       moment.now_us))  # fmt: skip
        if len(log):
            yield log
        if now_s >= end_s:
            return
        sleep(min(tick_s, end_s - now_s))

"""What was planted: who the leads are, what they meant to do, and what was bound to come of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlab.data.brokerage.behaviour import RATES, Stays
from leadlab.data.brokerage.clock import DAY_US, Clock
from leadlab.data.brokerage.deals import UNSUBSCRIBES
from leadlab.data.brokerage.foresight import Question, chance
from leadlab.data.brokerage.happening import Happening
from leadlab.data.brokerage.intent import (
    ARRIVING,
    CLOSED,
    CONTRACT,
    GONE,
    MOODS,
    OFFERING,
    SIZE,
    TRANSITIONS,
    Transition,
    mood,
)
from leadlab.data.brokerage.log import BY_LEAD
from leadlab.data.brokerage.market import Market
from leadlab.data.brokerage.segments import SEGMENTS, SOURCES
from leadlab.data.brokerage.settings import Settings
from leadlab.data.brokerage.world import World
from leadlab.errors import BadInput, UnknownName

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
NEVER_US = np.iinfo(np.int64).max
OUTCOMES = ("Offer Accepted", "Closed")


def _hits(outcome: str) -> Question:
    def hit(way: Transition) -> float:
        if outcome == "Offer Accepted":
            return float(way.origin == OFFERING and way.target == CONTRACT)
        return float(way.target == CLOSED)

    return Question(TRANSITIONS, hit, np.zeros(SIZE))


def _sign_of_life() -> Question:
    def hit(way: Transition) -> float:
        return 1.0 if way.target == OFFERING else UNSUBSCRIBES if way.target == GONE else 0.0

    return Question(TRANSITIONS, hit, RATES.sum(axis=1)[mood(np.arange(SIZE))])


@dataclass(frozen=True, eq=False)
class Truth:
    """What is hidden behind a simulated log.

    Attributes
    ----------
    settings : Settings
    leads : DataFrame
        One lead a row: ``lead``, ``segment``, ``lead_source``, ``agent``, ``arrived_us``,
        ``first_answer_h``, ``lift``, ``zeal``, ``area``, ``price_place``, and what it would like:
        the columns of `leadlab.data.brokerage.taste.Tastes.frame`.
    paths : DataFrame
        One stay a row, by lead and time: ``lead`` (row of `leads`), ``state`` (by number),
        ``mood`` (by name), ``entered_us``, ``left_us`` (beyond the log's end: what was to come).
    agents : DataFrame
        ``agent``, ``pace``, ``follow_up``.
    listings : DataFrame
        ``listing_key``, ``hidden_value``, ``hidden_condition``.
    messages : DataFrame
        ``id``, ``lead``, ``at_us``, ``intent``, ``sentiment``, ``urgency``, ``objections``.
    waiting : DataFrame
        Signs of life that were settled before they came (a showing, the next page of a visit):
        ``lead`` (row), ``decided_us``, ``at_us``.
    """

    settings: Settings
    leads: pd.DataFrame
    paths: pd.DataFrame
    agents: pd.DataFrame
    listings: pd.DataFrame
    messages: pd.DataFrame
    waiting: pd.DataFrame

    @cached_property
    def clock(self) -> Clock:
        """The clock that leads live by."""
        return Clock(self.settings.start_us)

    @cached_property
    def market(self) -> Market:
        """Seasons and rates."""
        return Market(self.clock, self.settings.seed)

    @cached_property
    def _row(self) -> pd.Index[Any]:
        names: pd.Index[Any] = pd.Index(self.leads["lead"].to_numpy(object))
        return names

    def rows(self, lead: Sequence[str] | NDArray[np.object_]) -> I64:
        """Rows of leads in `leads`.

        Raises
        ------
        UnknownName
            A lead is not of this brokerage.
        """
        rows = self._row.get_indexer(pd.Index(np.asarray(lead, dtype=object)))
        if (rows < 0).any():
            name = str(np.asarray(lead, dtype=object)[np.flatnonzero(rows < 0)[0]])
            raise UnknownName("lead", name, map(str, self.leads["lead"]))
        return np.asarray(rows, np.int64)

    def state(self, lead: Sequence[str] | NDArray[np.object_], at_us: I64) -> I64:
        """Hidden state of leads at moments, by number (`leadlab.data.brokerage.intent`).

        Parameters
        ----------
        lead : sequence of str, length n
        at_us : int array, shape (n,)
            Microseconds since 1970; a transition at that very moment has taken place.

        Raises
        ------
        UnknownName
            A lead is not of this brokerage.
        BadInput
            A lead had not arrived, or the moment is beyond the log's end.
        """
        rows, at_us = self.rows(lead), np.asarray(at_us, np.int64)
        self._check(rows, at_us)
        owner = np.concatenate([self.paths["lead"].to_numpy(np.int64), rows])
        moment = np.concatenate([self.paths["entered_us"].to_numpy(np.int64), at_us])
        asked = np.arange(len(owner)) >= len(self.paths)
        order = np.lexsort((asked, moment, owner))
        last = np.maximum.accumulate(np.where(asked[order], -1, order))
        found = np.empty(len(owner), np.int64)
        found[order] = last
        return self.paths["state"].to_numpy(np.int64)[found[len(self.paths) :]]

    def mood(self, lead: Sequence[str] | NDArray[np.object_], at_us: I64) -> NDArray[np.object_]:
        """Hidden state by name: "dormant", "browsing", ... "gone"; arguments as in `state`."""
        return np.array(MOODS, dtype=object)[mood(self.state(lead, at_us))]

    def _check(self, rows: I64, at_us: I64) -> None:
        if len(rows) != len(at_us):
            raise BadInput("a moment for each lead", got=f"{len(rows)} and {len(at_us)}")
        early = at_us < self.leads["arrived_us"].to_numpy(np.int64)[rows]
        end_us = self.settings.start_us + self.settings.days * DAY_US
        for wrong, what in ((early, "had not arrived yet"), (at_us > end_us, "is beyond the end")):
            if wrong.any():
                row = int(np.flatnonzero(wrong)[0])
                got = str(np.datetime64(int(at_us[row]), "us"))
                raise BadInput(f"no truth: the lead {what}", where=f"row {row}", got=got)

    def probability(
        self,
        lead: Sequence[str] | NDArray[np.object_],
        at_us: I64,
        horizon_days: float,
        outcome: str = "Offer Accepted",
    ) -> F64:
        """Probability of an outcome in ``(at, at + horizon]``, given the hidden state at `at`.

        Exact: the chain's own, seasons included (`leadlab.data.brokerage.foresight`). No forecast
        from the log alone can be better on average, since the log tells less than the state.

        Parameters
        ----------
        lead : sequence of str, length n
        at_us : int array, shape (n,)
        horizon_days : float
            Above 0.
        outcome : "Offer Accepted" or "Closed"

        Returns
        -------
        float array, shape (n,)

        Examples
        --------
        >>> from leadlab.data.brokerage import simulate
        >>> made = simulate(40, 60, seed=1)
        >>> lead = made.log.lead.values()[:5]
        >>> p = made.truth.probability(lead, made.log.at_us[:5], 30)
        >>> bool(((p >= 0) & (p <= 1)).all())
        True
        """
        if outcome not in OUTCOMES:
            raise UnknownName("outcome", outcome, OUTCOMES)
        return self._chance(_hits(outcome), lead, np.asarray(at_us, np.int64), horizon_days)

    def silence(
        self, lead: Sequence[str] | NDArray[np.object_], at_us: I64, horizon_days: float
    ) -> F64:
        """Probability of no sign of life in ``(at, at + horizon]``.

        A sign of life is any event that the lead causes (`leadlab.schema.kinds`: "from lead").
        Given is all that was settled at `at`: the hidden state, and what was under way, such as an
        agreed showing. Arguments as in `probability`.
        """
        at_us = np.asarray(at_us, np.int64)
        quiet = 1 - self._chance(_sign_of_life(), lead, at_us, horizon_days)
        quiet[self._under_way(self.rows(lead), at_us, horizon_days)] = 0.0
        return np.asarray(quiet)

    def _chance(
        self,
        question: Question,
        lead: Sequence[str] | NDArray[np.object_],
        at_us: I64,
        horizon_days: float,
    ) -> F64:
        if not 0 < horizon_days <= 3650:
            raise BadInput(
                "no such horizon", where="horizon_days", got=horizon_days, expected="0 to 3650"
            )
        state, rows = self.state(lead, at_us), self.rows(lead)
        day = self.clock.day_of(at_us)
        return chance(
            question,
            self.market,
            state,
            self.clock.waking(day),
            self.clock.waking(day + horizon_days),
            self.leads["lift"].to_numpy(np.float64)[rows],
            self.leads["zeal"].to_numpy(np.float64)[rows],
        )

    def _under_way(self, rows: I64, at_us: I64, horizon_days: float) -> NDArray[np.bool_]:
        """Whether something settled at or before `at` is to come within the horizon."""
        owner = self.waiting["lead"].to_numpy(np.int64)
        first = np.searchsorted(owner, rows)
        counts = np.searchsorted(owner, rows, side="right") - first
        asked = np.repeat(np.arange(len(rows)), counts)
        number = np.arange(len(asked)) - np.repeat(np.cumsum(counts) - counts, counts)
        row = first[asked] + number
        decided = self.waiting["decided_us"].to_numpy(np.int64)[row]
        comes = self.waiting["at_us"].to_numpy(np.int64)[row]
        now = at_us[asked]
        due = (decided <= now) & (comes > now) & (comes <= now + round(horizon_days * DAY_US))
        found = np.zeros(len(rows), bool)
        found[asked[due]] = True
        return found


def truth_of(world: World, stays: Stays, events: Happening, messages: pd.DataFrame) -> Truth:
    """Gather what was planted.

    Parameters
    ----------
    world : World
    stays : Stays
        All stays begun.
    events : Happening
        All events that follow from them, also those beyond the log's end.
    messages : DataFrame
        Of `leadlab.data.brokerage.log.Told`.
    """
    later = BY_LEAD[events.kind] & (events.decided < events.day)
    waiting = pd.DataFrame(
        {
            "lead": events.lead[later],
            "decided_us": world.clock.at_us(events.decided[later]),
            "at_us": world.clock.at_us(events.day[later]),
        }
    )
    return Truth(
        settings=world.settings,
        leads=_leads_frame(world),
        paths=_paths_frame(world, stays),
        agents=world.agents.frame(),
        listings=world.listings.hidden(),
        messages=messages,
        waiting=waiting.sort_values(["lead", "at_us"], kind="stable").reset_index(drop=True),
    )


def _leads_frame(world: World) -> pd.DataFrame:
    leads = world.leads
    return pd.DataFrame(
        {
            "lead": [f"lead-{i:06d}" for i in range(len(leads))],
            "segment": np.array([s.name for s in SEGMENTS], dtype=object)[leads.segment],
            "lead_source": np.array([s.name for s in SOURCES], dtype=object)[leads.source],
            "agent": world.agents.names[leads.agent],
            "arrived_us": world.clock.at_us(leads.arrival),
            "first_answer_h": leads.first_answer_h,
            "lift": leads.lift,
            "zeal": leads.zeal,
            "area": leads.area,
            "price_place": leads.price,
        }
    ).join(leads.taste.frame())


def _paths_frame(world: World, stays: Stays) -> pd.DataFrame:
    clock = world.clock
    day = clock.day(stays.entered)
    first = stays.came_from == ARRIVING
    day[first] = world.leads.arrival[stays.lead[first]]
    ends = np.isfinite(stays.left)
    left_us = np.full(len(day), NEVER_US)
    left_us[ends] = clock.at_us(clock.day(stays.left[ends]))
    order = np.lexsort((stays.entered, stays.lead))
    return pd.DataFrame(
        {
            "lead": stays.lead[order],
            "state": stays.state[order],
            "mood": np.array(MOODS, dtype=object)[mood(stays.state[order])],
            "entered_us": clock.at_us(day)[order],
            "left_us": left_us[order],
        }
    )

"""All that is known of one lead at a moment, as insight handlers get it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from leadlab.explain.finding import Evidence
from leadlab.explain.scores import Scores
from leadlab.explain.sentences import phrase
from leadlab.features.table import FeatureTable
from leadlab.models.health.health import Health, Healths
from leadlab.schema.log import Coded, EventLog

US_PER_DAY = 86_400_000_000
US_PER_HOUR = US_PER_DAY // 24
MOST_EVIDENCE = 5
"""Events that a handler of the package names at most, newest first."""


class Conversation(Protocol):
    """The conversation so far, such as `leadlab.models.conversation` reads it."""

    @property
    def open_objections(self) -> Mapping[str, float]:
        """Kinds of objections ("price", "competitor", ...) not answered yet, with probability."""

    @property
    def unanswered(self) -> Sequence[str]:
        """The lead's questions that nobody answered yet, the oldest first."""


@dataclass(frozen=True, eq=False)
class Known:
    """One lead at one moment.

    Attributes
    ----------
    scores : Scores
    row : int
        The lead's row in `scores`.
    health : Health or None
    events : EventLog or None
        The lead's own, none later than the moment.
    silence : mapping of str to float and str, or None
        A row of `ChurnModel.predict`: ``p_7d``, ..., ``expected_days``, ``level``.
    conversation : Conversation or None
    tables : tuple of FeatureTable
        Where `value` looks, in order.
    """

    scores: Scores
    row: int
    health: Health | None = None
    events: EventLog | None = None
    silence: Mapping[str, float | str] | None = None
    conversation: Conversation | None = None
    tables: tuple[FeatureTable, ...] = field(default=(), repr=False)

    @property
    def as_of_us(self) -> int:
        """The moment."""
        return int(self.scores.table.as_of_us[self.row])

    def value(self, feature: str) -> float:
        """A feature of the lead; NaN where it is unknown or nobody computed it."""
        for table in self.tables:
            if feature in table.names:
                return float(table.column(feature)[self.row])
        return float("nan")

    def phrase(self, feature: str) -> str:
        """The same in words; empty where nobody computed it."""
        for table in self.tables:
            if feature in table.names:
                return phrase(table.features[feature], self.value(feature))
        return ""

    def last(
        self, kinds: Iterable[str], *, days: float = float("inf"), most: int = MOST_EVIDENCE
    ) -> tuple[Evidence, ...]:
        """The lead's latest events of some kinds, newest first.

        Parameters
        ----------
        kinds : iterable of str
            None of them: of every kind.
        days : float
            Not older than so many.
        most : int
        """
        if self.events is None or not len(self.events):
            return ()
        wanted = set(kinds)
        named = np.array([not wanted or name in wanted for name in self.events.kind.names])
        recent = self.events.at_us >= self.as_of_us - min(days, 1e6) * US_PER_DAY
        rows = np.flatnonzero(named[self.events.kind.codes] & recent)[::-1][:most]
        return self.evidence(rows)

    def evidence(self, rows: Iterable[int] | np.ndarray) -> tuple[Evidence, ...]:
        """Events by their position in `events`."""
        if self.events is None:
            return ()
        kinds = self.events.kind
        return tuple(
            Evidence(
                str(self.events.id[i]), str(kinds.names[kinds.codes[i]]), int(self.events.at_us[i])
            )
            for i in rows
        )

    def unanswered_since(
        self, asked: Iterable[str], answered: Iterable[str]
    ) -> tuple[Evidence, ...]:
        """Latest events of the one sort of kinds that none of the other sort came after.

        Parameters
        ----------
        asked, answered : iterable of str
            Kinds.
        """
        answers = self.last(answered, most=1)
        since = answers[0].at_us if answers else -1
        return tuple(one for one in self.last(asked) if one.at_us > since)

    def numbers(self, name: str) -> np.ndarray | None:
        """A numeric field of the lead's events; None where the log has no such field."""
        column = None if self.events is None else self.events.data.get(name)
        return None if column is None or isinstance(column, Coded) else column

    def weighed(self, base: float) -> float:
        """A priority of `base`, 30% of which a lead without any health loses.

        Examples
        --------
        >>> Known.weighed.__name__
        'weighed'
        """
        score = float("nan") if self.health is None else self.health.score
        return base * (0.7 + 0.3 * (0.0 if np.isnan(score) else score) / 100)


def known_of(
    scores: Scores,
    row: int,
    *,
    health: Healths | None = None,
    events: EventLog | None = None,
    silence: Mapping[str, float | str] | None = None,
    conversation: Conversation | None = None,
) -> Known:
    """Put together what is known of one lead, without anything that came later.

    Parameters
    ----------
    scores : Scores
    row : int
    health : Healths, optional
        Of the same rows.
    events : EventLog, optional
        Of this lead or of more, up to the moment or beyond: only its own up to then are kept.
    silence : mapping, optional
        A row of `ChurnModel.predict` of the same moment.
    conversation : Conversation, optional
        Read from messages up to the moment.
    """
    table = scores.table
    tables = (table,) if health is None else (table, health.table)
    own = None
    if events is not None:
        lead, tenant = table.lead.values()[row], table.tenant.values()[row]
        mine = (events.lead.codes == events.lead.index.get(lead, -2)) & (
            events.tenant.codes == events.tenant.index.get(tenant, -2)
        )
        own = events.take(mine & (events.at_us <= table.as_of_us[row]))
    assessed = None if health is None else health[row]
    return Known(scores, row, assessed, own, silence, conversation, tables)

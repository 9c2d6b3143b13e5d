"""Where every lead stands: its newest score, the one before its last event, and what they saw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlab.errors import BadInput, UnknownName
from leadlab.explain.scores import Scores
from leadlab.schema.log import EventLog

I64 = NDArray[np.int64]
NEVER = np.iinfo(np.int64).min

PLACE = np.dtype(
    [
        ("lead", object),
        ("tenant", object),
        ("probability", np.float64),
        ("low", np.float64),  # see `leadlab.explain.Scores`
        ("high", np.float64),
        ("as_of_us", np.int64),
        ("before", np.float64),  # probability just before the last event; NaN for the first
        ("before_us", np.int64),  # when that was; `NEVER` for the first
        ("event_us", np.int64),  # time of the last event
        ("kind", object),  # of the last event
        ("events", np.int64),  # so far
        ("arrived", object),  # the batch that held the last event; None where it is not kept
        ("open", np.bool_),  # no event has ended the lead yet
        ("ended", object),  # kind of the one that did
    ]
)


class Standings:
    """One place a lead, in order of first appearance.

    Parameters
    ----------
    n_features : int
        Columns of a feature table.

    Attributes
    ----------
    rows, rows_before : float32 array, shape (room, n_features)
        The features behind the newest score, and behind the one before the last event.

    Examples
    --------
    >>> standings = Standings(n_features=1)
    >>> places = standings.places_of(["ann", "bob"], "default")
    >>> standings._places["probability"][places] = 0.2, 0.7
    >>> standings.places["lead"][standings.top(1, places)].tolist()
    ['bob']
    """

    def __init__(self, n_features: int) -> None:
        self._index: dict[tuple[str, str], int] = {}
        self._known = 0
        self._places = np.zeros(0, PLACE)
        self.rows = np.empty((0, n_features), np.float32)
        self.rows_before = np.empty((0, n_features), np.float32)

    def __len__(self) -> int:
        return len(self._index)

    def __contains__(self, lead_and_tenant: tuple[str, str]) -> bool:
        return lead_and_tenant[::-1] in self._index

    @property
    def places(self) -> NDArray[Any]:
        """All places, shape (len(self),), fields of `PLACE`; a view, not to be written to."""
        return self._places[: len(self)]

    def find(self, lead: str, tenant: str) -> int:
        """Place of a lead.

        Raises
        ------
        UnknownName
            For one that has never been scored.
        """
        place = self._index.get((tenant, lead))
        if place is None:
            raise UnknownName("lead", lead, (name for of, name in self._index if of == tenant))
        return place

    def places_of(self, leads: Sequence[str], tenant: str) -> I64:
        """Places of leads, made where they are new."""
        places = np.empty(len(leads), np.int64)
        fresh: dict[int, str] = {}
        for row, name in enumerate(leads):
            place = self._index.setdefault((tenant, name), len(self._index))
            places[row] = place
            if place >= self._known:
                fresh[place] = name
        self._known = len(self._index)
        if self._known > len(self._places):
            self._grow(max(self._known, 2 * len(self._places), 64))
        for place, name in fresh.items():
            nan = float("nan")
            self._places[place] = (
                name, tenant, nan, nan, nan, NEVER, nan, NEVER, NEVER, None, 0, None, True, None,
            )  # fmt: skip
        return places

    def _grow(self, room: int) -> None:
        more = room - len(self._places)
        self._places = np.concatenate([self._places, np.zeros(more, PLACE)])
        blank = np.full((more, self.rows.shape[1]), np.nan, np.float32)
        self.rows = np.concatenate([self.rows, blank])
        self.rows_before = np.concatenate([self.rows_before, blank])

    def note_events(
        self, places: I64, batch: EventLog, last: I64, counts: I64, *, keep: bool = True
    ) -> None:
        """Events came: the newest score becomes the one before them.

        Parameters
        ----------
        places : int64 array, shape (n,)
        batch : EventLog
            What came.
        last : int64 array, shape (n,)
            Row in `batch` of each lead's last event.
        counts : int64 array, shape (n,)
            Each lead's events in `batch`.
        keep : bool
            Remember `batch`, to tell later which event changed what.
        """
        at = self._places
        at["before"][places] = at["probability"][places]
        at["before_us"][places] = at["as_of_us"][places]
        self.rows_before[places] = self.rows[places]
        newer = places[batch.at_us[last] >= at["event_us"][places]]
        rows = last[batch.at_us[last] >= at["event_us"][places]]
        at["event_us"][newer] = batch.at_us[rows]
        at["kind"][newer] = batch.kind.take(rows).values()
        at["events"][places] += counts
        for place in places:
            at["arrived"][place] = batch if keep else None

    def note_scores(self, places: I64, scores: Scores) -> None:
        """New scores, row by row."""
        table = scores.table
        if len(places) != len(table):
            raise BadInput("one row a lead", got=f"{len(places)} leads, {len(table)} rows")
        self._places["probability"][places] = scores.probability
        self._places["low"][places], self._places["high"][places] = scores.low, scores.high
        self._places["as_of_us"][places] = table.as_of_us
        self.rows[places] = table.values

    def note_end(self, places: I64, kinds: NDArray[Any]) -> None:
        """The leads came to an end through events of `kinds`."""
        self._places["open"][places] = False
        self._places["ended"][places] = kinds

    # -- who stands out ----------------------------------------------------------------------------

    def active(self, since_us: int) -> I64:
        """Places of scored, open leads with an event at `since_us` or later."""
        at = self.places
        scored = ~np.isnan(at["probability"])
        return np.flatnonzero(at["open"] & scored & (at["event_us"] >= since_us))

    def top(self, n: int, among: I64) -> I64:
        """The `n` places of `among` with the highest probability, highest first, ties by age."""
        probability = self.places["probability"][among]
        if n < len(among):
            bar = np.partition(probability, -n)[-n]
            among = among[probability >= bar]
        order = np.lexsort((among, -self.places["probability"][among]))
        return among[order[:n]]

    def threshold(self, share: float, among: I64) -> float:
        """The lowest probability within the top `share` of `among`; NaN where there are none."""
        if not 0 < share <= 1:
            raise BadInput("unusable share", got=share, expected="above 0, at most 1")
        if not len(among):
            return float("nan")
        k = max(1, int(np.ceil(share * len(among))))
        return float(np.partition(self.places["probability"][among], -k)[-k])

"""The skew meter: the features that scores were made of, beside those that the journal gives."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlab.errors import BadInput
from leadlab.features import FeatureSet, Moments, build
from leadlab.schema.log import Coded, EventLog
from leadlab.stream.outcome import Outcome

F32 = NDArray[np.float32]
_RELATIVE, _ABSOLUTE = 1e-5, 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Features as they were served once.

    Attributes
    ----------
    offset : int
        Of the event behind the score: it and all before it were known.
    tenant, lead : str
    as_of_us : int
    features : FeatureSet
    values : float32 array, shape (len(features),)
    """

    offset: int
    tenant: str
    lead: str
    as_of_us: int
    features: FeatureSet
    values: F32


History = Callable[[Sample], EventLog | None]
"""Gives the events of the sample's tenant with offsets up to the sample's; None where they are no
longer at hand."""


class SkewMeter:
    """Keeps some of the feature rows served, and compares them with rows rebuilt from the journal.

    One thread notes outcomes, another may check.

    Parameters
    ----------
    history : callable
        From a `Sample` to the `EventLog` of what was journalled up to then, in its tenant.
    share : float
        Of the rows that are kept, drawn at random.
    rng : numpy.random.Generator
    own_only : bool
        Compare features of the leads' own events only; then `history` need give no others.
    room : int
        Rows that wait at most; further ones are passed over, and counted.

    Examples
    --------
    >>> from leadlab.data import simulate
    >>> from leadlab.features import catalogue
    >>> meter = SkewMeter(lambda sample: log, share=0.01, rng=np.random.default_rng(1))
    >>> log, features = simulate(20, 30, seed=3).log, catalogue()
    >>> last = build(log, features).values[-1]
    >>> lead, at_us = log.lead.values()[-1], int(log.at_us[-1])
    >>> meter.keep(Sample(len(log), "default", lead, at_us, features, last + np.float32(1)))
    >>> meter.check()
    1
    >>> report = meter.report()
    >>> report["checked"], report["differing"], report["mismatches"]["inquiry_count_30d"]
    (1, 1, 1)
    """

    def __init__(
        self,
        history: History,
        *,
        share: float,
        rng: np.random.Generator,
        room: int = 256,
        own_only: bool = False,
    ) -> None:
        if not 0 <= share <= 1 or room < 1:
            raise BadInput("unusable sample", got=f"share={share}, room={room}")
        self.history, self.share, self.rng, self.room = history, share, rng, room
        self.own_only = own_only
        self._waiting: deque[Sample] = deque()
        self._mismatches: dict[str, int] = {}
        self._counts = {"kept": 0, "passed_over": 0, "checked": 0, "differing": 0}
        self._last: dict[str, Any] | None = None
        self._lock = threading.Lock()

    def note(self, outcome: Outcome) -> None:
        """Keep some rows of a batch; rows that rules scored have no features to compare."""
        picked = np.flatnonzero(self.rng.random(len(outcome)) < self.share)
        if outcome.scores is None:
            return
        rows, events, table = outcome.rows, outcome.events, outcome.scores.table
        features: FeatureSet = table.features
        own: slice | list[int] = slice(None)
        if self.own_only:
            own = [i for i, feature in enumerate(table.features) if feature.entity == "lead"]
            features = table.features.select(table.names[i] for i in own)
        for i in picked[~rows["fallback"][picked]]:
            self.keep(
                Sample(
                    int(rows["offset"][i]),
                    events.tenant.names[events.tenant.codes[i]],
                    events.lead.names[events.lead.codes[i]],
                    int(rows["as_of_us"][i]),
                    features,
                    table.values[i][own].copy(),
                )
            )

    def keep(self, sample: Sample) -> None:
        """Keep one row to be checked, if there is room."""
        with self._lock:
            there = len(self._waiting) < self.room
            self._counts["kept" if there else "passed_over"] += 1
            if there:
                self._waiting.append(sample)

    def check(self, most: int = 16) -> int:
        """Rebuild rows that wait, oldest first, and compare; gives how many were compared.

        Parameters
        ----------
        most : int
            Rows to compare.
        """
        done = 0
        while done < most:
            with self._lock:
                if not self._waiting:
                    break
                sample = self._waiting.popleft()
            log = self.history(sample)
            if log is None:
                with self._lock:
                    self._counts["passed_over"] += 1
                continue
            self._compare(sample, _rebuilt(log, sample))
            done += 1
        return done

    def _compare(self, sample: Sample, rebuilt: F32) -> None:
        same = np.isclose(sample.values, rebuilt, _RELATIVE, _ABSOLUTE, equal_nan=True)
        names = sample.features.names
        with self._lock:
            self._counts["checked"] += 1
            self._counts["differing"] += not same.all()
            for name in names:
                self._mismatches.setdefault(name, 0)
            for place in np.flatnonzero(~same):
                self._mismatches[names[place]] += 1
                self._last = {
                    "offset": sample.offset,
                    "feature": names[place],
                    "served": float(sample.values[place]),
                    "rebuilt": float(rebuilt[place]),
                }

    def report(self) -> dict[str, Any]:
        """Figures so far.

        Returns
        -------
        dict
            ``kept``, ``passed_over``, ``waiting``, ``checked``, ``differing`` rows; ``mismatches``
            by feature; ``last``, the newest difference (offset, feature, served, rebuilt) or None.
        """
        with self._lock:
            return {
                **self._counts,
                "waiting": len(self._waiting),
                "mismatches": dict(self._mismatches),
                "last": self._last,
            }


def _rebuilt(log: EventLog, sample: Sample) -> F32:
    """The row that the journal gives; all NaN where it knows nothing of the tenant."""
    if not len(log):
        return np.full(len(sample.features), np.nan, np.float32)
    moment = np.array([sample.as_of_us], np.int64)
    asked = Moments(Coded.constant(sample.tenant, 1), Coded.constant(sample.lead, 1), moment)
    values: F32 = build(log.canonical(), sample.features, asked).values[0]
    return values

"""How long things take: percentiles in constant memory, and those of every stage of the engine."""

from __future__ import annotations

import threading
from itertools import pairwise
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leadlab.errors import BadInput
from leadlab.stream.outcome import STAGES, Outcome

LONGEST_S = 3600.0
_PER_OCTAVE = 64
_US = 1e6


def _buckets(values_us: NDArray[np.float64]) -> NDArray[np.int64]:
    """Buckets are 64 equal steps from one power of two to the next, so at most 1/64 wide."""
    within = np.clip(values_us, 1.0, LONGEST_S * _US)
    fraction, exponent = np.frexp(within)
    step = ((fraction - 0.5) * 2 * _PER_OCTAVE).astype(np.int64)
    return (exponent - 1).astype(np.int64) * _PER_OCTAVE + step


_N = int(_buckets(np.array([LONGEST_S * _US]))[0]) + 1
_OCTAVE, _STEP = np.divmod(np.arange(_N), _PER_OCTAVE)
_MIDDLE_S = 2.0**_OCTAVE * (1 + (_STEP + 0.5) / _PER_OCTAVE) / _US


class Latency:
    """A histogram of durations from 1 microsecond to 1 hour; one thread may record, others read.

    Buckets are log-linear, as in HdrHistogram: a percentile is off by at most 0.8%. Shorter and
    longer durations, negative ones too, count as the shortest and the longest; the largest and the
    sum are kept exactly.

    Examples
    --------
    >>> latency = Latency()
    >>> latency.record([0.001] * 99 + [0.25])
    >>> len(latency), round(latency.percentile(50), 4), latency.max_s
    (100, 0.001, 0.25)
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._clear()

    def _clear(self) -> None:
        self._counts = np.zeros(_N, np.int64)
        self.sum_s = 0.0
        self.max_s = float("nan")

    def __len__(self) -> int:
        return int(self._counts.sum())

    def record(self, values_s: ArrayLike, times: int = 1) -> None:
        """Count durations.

        Parameters
        ----------
        values_s : array of float
            Seconds.
        times : int
            How often each is counted.

        Raises
        ------
        BadInput
            For NaN.
        """
        values = np.atleast_1d(np.asarray(values_s, np.float64))
        if not values.size or times < 1:
            return
        if np.isnan(values).any():
            raise BadInput("a duration is not a number", where="values_s")
        added = np.bincount(_buckets(values * _US), minlength=_N)
        with self._lock:
            self._counts += added if times == 1 else added * times
            self.sum_s += float(values.sum()) * times
            self.max_s = float(np.fmax(self.max_s, values.max()))

    def percentile(self, q: float) -> float:
        """Seconds that `q` percent of the durations do not exceed (nearest rank); NaN for none."""
        if not 0 <= q <= 100:
            raise BadInput("unusable percentile", got=q, expected="0 to 100")
        with self._lock:
            reached, largest = np.cumsum(self._counts), self.max_s
        if not reached[-1]:
            return float("nan")
        rank = max(1, int(np.ceil(q * reached[-1] / 100)))
        place = int(np.searchsorted(reached, rank))
        beyond = place == _N - 1 and largest > LONGEST_S
        return float(LONGEST_S if beyond else min(_MIDDLE_S[place], max(largest, 1 / _US)))

    def cumulative(self) -> tuple[NDArray[np.float64], NDArray[np.int64], float]:
        """Bounds in seconds (powers of two microseconds, then infinity), durations below, sum."""
        with self._lock:
            reached, total_s = np.cumsum(self._counts), self.sum_s
        octaves = np.arange(6, _OCTAVE[-1] + 1)
        counts = np.append(reached[octaves * _PER_OCTAVE - 1], reached[-1])
        return np.append(2.0**octaves / _US, np.inf), counts, total_s

    def merge(self, other: Latency) -> None:
        """Count all that `other` counted."""
        with other._lock:
            counts, sum_s, max_s = other._counts.copy(), other.sum_s, other.max_s
        with self._lock:
            self._counts += counts
            self.sum_s += sum_s
            self.max_s = float(np.fmax(self.max_s, max_s))

    def reset(self) -> Self:
        """Begin anew; gives what was counted until now."""
        before = type(self)()
        with self._lock:
            before._counts, before.sum_s, before.max_s = self._counts, self.sum_s, self.max_s
            self._clear()
        return before

    def to_json(self) -> dict[str, float | None]:
        """Count, percentiles and largest in milliseconds; None where nothing was counted."""
        if not len(self):
            return {"count": 0, "p50_ms": None, "p90_ms": None, "p99_ms": None, "max_ms": None}
        figures = {f"p{q}_ms": self.percentile(q) * 1e3 for q in (50, 90, 99)}
        return {"count": len(self), **figures, "max_ms": self.max_s * 1e3}


class Stages:
    """What each stage of the engine takes, from the receipts of its outcomes.

    Attributes
    ----------
    histograms : dict of str to Latency
        By stage of `leadlab.stream.outcome.STAGES`: the time from the stage before to it, counted
        for each event of the batch; "arrived" is the time from the event itself to its stamp in
        the journal. "total" is the time from the arrival of a batch's oldest event to its results'
        publication, so no event waited longer.

    Examples
    --------
    >>> from leadlab.schema import EventLog
    >>> from leadlab.stream.outcome import OUTCOME
    >>> receipt = {"arrived": 10.0, "journalled": 10.002, "published": 10.004}
    >>> one = Outcome(np.zeros(3, OUTCOME), EventLog.from_events([]), (), (), receipt=receipt)
    >>> stages = Stages()
    >>> stages.note(one)
    >>> {name: len(latency) for name, latency in stages.histograms.items() if len(latency)}
    {'arrived': 3, 'journalled': 3, 'published': 3, 'total': 3}
    """

    def __init__(self) -> None:
        self.histograms = {name: Latency() for name in (*STAGES, "total")}

    def note(self, outcome: Outcome) -> None:
        """Count one batch; a stage that its receipt lacks is left out."""
        n, receipt = len(outcome), outcome.receipt
        passed = [stage for stage in STAGES if stage in receipt]
        for before, stage in pairwise(passed):
            self.histograms[stage].record(receipt[stage] - receipt[before], n)
        if "arrived" in receipt and "published" in receipt:
            self.histograms["total"].record(receipt["published"] - receipt["arrived"], n)
        waited_us = outcome.rows["arrived_us"] - outcome.rows["at_us"]
        self.histograms["arrived"].record(waited_us / _US)

    def to_json(self) -> dict[str, dict[str, float | None]]:
        """Figures of each stage; see `Latency.to_json`."""
        return {name: latency.to_json() for name, latency in self.histograms.items()}

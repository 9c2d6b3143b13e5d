"""What happened lately to each tenant: volumes, conversions, reply times, scores, active leads."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable
from itertools import pairwise

import msgspec
import numpy as np
from numpy.typing import NDArray

from leadlab.errors import BrokenFile
from leadlab.features.catalogue import REACHES, REQUESTED, TOUCHES
from leadlab.schema.kinds import CONVERTED
from leadlab.schema.log import EventLog
from leadlab.stream.outcome import Outcome
from leadlab.stream.window_buckets import (
    ASKS,
    COLUMNS,
    KINDS,
    LEADS,
    NEVER,
    OTHER,
    REPLIES,
    REPLY_S,
    ROWS,
    SCORE,
    SCORE_EDGES,
    SCORES,
    TOUCHED,
    WINDOWS,
    Buckets,
    count,
    quantile,
)  # fmt: skip

I64 = NDArray[np.int64]
_FORMAT = 1


class _Kept(msgspec.Struct, array_like=True):
    name: str
    kinds: list[str]
    too_old: int
    heads: bytes
    at: bytes
    counts: bytes


class _State(msgspec.Struct, array_like=True):
    format: int
    tenants: list[_Kept]
    seen_us: bytes
    waiting_us: bytes


class Windows:
    """Counts over the last 5 minutes, 1 hour and 24 hours; one thread adds, any thread reads.

    A window is made of buckets of 10 seconds, 1 minute and 15 minutes. As of `now_us` it holds the
    bucket of `now_us` and the 29, 59 or 95 before it, and is exact for these. An event counts in
    the bucket of its ``as_of_us``, whenever it happened; one older than the whole window is left
    out and counted in ``too_old``.

    Memory is flat: half a megabyte a tenant, 16 bytes a lead.

    Parameters
    ----------
    conversions : iterable of str
        Kinds of event that count as conversions.
    asks, touches : iterable of str
        A reply time runs from a lead's earliest unanswered ask to the first touch not before it,
        by the events' own times, and counts in the bucket of the touch.

    Examples
    --------
    >>> from leadlab.schema import EventLog, event_from
    >>> from leadlab.stream.outcome import OUTCOME
    >>> rows = np.zeros(2, OUTCOME)
    >>> rows["at_us"] = rows["as_of_us"] = 1_772_384_400_000_000, 1_772_384_490_000_000
    >>> rows["probability"] = 0.02
    >>> log = EventLog.from_events([
    ...     event_from({"id": kind, "lead": "ann", "kind": kind, "at": at})
    ...     for kind, at in (("Inquiry", "2026-03-01T17:00:00Z"),
    ...                      ("Outgoing Call", "2026-03-01T17:01:30Z"))])
    >>> windows = Windows()
    >>> windows.add(Outcome(rows, log, (), ()))
    >>> figures = windows.figures("default", 1_772_384_490_000_000)
    >>> [figures[name] for name in ("events_5m", "events_5m[Inquiry]", "leads_1h", "responses_1h")]
    [2.0, 1.0, 1.0, 1.0]
    >>> round(figures["response_median_1h"])
    90
    """

    def __init__(
        self,
        *,
        conversions: Iterable[str] = (CONVERTED,),
        asks: Iterable[str] = (*REACHES.kinds, *REQUESTED.kinds),
        touches: Iterable[str] = TOUCHES.kinds,
    ) -> None:
        self.conversions = frozenset(conversions)
        self._roles = dict.fromkeys(asks, ASKS) | dict.fromkeys(touches, TOUCHED)
        self._tenants: dict[str, Buckets] = {}
        self._seen_us = np.empty(0, np.int64)
        self._waiting_us = np.empty(0, np.int64)
        self._lock = threading.Lock()

    def add(self, outcome: Outcome) -> None:
        """Count a batch."""
        if not len(outcome):
            return
        rows, events = outcome.rows, outcome.events
        order, bounds = _by_tenant(events.tenant.codes)
        kinds, probability = events.kind.codes[order], rows["probability"][order]
        role = np.array([self._roles.get(name, 0) for name in events.kind.names], np.int8)[kinds]
        score = np.searchsorted(SCORE_EDGES[1:-1], probability, side="right")
        score[np.isnan(probability)] = -1
        as_of_us, at_us = rows["as_of_us"][order], rows["at_us"][order]
        place = rows["place"][order]
        with self._lock:
            self._grow(int(place.max()) + 1)
            column = self._columns(events, order)
            for first, end in pairwise(bounds):
                here = slice(first, end)
                tenant = self._tenants[events.tenant.names[events.tenant.codes[order[first]]]]
                tenant.too_old += count(
                    as_of_us[here], at_us[here], place[here], column[here], role[here],
                    score[here], self._seen_us, self._waiting_us, tenant.heads, tenant.counts,
                )  # fmt: skip

    def _columns(self, events: EventLog, order: I64) -> I64:
        """Column of each event's kind in its tenant's counts; new tenants and kinds get theirs."""
        width = len(events.kind.names)
        pairs = events.tenant.codes[order] * np.int64(width) + events.kind.codes[order]
        used, back = np.unique(pairs, return_inverse=True)
        columns = np.empty(len(used), np.int64)
        for i, (tenant, kind) in enumerate(zip(*np.divmod(used, width), strict=True)):
            name = events.tenant.names[tenant]
            if name not in self._tenants:
                self._tenants[name] = Buckets()
            columns[i] = self._tenants[name].kind(events.kind.names[kind])
        return columns[back]

    def _grow(self, places: int) -> None:
        more = max(places, 2 * len(self._seen_us)) - len(self._seen_us)
        if places > len(self._seen_us):
            blank = np.full(more, NEVER, np.int64)
            self._seen_us = np.concatenate([self._seen_us, blank])
            self._waiting_us = np.concatenate([self._waiting_us, blank])

    def figures(self, tenant: str, now_us: int) -> dict[str, float]:
        """All figures of a tenant, by name; zeros and NaN for one that nothing was heard of.

        Parameters
        ----------
        tenant : str
        now_us : int
            Not before the newest event: what a window has passed by since is gone.

        Returns
        -------
        dict of str to float
            For each window w of `WINDOWS`: ``events_w``; ``events_w[kind]`` of each kind met;
            ``conversions_w``; ``leads_w``, active; ``responses_w``, how many;
            ``response_median_w``, ``response_p90_w``, in seconds, to 3%, from 1 second to 24 days;
            ``score_p10_w`` to ``score_p90_w``, deciles of the probabilities given, to 0.04 in
            log-odds.
        """
        figures: dict[str, float] = {}
        with self._lock:
            at = self._tenants.get(tenant, Buckets())
            kinds = dict(at.kinds)
            totals = [at.total(window, now_us) for window in range(len(WINDOWS))]
        for name, sums in zip(WINDOWS, totals, strict=True):
            events = {kind: float(sums[column]) for kind, column in kinds.items()}
            if sums[KINDS - 1]:
                events[OTHER] = events.get(OTHER, 0.0) + float(sums[KINDS - 1])
            converted = [n for kind, n in events.items() if kind in self.conversions]
            replies, scores = sums[REPLIES:], sums[SCORES:REPLIES]
            figures[f"events_{name}"] = float(sums[:KINDS].sum())
            figures |= {f"events_{name}[{kind}]": n for kind, n in events.items()}
            figures[f"conversions_{name}"] = math.fsum(converted)
            figures[f"leads_{name}"] = float(sums[LEADS])
            figures[f"responses_{name}"] = float(replies.sum())
            figures[f"response_median_{name}"] = quantile(REPLY_S, replies, 50)
            figures[f"response_p90_{name}"] = quantile(REPLY_S, replies, 90)
            for q in range(10, 100, 10):
                figures[f"score_p{q}_{name}"] = quantile(SCORE, scores, q)
        return figures

    def scores(self, tenant: str, now_us: int, window: str) -> I64:
        """How many probabilities were given in each bin of `SCORE_EDGES`, shape (192,)."""
        with self._lock:
            at = self._tenants.get(tenant, Buckets())
            return at.total(list(WINDOWS).index(window), now_us)[SCORES:REPLIES]

    def too_old(self, tenant: str) -> int:
        """Events of a tenant that a window had passed by already, counted once for each window."""
        with self._lock:
            return self._tenants[tenant].too_old if tenant in self._tenants else 0

    @property
    def tenants(self) -> list[str]:
        """Who was heard of."""
        with self._lock:
            return list(self._tenants)

    def state(self) -> bytes:
        """Everything counted, for a snapshot; places of leads are those of the outcomes."""
        with self._lock:
            kept = []
            for name, tenant in self._tenants.items():
                flat = tenant.counts.ravel()
                at = np.flatnonzero(flat).astype("<i4")
                heads = tenant.heads.astype("<i8").tobytes()
                counts = flat[at].astype("<i4").tobytes()
                kept.append(
                    _Kept(name, [*tenant.kinds], tenant.too_old, heads, at.tobytes(), counts)
                )
            leads = len(np.trim_zeros(self._seen_us - NEVER, "b"))
            seen_us, waiting_us = (
                a[:leads].astype("<i8").tobytes() for a in (self._seen_us, self._waiting_us)
            )
        return msgspec.msgpack.encode(_State(_FORMAT, kept, seen_us, waiting_us))

    def restore(self, content: bytes) -> None:
        """Go on from what `state` gave, in place of what was counted here.

        Raises
        ------
        BrokenFile
            If `content` was not made by `state`; nothing is changed then.
        """
        try:
            state = msgspec.msgpack.decode(content, type=_State)
            if state.format != _FORMAT:
                raise BrokenFile("another format", got=state.format, expected=_FORMAT)
            tenants = {kept.name: _restored(kept) for kept in state.tenants}
            seen_us = np.frombuffer(state.seen_us, "<i8").astype(np.int64)
            waiting_us = np.frombuffer(state.waiting_us, "<i8").astype(np.int64)
            if len(seen_us) != len(waiting_us):
                raise BrokenFile("leads do not agree", got=f"{len(seen_us)}, {len(waiting_us)}")
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise BrokenFile("not the state of windows", got=str(error)[:200]) from error
        with self._lock:
            self._tenants = tenants
            self._seen_us, self._waiting_us = seen_us, waiting_us


def _restored(kept: _Kept) -> Buckets:
    tenant = Buckets()
    heads = np.frombuffer(kept.heads, "<i8")
    at, counts = np.frombuffer(kept.at, "<i4"), np.frombuffer(kept.counts, "<i4")
    sound = len(heads) == len(WINDOWS) and len(at) == len(counts) and len(kept.kinds) < KINDS
    if not sound or ((at < 0) | (at >= ROWS * COLUMNS)).any() or (counts < 0).any():
        raise BrokenFile("counts do not fit the windows", where=kept.name)
    tenant.kinds = {kind: column for column, kind in enumerate(kept.kinds)}
    tenant.heads, tenant.too_old = heads.astype(np.int64), kept.too_old
    tenant.counts.ravel()[at] = counts
    return tenant


def _by_tenant(codes: NDArray[np.int32]) -> tuple[I64, list[int]]:
    """Rows by tenant, each tenant's in order of arrival, and where each tenant's begin and end."""
    order = np.argsort(codes, kind="stable")
    starts = np.flatnonzero(np.diff(codes[order])) + 1
    return order, [0, *starts.tolist(), len(codes)]

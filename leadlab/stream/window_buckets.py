"""Buckets of one tenant's sliding windows, and the kernel that counts events into them."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from leadlab.jit import kernel

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
I8 = NDArray[np.int8]

WINDOWS: Final = {"5m": (30, 10), "1h": (60, 60), "24h": (96, 900)}
"""Buckets of each window, and the seconds that each bucket spans."""
KINDS: Final = 64
"""Kinds of event told apart for a tenant; further ones count as `OTHER`."""
OTHER: Final = "other"
_LOGITS = np.linspace(-8, 8, 193)
SCORE_EDGES: Final = 1 / (1 + np.exp(-_LOGITS))
"""Bins of probability, even in log-odds; what lies beyond counts in the outermost."""

_SIZES = np.array([size for size, _ in WINDOWS.values()], np.int64)
_WIDTHS_US = np.array([width_s * 1_000_000 for _, width_s in WINDOWS.values()], np.int64)
_STARTS = np.cumsum(_SIZES) - _SIZES
ROWS = int(_SIZES.sum())
LEADS: Final = KINDS
SCORES: Final = KINDS + 1
_N_SCORES: Final = 192
REPLIES: Final = SCORES + _N_SCORES
_PER_OCTAVE: Final = 16
_N_REPLIES: Final = 21 * _PER_OCTAVE
COLUMNS: Final = REPLIES + _N_REPLIES
_STEPS = (np.arange(_N_REPLIES) + 0.5) % _PER_OCTAVE / _PER_OCTAVE
REPLY_S = 2.0 ** (np.arange(_N_REPLIES) // _PER_OCTAVE) * (1 + _STEPS)
"""Middle of each bin of reply times, seconds."""
SCORE = 1 / (1 + np.exp(-(_LOGITS[1:] + _LOGITS[:-1]) / 2))
"""Middle of each bin of probabilities."""
NEVER: Final = -1
ASKS: Final = 1
TOUCHED: Final = 2


class Buckets:
    """One tenant's buckets: a row a bucket, the windows one below the other."""

    def __init__(self) -> None:
        self.kinds: dict[str, int] = {}
        self.heads = np.full(len(WINDOWS), NEVER, np.int64)
        self.counts = np.zeros((ROWS, COLUMNS), np.int32)
        self.too_old = 0

    def kind(self, name: str) -> int:
        """Column of a kind."""
        if name not in self.kinds and len(self.kinds) >= KINDS - 1:
            return KINDS - 1
        return self.kinds.setdefault(name, len(self.kinds))

    def total(self, window: int, now_us: int) -> I64:
        """Sums of all columns over a window."""
        size, head = int(_SIZES[window]), int(self.heads[window])
        now = now_us // int(_WIDTHS_US[window])
        first = max(now - size, head - size) + 1
        buckets = np.arange(first, max(min(now, head) + 1, first))
        rows: I64 = self.counts[_STARTS[window] + buckets % size].sum(axis=0, dtype=np.int64)
        return rows


def quantile(values: NDArray[np.float64], counts: I64, q: int) -> float:
    """Nearest rank."""
    reached = np.cumsum(counts)
    if not reached[-1]:
        return float("nan")
    rank = max(1, -(-q * int(reached[-1]) // 100))
    return float(values[np.searchsorted(reached, rank)])


@kernel()
def _reply(waited_us: int) -> int:
    """Bin of a reply time."""
    seconds = min(max(waited_us / 1e6, 1.0), 2.0**21 - 1)
    fraction, exponent = math.frexp(seconds)
    return (exponent - 1) * _PER_OCTAVE + int((fraction - 0.5) * 2 * _PER_OCTAVE)


@kernel()
def count(
    as_of_us: I64, at_us: I64, place: I32, column: I64, role: I8, score: I64,
    seen_us: I64, waiting_us: I64, heads: I64, counts: I32,
) -> int:  # fmt: skip
    """Count events one by one; gives how often a window had passed one by already.

    Parameters
    ----------
    as_of_us, at_us, place, column, role, score : arrays, shape (n,)
        The events: moments, the lead's place, the column of the kind, 0 or `ASKS` or `TOUCHED`,
        and the bin of the probability or -1.
    seen_us, waiting_us : int64 arrays, by place
        When a lead was last seen, and since when it waits for a touch; `NEVER` for neither.
    heads, counts : arrays of `Buckets`
    """
    too_old = 0
    for i in range(len(as_of_us)):
        now_us, lead = as_of_us[i], place[i]
        reply = -1
        if role[i] == ASKS:
            if waiting_us[lead] == NEVER or at_us[i] < waiting_us[lead]:
                waiting_us[lead] = at_us[i]
        elif role[i] == TOUCHED and waiting_us[lead] != NEVER and at_us[i] >= waiting_us[lead]:
            reply = REPLIES + _reply(at_us[i] - waiting_us[lead])
            waiting_us[lead] = NEVER
        for w in range(len(_SIZES)):
            start, size = _STARTS[w], _SIZES[w]
            bucket = now_us // _WIDTHS_US[w]
            for passed in range(max(heads[w] + 1, bucket - size + 1), bucket + 1):
                counts[start + passed % size] = 0
            heads[w] = max(heads[w], bucket)
            if bucket <= heads[w] - size:
                too_old += 1
                continue
            row = start + bucket % size
            counts[row, column[i]] += 1
            if score[i] >= 0:
                counts[row, SCORES + score[i]] += 1
            if reply >= 0:
                counts[row, reply] += 1
            if now_us > seen_us[lead]:
                before = seen_us[lead] // _WIDTHS_US[w]
                if seen_us[lead] != NEVER and before > heads[w] - size:
                    counts[start + before % size, LEADS] -= 1
                counts[row, LEADS] += 1
        seen_us[lead] = max(seen_us[lead], now_us)
    return too_old

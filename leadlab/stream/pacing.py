"""How the live service spends its time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pacing:
    """How the service spends its time.

    Attributes
    ----------
    batch : int
        Entries of a micro-batch at most.
    linger_s : float
        How long the first entry of a batch may wait for more; with 0 a batch is what has gathered
        while the one before was at work.
    lag : int
        Entries that may wait to be scored before `submit` refuses more.
    tick_s : float
        Between two readings of silent leads.
    checkpoint_s : float
        Between two checkpoints.
    keep : int or None
        Entries of the journal to keep at least; None keeps all.
    border_us : int or None
        A batch ends where stamps pass a multiple of this, so that figures are looked at the same
        moments however entries come.
    stale_us, active_us : int
        A lead without an event is read again after this long, while it was active of late.
    """

    batch: int = 1024
    linger_s: float = 0.0
    lag: int = 1_000_000
    tick_s: float = 1.0
    checkpoint_s: float = 60.0
    keep: int | None = None
    border_us: int | None = None
    stale_us: int = 3_600_000_000
    active_us: int = 30 * 86_400_000_000

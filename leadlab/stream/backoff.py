"""How long to wait before the next try: twice as long each time, and never all at once."""

from __future__ import annotations

import random


class Backoff:
    """Waits that double, with full jitter.

    Parameters
    ----------
    rng : random.Random
        Spreads those who wait for the same thing.
    first_s, most_s : float
        Longest first wait, and longest wait.

    Examples
    --------
    >>> waits = Backoff(random.Random(0), first_s=0.1, most_s=1.0)
    >>> all(waits.next_s() <= bound for bound in (0.1, 0.2, 0.4, 0.8, 1.0, 1.0))
    True
    """

    def __init__(self, rng: random.Random, *, first_s: float = 0.05, most_s: float = 2.0) -> None:
        self.rng = rng
        self.first_s, self.most_s = first_s, most_s
        self.tries = 0

    def next_s(self) -> float:
        """Seconds to wait now."""
        bound = min(self.first_s * 2.0 ** min(self.tries, 60), self.most_s)
        self.tries += 1
        return self.rng.uniform(0.1, 1.0) * bound

    def reset(self) -> None:
        """Begin again at the shortest wait, since it worked."""
        self.tries = 0

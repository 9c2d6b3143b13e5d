"""How stream time follows the clock: a straight line that can be bent, never torn."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from leadlab.errors import BadInput


@dataclass(frozen=True, slots=True)
class Pace:
    """Stream time as a function of the clock's reading.

    Changing the pace gives a new one that agrees with the old one at the moment of the change, so
    stream time never jumps and never runs backwards.

    Attributes
    ----------
    speed : float
        Stream seconds a clock second, above 0.
    clock_s, stream_us : float, int
        One point of the line: what the clock read when stream time was `stream_us`.
    playing : bool
        While False, stream time stands still.

    Examples
    --------
    >>> pace = Pace(speed=60.0, clock_s=10.0, stream_us=0)
    >>> pace.stream_at(11.0), pace.paused(11.0).stream_at(99.0)
    (60000000, 60000000)
    >>> pace.at_speed(1.0, 11.0).stream_at(12.0)
    61000000
    """

    speed: float
    clock_s: float
    stream_us: int
    playing: bool = True

    def __post_init__(self) -> None:
        if not (math.isfinite(self.speed) and self.speed > 0):
            raise BadInput("unusable speed", got=self.speed, expected="a finite number above 0")

    def stream_at(self, clock_s: float) -> int:
        """Stream time in microseconds when the clock reads `clock_s`; earlier readings stand."""
        if not self.playing:
            return self.stream_us
        elapsed_s = max(0.0, clock_s - self.clock_s)
        return self.stream_us + round(elapsed_s * self.speed * 1e6)

    def _from(self, clock_s: float) -> Pace:
        """The same line, anchored at another point of it."""
        return replace(self, clock_s=max(clock_s, self.clock_s), stream_us=self.stream_at(clock_s))

    def paused(self, clock_s: float) -> Pace:
        """Stand still from now on."""
        return replace(self._from(clock_s), playing=False)

    def resumed(self, clock_s: float) -> Pace:
        """Go on from where stream time stands."""
        return replace(self._from(clock_s), playing=True)

    def at_speed(self, speed: float, clock_s: float) -> Pace:
        """Go on at another speed."""
        return replace(self._from(clock_s), speed=speed)

    def moved(self, stream_us: int, clock_s: float) -> Pace:
        """Go on from another stream time."""
        return replace(self, clock_s=clock_s, stream_us=stream_us)

"""Whoever is told of outcomes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlab.errors import LeadlabError
from leadlab.stream.lane import Lane
from leadlab.stream.outcome import Outcome

TROUBLE = (LeadlabError, OSError, ArithmeticError, LookupError, TypeError, ValueError, RuntimeError)
"""What a sink may raise without stopping the others; it is counted and told."""


@dataclass(frozen=True, slots=True)
class Sink:
    """Somebody who is told of outcomes.

    Attributes
    ----------
    name : str
    take : callable
        Given each `Outcome` in order; while the service recovers, outcomes come again.
    tick : callable, optional
        Given the moment in microseconds UTC, about every `Pacing.tick_s`.
    reread : callable, optional
        Given (lane, places, their rows of the book before) of leads that were read again though
        nothing happened.
    state, restore : callable, optional
        Give and take back the sink's state as bytes, kept in the same file as the engine's.
    """

    name: str
    take: Callable[[Outcome], None]
    tick: Callable[[int], None] | None = None
    reread: Callable[[Lane, NDArray[np.int64], NDArray[Any]], None] | None = None
    state: Callable[[], bytes] | None = None
    restore: Callable[[bytes], None] | None = None

"""What there is to see at one moment; made once by the producer, shared by all who look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from leadlab.stream import Board, Explanation, Progress

Key = tuple[str, str]
"""Lead and tenant."""
State = Literal["idle", "loading", "live", "nothing", "failed"]
HOT_SHARE = 0.05
"""Leads within this top share of the active ones are hot: as many as a team can call first."""
ACTIVE_DAYS = 30
"""A lead is active for this long after its last event."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What holds for as long as a recording is played.

    Attributes
    ----------
    title : str
        What the data are.
    simulated : bool
        Invented events; else a real log, replayed.
    outcome : str
        What the probability is of.
    horizon_days : float or None
    model : str
        Version.
    n_features : int
    of : int
        Leads that the intervals speak of; 0 where the model has none.
    """

    title: str
    simulated: bool
    outcome: str
    horizon_days: float | None
    model: str
    n_features: int
    of: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """The hub at one moment; nobody changes it.

    Attributes
    ----------
    version : int
        Grows with every change: the same version, the same picture.
    state : str
        "idle" before anybody looked, "loading", "live", "nothing" (no model or log) or "failed".
    message, hint : str
        What people are told where there is nothing live to see, and the next step.
    facts, progress, board
        None until it is live.
    explanations : mapping of (lead, tenant) to Explanation
        Of the leads that somebody looks at, as of the board's moment.
    """

    version: int = 0
    state: State = "idle"
    message: str = ""
    hint: str = ""
    facts: Facts | None = None
    progress: Progress | None = None
    board: Board | None = None
    explanations: Mapping[Key, Explanation] = field(default_factory=dict)

"""What the live engine makes of one micro-batch: a row an event, in the journal's order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlab.explain.scores import Scores
from leadlab.schema.log import EventLog

TIERS = ("cold", "warm", "hot")
NO_TIER = -1
TOP = 3
"""Reasons kept with a result."""

OUTCOME = np.dtype(
    [
        ("offset", np.int64),  # of the event in the journal
        ("place", np.int32),  # of the lead in the standings
        ("at_us", np.int64),  # the event's own time
        ("arrived_us", np.int64),  # stamp of the journal
        ("as_of_us", np.int64),  # everything the journal holds up to this event is in the score
        ("probability", np.float64),
        ("low", np.float64),  # interval of the share that converts among the next leads like it
        ("high", np.float64),
        ("previous", np.float64),  # probability of the lead's score before; NaN for its first
        ("tier", np.int8),  # index into TIERS
        ("tier_before", np.int8),  # NO_TIER for a lead's first
        ("churn", np.float64),  # chance of silence over the longest horizon; NaN without a model
        ("model", np.int16),  # index into Outcome.models
        ("agent", np.int32),  # 1 + index into Outcome.agents of who looks after the lead; 0: nobody
        ("fallback", np.bool_),  # rules stood in for the model
        ("late", np.bool_),  # the event came after a later one of its lead
        ("reason", np.int16, (TOP,)),  # feature families, strongest first; -1 for none
        ("effect", np.float32, (TOP,)),  # what they add, in log-odds
        ("mover", np.int16, (TOP,)),  # families that moved the score most since the one before
        ("moved", np.float32, (TOP,)),
    ]
)

STAGES = ("arrived", "journalled", "features", "scored", "explained", "published")


@dataclass(frozen=True, eq=False)
class Outcome:
    """Results of a micro-batch.

    Attributes
    ----------
    rows : structured array of `OUTCOME`
        One an event that was new; repeated events have none.
    events : EventLog
        The same events in the same order; not canonical.
    models : tuple of str
        Versions by the code in ``rows["model"]``.
    families : tuple of str
        Feature families by the code in ``rows["reason"]`` and ``rows["mover"]``.
    scores : Scores or None
        Features and contributions behind the rows; None where rules stood in.
    receipt : dict of str to float
        Clock in seconds when the batch passed each of `STAGES`; "arrived" is that of its oldest
        event.
    lane : str
        Whose plan; places count within a lane.
    agents : sequence of str
        By the code in ``rows["agent"]``, less one.
    """

    rows: NDArray[Any]
    events: EventLog
    models: tuple[str, ...]
    families: tuple[str, ...]
    scores: Scores | None = field(default=None, repr=False)
    receipt: dict[str, float] = field(default_factory=dict)
    lane: str = ""
    agents: Sequence[str] = ()

    def agent(self, row: int) -> str | None:
        """Who looks after a row's lead: who acted for it last, be it in this event or before."""
        code = int(self.rows["agent"][row])
        return self.agents[code - 1] if code else None

    def __len__(self) -> int:
        return len(self.rows)

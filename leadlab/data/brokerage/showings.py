"""Showings: asked for, scheduled by the agent or not, held or called off; and open houses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadlab.data.brokerage.behaviour import OPEN_HOUSE, SHOWING, Acts
from leadlab.data.brokerage.clock import in_hours
from leadlab.data.brokerage.draws import child, lognormal, uniform
from leadlab.data.brokerage.happening import Happening, told
from leadlab.data.brokerage.visits import homes
from leadlab.data.brokerage.world import World

F64 = NDArray[np.float64]
HOUR = 1 / 24
SCHEDULED, CANCELLED = 0.88, 0.15


def showings(acts: Acts, world: World) -> list[Happening]:
    """Tell what becomes of requests for a showing, and who came to an open house."""
    asked = acts.of(SHOWING)
    home = homes(asked.key, asked.lead, asked.state, world)
    request = told("Showing Requested", asked.day, asked.lead, asked.key, asked.state, None, home)
    kept = request.take(uniform(asked.key, "scheduled") < SCHEDULED)
    pace = world.agents.pace[world.leads.agent[kept.lead]]
    set_at = kept.day + lognormal(kept.key, "schedule", 2.0 * HOUR, 0.8) * pace
    set_at = in_hours(set_at, 8, 20, uniform(kept.key, "schedule, morning"))
    key = child(kept.key, 0, "schedule")
    scheduled = told(
        "Showing Scheduled", set_at, kept.lead, key, kept.state, kept.day, kept.listing
    )
    held = in_hours(set_at + 0.5 + 3.5 * uniform(key, "held"), 9.5, 19, uniform(key, "hour"))
    off = uniform(key, "off") < CANCELLED
    called_off = set_at + (held - set_at) * (0.2 + 0.7 * uniform(key, "called off"))
    ends = np.where(off, called_off, held)
    parts = [request, scheduled]
    for kind, rows in (("Showing Completed", ~off), ("Showing Cancelled", off)):
        some = scheduled.take(rows)
        own = child(some.key, 0, "end")
        parts.append(told(kind, ends[rows], some.lead, own, some.state, some.decided, some.listing))
    came = acts.of(OPEN_HOUSE)
    home = homes(came.key, came.lead, came.state, world)
    parts.append(told("Visited Open House", came.day, came.lead, came.key, came.state, None, home))
    return parts

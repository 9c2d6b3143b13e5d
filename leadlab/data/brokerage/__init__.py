"""A SIMULATED brokerage: seeded leads, agents, homes and messages, with the truth kept beside them.

What a model reaches on it says nothing of what it would reach on people; it says how near the model
comes to what was planted.
"""

from leadlab.data.brokerage.forward import Moment, forward, live
from leadlab.data.brokerage.settings import SOURCE, Settings
from leadlab.data.brokerage.simulate import Brokerage, read_brokerage, simulate
from leadlab.data.brokerage.truth import Truth
from leadlab.data.brokerage.world import World

__all__ = [
    "SOURCE",
    "Brokerage",
    "Moment",
    "Settings",
    "Truth",
    "World",
    "forward",
    "live",
    "read_brokerage",
    "simulate",
]

"""Events as they come: replayed against a clock, put through the engine, kept for those who read.

The clock is an argument throughout; who owns a thread is none of this room's business.
"""

from leadlab.stream.engine import Engine, Explanation
from leadlab.stream.pace import Pace
from leadlab.stream.player import Board, Player, Progress
from leadlab.stream.replay import Replay
from leadlab.stream.results import RESULT, Results
from leadlab.stream.ring import Ring
from leadlab.stream.standings import Standings

__all__ = [
    "RESULT",
    "Board",
    "Engine",
    "Explanation",
    "Pace",
    "Player",
    "Progress",
    "Replay",
    "Results",
    "Ring",
    "Standings",
]
